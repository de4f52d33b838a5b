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
