package main

import (
	"cmp"
	"errors"
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
	err  error // why the keys cannot be read
	keys []sign.Key
	plan []sign.Step
	rows []keyRow
}

// A keysAnswer is what "keys --json" shows.
type keysAnswer struct {
	Version  int          `json:"version"`
	Keys     []keyRow     `json:"keys"`
	Without  []string     `json:"without"` // zones that were never published and have no keys yet
	Problems []keyProblem `json:"problems"`
	Plan     []sign.Step  `json:"plan,omitempty"` // of the zones that were named
}

func (a *app) keys(args []string) error {
	if err := a.open(); err != nil {
		return err
	}
	zones, err := a.keyZones(args)
	if err != nil {
		return err
	}
	answer := keysAnswer{Version: 1, Keys: []keyRow{}, Without: []string{}, Problems: []keyProblem{}}
	var views []*keyView
	for _, z := range zones {
		v, err := a.viewKeys(z)
		if p := a.keyProblem(z, v.keys, err); p != nil {
			answer.Problems = append(answer.Problems, *p)
		} else if len(v.keys) == 0 {
			answer.Without = append(answer.Without, z.File())
		}
		views, answer.Keys = append(views, v), append(answer.Keys, v.rows...)
		if len(args) > 0 {
			answer.Plan = append(answer.Plan, v.plan...)
		}
	}
	if a.json {
		err = a.answer(answer)
	} else {
		a.showKeys(answer)
		a.showAhead(answer, views, len(args) > 0)
	}
	return errors.Join(err, a.tellProblems(answer.Problems))
}

// showAhead shows what comes: the whole plan, or what is waited for.
func (a *app) showAhead(answer keysAnswer, views []*keyView, whole bool) {
	for _, v := range views {
		if whole && v.err == nil {
			a.showPlanOf(v)
		}
	}
	if !whole {
		showWaits(a.Stdout, answer.Keys)
	}
	if n := len(answer.Without); n > 0 {
		a.Errorf("zones that have no keys yet: %d", n)
		a.Errorf("hint: zonebuild keys init")
	}
}

// viewKeys reads the keys of a zone and plans for them, without taking a step. The
// view is never nil; one of keys that cannot be read is empty.
func (a *app) viewKeys(z zone.Name) (*keyView, error) {
	v := &keyView{zone: z}
	if v.keys, v.err = sign.LoadKeys(a.cfg.Keys, z); v.err != nil {
		v.keys = nil
		return v, v.err
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
// removed are left out; zones without a key have a row that says so.
func (a *app) showKeys(answer keysAnswer) {
	t := shell.Table{Header: []string{"zone", "role", ">tag", ">alg", "state", "next", "when"}}
	tones := map[string]shell.Tone{"active": shell.Good, "published": shell.Care, "ready": shell.Care, "retired": shell.Care, "generated": shell.Quiet}
	last, gone := "", 0
	for _, r := range answer.Keys {
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
	for _, p := range answer.Problems {
		t.Add(p.Zone, "", "", "", shell.Paint(a.Stdout, shell.Bad, "problem"), "", "see below")
	}
	for _, z := range answer.Without {
		t.Add(z, "", "", "", shell.Paint(a.Stdout, shell.Quiet, "no keys"), "", "")
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
	for _, s := range inOrder(v.plan) {
		head := "next run"
		if !s.Due() {
			if head = when(s.At, a.now); head == "" {
				head = "waits"
			}
		}
		writeWrapped(w, "  ", fmt.Sprintf("%s: %s: %s", head, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Action, s.Role(), s.Key)), s.Why))
		for _, wait := range s.Waits {
			writeWrapped(w, "    ", "waits for "+wait)
		}
		if s.Stake != "" {
			writeWrapped(w, "    ", "at stake: "+s.Stake)
		}
	}
}

// inOrder returns steps as they come: what is due, what has a time, what waits.
func inOrder(plan []sign.Step) []sign.Step {
	rank := func(s sign.Step) int {
		switch {
		case s.Due():
			return 0
		case !s.At.IsZero():
			return 1
		}
		return 2
	}
	list := slices.Clone(plan)
	slices.SortStableFunc(list, func(x, y sign.Step) int {
		if c := cmp.Compare(rank(x), rank(y)); c != 0 || x.Due() {
			return c
		}
		return x.At.Compare(y.At)
	})
	return list
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
