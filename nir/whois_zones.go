package nir

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// A ReverseZone is a zone of the reverse tree and the range that it stands for.
// Classless ones have names as in RFC 2317, in the form 64-127.28.12.202.in-addr.arpa,
// and need CNAMEs in the /24 around them.
type ReverseZone struct {
	Name      zone.Name
	Range     inr.Range
	Classless bool
}

// maxZones is how many zones a delegation gets without being asked: as many as a
// /9 and a /17 have, four times over.
const maxZones = 512

// ReverseZones returns the zones that cover exactly a range of addresses, in
// order: IPv4 is cut at /16 and /24, and what is less than a /24 is classless;
// IPv6 is cut at nibbles. More than limit zones are refused with their number.
func ReverseZones(r inr.Range, limit int) ([]ReverseZone, error) {
	if r.Kind == inr.ASN || !r.Valid() {
		return nil, invalid("range", "%s is no range of addresses", r)
	}
	if n := countZones(r); n.Cmp(big.NewInt(int64(limit))) > 0 {
		return nil, refuse(Held, "%s makes %s zones, at most %d are made at once", r, n, limit).in("range").remedy("divide the range, or raise the limit to " + n.String())
	}
	var list []ReverseZone
	for _, p := range cuts(r) {
		for b := range p.Subblocks(cutAt(p)) {
			n, err := zone.ReverseName(b.Prefix())
			if err != nil {
				return nil, fmt.Errorf("naming %s: %w", b, err)
			}
			list = append(list, ReverseZone{Name: n, Range: b.Range()})
		}
	}
	if r.Kind == inr.IPv4 {
		list = withClassless(r, list)
	}
	return list, nil
}

// cutAt returns the length at which a block is cut: the next boundary.
func cutAt(b inr.Block) int {
	if b.Kind == inr.IPv6 {
		return max(16, (b.Len+3)/4*4)
	}
	return max(16, (b.Len+7)/8*8)
}

// cuts returns the blocks of a range that are cut at boundaries: of IPv4 without
// what is less than a /24.
func cuts(r inr.Range) []inr.Block {
	var list []inr.Block
	for b := range r.Blocks() {
		if b.Kind == inr.IPv6 || b.Len <= 24 {
			list = append(list, b)
		}
	}
	return list
}

func countZones(r inr.Range) *big.Int {
	n := new(big.Int)
	for _, b := range cuts(r) {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(cutAt(b)-b.Len)))
	}
	if r.Kind == inr.IPv4 {
		n.Add(n, big.NewInt(int64(looseEnds(r))))
	}
	return n
}

// looseEnds counts the parts of a /24 at the ends of a range.
func looseEnds(r inr.Range) int {
	before, behind := r.First.Lo&0xff != 0, r.Last.Lo&0xff != 0xff
	switch {
	case !before && !behind:
		return 0
	case r.First.Lo>>8 == r.Last.Lo>>8 || before != behind:
		return 1
	}
	return 2
}

// withClassless adds the remainders before and behind the whole /24s.
func withClassless(r inr.Range, list []ReverseZone) []ReverseZone {
	if len(list) == 0 {
		if r.First.Lo>>8 != r.Last.Lo>>8 { // two parts of neighbouring /24s
			middle := inr.N(r.Last.Lo &^ 0xff)
			return []ReverseZone{
				classless(inr.Range{Kind: inr.IPv4, First: r.First, Last: middle.Prev()}),
				classless(inr.Range{Kind: inr.IPv4, First: middle, Last: r.Last}),
			}
		}
		return []ReverseZone{classless(r)}
	}
	if first := list[0].Range.First; r.First != first {
		list = append([]ReverseZone{classless(inr.Range{Kind: inr.IPv4, First: r.First, Last: first.Prev()})}, list...)
	}
	if last := list[len(list)-1].Range.Last; r.Last != last {
		list = append(list, classless(inr.Range{Kind: inr.IPv4, First: last.Next(), Last: r.Last}))
	}
	return list
}

// classless names a part of a /24.
func classless(r inr.Range) ReverseZone {
	parent := classlessParent(r)
	return ReverseZone{zone.Name(fmt.Sprintf("%d-%d.%s", r.First.Lo&0xff, r.Last.Lo&0xff, parent)), r, true}
}

func classlessParent(r inr.Range) zone.Name {
	n, err := zone.ReverseName(inr.BlockAt(inr.IPv4, r.First, 24).Prefix())
	if err != nil {
		panic("nir: a /24 has no name: " + err.Error()) // it is an octet boundary
	}
	return n
}

// ParseReverseZone reads the name of a zone that a domain object may stand for.
func ParseReverseZone(text string) (ReverseZone, error) {
	n, err := zone.ParseName(text)
	if err != nil {
		return ReverseZone{}, invalid("domain", "%v", err)
	}
	if p, ok := n.Prefix(); ok {
		b, err := inr.FromPrefix(p)
		if err != nil || b.Len == 0 || b.Kind == inr.IPv4 && b.Len > 24 || cutAt(b) != b.Len {
			return ReverseZone{}, invalid("domain", "%s is no zone that is delegated: IPv4 at /16 and /24, IPv6 at nibbles from /16 on", n.File())
		}
		return ReverseZone{Name: n, Range: b.Range()}, nil
	}
	if z, ok := parseClassless(n); ok {
		return z, nil
	}
	return ReverseZone{}, invalid("domain", "%.80q is no zone of the reverse tree: write 28.12.202.in-addr.arpa, or 64-127.28.12.202.in-addr.arpa for a part of it", text).by("RFC 2317")
}

func parseClassless(n zone.Name) (ReverseZone, bool) {
	label, _, _ := strings.Cut(n.String(), ".")
	from, to, ok := strings.Cut(label, "-")
	first, err := strconv.ParseUint(from, 10, 8)
	last, err2 := strconv.ParseUint(to, 10, 8)
	p, ok2 := n.Parent().Prefix()
	if !ok || !ok2 || err != nil || err2 != nil || first > last || first == 0 && last == 255 || !p.Addr().Is4() || p.Bits() != 24 {
		return ReverseZone{}, false
	}
	b, err := inr.FromPrefix(p)
	if err != nil {
		return ReverseZone{}, false
	}
	z := classless(inr.Range{Kind: inr.IPv4, First: b.First.Add(inr.N(first)), Last: b.First.Add(inr.N(last))})
	return z, z.Name == n // no leading zeros
}
