package nir

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// An effectCount is how many lines of one sort a plan leaves out: what a
// transaction changes that is told in several events is counted, but for the last
// of them.
type effectCount struct {
	area, verb, what string
	n                int
}

func (m *planner) count(area, verb, what string) {
	i := slices.IndexFunc(m.counts, func(c effectCount) bool { return c.area == area && c.verb == verb && c.what == what })
	if i < 0 {
		i = len(m.counts)
		m.counts = append(m.counts, effectCount{area: area, verb: verb, what: what})
	}
	m.counts[i].n++
}

func verbOf(before json.RawMessage, c Change) string {
	switch {
	case noRow(c.Row):
		return "end"
	case noRow(before):
		return "create"
	}
	return "change"
}

// summing makes the transaction sum up what it cuts off.
func (x *Tx) summing() {
	x.sum = &planner{rules: x.Rules, look: remembering(x.namer()), counts: []effectCount{}}
	x.fresh = map[string]bool{}
}

// remembering asks for what a pool is once: its free blocks change by the thousand.
func remembering(look namer) namer {
	known := map[string]json.RawMessage{}
	return func(table, id string) json.RawMessage {
		if table != "pool" {
			return look(table, id)
		}
		row, ok := known[id]
		if !ok {
			row = look(table, id)
			known[id] = row
		}
		return row
	}
}

// isNew notes that an object was not there before, which spares looking for it.
func (x *Tx) isNew(table, id string) {
	if x.fresh != nil {
		x.fresh[table+" "+id] = true
	}
}

// sumUp adds an event that is cut off to the sum.
func (x *Tx) sumUp(e *Event) error {
	if x.sum == nil {
		return nil
	}
	for _, c := range e.Changes {
		var before json.RawMessage
		if !x.fresh[c.Table+" "+c.ID] {
			var err error
			if before, err = x.rowBefore(e.Seq, c.Table, c.ID); err != nil {
				return err
			}
		}
		x.sum.change(before, c)
	}
	x.sum.plan.Objects += len(e.Changes)
	x.sum.plan.Events++
	clear(x.fresh)
	return nil
}

// goOn begins a plan with what was cut off before its event.
func (m *planner) goOn(sum *planner) {
	if sum == nil {
		return
	}
	m.plan.Objects += sum.plan.Objects
	m.plan.Events = sum.plan.Events + 1
	m.free, m.fees = sum.free.clone(), sum.fees.clone()
	for _, c := range sum.counts {
		m.plan.Effects = append(m.plan.Effects, Effect{c.area, fmt.Sprintf("%s %s, beside what follows", c.verb, plural(c.n, c.what))})
	}
}

func (t tally) clone() tally {
	c := tally{names: slices.Clone(t.names), sums: map[string]*big.Int{}, kinds: maps.Clone(t.kinds)}
	for name, n := range t.sums {
		c.sums[name] = new(big.Int).Set(n)
	}
	if t.sums == nil {
		return tally{}
	}
	return c
}
