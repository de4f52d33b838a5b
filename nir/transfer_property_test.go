package nir

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirzone/fixtures/peers"
	"nirzone/nir/inr"
)

// A landCell is a /24 as the model has it: the model knows no delegations, only who has
// which /24.
type landCell struct {
	state   string // free, held, quarantine, away
	manager string // of what is held: an NIR, or "" for the regional registry
	holder  string // likewise, of the model's names
	date    time.Time
	until   time.Time // of a quarantine
	home    Purpose   // of the pool that it is in, "" for none
}

// A modelLine is a range of cells that is to move.
type modelLine struct {
	id                   string
	cells                []int
	source, destination  string
	receiver             string
	due                  time.Time
	transfer             string
	whole, serve, merger bool
}

type modelReturn struct {
	hash  string
	cells []int
	id    string
}

const (
	regionalCells  = 24 // from 202.0.0.0
	existingCells  = 8  // JPNIC's existing pool, behind them
	foreignCells   = 8  // in another region at first, from 203.0.0.0
	allCells       = regionalCells + existingCells + foreignCells
	quarantineDays = 2 // days
)

// A landModel is the registry as its rules say it has to be, beside the real one.
type landModel struct {
	t       *rapid.T
	db      *DB
	now     time.Time
	cells   [allCells]landCell
	lines   []modelLine
	returns []modelReturn
	ids     map[string]string // of members, by the model's names
	belongs map[string]bool   // name@registry, while the membership lasts
	serves  map[string]string // registry, by name
	past    []landAt
	refs    int
	seen    map[string]int // what happened, over all histories
}

type landAt struct {
	at    time.Time
	cells [allCells]landCell
}

var (
	registries   = []string{"", "JPNIC", "KRNIC"}
	modelParties = []string{"", "JPNIC", "KRNIC", "RIPE"}
	modelNames   = []string{"a", "b", "c"}
)

func cellAt(i int) inr.Num {
	base := uint64(202 << 24)
	if i >= regionalCells+existingCells {
		base, i = 203<<24, i-regionalCells-existingCells
	}
	return inr.N(base + uint64(i)<<8)
}

// span is a range of cells; they do not reach over the gap.
func spanOf(i, j int) inr.Range {
	return inr.Range{Kind: inr.IPv4, First: cellAt(i), Last: cellAt(j).Add(inr.N(255))}
}

func cellsOf(r inr.Range) (list []int) {
	for i := range allCells {
		if spanOf(i, i).Overlaps(r) {
			list = append(list, i)
		}
	}
	return list
}

// newLandModel opens a registry with two NIRs, a regional pool and an existing one, and
// three members: a of the regional registry, b of JPNIC, c of KRNIC.
func newLandModel(t *rapid.T, outer *testing.T, file string) *landModel {
	db := openSQLite(outer, file)
	db.o.Signers, db.o.Rules.QuarantineDays = vouch{}, quarantineDays
	m := &landModel{
		t: t, db: db, now: day, ids: map[string]string{}, belongs: map[string]bool{}, serves: map[string]string{},
	}
	for i := range m.cells {
		m.cells[i] = landCell{state: "free", home: Regional}
		switch {
		case i >= regionalCells+existingCells:
			m.cells[i] = landCell{state: "away"}
		case i >= regionalCells:
			m.cells[i].home = NIRExisting
		}
	}
	m.must(func(x *Tx) error {
		for _, c := range registries[1:] {
			if _, err := x.PutNIR(NIR{Code: c, Name: c, Economy: "JP", Source: c, Mntner: "MAINT-" + c, Option: 1}); err != nil {
				return err
			}
			if _, err := x.SetWindow(c, inr.IPv4, "/16", "test"); err != nil {
				return err
			}
		}
		if _, err := x.AddPool(Pool{Range: spanOf(0, regionalCells-1), Purpose: Regional}); err != nil {
			return err
		}
		abroad := ForeignRange{Source: "RIPE", Range: spanOf(regionalCells+existingCells, allCells-1)}
		if err := foreignSpace.put(x, &abroad); err != nil {
			return err
		}
		_, err := x.AddPool(Pool{Range: spanOf(regionalCells, regionalCells+existingCells-1), Purpose: NIRExisting, NIR: "JPNIC"})
		return err
	})
	for i, name := range modelNames {
		m.must(func(x *Tx) error {
			mem, err := x.AddMember(registries[i], name, Member{Name: name, Economy: "JP"})
			m.ids[name], m.belongs[name+"@"+registries[i]], m.serves[name] = mem.ID, true, registries[i]
			return err
		})
	}
	return m
}

func (m *landModel) tick() { m.now = m.now.Add(time.Second) }

func (m *landModel) try(fn func(x *Tx) error) error {
	m.tick()
	err := m.db.Update(context.Background(), admin(m.now), fn)
	if err != nil && CodeOf(err) == "" {
		m.t.Fatalf("not a refusal: %v", err)
	}
	return err
}

func (m *landModel) must(fn func(x *Tx) error) {
	m.t.Helper()
	if err := m.try(fn); err != nil {
		m.t.Fatal(err)
	}
}

// expect compares a refusal with what the model says.
func (m *landModel) expect(ok bool, err error, what string) bool {
	m.t.Helper()
	if ok != (err == nil) {
		m.t.Fatalf("%s: the model says %t, the registry %v", what, ok, err)
	}
	if word, _, _ := strings.Cut(what, " "); ok {
		m.seen[word]++
	} else {
		m.seen[word+" refused"]++
	}
	return ok
}

func (m *landModel) allocate(t *rapid.T) {
	name, nir := rapid.SampledFrom(modelNames).Draw(t, "member"), rapid.SampledFrom(registries).Draw(t, "registry")
	if _, known := m.belongs[name+"@"+nir]; !known {
		return // the request would make a member of that name
	}
	a := ask(fmt.Sprint("r", m.refs), name, inr.IPv4, rapid.SampledFrom([]Size{"/24", "/23", "/22"}).Draw(t, "size"))
	a.NIR = nir
	m.refs++
	var r Request
	err := m.try(func(x *Tx) (err error) { r, err = x.Submit(a); return err })
	at, served := m.serves[name]
	if !m.expect(served && at == nir && m.belongs[name+"@"+nir], err, "request") {
		return
	}
	for _, g := range r.Ranges {
		for _, i := range cellsOf(g) {
			if m.cells[i].state != "free" {
				t.Fatalf("%s was allocated; the model has %+v", g, m.cells[i])
			}
			m.cells[i] = landCell{state: "held", manager: nir, holder: name, date: m.now, home: m.cells[i].home}
		}
	}
}

// claimed are the cells of which something is scheduled.
func (m *landModel) claimed(i int) bool {
	return slices.ContainsFunc(m.lines, func(l modelLine) bool { return slices.Contains(l.cells, i) }) ||
		slices.ContainsFunc(m.returns, func(r modelReturn) bool { return slices.Contains(r.cells, i) })
}

// drawCells draws a run of cells: most of the time one that somebody holds.
func (m *landModel) drawCells(t *rapid.T) (int, int) {
	i := rapid.IntRange(0, allCells-1).Draw(t, "from")
	if rapid.IntRange(0, 4).Draw(t, "anywhere") > 0 {
		for n := 0; n < allCells && (m.cells[i].state == "free" || m.cells[i].state == "quarantine" || m.claimed(i)); n++ {
			i = (i + 1) % allCells
		}
	}
	j := i
	for n := rapid.IntRange(0, 5).Draw(t, "more"); n > 0 && j+1 < allCells && j+1 != regionalCells+existingCells; n-- {
		if m.cells[j+1].holder != m.cells[i].holder && rapid.IntRange(0, 3).Draw(t, "keep to one holder") > 0 {
			break
		}
		j++
	}
	return i, j
}

func (m *landModel) transfer(t *rapid.T) {
	i, j := m.drawCells(t)
	c := m.cells[i]
	source, member := c.manager, c.holder
	if c.state == "away" {
		source, member = "RIPE", ""
	}
	if rapid.IntRange(0, 9).Draw(t, "wrong source") == 0 {
		source = rapid.SampledFrom(registries).Draw(t, "source")
	}
	if member == "" && source != "RIPE" {
		member = rapid.SampledFrom(modelNames).Draw(t, "member")
	}
	destination := rapid.SampledFrom(modelParties).Draw(t, "destination")
	receiver := member
	if merger := rapid.Bool().Draw(t, "merger"); source == "RIPE" || merger {
		receiver = rapid.SampledFrom(modelNames).Draw(t, "receiver")
	}
	l := modelLine{
		source: source, destination: destination, receiver: receiver, due: m.now.Add(time.Second + time.Duration(rapid.IntRange(0, 72).Draw(t, "hours"))*time.Hour),
		whole: rapid.IntRange(0, 3).Draw(t, "whole") == 0, serve: rapid.Bool().Draw(t, "serve"), cells: cellsOf(spanOf(i, j)),
	}
	a := TransferAsk{Due: l.due, Transfer: Transfer{
		Source: source, Destination: destination, Member: m.ids[member], Receiver: m.ids[receiver], UID: receiver, Whole: l.whole, Serve: l.serve,
	}}
	if destination == "RIPE" {
		a.Receiver, a.UID, a.Serve, l.receiver, l.serve = "", "", false, "", false
	}
	if !l.whole {
		a.Lines = []TransferLine{{Range: spanOf(i, j), Due: l.due, Type: "allocation", Economy: "NL", Date: foreignDate}}
	}
	m.schedule(t, a, l, member)
}

var foreignDate = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

func (m *landModel) schedule(t *rapid.T, a TransferAsk, l modelLine, member string) {
	if l.whole {
		l.cells = nil
		for i, c := range m.cells {
			if c.state == "held" && c.manager == l.source && c.holder == member {
				l.cells = append(l.cells, i)
			}
		}
	}
	l.merger = member != l.receiver
	ok := m.transferable(l, member)
	var lines []TransferLine
	var tr Transfer
	err := m.try(func(x *Tx) (err error) { tr, lines, err = x.AddTransfer(a); return err })
	if !m.expect(ok, err, fmt.Sprintf("transfer %+v of %s", l, member)) {
		return
	}
	left := l.cells
	for _, real := range lines { // a whole one has a line for each delegation
		one := l
		one.id, one.transfer, one.cells = real.ID, tr.ID, cellsOf(real.Range)
		left = slices.DeleteFunc(slices.Clone(left), func(i int) bool { return slices.Contains(one.cells, i) })
		m.lines = append(m.lines, one)
	}
	if len(left) > 0 {
		t.Fatalf("a whole transfer leaves out cells %v", left)
	}
}

// transferable is the rule of section 4 as the model has it.
func (m *landModel) transferable(l modelLine, member string) bool {
	home := l.source != "RIPE"
	switch {
	case len(l.cells) == 0, l.source == l.destination && (!home || !l.merger), l.whole && !home, home && !m.belongs[member+"@"+l.source]:
		return false
	}
	for _, i := range l.cells {
		c := m.cells[i]
		want := landCell{state: "away"}
		if home {
			want = landCell{state: "held", manager: l.source, holder: member, date: c.date, home: c.home}
		}
		if c != want || m.claimed(i) {
			return false
		}
	}
	return true
}

// later lets time pass, and what is due happen: in the registry once a while, as
// cron does; in the model by the same clock.
func (m *landModel) later(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "hours")) * time.Hour)
	m.tick()
	r, err := m.db.RunDue(context.Background(), admin(m.now))
	if err != nil || len(r.Blocked) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	m.carryOut()
	for i, c := range m.cells {
		if c.state == "quarantine" && !c.until.After(m.now) {
			m.cells[i] = landCell{state: "free", home: c.home}
			m.seen["freed"]++
		}
	}
}

func (m *landModel) carryOut() {
	slices.SortStableFunc(m.lines, func(a, b modelLine) int {
		if c := a.due.Compare(b.due); c != 0 {
			return c
		}
		return a.cells[0] - b.cells[0]
	})
	for len(m.lines) > 0 && !m.lines[0].due.After(m.now) {
		l := m.lines[0]
		m.lines = m.lines[1:]
		m.move(l)
	}
}

func (m *landModel) move(l modelLine) {
	m.seen[l.source+" to "+l.destination]++
	member := m.cells[l.cells[0]].holder
	for _, i := range l.cells {
		c := &m.cells[i]
		switch {
		case l.destination == "RIPE":
			*c = landCell{state: "away"}
		case l.source == "RIPE":
			*c = landCell{state: "held", manager: l.destination, holder: l.receiver, date: foreignDate, home: Regional}
		default:
			if l.source != l.destination {
				c.home = Regional // what left an existing pool does not come back
			}
			c.manager, c.holder = l.destination, l.receiver
		}
	}
	if l.destination != "RIPE" {
		m.belongs[l.receiver+"@"+l.destination] = true
		if _, served := m.serves[l.receiver]; !served || l.serve || l.whole && !l.merger {
			m.serves[l.receiver] = l.destination
		}
	}
	m.settle(l, member)
}

// settle ends the membership behind a whole transfer.
func (m *landModel) settle(l modelLine, member string) {
	rest := slices.ContainsFunc(m.lines, func(o modelLine) bool { return o.transfer == l.transfer })
	holds := slices.ContainsFunc(m.cells[:], func(c landCell) bool { return c.state == "held" && c.manager == l.source && c.holder == member })
	if !l.whole || rest || holds {
		return
	}
	m.belongs[member+"@"+l.source] = false
	if m.serves[member] == l.source {
		delete(m.serves, member)
	}
}

func (m *landModel) cancel(t *rapid.T) {
	if len(m.lines) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.lines)-1).Draw(t, "line")
	if m.lines[i].whole {
		return // what becomes of the membership then is tested by itself
	}
	m.must(func(x *Tx) error { _, err := x.CancelLine(m.lines[i].id); return err })
	m.lines = slices.Delete(m.lines, i, i+1)
}

func (m *landModel) giveBack(t *rapid.T) {
	i, j := m.drawCells(t)
	c := m.cells[i]
	member := c.holder
	if member == "" {
		member = "a"
	}
	ok := c.state == "held"
	for k := i; k <= j; k++ {
		d := m.cells[k]
		ok = ok && d.state == "held" && d.manager == c.manager && d.holder == c.holder && !m.claimed(k)
	}
	var r Return
	err := m.try(func(x *Tx) (err error) {
		r, err = x.AddReturn(Return{NIR: c.manager, Member: m.ids[member], Ranges: []inr.Range{spanOf(i, j)}})
		return err
	})
	if m.expect(ok, err, "return") {
		m.returns = append(m.returns, modelReturn{r.Plan, cellsOf(spanOf(i, j)), r.ID})
	}
}

// approve signs a return: by the one who proposed it never. A second signature
// changes nothing.
func (m *landModel) approve(t *rapid.T) {
	if len(m.returns) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.returns)-1).Draw(t, "return")
	r := m.returns[i]
	sign := func(who string) error {
		return m.try(func(x *Tx) error { _, err := x.Approve(r.hash, string(RegistryStaff)+":"+who); return err })
	}
	m.expect(false, sign("admin"), "the proposer signs")
	if p, err := m.expired(r.hash); err != nil || p {
		m.expect(false, sign("second"), "an expired proposal")
		m.must(func(x *Tx) error { n, err := x.ReviewReturn(r.id); m.returns[i].hash = n.Plan; return err })
		return
	}
	m.expect(true, sign("second"), "a second person signs")
	for _, k := range r.cells {
		m.cells[k] = landCell{state: "quarantine", until: m.now.AddDate(0, 0, quarantineDays), home: m.cells[k].home}
	}
	m.returns = slices.Delete(m.returns, i, i+1)
	m.expect(false, sign("third"), "the return is replayed")
}

func (m *landModel) expired(hash string) (late bool, err error) {
	err = m.db.View(context.Background(), func(v *View) error {
		p, err := v.Proposal(hash)
		late = !m.now.Before(p.Expires)
		return err
	})
	return late, err
}

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

// given sets a flag of rapid for one test, unless the command line has it.
func given(t *testing.T, name, value string) {
	if slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(strings.TrimLeft(a, "-"), name) }) {
		return
	}
	old := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, old) })
}

// TestTransferProperties draws histories of allocations, transfers of all kinds,
// cancellations and returns, and compares the registry after every event with a
// model that knows /24s and nothing else: P3, P8, P9, P11 and P13 of the registry's
// properties.
func TestTransferProperties(t *testing.T) {
	given(t, "rapid.checks", fmt.Sprint(peers.Rounds(7)))
	given(t, "rapid.steps", "80")
	dir, n, seen := t.TempDir(), 0, map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		n++
		m := newLandModel(r, t, filepath.Join(dir, fmt.Sprintf("%d.db", n)))
		m.seen = seen
		defer func() { _, _ = m.db.Close(), m.db.sql.Close() }()
		r.Repeat(map[string]func(*rapid.T){
			"allocate": m.allocate, "allocate more": m.allocate, "transfer": m.transfer, "transfer more": m.transfer, "later": m.later, "later still": m.later,
			"cancel": m.cancel, "return": m.giveBack, "approve": m.approve, "": m.agree,
		})
		m.history()
	})
	t.Log(seen)
	for _, what := range []string{"request", "transfer", "return", "freed"} {
		if seen[what] == 0 && !peers.Racing {
			t.Errorf("no history had one: %s", what)
		}
	}
}
