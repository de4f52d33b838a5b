package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// initCommand publishes zones that were never published. There is nothing to
// compare them with, so a person names how many delegations they hold.
func initCommand(a *app) *cobra.Command {
	var count int
	c := &cobra.Command{
		Use: "init --accept COUNT [ZONE...]", Short: "Publish zones for the first time",
		Long: `Init builds and publishes zones that were never published: all of them, or
those named. As no earlier version can show that something is missing, COUNT
has to be the number of delegations in them; "zonebuild plan" shows it.`,
		Example: "  zonebuild init --accept 450000\n  zonebuild init --accept 147 171.in-addr.arpa",
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("accept") {
				return shell.Usage(fmt.Errorf("init needs --accept COUNT"), "zonebuild plan")
			}
			zones, err := zoneArgs(args)
			if err != nil {
				return err
			}
			return a.build(c.Context(), causeInit, func(b *batch) error { return b.first(zones, count) })
		},
	}
	c.Flags().IntVar(&count, "accept", 0, "`COUNT` of delegations to be published for the first time")
	return c
}

func zoneArgs(args []string) ([]zone.Name, error) {
	var zones []zone.Name
	for _, s := range args {
		z, err := zone.ParseName(s)
		if err != nil {
			return nil, shell.Usage(err, "")
		}
		zones = append(zones, z)
	}
	return zones, nil
}

// first lets the named zones, or all, be published without an earlier version.
func (b *batch) first(zones []zone.Name, count int) error {
	b.expect = &count
	found := 0
	for _, j := range b.jobs {
		if j.prev != nil || j.group == nil {
			continue
		}
		if len(zones) > 0 && !slices.Contains(zones, j.zone) {
			j.skip = true
			continue
		}
		found++
	}
	for _, z := range zones {
		if j := b.job(z); j == nil || j.group == nil {
			return shell.Usage(fmt.Errorf("%s is in no [[zones]] group of the configuration", z.File()), b.zonesHint())
		}
	}
	if err := b.checkNew(zones); err != nil {
		return err
	}
	if found == 0 {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("every zone named is published already"), Hint: "zonebuild"}
	}
	return nil
}

// checkSigned refuses a first publication in which a zone could not be signed:
// a person named the whole of it.
func (b *batch) checkSigned() error {
	for _, j := range b.jobs {
		if (b.expect != nil || j.adopted != nil) && j.group != nil && j.prev == nil && j.carried != "" {
			return &shell.Exit{Code: 1, Err: fmt.Errorf("zone %s cannot be published: %s", j.zone.File(), j.carried), Hint: "zonebuild keys"}
		}
	}
	return nil
}

// checkCount compares what a person expects with what would be published.
func (b *batch) checkCount() error {
	if b.expect == nil {
		return nil
	}
	got := 0
	for _, j := range b.jobs {
		if j.prev != nil || j.skip {
			continue
		}
		if j.carried != "" {
			return fmt.Errorf("zone %s cannot be built: %s", j.zone.File(), j.carried)
		}
		for _, c := range counts(j.next) {
			got += c.Delegations
		}
	}
	if got != *b.expect {
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("the zones to be published hold %s, not %d; look at \"zonebuild plan\"", countOf(got, "1 delegation", "%d delegations"), *b.expect),
			Hint: fmt.Sprintf("if %d is right: zonebuild init --accept %d", got, got),
		}
	}
	return nil
}
