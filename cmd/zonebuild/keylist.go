package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// keyRow is a key as "keys --json" shows it.
type keyRow struct {
	Zone      string      `json:"zone"`
	Key       string      `json:"key"`
	Role      string      `json:"role"`
	Tag       uint16      `json:"tag"`
	Algorithm uint8       `json:"algorithm"`
	State     string      `json:"state"`
	Timing    sign.Timing `json:"timing"`
	Next      string      `json:"next,omitempty"` // its next step
	When      time.Time   `json:"when,omitzero"`  // when that is, as far as is known
	Waits     []string    `json:"waits,omitempty"`
	Hash      string      `json:"hash,omitempty"` // for "keys approve"
	DS        string      `json:"ds,omitempty"`   // for the parent, of a KSK or CSK
}

// keyView is the keys of one zone with their plan.
type keyView struct {
	zone zone.Name
	keys []sign.Key
	plan []sign.Step
	rows []keyRow
}

func (a *app) keys(args []string) error {
	if err := a.open(); err != nil {
		return err
	}
	zones, err := a.keyZones(args)
	if err != nil {
		return err
	}
	var views []*keyView
	rows := []keyRow{}
	for _, z := range zones {
		v, err := a.viewKeys(z)
		if err != nil {
			return err
		}
		views, rows = append(views, v), append(rows, v.rows...)
	}
	if a.json {
		return a.answer(rows)
	}
	a.showKeys(rows)
	if len(args) > 0 {
		for _, v := range views {
			a.showPlanOf(v)
		}
	} else {
		showWaits(a.Stdout, rows)
	}
	if len(rows) == 0 {
		a.Errorf("there are no keys yet")
		a.Errorf("hint: zonebuild keys init")
	}
	return nil
}

// viewKeys reads the keys of a zone and plans for them, without taking a step.
func (a *app) viewKeys(z zone.Name) (*keyView, error) {
	v := &keyView{zone: z}
	var err error
	if v.keys, err = sign.LoadKeys(a.cfg.Keys, z); err != nil {
		return nil, err
	}
	if g := a.entryOf(z); g != nil {
		w, ev := a.keyWork(z, a.cfg.Group(z), g)
		v.plan = sign.Plan(v.keys, w.Policy, ev, z, a.now)
	}
	for _, k := range v.keys {
		v.rows = append(v.rows, v.row(k, a.now))
	}
	return v, nil
}

func (v *keyView) row(k sign.Key, now time.Time) keyRow {
	r := keyRow{
		Zone: v.zone.File(), Key: k.ID, Role: k.Role(), Tag: k.Tag, Algorithm: k.Algorithm,
		State: k.State(now).String(), Timing: k.Timing,
	}
	if k.SignsKeys() {
		r.DS = k.DS().Text()
	}
	for _, s := range v.plan {
		next := string(s.Action)
		switch {
		case s.Key == k.ID || slices.ContainsFunc(s.Also, func(c sign.Change) bool { return c.Key == k.ID }) && s.Action == sign.ActionRemove:
		case s.Succeeds == k.ID:
			next = "succeed"
		default:
			continue
		}
		if r.Next == "" {
			r.Next, r.When, r.Waits, r.Hash = next, s.At, s.Waits, s.Hash
		}
	}
	return r
}

// showKeys renders the keys in a table of at most 80 columns. Those that are
// removed are left out.
func (a *app) showKeys(rows []keyRow) {
	t := shell.Table{Header: []string{"zone", "role", ">tag", ">alg", "state", "next", "when"}}
	tones := map[string]shell.Tone{"active": shell.Good, "published": shell.Care, "ready": shell.Care, "retired": shell.Care, "generated": shell.Quiet}
	last, gone := "", 0
	for _, r := range rows {
		if r.State == "removed" && r.Next == "" {
			gone++
			continue
		}
		name := r.Zone
		if name == last {
			name = ""
		}
		last = r.Zone
		at := when(r.When, a.now)
		if at == "" && len(r.Waits) > 0 {
			at = "waits"
		}
		t.Add(name, r.Role, fmt.Sprint(r.Tag), fmt.Sprint(r.Algorithm), shell.Paint(a.Stdout, tones[r.State], r.State), r.Next, at)
	}
	t.Render(a.Stdout)
	if gone > 0 {
		a.Errorf("%d removed keys are not shown; --json has them", gone)
	}
}

// showWaits tells what the keys wait for that is not only time.
func showWaits(w io.Writer, rows []keyRow) {
	shown := 0
	for _, r := range rows {
		if len(r.Waits) == 0 || !r.When.IsZero() || r.Next == string(sign.ActionDSSeen) && alone(rows, r) {
			continue
		}
		if shown++; shown > maxLines {
			fmt.Fprintln(w, "and more: zonebuild keys ZONE")
			return
		}
		if shown == 1 {
			fmt.Fprintln(w)
		}
		writeWrapped(w, "", fmt.Sprintf("%s: %s %d: %s waits for %s", r.Zone, r.Role, r.Tag, r.Next, strings.Join(r.Waits, "; ")))
	}
}

// alone reports whether no other key of the zone is for the parent: a DS that was
// never asked about is no news.
func alone(rows []keyRow, r keyRow) bool {
	for _, o := range rows {
		if o.Zone == r.Zone && o.Key != r.Key && o.DS != "" && o.State != "removed" {
			return false
		}
	}
	return true
}

// showPlanOf shows all that is planned for a zone.
func (a *app) showPlanOf(v *keyView) {
	w := a.Stdout
	fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, "plan for "+v.zone.File()))
	if len(v.plan) == 0 {
		fmt.Fprintln(w, "  nothing is planned")
	}
	for _, s := range v.plan {
		head := "next run"
		if !s.Due() {
			if head = when(s.At, a.now); head == "" {
				head = "waits"
			}
		}
		writeWrapped(w, "  ", fmt.Sprintf("%s: %s %s %s: %s", head, s.Action, s.Role(), s.Key, s.Why))
		for _, wait := range s.Waits {
			writeWrapped(w, "    ", "waits for "+wait)
		}
		if s.Stake != "" {
			writeWrapped(w, "    ", "at stake: "+s.Stake)
		}
	}
}

// writeWrapped writes a text in lines of at most 80 columns.
func writeWrapped(w io.Writer, indent, text string) {
	for i, line := range wrapped(text, 80-len(indent)-4) {
		if i > 0 {
			line = "    " + line
		}
		fmt.Fprintln(w, indent+line)
	}
}
