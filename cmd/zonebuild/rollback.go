package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func rollbackCommand(a *app) *cobra.Command {
	var release bool
	var only []string
	c := &cobra.Command{
		Use: "rollback [GENERATION] [--zone ZONE]... | rollback --release", Short: "Publish the content of an earlier generation again",
		Long: `Rollback publishes the content of an earlier generation, the previous one by
default, as a new generation: with today's keys and signatures and a serial that
goes forward, so that secondaries take it. The zones stand there, whatever is
fetched, until "rollback --release" lets them follow their inputs again.`,
		Example: "  zonebuild rollback\n  zonebuild rollback 41 --zone 202.in-addr.arpa\n  zonebuild rollback --release",
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			zones, err := zoneArgs(only)
			if err != nil {
				return err
			}
			if release {
				if len(args) > 0 {
					return shell.Usage(fmt.Errorf("rollback takes a generation or --release, not both"), "zonebuild rollback --help")
				}
				return a.build(c.Context(), causeBuild, func(b *batch) error { return b.release(zones) })
			}
			var n uint64
			if len(args) == 1 {
				if n, err = strconv.ParseUint(args[0], 10, 64); err != nil {
					return shell.Usage(fmt.Errorf("%q is no generation's number", args[0]), "ls public/generations")
				}
			}
			return a.build(c.Context(), causeRollback, func(b *batch) error { return b.rollback(n, zones) })
		},
	}
	c.Flags().BoolVar(&release, "release", false, "follow the inputs again")
	c.Flags().StringArrayVar(&only, "zone", nil, "only this `ZONE`; may be repeated")
	return c
}

// rollback makes the zones be built from what generation n was made of. The
// serial, keys and previous file stay those of the current generation.
func (b *batch) rollback(n uint64, zones []zone.Name) error {
	if b.prev == nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("nothing is published yet"), Hint: "zonebuild init --accept COUNT"}
	}
	if n == 0 {
		n = b.prev.Previous
	}
	if n == 0 {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("there is no generation before %d", b.prev.Number)}
	}
	for _, z := range zones {
		if b.job(z) == nil {
			return shell.Usage(fmt.Errorf("%s is neither published nor in a [[zones]] group of the configuration", z.File()), "")
		}
	}
	kept, err := b.tree.Open(n)
	if err != nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("opening generation %d: %w", n, err), Hint: "ls " + b.tree.Root + "/generations"}
	}
	target, err := shell.ReadGeneration(kept)
	if err != nil {
		return err
	}
	for _, j := range b.jobs {
		if len(zones) > 0 && !slices.Contains(zones, j.zone) {
			continue
		}
		t := target.Zone(j.zone)
		if t == nil || j.prev == nil {
			if len(zones) > 0 {
				return &shell.Exit{Code: 1, Err: fmt.Errorf("%s is not in generation %d", j.zone.File(), n)}
			}
			continue
		}
		if _, err := b.claimsOf(t.Claims); err != nil {
			return fmt.Errorf("reading the claims of generation %d: %w", n, err)
		}
		j.base, j.pinned = t, n
	}
	return nil
}

// release lets the zones follow their inputs again. What they would lose
// against the published state passes the gates like any other change.
func (b *batch) release(zones []zone.Name) error {
	pinned := 0
	for _, j := range b.jobs {
		if j.pinned != 0 && (len(zones) == 0 || slices.Contains(zones, j.zone)) {
			j.pinned = 0
			pinned++
		}
	}
	if pinned == 0 {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("no zone is pinned to an earlier generation")}
	}
	return nil
}
