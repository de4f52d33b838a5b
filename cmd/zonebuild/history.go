package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func historyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the generations that are kept", Args: noArgs,
		Long: `History lists the generations that are kept, the newest first: when each was
built and why, and how many zones it changed. Any of them can be given to
"zonebuild rollback".`,
		Example: "  zonebuild history\n  zonebuild history --json",
		RunE:    func(*cobra.Command, []string) error { return a.history() },
	}
}

// A pastGeneration is one row of the history.
type pastGeneration struct {
	Number      uint64      `json:"generation"`
	Current     bool        `json:"current,omitempty"`
	Time        string      `json:"time"`
	Cause       string      `json:"cause"`
	Zones       int         `json:"zones"`
	Delegations int         `json:"delegations"`
	Changed     []zone.Name `json:"changed"`
	Held        int         `json:"held"` // delegations whose loss was held
	Carried     int         `json:"carried"`
	Pinned      int         `json:"pinned"`
}

func (a *app) history() error {
	if err := a.open(); err != nil {
		return err
	}
	rows, err := a.pastGenerations()
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(struct {
			Version     int              `json:"version"`
			Generations []pastGeneration `json:"generations"`
		}{1, rows})
	}
	t := shell.Table{Header: []string{">generation", "built", "cause", ">zones", ">delegations", ">changed", ">held", ">carried", ">pinned", ""}}
	for _, r := range rows {
		mark := ""
		if r.Current {
			mark = shell.Paint(a.Stdout, shell.Good, "current")
		}
		t.Add(strconv.FormatUint(r.Number, 10), r.Time, r.Cause, itoa(r.Zones), itoa(r.Delegations), itoa(len(r.Changed)), itoa(r.Held), itoa(r.Carried), itoa(r.Pinned), mark)
	}
	t.Render(a.Stdout)
	if len(rows) == 0 {
		a.Errorf("%v", a.nothingPublished())
	}
	return nil
}

// pastGenerations reads the kept generations, the newest first.
func (a *app) pastGenerations() ([]pastGeneration, error) {
	numbers, err := a.tree.List()
	if err != nil {
		return nil, err
	}
	rows := []pastGeneration{}
	var before *zone.Generation
	for _, n := range numbers {
		dir, err := a.tree.Open(n)
		if err != nil {
			return nil, fmt.Errorf("opening generation %d: %w", n, err)
		}
		g, err := shell.ReadGeneration(dir)
		if err != nil {
			return nil, err
		}
		r := pastGeneration{
			Number: n, Current: a.prev != nil && a.prev.Number == n, Time: stamp(g.Time), Cause: g.Cause,
			Zones: len(g.Zones), Changed: []zone.Name{}, Held: losses(g.Holds),
		}
		for _, z := range g.Zones {
			r.count(z, before)
		}
		rows, before = append(rows, r), g
	}
	slices.Reverse(rows)
	return rows, nil
}

func (r *pastGeneration) count(z zone.GenerationZone, before *zone.Generation) {
	r.Delegations += z.Delegations
	if z.Carried != "" {
		r.Carried++
	}
	if z.Pinned != 0 {
		r.Pinned++
	}
	if before == nil {
		return
	}
	if old := before.Zone(z.Zone); old == nil || old.SHA256 != z.SHA256 {
		r.Changed = append(r.Changed, z.Zone)
	}
}
