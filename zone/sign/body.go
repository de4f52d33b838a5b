package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"

	"nirzone/zone"
)

// bodyForm changes with anything that changes the bytes of a zone file for the
// same content, and is not in spanForm.
const bodyForm = "nirzone zone body 2\n"

// A bodyHash digests values so that no two sequences of them are the same bytes:
// everything variable has its length before it.
type bodyHash struct {
	h   hash.Hash
	buf []byte
}

func newBodyHash() *bodyHash { return &bodyHash{h: sha256.New()} }

// start begins a digest: what it is of, and what every signature depends on.
func (b *bodyHash) start(form string, s *signing) {
	b.h.Reset()
	b.buf = append(b.buf[:0], form...)
	b.number(s.clock.inception)
	b.number(s.clock.validity)
	b.string(string(s.z.Origin))
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

// sum ends the digest.
func (b *bodyHash) sum() (d digest) {
	b.flush()
	b.h.Sum(d[:0])
	return d
}

// slot adds when a name was signed and the tags of the keys that do it. The
// signatures follow from that, if the caller adds the keys themselves: slot
// returns list with the keys in it.
func (b *bodyHash) slot(c *clock, start int64, list []*Key) []*Key {
	b.number(start)
	for _, keys := range c.signers {
		k := slotKey(keys, start, c.now)
		b.number(int64(k.Tag))
		if !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// signers adds keys, where other things only have their tags.
func (b *bodyHash) signers(keys []*Key) {
	for _, k := range keys {
		b.string(string(k.rdata()))
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
		b.signers(s.clock.keys(nil, s.clock.start(s.clock.origin)))
	}
	if len(s.cdsSets()) > 0 {
		b.string("cds")
		b.number(int64(len(s.keys.cds)))
		for i := range s.keys.cds {
			b.signers([]*Key{&s.keys.cds[i]})
		}
	}
}

// body returns the digest of all that the zone file follows from, except the
// serial, in hex. It makes no signature: with deterministic signatures, equal
// bodies and serials are equal files.
func (s *signing) body() string {
	b := newBodyHash()
	b.start(bodyForm, s)
	b.string(string(appendSOA(nil, s.z.SOA, 0)))
	b.special(s)
	b.slot(s.clock, s.clock.start(s.clock.origin), nil) // a key of one algorithm is in the DNSKEY set, below
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
	b.number(int64(len(s.spans)))
	for i := range s.spans {
		b.string(string(s.spans[i].key[:]))
	}
	d := b.sum()
	return hex.EncodeToString(d[:])
}

func (b *bodyHash) entries(es []zone.Entry) {
	for i := range es {
		b.number(int64(es[i].Type))
		b.number(int64(es[i].TTL))
		b.string(string(es[i].Data))
	}
}
