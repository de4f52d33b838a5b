package sign

import (
	"bytes"
	"slices"

	"nirzone/zone"
)

// verdictForm changes with anything that the verifier checks in a piece, so that
// what an older program found right is looked at again.
const verdictForm = "nirzone verdict 1\n"

// setScope digests what every verdict rests on, besides the keys that it names:
// which algorithms sign the zone decides what signatures must be there.
func (v *verification) setScope() {
	var algorithms []int64
	for _, k := range v.keys {
		if k.zone {
			algorithms = append(algorithms, int64(k.alg))
		}
	}
	slices.Sort(algorithms)
	b := newBodyHash()
	b.buf = append(b.buf, verdictForm...)
	b.string(v.origin)
	b.number(int64(min(v.z.SOA.TTL, v.z.SOA.Minimum)))
	b.number(int64(v.policy.Denial))
	for _, alg := range slices.Compact(algorithms) {
		b.number(alg)
	}
	v.scope = b.sum()
}

// A found piece is what a checker has to say of a claim, and the block that it
// makes for the store; nil if it is none.
type found struct {
	piece *piece
	block *block
}

// task checks pieces in a row.
func (c *checker) task(claims []claim) ([]found, error) {
	list := make([]found, 0, len(claims))
	for _, cl := range claims {
		if f, ok := c.v.stands(cl); ok {
			list = append(list, f)
			continue
		}
		p, err := c.piece(cl.text)
		if err != nil {
			return nil, err
		}
		f := found{piece: p}
		if cl.part != nil && p.first != nil {
			f.block = &block{key: cl.part.key, text: cl.text, piece: *p}
		}
		list = append(list, f)
	}
	return list, nil
}

// stands returns the stored verdict on a piece, if it stands: see Verify.
func (v *verification) stands(c claim) (found, bool) {
	if c.part == nil || c.part.stored == nil {
		return found{}, false
	}
	b, now := c.part.stored, v.now.Unix()
	valid := b.sigs == 0 || b.begins <= now && now < b.expires
	if b.scope != v.scope || !valid || !bytes.Equal(b.text, c.text) {
		return found{}, false
	}
	for _, u := range b.keys {
		if k, ok := v.keys[u.tag]; !ok || k.data != u.key || !k.zone {
			return found{}, false
		}
	}
	p := b.piece
	p.chain = nil
	to, ok := v.sameRecords(b.wire, c.part.entry, &p.chain)
	if !ok {
		return found{}, false
	}
	p.from, p.to = c.part.entry, to
	return found{&p, b}, true
}

// sameRecords reports whether the records of wire, without RRSIG, NSEC and NSEC3,
// are those of the merged zone from an entry on, up to the end of a name. It returns
// the entry after them, and appends the NSEC3 records to a chain.
func (v *verification) sameRecords(wire []byte, from int, chain *[]link) (to int, ok bool) {
	var owner []byte
	var name zone.Name
	entries := v.z.Entries
	to = from
	for len(wire) > 0 {
		r, rest, ok := nextRecord(wire)
		wire = rest
		switch {
		case !ok:
			return 0, false
		case r.typ == zone.TypeNSEC3 && v.nsec3():
			l, ok := linkOf(r.owner, r.data)
			if !ok {
				return 0, false
			}
			*chain = append(*chain, l)
			continue
		case r.typ == zone.TypeRRSIG || r.typ == zone.TypeNSEC && !v.nsec3():
			continue
		case to >= len(entries):
			return 0, false
		}
		e := &entries[to]
		if e.Name != name {
			name, owner = e.Name, e.Name.AppendWire(owner[:0])
		}
		if e.Type != r.typ || e.TTL != r.ttl || string(e.Data) != string(r.data) || !bytes.Equal(owner, r.owner) {
			return 0, false
		}
		to++
	}
	return to, (to > from || len(*chain) > 0) && (to == len(entries) || entries[to].Name != name)
}
