package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func requestCommand(a *app) *cobra.Command {
	noun := nounCommand("request", "Requests for resources")
	noun.Long = `An NIR asks for resources for a member. What fits into its window is allocated at
once; above it, it asks for a second opinion (APNIC-103, section 3.2). A request
is named NIR/REF, by the reference that the NIR gave it; staff of an NIR may leave
their own out.`
	noun.AddCommand(requestListCommand(a), requestViewCommand(a), requestCreateCommand(a), requestSubmitCommand(a), requestWaitCommand(a),
		requestAnswerCommand(a), requestWithdrawCommand(a), requestCloseCommand(a), requestAskCommand(a), requestRefuseCommand(a), requestApproveCommand(a), requestRetryCommand(a),
		a.historyCommand("history REQUEST", "  nirctl request history JPNIC/R-1", findRequestHistory, cobra.ExactArgs(1)))
	return noun
}

func findRequestHistory(o *opened, v *nir.View, args []string) (table, id string, err error) {
	r, err := o.requestToShow(v, args[0])
	return "request", r.ID, err
}

func (o *opened) requestToShow(v *nir.View, s string) (nir.Request, error) {
	r, err := o.findRequest(v, s)
	if err == nil {
		err = o.mine(r.NIR)
	}
	if err != nil {
		return nir.Request{}, err
	}
	return r, nil
}

var requestColumns = shown[nir.Request]{
	one: "request", many: "requests", none: "nirctl request create --help",
	id: requestName,
	cols: []col[nir.Request]{
		{"request", false, requestName},
		{"state", false, func(r nir.Request) string { return r.State }},
		{"kind", false, func(r nir.Request) string { return r.Kind.String() }},
		{"size", false, func(r nir.Request) string { return string(r.Size) }},
		{"member", false, func(r nir.Request) string { return r.UID }},
		{"submitted", false, func(r nir.Request) string { return stamp(r.Submitted) }},
		{"due", false, func(r nir.Request) string { return stamp(r.Due) }},
		{"ranges", false, func(r nir.Request) string { return joined(r.Ranges, " ") }},
		{"act", true, func(r nir.Request) string { return r.Act }},
		{"window", true, func(r nir.Request) string { return string(r.Window) }},
		{"type", true, func(r nir.Request) string { return r.Type }},
		{"netname", true, func(r nir.Request) string { return r.Netname }},
		{"descr", true, func(r nir.Request) string { return r.Descr }},
		{"economy", true, func(r nir.Request) string { return r.Economy }},
		{"admin-c", true, func(r nir.Request) string { return r.AdminC }},
		{"tech-c", true, func(r nir.Request) string { return r.TechC }},
		{"submitter", true, func(r nir.Request) string { return r.Submitter }},
		{"answered", true, func(r nir.Request) string { return stamp(r.Answered) }},
		{"id", true, func(r nir.Request) string { return r.ID }},
	},
}

func requestName(r nir.Request) string {
	if r.NIR == "" {
		return r.ID // of a direct member
	}
	return r.NIR + "/" + r.Ref
}

func requestListCommand(a *app) *cobra.Command {
	var code, state string
	c := &cobra.Command{
		Use: "list", Short: "List requests, what is due first in front", Args: arguments(cobra.NoArgs, "nirctl request list --state evaluating"),
		Example: "  nirctl request list --state evaluating\n  nirctl request list --nir JPNIC --sort -submitted --limit 20\n  nirctl request list --filter kind=ipv6 -o json",
	}
	states := []string{nir.Evaluating, nir.InfoRequested, nir.HeldRequest, nir.Registered, nir.Refused, nir.Withdrawn, nir.ClosedRequest}
	c.Flags().StringVar(&state, "state", "", "only those in `STATE`: "+strings.Join(states, ", "))
	a.completes(c, "state", states...)
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := oneOf(c, "state", state, states); err != nil {
			return err
		}
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, code)
			if err != nil {
				return err
			}
			list, err := requestsOf(v, scope, state)
			if err != nil {
				return err
			}
			return showList(a, &requestColumns, list)
		})
	}
	return a.listing(c)
}

// requestsOf keeps the order of what is due first over all registries.
func requestsOf(v *nir.View, scope []string, state string) ([]nir.Request, error) {
	only := ""
	if len(scope) == 1 {
		only = scope[0]
	}
	list, err := v.Requests(only, state)
	var kept []nir.Request
	for _, r := range list {
		if len(scope) > 1 || r.NIR == only {
			kept = append(kept, r)
		}
	}
	return kept, err
}

func requestViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view REQUEST", Short: "Show a request and its evaluation", Args: arguments(cobra.ExactArgs(1), "nirctl request view JPNIC/R-1"),
		Example: "  nirctl request view JPNIC/R-1\n  nirctl request view JPNIC/R-1 -o yaml",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			r, err := o.requestToShow(v, args[0])
			if err != nil {
				return err
			}
			return a.requestView(v, &r)
		})
	}
	return a.reading(c)
}

// A requestFile is a request with all that was said about it.
type requestFile struct {
	nir.Request
	Evaluation []nir.Evaluation `json:"evaluation"`
}

func (a *app) requestView(v *nir.View, r *nir.Request) error {
	steps, err := v.Evaluations(r.ID)
	if err != nil {
		return err
	}
	if a.output.form == "json" || a.output.form == "yaml" {
		return a.structured(requestColumns.one, requestFile{*r, steps})
	}
	return showOne(a, &requestColumns, *r, func() {
		a.paragraph("justification", r.Justification)
		a.paragraph("assessment", r.Assessment)
		for _, e := range steps {
			a.paragraph(fmt.Sprintf("%s by %s, %s", e.Verdict, e.Author, stamp(e.Made)), e.Text)
		}
		if options := nir.VerdictsFor(r.State, a.who); len(options) > 0 {
			fmt.Fprintf(a.Stdout, "\nwhat you may do now: %s\n", joined(verbsOf(options), ", "))
		}
	})
}

// verbsOf are steps as they are typed behind nirctl request.
func verbsOf(steps []nir.Verdict) []string {
	typed := map[nir.Verdict]string{nir.AskNIR: "ask", nir.AskApplicant: "ask --applicant"}
	verbs := make([]string, len(steps))
	for i, s := range steps {
		verbs[i] = cmp.Or(typed[s], string(s))
	}
	return verbs
}

// paragraph shows what people wrote below a heading.
func (a *app) paragraph(heading, text string) {
	if text == "" && heading != "" {
		return
	}
	fmt.Fprintf(a.Stdout, "\n%s\n", plain(heading))
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		a.say("  %s\n", plain(strings.TrimRight(line, "\r\n")))
	}
}

// stateExit is how a command ends that was to see a request done.
func stateExit(r *nir.Request) error {
	name := requestName(*r)
	switch r.State {
	case nir.Evaluating:
		return &shell.Exit{Code: pending, Err: fmt.Errorf("%s is being evaluated, an answer is due by %s", name, stamp(r.Due)), Hint: "nirctl request wait " + name}
	case nir.InfoRequested:
		return &shell.Exit{Code: pending, Err: fmt.Errorf("%s waits for an answer to the registry's question", name), Hint: "nirctl request view " + name + "; nirctl request answer " + name + " -m TEXT"}
	case nir.HeldRequest:
		return &shell.Exit{Code: pending, Err: fmt.Errorf("%s is approved, but no pool has room for it", name), Hint: "nirctl request wait " + name}
	case nir.Refused, nir.Withdrawn:
		return &shell.Exit{Code: 1, Err: fmt.Errorf("%s is %s", name, r.State)}
	}
	return nil
}
