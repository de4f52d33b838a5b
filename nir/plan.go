package nir

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"nirzone/nir/inr"
)

// A Plan is what an event does, for people: of [DB.Try] before it is done, of a
// past event afterwards.
type Plan struct {
	Event   int64    `json:"event"`            // its number; of a plan the next one
	Events  int      `json:"events,omitempty"` // that the transaction makes, Event the last of them; 0 for one
	Act     string   `json:"act"`
	Actor   string   `json:"actor"`
	Reason  string   `json:"reason,omitempty"`
	Objects int      `json:"objects"` // that change
	Effects []Effect `json:"effects"`
}

// An Effect is one line of a plan.
type Effect struct {
	Area string `json:"area"`
	Text string `json:"text"`
}

// The areas of a plan, in the order in which they are shown.
const (
	OnRegistry     = "registry"
	OnPools        = "pools"
	OnDelegations  = "delegations"
	OnWhois        = "whois"
	OnClaims       = "claims"
	OnZones        = "zones"
	OnCertificates = "certificates"
	OnStatistics   = "statistics"
	OnFees         = "fees"
	OnNotices      = "notices"
)

var planAreas = []string{OnRegistry, OnPools, OnDelegations, OnWhois, OnClaims, OnZones, OnCertificates, OnStatistics, OnFees, OnNotices}

// areaOf is where the objects of a table belong.
func areaOf(table string) string {
	switch {
	case table == "pool" || table == "free_block":
		return OnPools
	case table == "delegation":
		return OnDelegations
	case table == "notice" || table == "outbox":
		return OnNotices
	case strings.HasPrefix(table, "whois") || table == "domain":
		return OnWhois
	}
	return OnRegistry
}

// Plan says what an event does. The state of v is before or after it.
func (v *View) Plan(e *Event) (*Plan, error) {
	before := map[string]json.RawMessage{}
	for _, c := range e.Changes {
		row, err := v.rowBefore(e.Seq, c.Table, c.ID)
		if err != nil {
			return nil, err
		}
		before[c.Table+" "+c.ID] = row
	}
	return planOf(e, before, v.Rules, v.namer()), nil
}

// planOf computes the plan: its lines follow from the event, the objects as they
// were before, the rules and the names of what they refer to.
func planOf(e *Event, before map[string]json.RawMessage, r Rules, look namer) *Plan {
	names := look.with(e, before)
	m := &planner{plan: Plan{Event: e.Seq, Act: e.Act, Actor: e.Actor, Reason: e.Reason, Objects: len(e.Changes)}, rules: r, look: names}
	m.goOn(e.before)
	for _, c := range e.Changes {
		m.change(before[c.Table+" "+c.ID], c)
	}
	m.totals()
	slices.SortStableFunc(m.plan.Effects, func(a, b Effect) int {
		return slices.Index(planAreas, a.Area) - slices.Index(planAreas, b.Area)
	})
	return &m.plan
}

// A planner adds up the effects of changes.
type planner struct {
	plan  Plan
	rules Rules
	look  namer
	free  tally // numbers that a pool has more, by the pool's name
	fees  tally // numbers that count for a fee more, by registry and kind

	counts []effectCount // instead of lines, of a planner that only sums up; else nil
}

// A tally adds up numbers of resources by name, in the order of the first of each.
type tally struct {
	names []string
	sums  map[string]*big.Int
	kinds map[string]inr.Kind
}

func (t *tally) add(name string, r inr.Range, sign int64) {
	if t.sums == nil {
		t.sums, t.kinds = map[string]*big.Int{}, map[string]inr.Kind{}
	}
	if t.sums[name] == nil {
		t.names = append(t.names, name)
		t.sums[name], t.kinds[name] = new(big.Int), r.Kind
	}
	n := r.Count()
	t.sums[name].Add(t.sums[name], n.Mul(n, big.NewInt(sign)))
}

// amount is a number of resources for people: IPv6 in blocks, if they are whole.
func amount(k inr.Kind, n *big.Int) string {
	const blockBits = 80 // of a /48
	if k == inr.IPv6 && n.TrailingZeroBits() >= blockBits {
		return new(big.Int).Rsh(n, blockBits).String() + " /48s"
	}
	return n.String()
}

func (m *planner) add(area, format string, args ...any) {
	if m.counts != nil {
		m.count(area, format[:1], "line") // of a delegation: "- %s" or "+ %s"
		return
	}
	m.plan.Effects = append(m.plan.Effects, Effect{area, fmt.Sprintf(format, args...)})
}

func (m *planner) change(before json.RawMessage, c Change) {
	switch c.Table {
	case "free_block":
		m.freeBlock(before, c)
		return
	case outbox.name: // of a notice that is a line of its own; it names that by an identifier made anew each time
		return
	case "delegation":
		m.delegation(before, c)
	case "import_run":
		m.importRun(c)
	case whoisObjects.name:
		m.domain(before, c)
	}
	if m.counts != nil {
		m.count(areaOf(c.Table), verbOf(before, c), strings.ReplaceAll(c.Table, "_", " "))
		return
	}
	m.add(areaOf(c.Table), "%s", describeChange(before, c, m.look))
	if c.Table == proposals.name && noRow(before) {
		m.proposed(c)
	}
}

// proposed tells what a new proposal does when it is approved: that is what people
// have to see before they make it.
func (m *planner) proposed(c Change) {
	var p Proposal
	if json.Unmarshal(c.Row, &p) != nil {
		return // it was encoded by this program
	}
	for _, e := range p.Effects {
		m.add(OnRegistry, "when approved: %s", e)
	}
}

// freeBlock sums up what is free: blocks that are cut or joined are no news.
func (m *planner) freeBlock(before json.RawMessage, c Change) {
	for _, side := range []struct {
		row  json.RawMessage
		sign int64
	}{{before, -1}, {c.Row, 1}} {
		var f FreeBlock
		if noRow(side.row) || json.Unmarshal(side.row, &f) != nil {
			continue
		}
		m.free.add(m.look.name("pool", f.Pool), f.Range, side.sign)
		if side.sign > 0 && f.Member != "" && m.counts == nil {
			m.add(OnPools, "reserve %s for %s", f.Range, m.look.name("member", f.Member))
		}
	}
}

func (m *planner) totals() {
	m.free.each(func(pool, n, word string) { m.add(OnPools, "pool %s has %s %s free", pool, n, word) })
	m.fees.each(func(who, n, word string) { m.add(OnFees, "%s: %s %s count for the per-address fee", who, n, word) })
}

// each calls fn for every name with a sum that is not zero: how many, and whether
// that is more or fewer.
func (t *tally) each(fn func(name, n, word string)) {
	for _, name := range t.names {
		switch n := t.sums[name]; n.Sign() {
		case 1:
			fn(name, amount(t.kinds[name], n), "more")
		case -1:
			fn(name, amount(t.kinds[name], new(big.Int).Neg(n)), "fewer")
		}
	}
}

func noRow(row json.RawMessage) bool { return len(row) == 0 || string(row) == "null" }
