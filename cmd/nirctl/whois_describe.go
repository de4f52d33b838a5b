package main

import (
	"github.com/spf13/cobra"

	"nirzone/nir"
)

// describeCommand is what makes the whois objects of delegations that have none,
// as hints name it.
const describeCommand = "nirctl whois describe"

func whoisDescribeCommand(a *app) *cobra.Command {
	limit := 5000
	c := &cobra.Command{
		Use: "describe", Short: "Make the whois objects of delegations that have none",
		Long: `Describe makes the whois objects, and under option 2 the domain objects, of
delegations that an import brought in without. Until then they are answered for,
but are in no export. It makes them for --limit delegations at most: give the
command again until there is nothing to do.`,
		Example: "  nirctl whois describe --dry-run\n  nirctl whois describe --limit 1000",
		Args:    arguments(cobra.NoArgs, describeCommand),
	}
	c.Flags().IntVar(&limit, "limit", limit, "`NUMBER` of delegations at most")
	c.RunE = func(c *cobra.Command, _ []string) error {
		left := 0
		err := a.change(c, change{
			fn: func(x *nir.Tx) error { _, err := x.DescribeMissing(limit); return err },
			show: func(v *nir.View) (err error) {
				left, err = v.CountUndescribed()
				return err
			},
		})
		if err == nil && left > 0 {
			a.Errorf("%s without whois objects: the same command again", count(left, "delegation"))
		}
		return err
	}
	return a.writing(c)
}

// sayUndescribed says what an import leaves to do.
func (a *app) sayUndescribed(v *nir.View) error {
	n, err := v.CountUndescribed()
	if err == nil && n > 0 {
		a.Errorf("%s without whois objects: %s", count(n, "delegation"), describeCommand)
	}
	return err
}
