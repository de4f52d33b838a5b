package nirtest

import (
	"fmt"
	"maps"
	"slices"
)

// Domain objects are a function of what is delegated to members, of the option of
// the NIR that manages it, and of the last word about each zone (APNIC-103,
// section 3.4).

// A modelZone is a domain object: inactive, active with a name server, or marked as
// deleted by its NIR.
type modelZone struct {
	kind, first, last int
	nir, host         string
	deleted           bool
}

func (z *modelZone) active() bool { return z.host != "" }

func (z *modelZone) String() string {
	switch {
	case z.deleted:
		return z.nir + " deleted"
	case z.active():
		return z.nir + " " + z.host
	}
	return z.nir + " inactive"
}

// zonesOf are the zones that cover exactly a range of cells. Sixteen cells are a
// /24, whose parts have names as in RFC 2317; or a /32 of IPv6, and one cell is a
// /36, a nibble below.
func zonesOf(kind, first, last int) map[string]modelZone {
	zones := map[string]modelZone{}
	for b := range cellsOf / 16 {
		from, to := max(first, 16*b), min(last, 16*b+15)
		whole := from == 16*b && to == from+15
		switch {
		case from > to || kind == 2:
		case kind == 0 && whole:
			zones[fmt.Sprintf("%d.0.1.in-addr.arpa", b)] = modelZone{kind: kind, first: from, last: to}
		case kind == 0:
			zones[fmt.Sprintf("%d-%d.%d.0.1.in-addr.arpa", from%16*16, to%16*16+15, b)] = modelZone{kind: kind, first: from, last: to}
		case whole:
			zones[fmt.Sprintf("%x.0.0.0.0.0.4.2.ip6.arpa", b)] = modelZone{kind: kind, first: from, last: to}
		default:
			for c := from; c <= to; c++ {
				zones[fmt.Sprintf("%x.%x.0.0.0.0.0.4.2.ip6.arpa", c%16, b)] = modelZone{kind: kind, first: c, last: c}
			}
		}
	}
	return zones
}

// describe makes the zones of a delegation what its manager's option says: of two,
// all of them; of one, those that are in use go on.
func (m *model) describe(kind int, d modelDel) {
	if n := m.nirs[d.nir]; n != nil && n.option == 2 {
		for name, z := range zonesOf(kind, d.first, d.last) {
			switch old := m.zones[name]; {
			case old != nil && old.active():
				old.nir = d.nir
			case old != nil && old.deleted && old.nir == d.nir:
			default:
				z.nir = d.nir
				m.zones[name] = &z
			}
		}
		return
	}
	for name, z := range m.zones {
		switch {
		case z.kind != kind || z.first < d.first || z.last > d.last:
		case z.active():
			z.nir = d.nir
		case z.nir != d.nir || !z.deleted:
			delete(m.zones, name)
		}
	}
}

// dropZones ends the zones that are not part of one delegation any more, but for
// those in use of which several have a part.
func (m *model) dropZones() {
	maps.DeleteFunc(m.zones, func(_ string, z *modelZone) bool { return !m.whole(z) && (!z.active() || len(m.holders(z)) == 0) })
}

// holders are the delegations that have a part of a zone, in order.
func (m *model) holders(z *modelZone) (list []modelDel) {
	for _, d := range m.dels[z.kind] {
		if d.first <= z.last && z.first <= d.last {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b modelDel) int { return a.first - b.first })
	return list
}

func (m *model) whole(z *modelZone) bool {
	h := m.holders(z)
	return len(h) == 1 && h[0].first <= z.first && z.last <= h[0].last
}

// splitZones: a zone in use that nobody has all of gives way to zones of its parts,
// with the same name server. One of a /24 stays with who has a part of it.
func (m *model) splitZones(kind, first, last int) {
	for _, name := range slices.Sorted(maps.Keys(m.zones)) {
		z := m.zones[name]
		if z.kind != kind || !z.active() || z.last < first || last < z.first {
			continue
		}
		h := m.holders(z)
		switch {
		case len(h) == 0:
			delete(m.zones, name)
		case m.whole(z), kind == 0 && !slices.ContainsFunc(h, func(d modelDel) bool { return d.nir == z.nir }):
			z.nir = h[0].nir
		case kind == 1:
			delete(m.zones, name)
			for _, d := range h {
				m.partZones(z, d)
			}
		}
	}
}

// partZones makes the zones of what a delegation has of a zone that was in use.
func (m *model) partZones(z *modelZone, d modelDel) {
	for name, p := range zonesOf(z.kind, max(z.first, d.first), min(z.last, d.last)) {
		if old := m.zones[name]; old == nil || !old.active() && (!old.deleted || old.nir != d.nir) {
			p.nir, p.host = d.nir, z.host
			m.zones[name] = &p
		}
	}
}

// hidden reports whether a zone that is in use stands beside one that is to be
// (RFC 2317).
func (m *model) hidden(name string) bool {
	for other, z := range m.zones {
		if w := m.zones[name]; other != name && z.kind == 0 && w.kind == 0 && z.active() && z.first <= w.last && w.first <= z.last {
			return true
		}
	}
	return false
}

// activeZones counts an NIR's zones that are in use.
func (m *model) activeZones(code string) (n int) {
	for _, z := range m.zones {
		if z.nir == code && z.active() {
			n++
		}
	}
	return n
}

// switchOption changes how an NIR manages its zones.
func (m *model) switchOption(code string, to int) {
	m.nirs[code].option = to
	if to == 1 {
		maps.DeleteFunc(m.zones, func(_ string, z *modelZone) bool { return z.nir == code })
		return
	}
	for kind := range m.dels {
		for _, d := range m.dels[kind] {
			if d.nir == code {
				m.describe(kind, d)
			}
		}
	}
}
