package sign

import (
	"bytes"
	"crypto/sha1"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"nirzone/zone"
)

// NSEC3's parameters (RFC 5155, section 3.1; RFC 9276, section 3.1): SHA-1, which
// is the only hash there is and protects nothing here, no flags, no further
// iterations, no salt.
var nsec3Params = []byte{1, 0, 0, 0, 0}

var base32hex = base32.HexEncoding.WithPadding(base32.NoPadding)

// A hashedName is a name of the zone in the NSEC3 chain.
type hashedName struct {
	hash [sha1.Size]byte
	of   int // the node with that name, or one of the next
}

// What a hashed name is of that is no node.
const (
	ofApex  = -1
	ofEmpty = -2 // an empty non-terminal (RFC 5155, section 7.1)
)

// hashName returns the hash of a name in canonical wire form (RFC 5155, section
// 5).
func hashName(wire, salt []byte, iterations int) [sha1.Size]byte {
	sum := sha1.Sum(append(wire, salt...))
	for range iterations {
		sum = sha1.Sum(append(sum[:], salt...))
	}
	return sum
}

// chainNSEC3 hashes every name that has authoritative data or a delegation, and
// every empty name above one, and puts a node for each NSEC3 record among the
// others, in canonical order (RFC 5155, section 7.1).
func (s *signing) chainNSEC3() error {
	wire := s.z.Origin.AppendWire(nil)
	s.chain = []hashedName{{hashName(wire, nil, 0), ofApex}}
	last := s.z.Origin
	for i := range s.nodes {
		name := s.nodes[i].name
		if s.nodes[i].kind == glue {
			continue
		}
		wire = name.AppendWire(wire[:0])
		s.chain = append(s.chain, hashedName{hashName(wire, nil, 0), i})
		// The names come in canonical order: what is above this one and not above
		// the last one has not been seen, and holds nothing.
		for up := name.Parent(); !last.Within(up); up = up.Parent() {
			wire = up.AppendWire(wire[:0])
			s.chain = append(s.chain, hashedName{hashName(wire, nil, 0), ofEmpty})
		}
		last = name
	}
	if err := sortChain(s.chain); err != nil {
		return err
	}
	return s.mixNSEC3()
}

// sortChain puts the names in the order of their hashes, and refuses two with one
// hash.
func sortChain(chain []hashedName) error {
	slices.SortFunc(chain, func(a, b hashedName) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	for i := 1; i < len(chain); i++ {
		if chain[i].hash == chain[i-1].hash {
			return fmt.Errorf("two names of the zone have the hash %x: NSEC3 cannot tell them apart; set signing.denial to nsec (RFC 5155, section 7.1)", chain[i].hash)
		}
	}
	return nil
}

// mixNSEC3 merges the nodes of the NSEC3 records into the others.
func (s *signing) mixNSEC3() error {
	plain := s.nodes
	s.nodes = make([]node, 0, len(plain)+len(s.chain))
	moved := make([]int, len(plain)) // where the plain nodes went
	i, key := 0, ""
	for l := range s.chain {
		n := node{name: s.hashedOwner(s.chain[l].hash), kind: hashed, link: int32(l)}
		own := n.name.SortKey()
		for ; i < len(plain); i++ {
			if key = plain[i].name.SortKey(); key >= own {
				break
			}
			moved[i] = len(s.nodes)
			s.nodes = append(s.nodes, plain[i])
		}
		if i < len(plain) && strings.HasPrefix(key, own) {
			return fmt.Errorf("%s: an NSEC3 record has that name; set signing.denial to nsec (RFC 5155, section 7.1)", n.name)
		}
		s.nodes = append(s.nodes, n)
	}
	for ; i < len(plain); i++ {
		moved[i] = len(s.nodes)
		s.nodes = append(s.nodes, plain[i])
	}
	for l := range s.chain {
		if of := s.chain[l].of; of >= 0 {
			s.chain[l].of = moved[of]
		}
	}
	return nil
}

// hashedOwner returns the owner of an NSEC3 record (RFC 5155, section 3).
func (s *signing) hashedOwner(hash [sha1.Size]byte) zone.Name {
	return zone.Name(strings.ToLower(base32hex.EncodeToString(hash[:])) + "." + string(s.z.Origin))
}

// nsec3Data appends the data of the NSEC3 record of a node of kind hashed (RFC
// 5155, section 3.2). Together with the node's name and slot, all that is written
// for it follows from this.
func (s *signing) nsec3Data(b []byte, n *node) []byte {
	next := s.chain[(int(n.link)+1)%len(s.chain)].hash
	b = append(append(append(b, nsec3Params...), sha1.Size), next[:]...)
	return appendBitmap(b, s.hashedTypes(n))
}

// hashedTypes returns the types of the name that an NSEC3 record is about: RRSIG
// only where something is signed, and never NSEC3 itself.
func (s *signing) hashedTypes(n *node) []zone.Type {
	of := s.chain[n.link].of
	switch of {
	case ofApex:
		return s.apexTypes()
	case ofEmpty:
		return nil
	}
	var types []zone.Type
	signed := false
	owner := &s.nodes[of]
	for _, e := range s.z.Entries[owner.first:owner.last] {
		if owner.kind.lists(e.Type) && !slices.Contains(types, e.Type) {
			types, signed = append(types, e.Type), signed || owner.kind.signs(e.Type)
		}
	}
	if signed {
		types = append(types, zone.TypeRRSIG)
	}
	return types
}

// appendNSEC3Text appends NSEC3 data as text.
func appendNSEC3Text(b, data []byte, types []zone.Type) []byte {
	b = append(b, "1 0 0 - "...)
	b = base32hex.AppendEncode(b, data[len(nsec3Params)+1:][:sha1.Size])
	return appendTypes(b, types)
}
