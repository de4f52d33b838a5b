package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func pinsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "pins", Short: "List what stands as published whatever is fetched", Args: noArgs,
		Long: `Pins lists the zones that stand at the content of an earlier generation after a
rollback, and the owners of a source that stand because of a decision for
additions only: since when, and how to let them go.`,
		Example: "  zonebuild pins\n  zonebuild rollback --release --zone 202.in-addr.arpa",
		RunE:    func(*cobra.Command, []string) error { return a.pins() },
	}
}

// A pin is one thing that stands. Generation is that of a rolled back zone;
// Owners and Until are of a decision.
type pin struct {
	Zone       zone.Name `json:"zone"`
	Source     string    `json:"source,omitempty"`
	Generation uint64    `json:"generation,omitempty"`
	Owners     int       `json:"owners"`
	Kind       string    `json:"kind,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	Release    string    `json:"release"` // the command that lets it go
}

func (a *app) pins() error {
	if err := a.open(); err != nil {
		return err
	}
	list := pinsOf(a.prev)
	if a.json {
		return a.answer(struct {
			Version int   `json:"version"`
			Pins    []pin `json:"pins"`
		}{1, list})
	}
	if len(list) == 0 {
		a.Errorf("nothing is pinned: every zone follows its inputs")
		return nil
	}
	t := shell.Table{Header: []string{"zone", "source", "stands", ">owners", "since", "until", "let it go with"}}
	for _, p := range list {
		t.Add(p.Zone.File(), p.Source, p.standsAs(), strconv.Itoa(p.Owners), sinceText(p.Since, a.now), p.ends(), p.Release)
	}
	t.Render(a.Stdout)
	return nil
}

// sinceText is a time and how long ago it was; releases before this one noted none.
func sinceText(since, now time.Time) string {
	if since.IsZero() {
		return age(since, now)
	}
	return fmt.Sprintf("%s, %s", stamp(since), age(since, now))
}

// standsAs says which content it is.
func (p *pin) standsAs() string {
	if p.Generation != 0 {
		return "as in generation " + strconv.FormatUint(p.Generation, 10)
	}
	return "as published (" + p.Kind + ")"
}

// ends says what ends it: a rollback does not end by itself.
func (p *pin) ends() string {
	if p.Until.IsZero() {
		return "a person releases it"
	}
	return stamp(p.Until)
}

// pinsOf returns what stands in a generation, zones first.
func pinsOf(g *zone.Generation) []pin {
	list := []pin{}
	if g == nil {
		return list
	}
	for _, z := range g.Zones {
		if z.Pinned != 0 {
			list = append(list, pin{Zone: z.Zone, Generation: z.Pinned, Owners: z.Delegations, Since: z.PinnedSince, Release: "zonebuild rollback --release --zone " + z.Zone.File()})
		}
	}
	for _, h := range g.Holds {
		if !h.Until.IsZero() {
			list = append(list, pin{Zone: h.Zone, Source: h.Source, Owners: len(h.Losses), Kind: h.Kind, Since: h.Since, Until: h.Until, Release: fmt.Sprintf("zonebuild accept %s --removes %d -m REASON", h.Hash[:12], h.Count())})
		}
	}
	return list
}
