package nirtest

import (
	"cmp"
	"slices"
	"time"
)

// What moves, comes back and leaves (APNIC-103, sections 3.5, 4.1 and 4.2), cell
// by cell.

// abroad is another regional registry.
const abroad = "RIPE"

// resting is the holder of what is in quarantine: nobody's, and not free.
const resting = -2

const (
	quarantineDays = 2
	proposalDays   = 30
)

type (
	modelTransfer struct {
		source, destination string // "" for the regional registry
		member, receiver    int    // -1: nobody that is known here
		uid                 string // what the destination calls the receiver
		whole, serve        bool
	}
	modelLine struct {
		id                string
		t                 *modelTransfer
		kind, first, last int
		due               time.Time
	}
	modelReturn struct {
		id, hash          string
		expires           time.Time
		kind, first, last int
	}
	modelRest struct {
		kind, first, last int
		until             time.Time
	}
	// A modelDel is what was delegated at once to one member, and was not divided.
	modelDel struct {
		first, last int
		nir         string
	}
)

// kindNames order lines that are due at one time.
var kindNames = [3]string{"ipv4", "ipv6", "asn"}

// poolAt returns the pool that a cell is in.
func (m *model) poolAt(kind, c int) (modelPool, bool) {
	i := slices.IndexFunc(m.pools[kind], func(p modelPool) bool { return p.first <= c && c <= p.last })
	if i < 0 {
		return modelPool{}, false
	}
	return m.pools[kind][i], true
}

// cut makes cells pools of their own, of a purpose, or of no pool at all.
func (m *model) cut(kind, first, last int, purpose string, which func(modelPool) bool) {
	var list []modelPool
	for _, p := range m.pools[kind] {
		from, to := max(p.first, first), min(p.last, last)
		if from > to || !which(p) {
			list = append(list, p)
			continue
		}
		before, behind := p, p
		before.last, behind.first = from-1, to+1
		for _, rest := range []modelPool{before, behind} {
			if rest.first <= rest.last {
				list = append(list, rest)
			}
		}
		if purpose != "" {
			list = append(list, modelPool{first: from, last: to, purpose: purpose})
		}
	}
	m.pools[kind] = list
}

// held reports whether a member holds cells under a registry.
func (m *model) held(kind, first, last, member int, registry string) bool {
	for c := first; c <= last; c++ {
		if m.holder[kind][c] != member+1 || m.manager[kind][c] != registry {
			return false
		}
	}
	return true
}

// nobodys reports whether cells are of no pool, and nobody holds them.
func (m *model) nobodys(kind, first, last int) bool {
	for c := first; c <= last; c++ {
		if _, in := m.poolAt(kind, c); in || m.holder[kind][c] != 0 {
			return false
		}
	}
	return true
}

// claimed reports whether something is to become of one of the cells.
func (m *model) claimed(kind, first, last int) bool {
	return slices.ContainsFunc(m.lines, func(l *modelLine) bool { return l.kind == kind && l.first <= last && first <= l.last }) ||
		slices.ContainsFunc(m.returns, func(r *modelReturn) bool { return r.kind == kind && r.first <= last && first <= r.last })
}

// agreed returns whether the parties may make a transfer at all.
func (m *model) agreed(t *modelTransfer) bool {
	switch {
	case t.source == abroad && (t.destination == abroad || t.whole):
		return false
	case t.source == t.destination && t.receiver == t.member:
		return false // nothing changes
	case t.source != abroad && m.who[t.member].in[t.source] == "":
		return false
	}
	return m.takes(t)
}

// takes returns whether the destination can have the receiver as a member under
// the name: it has one name for a member, which is nobody else's, ever.
func (m *model) takes(t *modelTransfer) bool {
	if t.destination == abroad {
		return true
	}
	if n := m.nirs[t.destination]; t.destination != "" && !n.active {
		return false
	}
	if i, taken := m.member(t.destination, t.uid); taken && i != t.receiver {
		return false
	}
	name := m.who[t.receiver].in[t.destination]
	return name == "" || name == t.uid
}

// movable returns whether cells are what a transfer may move.
func (m *model) movable(t *modelTransfer, kind, first, last int) bool {
	if t.source == abroad {
		return m.nobodys(kind, first, last)
	}
	return m.held(kind, first, last, t.member, t.source)
}

// due returns the lines whose time has come, in the order in which they are carried
// out.
func (m *model) due(now time.Time) []*modelLine {
	list := slices.DeleteFunc(slices.Clone(m.lines), func(l *modelLine) bool { return l.due.After(now) })
	slices.SortFunc(list, func(a, b *modelLine) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(kindNames[a.kind], kindNames[b.kind]), a.first-b.first)
	})
	return list
}

// carry moves the cells of a line, if that is possible now.
func (m *model) carry(l *modelLine) bool {
	t := l.t
	if !m.takes(t) || !m.movable(t, l.kind, l.first, l.last) {
		return false
	}
	m.lines = slices.DeleteFunc(m.lines, func(o *modelLine) bool { return o == l })
	if t.destination != abroad {
		m.join(t.receiver, t.destination, t.uid)
		if t.serve || t.whole && t.receiver == t.member {
			m.serve(t.receiver, t.destination)
		}
	}
	m.movePool(l)
	for c := l.first; c <= l.last; c++ {
		m.holder[l.kind][c], m.manager[l.kind][c], m.abroad[l.kind][c] = t.receiver+1, t.destination, false
		m.imported[l.kind][c] = false
		if t.destination == abroad {
			m.holder[l.kind][c], m.manager[l.kind][c], m.abroad[l.kind][c] = 0, "", true
		}
	}
	m.redelegate(l.kind, l.first, l.last, t.source, t.destination)
	if rest := slices.ContainsFunc(m.lines, func(o *modelLine) bool { return o.t == t }); t.whole && !rest {
		m.leave(t.member, t.source)
	}
	return true
}

// movePool: what comes from abroad is a pool of its own, what goes there is in
// none, and what leaves an NIR's existing pool is the region's.
func (m *model) movePool(l *modelLine) {
	switch t := l.t; {
	case t.source == abroad:
		m.pools[l.kind] = append(m.pools[l.kind], modelPool{first: l.first, last: l.last, purpose: "regional"})
	case t.destination == abroad:
		m.cut(l.kind, l.first, l.last, "", func(modelPool) bool { return true })
	default:
		m.cut(l.kind, l.first, l.last, "regional", func(p modelPool) bool { return p.purpose == "nir-existing" && p.nir != t.destination })
	}
}

// redelegate divides delegations at the ends of a range, and gives what is inside
// to another registry, or to nobody.
func (m *model) redelegate(kind, first, last int, source, destination string) {
	var list, come []modelDel
	if source == abroad {
		come = append(come, modelDel{first, last, destination})
	}
	for _, d := range m.dels[kind] {
		from, to := max(d.first, first), min(d.last, last)
		if from > to {
			list = append(list, d)
			continue
		}
		for _, rest := range []modelDel{{d.first, from - 1, d.nir}, {to + 1, d.last, d.nir}} {
			if rest.first <= rest.last {
				come = append(come, rest)
			}
		}
		if destination != abroad {
			come = append(come, modelDel{from, to, destination})
		}
	}
	m.dels[kind] = append(list, come...)
	m.splitZones(kind, first, last)
	m.dropZones()
	for _, d := range come {
		m.describe(kind, d)
	}
}

// giveBack puts what was returned into quarantine.
func (m *model) giveBack(r *modelReturn, now time.Time) {
	m.returns = slices.DeleteFunc(m.returns, func(o *modelReturn) bool { return o == r })
	for c := r.first; c <= r.last; c++ {
		m.holder[r.kind][c], m.manager[r.kind][c] = resting, ""
	}
	m.rests = append(m.rests, modelRest{r.kind, r.first, r.last, now.AddDate(0, 0, quarantineDays)})
	m.redelegate(r.kind, r.first, r.last, "", abroad)
}

// wake frees what was in quarantine for long enough, and returns it.
func (m *model) wake(now time.Time) (list []modelRest) {
	m.rests = slices.DeleteFunc(m.rests, func(q modelRest) bool {
		if q.until.After(now) {
			return false
		}
		for c := q.first; c <= q.last; c++ {
			m.holder[q.kind][c] = 0
		}
		m.pour(q)
		list = append(list, q)
		return true
	})
	return list
}

// pour makes what is in no pool a regional one: new space is the region's.
func (m *model) pour(q modelRest) {
	for c := q.first; c <= q.last; c++ {
		if _, in := m.poolAt(q.kind, c); in {
			continue
		}
		p := modelPool{first: c, last: c, purpose: "regional"}
		for ; p.last < q.last; p.last++ {
			if _, in := m.poolAt(q.kind, p.last+1); in {
				break
			}
		}
		m.pools[q.kind] = append(m.pools[q.kind], p)
	}
}
