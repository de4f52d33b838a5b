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

// dropZones ends the zones that are not part of one delegation any more.
func (m *model) dropZones() {
	maps.DeleteFunc(m.zones, func(_ string, z *modelZone) bool {
		return !slices.ContainsFunc(m.dels[z.kind], func(d modelDel) bool { return d.first <= z.first && z.last <= d.last })
	})
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
