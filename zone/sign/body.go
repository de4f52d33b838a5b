package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"nirzone/zone"
)

// bodyForm changes with anything that changes the bytes of a zone file for the
// same content, such as the layout of its lines.
const bodyForm = "nirzone zone body 1\n"

// A bodyHash digests values so that no two sequences of them are the same bytes:
// everything variable has its length before it.
type bodyHash struct {
	h   hash.Hash
	buf []byte
}

func (b *bodyHash) number(v int64) { b.buf = binary.BigEndian.AppendUint64(b.buf, uint64(v)) }

func (b *bodyHash) string(s string) {
	b.number(int64(len(s)))
	b.buf = append(b.buf, s...)
	if len(b.buf) > 32<<10 {
		b.flush()
	}
}

func (b *bodyHash) flush() {
	b.h.Write(b.buf)
	b.buf = b.buf[:0]
}

// slot adds when a name was signed and by which keys. The signatures follow.
func (b *bodyHash) slot(c *clock, owner []byte) {
	start := c.start(owner)
	b.number(start)
	for _, keys := range c.signers {
		b.number(int64(slotKey(keys, start, c.now).Tag))
	}
}

// special adds what most zones have not: NSEC3, more than one algorithm, CDS signed
// by other keys than the DNSKEY set.
func (b *bodyHash) special(s *signing) {
	if s.p.Denial == zone.DenialNSEC3 {
		b.string("nsec3")
	}
	if len(s.clock.signers) > 1 {
		b.string("algorithms")
		for _, keys := range s.clock.signers {
			b.number(int64(keys[0].Algorithm))
		}
	}
	if len(s.cdsSets()) > 0 {
		b.string("cds")
		b.number(int64(len(s.keys.cds)))
		for _, k := range s.keys.cds {
			b.number(int64(k.Tag))
		}
	}
}

// body returns the digest of all that the zone file follows from, except the
// serial, in hex. It makes no signature: with deterministic signatures, equal
// bodies and serials are equal files.
func (s *signing) body() string {
	b := &bodyHash{h: sha256.New()}
	b.buf = append(b.buf, bodyForm...)
	c := s.clock
	b.number(c.inception)
	b.number(c.validity)
	b.string(string(s.z.Origin))
	b.string(string(appendSOA(nil, s.z.SOA, 0)))
	b.special(s)
	b.slot(c, c.origin)
	for _, set := range s.apexSets(0) {
		b.number(int64(set.typ))
		b.number(int64(set.ttl))
		b.number(int64(len(set.data)))
		for _, d := range set.data {
			b.string(string(d))
		}
	}
	for _, k := range s.keys.ksks {
		b.number(int64(k.Tag))
	}
	b.number(int64(len(s.nodes)))
	var owner, data []byte
	for i := range s.nodes {
		n := &s.nodes[i]
		owner = n.name.AppendWire(owner[:0])
		b.string(string(n.name))
		b.number(int64(n.last - n.first))
		if s.signedSets(n) > 0 {
			b.slot(c, owner)
		}
		if n.kind == hashed {
			data = s.nsec3Data(data[:0], n)
			b.string(string(data))
		}
		b.entries(s.z.Entries[n.first:n.last])
	}
	b.flush()
	return hex.EncodeToString(b.h.Sum(nil))
}

func (b *bodyHash) entries(es []zone.Entry) {
	for i := range es {
		b.number(int64(es[i].Type))
		b.number(int64(es[i].TTL))
		b.string(string(es[i].Data))
	}
}
