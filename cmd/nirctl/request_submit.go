package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// submit sends requests: all of them in one event, or none.
func (a *app) submit(c *cobra.Command, texts []requestText, wait bool, w *patience) error {
	var sent []nir.Request
	err := a.changeWith(c, func(o *opened) change {
		return change{
			candidate: true,
			fn: func(x *nir.Tx) (err error) {
				sent, err = submitAll(o, x, texts)
				return err
			},
			show: func(v *nir.View) error { return a.showSent(v, sent) },
		}
	})
	if err != nil || a.dryRun {
		return hintSecondOpinion(err)
	}
	for _, r := range sent {
		if wait {
			if r, err = a.waitFor(c, requestName(r), w); err != nil {
				return err
			}
		}
		if err := stateExit(&r); err != nil {
			return err
		}
	}
	return nil
}

func submitAll(o *opened, x *nir.Tx, texts []requestText) ([]nir.Request, error) {
	var sent []nir.Request
	var bad []error
	for i := range texts {
		t := texts[i]
		q, err := t.ask(o, x.View)
		if err == nil {
			q.Request, err = x.Submit(q)
		}
		if err != nil && t.at == "" {
			return nil, err
		}
		for _, e := range parts(err) {
			bad = append(bad, fmt.Errorf("%s: request %d (%s): %w", t.at, i+1, t.Ref, e))
		}
		sent = append(sent, q.Request)
	}
	return sent, errors.Join(bad...)
}

func (a *app) showSent(v *nir.View, sent []nir.Request) error {
	for i := range sent {
		r, err := v.Request(sent[i].ID)
		if err != nil {
			return err
		}
		sent[i] = r
	}
	if len(sent) == 1 {
		return a.requestView(v, &sent[0])
	}
	return showList(a, &requestColumns, sent)
}

// hintSecondOpinion says what to type above the window, and what within it if
// nothing else is wrong.
func hintSecondOpinion(err error) error {
	var e *shell.Exit
	switch {
	case !errors.As(err, &e):
	case e.Code == secondOpinion:
		e.Hint = "the same with --second-opinion --justification FILE --assessment FILE"
	case strings.Contains(e.Err.Error(), "--justification: it is missing"), strings.Contains(e.Err.Error(), "--assessment: it is missing"):
		e.Hint = "the same with --justification FILE --assessment FILE: why it is needed, and what the NIR thinks of it"
	case strings.HasPrefix(e.Err.Error(), "--attested: ") && !strings.Contains(e.Err.Error(), "\n"):
		e.Hint = "if it does: the same with --attested"
	}
	return err
}

// maxRequests bounds a file of requests, in octets.
const maxRequests = 16 << 20

// requestTemplate is a file of requests to begin with.
const requestTemplate = `# Requests for nirctl request submit: one [[request]] for each. All of them are
# taken in one event, or none.
[[request]]
nir      = "JPNIC"      # who asks
ref      = "R-90"       # the NIR's own reference: never used for another request
member   = "M1"         # UID of the member, as the NIR calls it
# member_name = ""      # of a member that is new
kind     = "ipv4"       # ipv4, ipv6, asn
size     = "/22"        # a prefix length, or a number
type     = "allocation" # or assignment
netname  = "EXAMPLE"    # for whois
descr    = ""
economy  = "JP"
admin_c  = "AA1-JP"
tech_c   = "TT1-JP"
attested = true         # the NIR keeps the justification in its own records

# Above the window:
# second_opinion = true
# justification  = """ … """
# assessment     = """ … """
`

func requestSubmitCommand(a *app) *cobra.Command {
	var template bool
	c := &cobra.Command{
		Use: "submit FILE", Short: "Request resources as a file says, many at once",
		Long: `Submit sends the requests of a file, all in one event or none; - is standard input.
The file is TOML with a [[request]] for each; --template prints one to begin with.
Every mistake is told at once.`,
		Args:    arguments(cobra.MaximumNArgs(1), "nirctl request submit requests.toml"),
		Example: "  nirctl request submit --template > requests.toml\n  nirctl request submit requests.toml --dry-run\n  nirctl request submit requests.toml",
	}
	c.Flags().BoolVar(&template, "template", false, "print a file to begin with")
	c.RunE = func(c *cobra.Command, args []string) error {
		if template {
			_, err := fmt.Fprint(a.Stdout, requestTemplate)
			return err
		}
		if len(args) == 0 {
			return shell.Usage(errors.New("which file?"), "nirctl request submit requests.toml")
		}
		data, err := a.read(c.Context(), args[0], maxRequests)
		if err != nil {
			return fmt.Errorf("reading requests: %w", err)
		}
		texts, err := parseRequests(args[0], data)
		if err != nil {
			return err
		}
		return a.submit(c, texts, false, nil)
	}
	return a.writing(c)
}

// parseRequests reads a file of requests, strictly.
func parseRequests(name string, data []byte) ([]requestText, error) {
	var file struct {
		Request []requestText `toml:"request"`
	}
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	err := d.Decode(&file)
	var unknown *toml.StrictMissingError
	var broken *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		var all []error
		for i := range unknown.Errors {
			line, column := unknown.Errors[i].Position()
			all = append(all, fmt.Errorf("%s:%d:%d: there is no key %s", name, line, column, strings.Join(unknown.Errors[i].Key(), ".")))
		}
		err = errors.Join(all...)
	case errors.As(err, &broken):
		line, column := broken.Position()
		err = fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
	case err == nil && len(file.Request) == 0:
		err = fmt.Errorf("%s: there is no [[request]]", name)
	}
	if err != nil {
		return nil, shell.Usage(err, "nirctl request submit --template")
	}
	lines := requestLines(data)
	for i := range file.Request {
		r := &file.Request[i]
		if r.at = name; len(lines) == len(file.Request) {
			r.at = fmt.Sprintf("%s:%d", name, lines[i])
		}
		if r.Kind == "" {
			r.Kind = "ipv4"
		}
		if r.Type == "" {
			r.Type = "allocation"
		}
	}
	return file.Request, nil
}

// requestLines returns the lines at which requests begin, of a file that was read.
// One that has such a line within a text has more of them than requests.
func requestLines(data []byte) []int {
	var list []int
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if words := bytes.Fields(line); len(words) > 0 && string(words[0]) == "[[request]]" {
			list = append(list, n)
		}
	}
	return list
}

// A patience says for how long a command waits, and how often it looks.
type patience struct{ timeout, every time.Duration }

func waitFlags(c *cobra.Command) *patience {
	w := &patience{}
	c.Flags().DurationVar(&w.timeout, "timeout", time.Hour, "wait at most this `TIME`; 0 to look once")
	c.Flags().DurationVar(&w.every, "every", 5*time.Second, "look again after this `TIME`")
	return w
}

func requestWaitCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "wait REQUEST", Short: "Wait until a request is registered, or cannot be",
		Long: `Wait ends with 0 when the request is registered, with 1 when it was refused or
withdrawn, and with 8 when it is still pending after --timeout, or the registry
asked the NIR something.`,
		Args: arguments(cobra.ExactArgs(1), "nirctl request wait JPNIC/R-1"), Example: "  nirctl request wait JPNIC/R-1\n  nirctl request wait JPNIC/R-2 --timeout 0   # exit code 8: it is evaluated",
	}
	w := waitFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		r, err := a.waitFor(c, args[0], w)
		if err != nil {
			return err
		}
		if err := a.look(c, func(_ *opened, v *nir.View) error { return a.requestView(v, &r) }); err != nil {
			return err
		}
		return stateExit(&r)
	}
	a.showing(c)
	return c
}

// waitFor looks at a request until nothing more is to come of itself. The clock of
// --now stands still: time that passes is the process's own.
func (a *app) waitFor(c *cobra.Command, name string, w *patience) (nir.Request, error) {
	if w.every < 100*time.Millisecond {
		w.every = 100 * time.Millisecond
	}
	for left := w.timeout; ; left -= w.every {
		var r nir.Request
		err := a.look(c, func(o *opened, v *nir.View) (err error) {
			r, err = o.requestToShow(v, name)
			return err
		})
		if err != nil || left <= 0 || r.State != nir.Evaluating && r.State != nir.HeldRequest {
			return r, err
		}
		if err := wait(c.Context(), min(w.every, left)); err != nil {
			return r, err
		}
	}
}
