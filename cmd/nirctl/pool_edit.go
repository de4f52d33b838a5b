package main

import (
	"github.com/spf13/cobra"

	"nirzone/nir"
	"nirzone/nir/alloc"
)

func poolEditCommand(a *app) *cobra.Command {
	var p nir.Pool
	purpose := ""
	c := &cobra.Command{
		Use: "edit POOL", Short: "Change how a pool is filled, or what it is for", Args: arguments(cobra.ExactArgs(1), "nirctl pool edit 202.0.0.0/8 --strategy soft --factor 4"),
		Example: "  nirctl pool edit 202.0.0.0/8 --strategy soft --factor 4\n  nirctl pool edit 202.0.0.0/8 --description \"from IANA in 1994\"",
	}
	f := c.Flags()
	f.StringVar(&purpose, "purpose", "", "`PURPOSE`: regional, reserved or quarantine")
	f.StringVar(&p.Strategy, "strategy", "", "how it is filled: `STRATEGY` soft, sparse, lowest, first-fit or best-fit")
	f.IntVar(&p.Factor, "factor", 0, "reserve `N` times what is allocated")
	f.StringVar(&p.Description, "description", "", "`TEXT`")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := edits(c, "purpose", "strategy", "factor", "description"); err != nil {
			return err
		}
		if p.Strategy != "" {
			if _, err := alloc.ParseStrategy(p.Strategy); err != nil {
				return usageOf(c, "strategy", err)
			}
		}
		return a.change(c, change{
			fn: func(x *nir.Tx) error {
				old, err := findPool(x.View, args[0])
				if err != nil {
					return err
				}
				_, err = x.ChangePool(poolWith(c, old, p, nir.Purpose(purpose)))
				return err
			},
			show: func(v *nir.View) error { return a.poolView(v, args[0]) },
		})
	}
	return a.writing(c)
}

// poolWith is a pool with what the flags say.
func poolWith(c *cobra.Command, old, p nir.Pool, purpose nir.Purpose) nir.Pool {
	if c.Flags().Changed("purpose") {
		old.Purpose = purpose
	}
	if c.Flags().Changed("strategy") {
		old.Strategy = p.Strategy
	}
	if c.Flags().Changed("factor") {
		old.Factor = p.Factor
	}
	if c.Flags().Changed("description") {
		old.Description = p.Description
	}
	return old
}
