package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

func returnCommand(a *app) *cobra.Command {
	noun := nounCommand("return", "Resources that are given back")
	noun.Long = "What is given back is always reviewed: another person of the registry's staff signs\nit (nirctl approve). Then it is in quarantine before it is free again."
	noun.AddCommand(returnListCommand(a), returnCreateCommand(a), returnViewCommand(a), returnWithdrawCommand(a), returnReviewCommand(a))
	return noun
}

var returnColumns = shown[nir.Return]{
	one: "return", many: "returns", none: "nirctl return create --help",
	id: func(r nir.Return) string { return r.ID },
	cols: []col[nir.Return]{
		{"return", false, func(r nir.Return) string { return r.ID }},
		{"nir", false, func(r nir.Return) string { return r.NIR }},
		{"state", false, func(r nir.Return) string { return r.State }},
		{"due", false, func(r nir.Return) string { return stamp(r.Due) }},
		{"ranges", false, func(r nir.Return) string { return joined(r.Ranges, " ") }},
		{"reason", true, func(r nir.Return) string { return r.Reason }},
		{"submitter", true, func(r nir.Return) string { return r.Submitter }},
		{"plan", true, func(r nir.Return) string { return r.Plan }},
	},
}

func returnListCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "list", Short: "List returns", Args: arguments(cobra.NoArgs, "nirctl return list"), Example: "  nirctl return list\n  nirctl return list --nir JPNIC",
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.returns(v, code)
			if err != nil {
				return err
			}
			return showList(a, &returnColumns, list)
		})
	}
	return a.listing(c)
}

func returnCreateCommand(a *app) *cobra.Command {
	var r nir.Return
	var member, action string
	c := &cobra.Command{
		Use: "create RANGE...", Short: "Give resources back", Args: arguments(cobra.MinimumNArgs(1), `nirctl return create 202.0.0.0/22 --member JPNIC/M1 -m "not needed"`),
		Example: `  nirctl return create 202.0.0.0/22 --member JPNIC/M1 -m "not needed any more"`,
	}
	f := c.Flags()
	f.StringVar(&member, "member", "", "`MEMBER` that holds it: NIR/UID")
	f.StringVar(&action, "whois", "keep", "objects below it that its holder made: `ACTION` keep or delete")
	f.StringVar(&r.Ticket, "ticket", "", "`NUMBER` of the ticket")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.needMessage(); err != nil {
			return err
		}
		r.Whois, r.Reason = nir.WhoisAction(action), a.reason
		for _, s := range args {
			x, err := rangeOf(s)
			if err != nil {
				return err
			}
			r.Ranges = append(r.Ranges, x)
		}
		return a.returnCreate(c, r, member)
	}
	return a.writing(c)
}

func (a *app) returnCreate(c *cobra.Command, r nir.Return, member string) error {
	var made nir.Return
	err := a.changeWith(c, func(o *opened) change {
		return change{
			fn: func(x *nir.Tx) error {
				registry, _, err := o.splitMember(member)
				if err != nil {
					return err
				}
				m, err := o.findMember(x.View, member)
				if err != nil {
					return err
				}
				ask := r
				ask.Member, ask.NIR = m.ID, strings.ToUpper(registry)
				if ask.NIR == x.Rules.RIR {
					ask.NIR = ""
				}
				made, err = x.AddReturn(ask)
				return err
			},
			show: func(*nir.View) error { return showOne(a, &returnColumns, made, nil) },
		}
	})
	if err == nil && !a.dryRun {
		a.signNext(made.Plan)
	}
	return err
}
