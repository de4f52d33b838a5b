package nir

import (
	"context"

	"pgregory.net/rapid"

	"nirzone/nir/inr"
)

// agree compares everything, and remembers what was.
func (m *landModel) agree(*rapid.T) {
	err := m.db.View(context.Background(), func(v *View) error {
		m.compareFree(v)
		m.compareServing(v)
		m.compareRecords(v)
		m.compareAggregates(v)
		for _, check := range []func() ([]Fault, error){v.CheckPools, v.CheckDelegations} {
			if f, err := check(); err != nil || len(f) > 0 {
				m.t.Fatalf("%+v, %v", f, err)
			}
		}
		return m.compareHeld(v, m.cells)
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.past = append(m.past, landAt{m.now, m.cells})
}

// compareHeld: P8, P9. Every cell has one manager and one holder, and what is
// delegated to a member is part of what its NIR has.
func (m *landModel) compareHeld(v *View, cells [allCells]landCell) error {
	var real [allCells]landCell
	above := map[string]Delegation{}
	var members []Delegation
	var managed [allCells]string
	err := v.EachDelegation(func(d *Delegation) error {
		for _, i := range cellsOf(d.Range) {
			if d.Level == RIRToNIR {
				if managed[i] != "" {
					m.t.Fatalf("cell %d has two managers", i)
				}
				managed[i] = d.NIR
				continue
			}
			if real[i].state != "" {
				m.t.Fatalf("cell %d is held twice", i)
			}
			real[i] = landCell{state: "held", manager: d.NIR, holder: m.nameOf(d.Member), date: d.Date}
		}
		if d.Level == RIRToNIR {
			above[d.ID] = *d
		} else {
			members = append(members, *d)
		}
		return nil
	})
	for i, c := range cells {
		over := c.manager // whose it is at the level above
		if c.home == NIRExisting {
			over = "JPNIC"
		}
		if c.home = ""; c.state != "held" {
			c = landCell{}
		}
		if real[i] != c {
			m.t.Fatalf("as of %v cell %d is %+v, the model has %+v", m.now, i, real[i], c)
		}
		if managed[i] != over {
			m.t.Fatalf("cell %d of %q is delegated to %q", i, over, managed[i])
		}
	}
	for _, d := range members {
		if p := above[d.Parent]; d.NIR != "" && (p.NIR != d.NIR || !p.Range.Contains(d.Range)) {
			m.t.Fatalf("%s is not part of %s (%s)", d.Range, p.Range, d.Parent)
		}
	}
	return err
}

// compareRecords: what whois answers of a cell is of its manager, and so are the
// claims; nobody else's object stands there.
func (m *landModel) compareRecords(v *View) {
	claims, err := v.Claims(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	var real, want, source [allCells]string
	for _, c := range claims {
		p, err := inr.FromPrefix(c.Prefix)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, i := range cellsOf(p.Range()) {
			real[i] += c.Source
		}
	}
	for i, c := range m.cells {
		switch {
		case c.state == "away":
			want[i] = "RIPE"
			continue
		case c.home == NIRExisting:
			want[i] = "JPNIC"
		case c.manager != "":
			want[i] = c.manager
		default:
			want[i] = "APNIC"
		}
		if c.state == "held" {
			source[i] = want[i]
		}
	}
	if real != want {
		m.t.Fatalf("claims are of %q, want %q", real, want)
	}
	for i, c := range m.cells {
		w, err := v.WhoisCovering(spanOf(i, i))
		if c.state == "held" && (err != nil || w.Source != source[i]) || err == nil && c.state != "held" && c.home != NIRExisting {
			m.t.Fatalf("cell %d is %+v, whois says %s %s of %s, %v", i, c, w.Type, w.Key, w.Source, err)
		}
	}
}

func (m *landModel) nameOf(id string) string {
	for n, i := range m.ids {
		if i == id {
			return n
		}
	}
	return id
}

// compareFree: P3 and P13. What is free is what the model says, to the cell.
func (m *landModel) compareFree(v *View) {
	rows, err := freeBlocks.find(v, "id <> ''")
	if err != nil {
		m.t.Fatal(err)
	}
	pools, err := v.Pools()
	if err != nil {
		m.t.Fatal(err)
	}
	var home [allCells]Purpose
	for _, p := range pools {
		for _, i := range cellsOf(p.Range) {
			home[i] = p.Purpose
		}
	}
	n := map[int]int{}
	for _, f := range rows {
		for _, i := range cellsOf(f.Range) {
			n[i]++
		}
	}
	for i, c := range m.cells {
		want := 0
		if c.state == "free" {
			want = 1
		}
		if n[i] != want || home[i] != c.home {
			m.t.Fatalf("cell %d is free %d times and in pool %q, the model has %+v", i, n[i], home[i], c)
		}
	}
}

func (m *landModel) compareServing(v *View) {
	for _, name := range modelNames {
		list, err := v.Memberships(m.ids[name])
		if err != nil {
			m.t.Fatal(err)
		}
		for _, s := range list {
			at, served := m.serves[name]
			if s.Serves != (served && at == s.NIR) || s.Ended.IsZero() != m.belongs[name+"@"+s.NIR] || s.UID != name {
				m.t.Fatalf("%s at %q: %+v; the model says served by %q, member %t", name, s.NIR, s, at, m.belongs[name+"@"+s.NIR])
			}
		}
	}
}

// compareAggregates: P11. The same cells, and no cover is smaller.
func (m *landModel) compareAggregates(v *View) {
	for _, name := range modelNames {
		list, err := v.Aggregates(m.ids[name])
		if err != nil {
			m.t.Fatal(err)
		}
		count, cells := map[string]int{}, map[string][allCells]bool{}
		for _, a := range list {
			set := cells[a.NIR]
			for _, i := range cellsOf(a.Range) {
				if set[i] {
					m.t.Fatalf("aggregates overlap at cell %d", i)
				}
				set[i] = true
			}
			cells[a.NIR], count[a.NIR] = set, count[a.NIR]+1
		}
		for _, nir := range registries {
			var want [allCells]bool
			for i, c := range m.cells {
				want[i] = c.state == "held" && c.manager == nir && c.holder == name
			}
			if cells[nir] != want || count[nir] != minimal(want) {
				m.t.Fatalf("%s at %q: %d aggregates %v, want %d of %v", name, nir, count[nir], cells[nir], minimal(want), want)
			}
		}
	}
}

// minimal counts the prefixes of a set of cells by halving: of the cells 0 to 31,
// and of those of the other region. It shares no code with package inr.
func minimal(set [allCells]bool) int {
	var halve func(from, n int) int
	halve = func(from, n int) int {
		all, any := true, false
		for i := from; i < from+n; i++ {
			all, any = all && set[i], any || set[i]
		}
		switch {
		case all:
			return 1
		case !any:
			return 0
		}
		return halve(from, n/2) + halve(from+n/2, n/2)
	}
	return halve(0, 32) + halve(32, 8)
}

// history: P9 and P7. Every instant is as it was, and the chain is sound.
func (m *landModel) history() {
	for i := 0; i < len(m.past); i += 1 + len(m.past)/8 {
		s := m.past[i]
		err := m.db.AsOf(context.Background(), s.at, func(v *View) error { return m.compareHeld(v, s.cells) })
		if err != nil {
			m.t.Fatal(err)
		}
	}
	if _, err := m.db.VerifyAudit(context.Background()); err != nil {
		m.t.Fatal(err)
	}
}
