package main

import "context"

// changeNow does what is agreed to whatever its plan is, and says what was done:
// for a change by the tens of thousands, which takes as long to show as to make.
func (a *app) changeNow(ctx context.Context, o *opened, ch change) error {
	done, err := o.do(ctx, ch.fn, nil, true)
	switch {
	case err != nil:
		return err
	case done.Objects == 0:
		a.Errorf("nothing to do: the registry says so already")
	default:
		a.made = true
		ctx = context.WithoutCancel(ctx) // it is done: an interrupt from now on is of what is said
		if !a.quiet {
			a.Errorf("%s", planText(a.Stderr, o, done, ch.candidate))
		}
		a.Errorf("done: %s, %s", eventsOf(done), count(done.Objects, "object"))
	}
	return o.result(ctx, ch)
}
