package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
)

// findReturn takes an identifier, or resources: then it is the one that waits for
// them, or else the newest.
func (o *opened) findReturn(v *nir.View, s string) (nir.Return, error) {
	if strings.HasPrefix(s, "ret_") {
		r, err := v.Return(s)
		if err == nil {
			err = o.mine(r.NIR)
		}
		return r, err
	}
	in, err := rangeOf(s)
	if err != nil {
		return nir.Return{}, err
	}
	list, err := o.returns(v, "")
	var best *nir.Return
	for i := range list {
		r := &list[i]
		if inr.Of(r.Ranges...).Overlaps(in) && (best == nil || newer(r, best)) {
			best = r
		}
	}
	if best == nil {
		if err == nil {
			err = &shell.Exit{Code: notFound, Err: fmt.Errorf("nobody returns %s", in), Hint: "nirctl return list"}
		}
		return nir.Return{}, err
	}
	return *best, err
}

// newer reports whether a return is the one that people mean rather than another.
func newer(r, than *nir.Return) bool {
	if a, b := r.State == nir.ReturnReviewed, than.State == nir.ReturnReviewed; a != b {
		return a
	}
	return r.Made.After(than.Made)
}

// returns are those that the user may see.
func (o *opened) returns(v *nir.View, code string) ([]nir.Return, error) {
	scope, err := o.scope(v, code)
	var list []nir.Return
	for _, n := range scope {
		if err == nil {
			var some []nir.Return
			some, err = v.Returns(n)
			list = append(list, some...)
		}
	}
	return list, err
}

func returnViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view RETURN", Short: "Show a return", Args: arguments(cobra.ExactArgs(1), "nirctl return view 202.0.0.0/22"),
		Long:    "View shows a return, named by its identifier or by anything that is given back.",
		Example: "  nirctl return view 202.0.0.0/22   # exit code 5: nobody returns it",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			r, err := o.findReturn(v, args[0])
			if err != nil {
				return err
			}
			return showOne(a, &returnColumns, r, nil)
		})
	}
	return a.reading(c)
}

// onReturn is a verb that takes a return a step further.
func (a *app) onReturn(c *cobra.Command, do func(x *nir.Tx, id string) (nir.Return, error), after func(nir.Return)) *cobra.Command {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	c.Args = arguments(cobra.ExactArgs(1), first)
	c.RunE = func(c *cobra.Command, args []string) error {
		var r nir.Return
		err := a.changeWith(c, func(o *opened) change {
			return change{
				fn: func(x *nir.Tx) error {
					found, err := o.findReturn(x.View, args[0])
					if err == nil {
						r, err = do(x, found.ID)
					}
					return err
				},
				show: func(*nir.View) error { return showOne(a, &returnColumns, r, nil) },
			}
		})
		if err == nil && !a.dryRun && after != nil {
			after(r)
		}
		return err
	}
	return a.writing(c)
}

func returnWithdrawCommand(a *app) *cobra.Command {
	return a.onReturn(&cobra.Command{
		Use: "withdraw RETURN", Short: "Take back a return that waits", Example: "  nirctl return withdraw 202.0.0.0/22   # exit code 5: nobody returns it",
	}, (*nir.Tx).WithdrawReturn, nil)
}

func returnReviewCommand(a *app) *cobra.Command {
	return a.onReturn(&cobra.Command{
		Use: "review RETURN", Short: "Propose a return again, as the registry is now (registry staff)",
		Long: `Review proposes a return again whose proposal expired, or whose effects would be
others now. Another person signs it: nirctl approve HASH.`,
		Example: "  nirctl return review 202.0.0.0/22   # exit code 5: nobody returns it",
	}, (*nir.Tx).ReviewReturn, func(r nir.Return) { a.signNext(r.Plan) })
}

// signNext says what has to be done with a proposal.
func (a *app) signNext(hash string) {
	a.Errorf("another person signs it: nirctl approve %.12s", hash)
}
