package main

import (
	"errors"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func poolSplitCommand(a *app) *cobra.Command {
	purpose := ""
	c := &cobra.Command{
		Use: "split POOL RANGE", Short: "Make a part of a pool a pool of its own",
		Long: `Split makes a range of a pool a pool of its own, of the same purpose unless --purpose
says another. What is free, delegated or reserved there stays so.`,
		Example: "  nirctl pool split 202.0.0.0/8 202.128.0.0/9 --dry-run\n  nirctl pool split 202.0.0.0/8 202.255.0.0/16 --purpose reserved -m \"for critical infrastructure\"",
		Args:    arguments(cobra.ExactArgs(2), "nirctl pool split 202.0.0.0/8 202.128.0.0/9"),
	}
	c.Flags().StringVar(&purpose, "purpose", "", "`PURPOSE` of the part: regional, reserved or quarantine (default: the pool's)")
	a.completes(c, "purpose", "regional", "reserved", "quarantine")
	c.RunE = func(c *cobra.Command, args []string) error {
		r, err := rangeOf(args[1])
		if err != nil {
			return err
		}
		return a.change(c, change{
			fn: func(x *nir.Tx) error {
				p, err := findPool(x.View, args[0])
				if err != nil {
					return err
				}
				to := nir.Purpose(purpose)
				if to == "" {
					to = p.Purpose
				}
				_, err = x.SplitPool(p.ID, r, to)
				return err
			},
			show: func(v *nir.View) error { return a.poolView(v, r.String()) },
		})
	}
	return a.writing(c)
}

func poolShrinkCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "shrink POOL RANGE", Short: "Take a range out of a pool: the registry allocates it no more",
		Long:    "Shrink takes a range out of a pool for good. All of it has to be free: nothing\ndelegated, nothing in quarantine.",
		Example: "  nirctl pool shrink 202.0.0.0/8 202.192.0.0/10 -m \"transferred to another registry\"",
		Args:    arguments(cobra.ExactArgs(2), "nirctl pool shrink 202.0.0.0/8 202.192.0.0/10"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.needMessage(); err != nil {
			return err
		}
		r, err := rangeOf(args[1])
		if err != nil {
			return err
		}
		return a.change(c, change{confirm: r.String(), fn: func(x *nir.Tx) error {
			p, err := findPool(x.View, args[0])
			if err != nil {
				return err
			}
			return x.ShrinkPool(p.ID, r)
		}})
	}
	return a.writing(c)
}

func poolMergeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "merge POOL POOL", Short: "Make two pools that touch one",
		Long:    "Merge makes two pools one: they touch, are for the same purpose and are filled in\nthe same way. The first one's identifier stays.",
		Example: "  nirctl pool merge 202.0.0.0/8 2400::/31   # exit code 6: they do not touch",
		Args:    arguments(cobra.ExactArgs(2), "nirctl pool merge 202.0.0.0/9 202.128.0.0/9"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if args[0] == args[1] {
			return shell.Usage(errors.New("the two pools are the same"), "nirctl pool list")
		}
		id := ""
		return a.change(c, change{
			fn: func(x *nir.Tx) error {
				p, err := findPool(x.View, args[0])
				if err != nil {
					return err
				}
				o, err := findPool(x.View, args[1])
				if err != nil {
					return err
				}
				p, err = x.MergePools(p.ID, o.ID)
				id = p.ID
				return err
			},
			show: func(v *nir.View) error { return a.poolView(v, id) },
		})
	}
	return a.writing(c)
}
