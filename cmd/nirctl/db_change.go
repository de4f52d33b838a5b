package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// A change is what a command writes. fn is run to see what would happen, and again
// to do it: it has to forget what it learned the first time.
type change struct {
	fn        func(*nir.Tx) error
	confirm   string                // what a person has to type; "" for yes
	candidate bool                  // the plan shows a block that somebody else may get first
	large     bool                  // if nobody is asked it is done once, not twice
	show      func(*nir.View) error // writes the result to standard output; nil for none
}

// writes is the annotation of commands that change the registry, for what-if.
const writes = "writes"

// writing gives a command the flags of all that change the registry.
func (a *app) writing(c *cobra.Command) *cobra.Command {
	a.showing(c)
	f := c.Flags()
	f.BoolVar(&a.dryRun, "dry-run", false, "show the plan, change nothing")
	f.BoolVarP(&a.yes, "yes", "y", false, "do not ask: needed without a terminal")
	f.StringVarP(&a.reason, "message", "m", "", "why: `TEXT` for the audit")
	c.Annotations = map[string]string{writes: ""}
	return c
}

// change shows what a command would do, asks, does it, and says what was done.
func (a *app) change(c *cobra.Command, ch change) error {
	return a.changeWith(c, func(*opened) change { return ch })
}

// changeWith is change for what depends on who asks.
func (a *app) changeWith(c *cobra.Command, of func(*opened) change) error {
	if err := a.checkWriting(c); err != nil {
		return err
	}
	o, err := a.open(c.Context())
	if err != nil {
		return err
	}
	defer o.close()
	return refused(c, a.changeIn(c.Context(), o, of(o)))
}

// checkWriting is checkForm for what writes: it does not write to name fields.
func (a *app) checkWriting(c *cobra.Command) error {
	if err := a.checkForm(); err != nil {
		return err
	}
	if a.shape.help && !a.dryRun {
		return shell.Usage(errors.New("--json=help: this command would change the registry"), c.CommandPath()+" --dry-run --json=help")
	}
	return nil
}

func (a *app) changeIn(ctx context.Context, o *opened, ch change) error {
	if ch.large && a.yes && !a.dryRun {
		return a.changeNow(ctx, o, ch)
	}
	p, err := o.try(ctx, ch.fn)
	if err != nil {
		return err
	}
	if a.dryRun {
		return a.showPlan(o, p, ch.candidate)
	}
	if p.Objects == 0 {
		a.Errorf("nothing to do: the registry says so already")
		return o.result(ctx, ch)
	}
	if !a.yes || !a.quiet { // who is asked sees what about
		a.Shell.Errorf("%s", planText(a.Stderr, o, p, ch.candidate))
	}
	return a.settle(ctx, o, ch, p)
}

// maxPlans is how often a person is shown a plan that changed meanwhile.
const maxPlans = 5

// settle asks and does it. What a person agreed to is what happens: if the
// registry changed meanwhile, the new plan is shown and asked about again.
func (a *app) settle(ctx context.Context, o *opened, ch change, p *nir.Plan) error {
	for range maxPlans {
		if err := a.confirm(ctx, ch.confirm); err != nil {
			return err
		}
		done, err := o.do(ctx, ch.fn, p, a.yes)
		if err == nil {
			ctx = context.WithoutCancel(ctx) // it is done, and that is what is said
		}
		if err == nil && done.Objects == 0 {
			a.Errorf("nothing to do any more: somebody else did it")
			return o.result(ctx, ch)
		}
		if err == nil {
			a.made = true
			a.Errorf("done: %s, %s", eventsOf(done), count(done.Objects, "object"))
			if !samePlan(p, done) {
				a.Errorf("the registry changed meanwhile; what was done is")
				a.Errorf("%s", shell.Fold(a.Stderr, maxWidth-len(stderrMark), effectsText(a.Stderr, done)))
			}
			return o.result(ctx, ch)
		}
		var other *otherPlan
		if !errors.As(err, &other) {
			return err
		}
		p = other.plan
		a.Shell.Errorf("the registry changed meanwhile; the plan is now")
		a.Shell.Errorf("%s", planText(a.Stderr, o, p, ch.candidate))
	}
	return &shell.Exit{Code: conflict, Err: errors.New("the registry changed again and again"), Hint: "try again with --yes"}
}

func (o *opened) result(ctx context.Context, ch change) error {
	if ch.show == nil {
		return nil
	}
	return o.View(ctx, ch.show)
}

// try returns the plan of a change.
func (o *opened) try(ctx context.Context, fn func(*nir.Tx) error) (*nir.Plan, error) {
	e, err := o.Try(ctx, o.actor, fn)
	if err != nil {
		return nil, err
	}
	var p *nir.Plan
	err = o.View(ctx, func(v *nir.View) error {
		p, err = v.Plan(e)
		return err
	})
	return p, err
}

// An otherPlan ends a change that would not be the one that was agreed to.
type otherPlan struct{ plan *nir.Plan }

func (*otherPlan) Error() string { return "the registry changed meanwhile" }

// do carries a change out. Unless any plan is right, it has to be the one that
// was shown.
func (o *opened) do(ctx context.Context, fn func(*nir.Tx) error, shown *nir.Plan, anyPlan bool) (*nir.Plan, error) {
	var done *nir.Plan
	var view *nir.View
	_, err := o.Decide(ctx, o.actor, func(x *nir.Tx) error {
		view = x.View
		return fn(x)
	}, func(e *nir.Event) (err error) {
		if done, err = view.Plan(e); err == nil && !anyPlan && !samePlan(shown, done) {
			err = &otherPlan{done}
		}
		return err
	})
	if done == nil && err == nil { // somebody did it meanwhile
		done = &nir.Plan{}
	}
	return done, err
}

// eventsOf names what was written.
func eventsOf(p *nir.Plan) string {
	if p.Events > 1 {
		return fmt.Sprintf("events %d to %d", p.Event-int64(p.Events)+1, p.Event)
	}
	return fmt.Sprintf("event %d", p.Event)
}

func samePlan(a, b *nir.Plan) bool { return a.Same(b) }

// confirm asks a person, if there is one to ask.
func (a *app) confirm(ctx context.Context, word string) error {
	if a.yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return shell.Usage(errors.New("nobody is there to confirm it, and nothing was changed"), "look at it with --dry-run, then give --yes")
	}
	question := "do it? [y/N] "
	if word != "" {
		question = "to do it, type " + word + ": "
	}
	fmt.Fprint(a.Stderr, question)
	answer, err := a.line(ctx)
	if err != nil {
		fmt.Fprintln(a.Stderr) // behind the question, and ^C
		return err
	}
	if word != "" && answer == word || word == "" && (strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")) {
		return nil
	}
	return &shell.Exit{Code: 1, Err: errors.New("not confirmed: nothing was changed")}
}

// line reads a line that a person types.
func (a *app) line(ctx context.Context) (string, error) {
	got := make(chan string, 1)
	go func() { // reading cannot be interrupted: it goes with the process
		var b strings.Builder
		buf := make([]byte, 1)
		for b.Len() < 1000 {
			n, err := os.Stdin.Read(buf)
			if err != nil || n == 1 && buf[0] == '\n' {
				break
			}
			b.Write(buf[:n])
		}
		got <- strings.TrimSpace(b.String())
	}()
	select {
	case <-ctx.Done():
		return "", errCancelled
	case s := <-got:
		return s, nil
	}
}

// wait pauses, unless the command is cancelled first.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return errCancelled
	case <-t.C:
		return nil
	}
}
