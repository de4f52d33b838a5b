package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

// describeCommand is what makes the whois objects of delegations that have none,
// as hints name it.
const describeCommand = "nirctl whois describe"

// describeAtOnce is how many delegations are described in one event; tests have fewer.
var describeAtOnce = 5000

func whoisDescribeCommand(a *app) *cobra.Command {
	limit := describeAtOnce
	c := &cobra.Command{
		Use: "describe", Short: "Make the whois objects of delegations that have none",
		Long: `Describe makes the whois objects, and under option 2 the domain objects, of
delegations that an import brought in without. Until then they are answered for,
but are in no export. It takes 5000 of them at a time, or as many as --limit says, in
an event for each 2500 changes. With --yes it goes on until none is left; without,
and with --limit, it says how many are left.`,
		Example: "  nirctl whois describe --dry-run\n  nirctl whois describe --limit 1000",
		Args:    arguments(cobra.NoArgs, describeCommand),
	}
	c.Flags().IntVar(&limit, "limit", limit, "`NUMBER` of delegations at most")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if limit < 1 {
			return usageOf(c, "limit", fmt.Errorf("%d: 1 or more", limit))
		}
		for before := -1; ; {
			left, err := a.describeSome(c, limit)
			if err != nil || left == 0 {
				return err
			}
			if !a.yes || c.Flags().Changed("limit") || left == before { // what cannot be described now is no reason to go on
				a.Errorf("%s without whois objects: %s --yes makes them all", count(left, "delegation"), describeCommand)
				return nil
			}
			before = left
		}
	}
	return a.writing(c)
}

// describeSome makes one event and returns how many delegations are left; none are
// counted of what is not done.
func (a *app) describeSome(c *cobra.Command, limit int) (left int, err error) {
	err = a.change(c, change{
		fn: func(x *nir.Tx) error { _, err := x.DescribeMissing(limit); return err },
		show: func(v *nir.View) (err error) {
			left, err = v.CountUndescribed()
			return err
		},
	})
	return left, err
}

// sayUndescribed says what an import leaves to do.
func (a *app) sayUndescribed(v *nir.View) error {
	n, err := v.CountUndescribed()
	if err == nil && n > 0 {
		a.Errorf("%s without whois objects: %s", count(n, "delegation"), describeCommand)
	}
	return err
}
