package sign

import (
	"fmt"
	"strings"

	"nirzone/zone"
)

// A node is a name of the zone below the apex with its entries [first, last).
type node struct {
	name        zone.Name
	first, last int
	kind        nodeKind
	link        int32 // of a hashed name: its place in the NSEC3 chain
}

type nodeKind uint8

const (
	// authoritative names are signed and in the NSEC chain.
	authoritative nodeKind = iota
	// A cut is a delegation: DS and NSEC are signed, NS and glue are not (RFC
	// 4035, section 2.2).
	cut
	// Glue lies below a cut: not signed, not in the chain (section 2.3).
	glue
	// A hashed name has an NSEC3 record and nothing else (RFC 5155, section 7.1).
	hashed
)

// signs reports whether the records of a type are signed at such a name.
func (k nodeKind) signs(t zone.Type) bool {
	return k == authoritative || k == cut && t == zone.TypeDS
}

// lists reports whether NSEC or NSEC3 says that a type is at such a name: an
// address at a cut is the child's (RFC 4035, section 2.3).
func (k nodeKind) lists(t zone.Type) bool {
	return k == authoritative || k == cut && (t == zone.TypeNS || t == zone.TypeDS)
}

// nodes groups the entries of a merged zone by owner and refuses what cannot be
// signed.
func nodes(z *zone.Zone) ([]node, error) {
	var list []node
	var cutName zone.Name
	lastKey := z.Origin.SortKey()
	for i := 0; i < len(z.Entries); {
		n := node{name: z.Entries[i].Name, first: i}
		for i < len(z.Entries) && z.Entries[i].Name == n.name {
			i++
		}
		n.last = i
		key := n.name.SortKey()
		if !n.name.Within(z.Origin) || n.name == z.Origin || key <= lastKey {
			return nil, fmt.Errorf("zone %s: %s is at or above the apex, outside the zone or out of canonical order (RFC 4034, section 6.1)", z.Origin, n.name)
		}
		lastKey = key
		if err := n.classify(z.Entries[n.first:n.last], cutName); err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.Origin, err)
		}
		if n.kind == cut {
			cutName = n.name
		}
		list = append(list, n)
	}
	return list, nil
}

// classify sets the kind of a name, given the last delegation before it.
func (n *node) classify(entries []zone.Entry, cutName zone.Name) error {
	if strings.HasPrefix(string(n.name), "*.") || strings.Contains(string(n.name), ".*.") {
		return fmt.Errorf("%s: a wildcard has no place in a parent zone (RFC 4592)", n.name)
	}
	var has [64]bool
	for i, e := range entries {
		if err := checkEntry(e.Record); err != nil {
			return err
		}
		if i > 0 && (entries[i-1].Type > e.Type || entries[i-1].Type == e.Type && entries[i-1].Data >= e.Data) {
			return fmt.Errorf("%s %s: its records are out of canonical order or stand twice (RFC 4034, section 6.3)", e.Name, e.Type)
		}
		if i > 0 && entries[i-1].Type == e.Type && entries[i-1].TTL != e.TTL {
			return fmt.Errorf("%s %s: its records have two TTLs (RFC 2181, section 5.2)", e.Name, e.Type)
		}
		has[e.Type] = true
	}
	address := has[zone.TypeA] || has[zone.TypeAAAA]
	switch {
	case cutName != "" && n.name.Within(cutName):
		n.kind = glue
		if has[zone.TypeNS] || has[zone.TypeDS] || has[zone.TypeCNAME] {
			return fmt.Errorf("%s: it is hidden below the delegation of %s (RFC 1034, section 4.2.1)", n.name, cutName)
		}
	case has[zone.TypeCNAME] && len(entries) > 1:
		return fmt.Errorf("%s: a CNAME stands alone (RFC 1034, section 3.6.2)", n.name)
	case has[zone.TypeNS]:
		n.kind = cut
	case has[zone.TypeDS] || !address && !has[zone.TypeCNAME]:
		return fmt.Errorf("%s: DS without NS (RFC 4035, section 2.4)", n.name)
	}
	return nil
}

// checkEntry refuses types that a merged zone does not hold and data that is
// not of its type.
func checkEntry(r zone.Record) error {
	ok := false
	switch r.Type {
	case zone.TypeNS, zone.TypeCNAME:
		ok = isName(string(r.Data))
	case zone.TypeDS:
		ok = len(r.Data) > 4 && len(r.Data) < 260
	case zone.TypeA:
		ok = len(r.Data) == 4
	case zone.TypeAAAA:
		ok = len(r.Data) == 16
	default:
		return fmt.Errorf("%s %s: a merged zone holds NS, DS, A, AAAA and CNAME only", r.Name, r.Type)
	}
	if !ok {
		return fmt.Errorf("%s %s: its data %x is not of that type (RFC 1035, section 3.3)", r.Name, r.Type, string(r.Data))
	}
	return nil
}

// isName reports whether wire is exactly one uncompressed name in canonical
// case (RFC 4034, section 6.2).
func isName(wire string) bool {
	if len(wire) > 255 {
		return false
	}
	for len(wire) > 0 {
		l := int(wire[0])
		if l == 0 {
			return len(wire) == 1
		}
		if l > 63 || l >= len(wire) {
			return false
		}
		for _, c := range []byte(wire[1 : 1+l]) {
			if c >= 'A' && c <= 'Z' {
				return false
			}
		}
		wire = wire[1+l:]
	}
	return false
}
