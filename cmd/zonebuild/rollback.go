package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func rollbackCommand(a *app) *cobra.Command {
	var release bool
	var only []string
	c := &cobra.Command{
		Use: "rollback [GENERATION] [--zone ZONE]... | rollback --release", Short: "Publish the content of an earlier generation again",
		Long: `Rollback publishes the content of an earlier generation, by default the newest
in which the zones were other than they are, as a new generation: with today's
keys and signatures and a serial that goes forward, so that secondaries take it.
All zones stand there, whatever is fetched, also those that were the same then:
--zone names those that are meant, and the others go on. "rollback --release"
lets them follow their inputs again; until then every run, this one included,
ends with exit code 3. "zonebuild history" lists the generations, "zonebuild
pins" what stands.`,
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
				if n, err = strconv.ParseUint(args[0], 10, 64); err != nil || n == 0 {
					return shell.Usage(fmt.Errorf("%q is no generation's number", args[0]), "zonebuild history")
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
		return b.nothingPublished()
	}
	for _, z := range zones {
		if b.job(z) == nil {
			return shell.Usage(fmt.Errorf("%s is neither published nor in a [[zones]] group of the configuration", z.File()), b.zonesHint())
		}
	}
	target, err := b.target(n, zones)
	if err != nil {
		return err
	}
	n = target.Number
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

// target reads generation n; for 0, the newest before the current one that has
// another content in one of the zones. A generation of notices alone has not.
func (b *batch) target(n uint64, zones []zone.Name) (*zone.Generation, error) {
	if n != 0 {
		return b.past(n)
	}
	numbers, err := b.tree.List()
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(numbers) {
		if n >= b.prev.Number {
			continue
		}
		g, err := b.past(n)
		if err != nil || differs(g, b.prev, zones) {
			return g, err
		}
	}
	return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("no kept generation has another content than the current one"), Hint: "zonebuild history"}
}

func (b *batch) past(n uint64) (*zone.Generation, error) {
	kept, err := b.tree.Open(n)
	if err != nil {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("opening generation %d: %w", n, err), Hint: "zonebuild history"}
	}
	return shell.ReadGeneration(kept)
}

// differs reports whether one of the zones, or any if none are named, was made of
// something else: other inputs, other claims, or other kept records.
func differs(g, current *zone.Generation, zones []zone.Name) bool {
	for _, z := range current.Zones {
		if len(zones) > 0 && !slices.Contains(zones, z.Zone) {
			continue
		}
		old := g.Zone(z.Zone)
		if old != nil && (old.Claims != z.Claims || !slices.Equal(old.Inputs, z.Inputs) || len(old.Kept) != len(z.Kept)) {
			return true
		}
	}
	return false
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

// pinnedSince returns the time of the rollback that a zone stands at.
func (b *batch) pinnedSince(j *job) time.Time {
	switch {
	case j.pinned == 0:
		return time.Time{}
	case b.cause == causeRollback && j.base != j.prev:
		return b.now.UTC()
	}
	return j.prev.PinnedSince
}
