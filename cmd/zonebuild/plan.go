package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

func planCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "Show what the next run would change", Args: noArgs,
		Long: `Plan parses, merges and passes the gates as a run does, and shows the
difference to what is published: the delegations of all zones, what the run would
do to each zone's file, key steps that are due, and those that were taken and are
not published yet. It signs and changes nothing.

In the column "file", "signed" means that keys, signatures, the apex or glue change
and no delegation does; "none" that the file stays as it is.`,
		Example: "  zonebuild plan\n  zonebuild plan --json\n  zonebuild plan --now 2026-12-01",
		RunE:    func(c *cobra.Command, _ []string) error { return a.plan(c.Context(), causeInit, nil) },
	}
}

// A planReport is the result of "plan".
type planReport struct {
	Version     int           `json:"version"`
	Delegations int           `json:"delegations"` // after the run, in all zones
	First       int           `json:"first"`       // of them in zones never published: COUNT of "init"
	Zones       []planZone    `json:"zones"`
	Holds       []zone.Hold   `json:"holds"`
	Notices     []zone.Notice `json:"notices"`
	Keys        []sign.Step   `json:"keys"`              // key steps, those that are due first
	Begun       []begunStep   `json:"begun"`             // key steps that were taken, and are not published yet
	Current     uint64        `json:"current,omitempty"` // generation
	Changing    int           `json:"changing"`          // zones whose file would change
	Nothing     bool          `json:"nothing"`           // no generation would be published
}

type planZone struct {
	Zone        zone.Name          `json:"zone"`
	Delegations int                `json:"delegations"`
	Sources     []zone.SourceCount `json:"sources"`
	Delta       zone.Delta         `json:"delta"`
	Change      string             `json:"change"` // new, changed, signed, carried or none
	Carried     string             `json:"carried,omitempty"`
	Pinned      uint64             `json:"pinned,omitempty"` // generation whose content stands
}

// plan is a run up to the gates. A zone that was never published is planned as
// init would publish it.
func (a *app) plan(ctx context.Context, cause string, prepare func(*batch) error) error {
	if err := a.open(); err != nil {
		return err
	}
	if err := a.mayRead(); err != nil {
		return err
	}
	if err := a.clockView().doubt(); err != nil && !a.clockRight {
		a.Errorf("warning: %v; nothing would be published", err)
	}
	a.planning = true
	b, err := a.prepared(ctx, cause, prepare)
	if err != nil {
		return err
	}
	if err := b.checkCount(); err != nil {
		return err
	}
	if err := b.foresee(ctx); err != nil {
		return interrupted(err)
	}
	p := b.planned()
	if a.json {
		return a.answer(p)
	}
	b.showPlan(p)
	return nil
}

// mayRead refuses a plan by somebody who may not read what a run reads: to him each
// zone would seem to be lost.
func (a *app) mayRead() error {
	for _, dir := range []string{a.cfg.State, a.cfg.Keys, filepath.Join(a.cfg.State, "accepts")} {
		if _, err := a.fs.ReadDir(dir); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("planning: %w", err)
		}
	}
	if _, err := a.readSerials(); errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("planning: %w", err)
	}
	return nil
}

func (b *batch) planned() planReport {
	p := planReport{Version: 1, Zones: []planZone{}, Holds: []zone.Hold{}, Keys: []sign.Step{}, Begun: []begunStep{}, Notices: append([]zone.Notice{}, b.notices...)}
	for _, j := range b.jobs {
		z := planZone{Zone: j.zone, Delta: zone.Delta{Zone: j.zone, Apex: j.delta.Apex, Changes: append([]zone.Change{}, j.delta.Changes...)}, Carried: j.carried, Pinned: j.pinned, Change: j.change()}
		if (j.carried != "" || j.still) && j.prev != nil {
			z.Sources = j.prev.Counts
		} else if j.next != nil {
			z.Sources = counts(j.next)
		}
		for _, c := range z.Sources {
			z.Delegations += c.Delegations
		}
		if j.prev == nil {
			p.First += z.Delegations
		}
		p.Delegations += z.Delegations
		p.Zones = append(p.Zones, z)
		b.sinceWhen(j.holds)
		p.Holds = append(p.Holds, j.holds...)
		p.Keys = append(p.Keys, j.life.plan...)
		p.Begun = append(p.Begun, b.begun(j)...)
		if z.Change != changeNone && z.Change != changeCarried {
			p.Changing++
		}
		p.Notices = append(p.Notices, j.notices...)
	}
	b.sinceWhen(b.claimsHolds)
	p.Holds = append(p.Holds, b.claimsHolds...)
	p.Notices = append(p.Notices, b.sourceNotices()...)
	zone.SortNotices(p.Notices)
	if b.prev != nil {
		p.Current = b.prev.Number
	}
	p.Nothing = b.nothingToDo() // decides: after all that shows what led to it
	return p
}

func (b *batch) showPlan(p planReport) {
	w := b.Stdout
	t := shell.Table{Header: []string{"zone", ">delegations", ">added", ">removed", ">changed", "file", "sources"}}
	for _, z := range p.Zones {
		var sources string
		for _, c := range z.Sources {
			sources += fmt.Sprintf("%s %d  ", c.Source, c.Delegations)
		}
		if z.Carried != "" {
			sources = shell.Paint(w, shell.Bad, "carried: "+z.Carried)
		}
		if z.Pinned != 0 {
			sources += shell.Paint(w, shell.Care, fmt.Sprintf("pinned to generation %d", z.Pinned))
		}
		added, removed, changed := countChanges(z.Delta)
		t.Add(z.Zone.File(), itoa(z.Delegations), itoa(added), itoa(removed), itoa(changed), shell.Paint(w, changeTone[z.Change], z.Change), sources)
	}
	t.Footer = []string{"total", itoa(p.Delegations)}
	t.Render(w)
	for _, z := range p.Zones {
		if text := z.Delta.Text(maxLines); text != "" {
			fmt.Fprintf(w, "\n%s", text)
		}
	}
	writeHolds(w, p.Holds, b.now)
	writeBegun(w, p.Begun)
	writeDueSteps(w, p.Keys)
	(&report{}).writeNotices(w, "notices", p.Notices)
	fmt.Fprintf(w, "\n%s\n", p.verdict())
	if err := b.checkNew(nil); err != nil {
		b.Errorf("warning: %v; %s", err, shell.HintOf(err))
	} else if p.First > 0 {
		fmt.Fprintf(w, "\n%s in zones never published; to publish: zonebuild init --accept %d\n", countOf(p.First, "1 delegation is", "%d delegations are"), p.First)
	}
}
