package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"sync"

	"nirzone/zone"
)

// A digest is a SHA-256.
type digest = [sha256.Size]byte

// A span is a run of names [first, last) of a zone's nodes that is signed,
// verified and stored as one. Its borders follow from the names and not from
// their number: a name that comes or goes disturbs the span it is in, and the
// one before it where it is the first. Glue stays with its delegation.
type span struct {
	first, last int
	key         digest // of everything that its bytes follow from
	start       int64  // of the first slot in it, seconds since 1970
	sigs, cuts  int
}

const (
	// spanNames is how many names a span has on average: few, because one change
	// makes a whole span to be written and parsed again (its signatures are kept),
	// and one name's signatures come due in most spans of a thousand names every
	// two hours.
	spanNames = 16
	// maxSpan bounds it where hashes have no border for long. Such a run is cut
	// by count, up to its next border.
	maxSpan = 8 * spanNames
)

// spanForm changes with anything that changes the text of names for the same
// content, such as the layout of lines.
const spanForm = "nirzone span 1\n"

// spans gives every name its slot and divides the zone.
func (s *signing) cutSpans() {
	border := make([]bool, len(s.nodes))
	shares(len(s.nodes), func(from, to int) {
		var owner []byte
		for i := from; i < to; i++ {
			if n := &s.nodes[i]; n.kind != glue {
				owner = n.name.AppendWire(owner[:0])
				sum := s.clock.hash(owner)
				n.start, border[i] = s.clock.slotOf(sum), sum[len(sum)-1]%spanNames == 0
			}
		}
	})
	for i := range s.nodes {
		open := len(s.spans) > 0
		if !open || s.nodes[i].kind != glue && (border[i] || i-s.spans[len(s.spans)-1].first >= maxSpan) {
			s.spans = append(s.spans, span{first: i})
		}
		s.spans[len(s.spans)-1].last = i + 1
	}
	shares(len(s.spans), func(from, to int) {
		b := newBodyHash()
		for i := from; i < to; i++ {
			s.spans[i].measure(s, b)
		}
	})
}

// measure computes the key of a span, and its share of the zone's facts.
func (p *span) measure(s *signing, b *bodyHash) {
	b.start(spanForm, s)
	b.number(int64(nsecTTL(s.z.SOA)))
	b.number(int64(s.p.Denial))
	b.number(int64(len(s.clock.signers)))
	if s.p.Denial == zone.DenialNSEC {
		b.string(string(s.after(p.last - 1)))
	}
	var signers []*Key
	for i := p.first; i < p.last; i++ {
		n := &s.nodes[i]
		b.string(string(n.name))
		b.number(int64(n.kind))
		b.number(int64(n.last - n.first))
		b.entries(s.z.Entries[n.first:n.last])
		if n.kind == hashed {
			b.string(string(s.nsec3Data(nil, n)))
		}
		if n.kind == cut {
			p.cuts++
		}
		signed := s.signedSets(n)
		if signed == 0 {
			continue
		}
		signers = b.slot(s.clock, n.start, signers)
		if p.sigs == 0 || n.start < p.start {
			p.start = n.start
		}
		p.sigs += signed * len(s.clock.signers)
	}
	b.signers(signers)
	p.key = b.sum()
}

// hash is what a name's slots and the borders of spans follow from.
func (c *clock) hash(owner []byte) digest {
	var buf [512]byte
	return sha256.Sum256(append(append(buf[:0], c.origin...), owner...))
}

// slotOf returns the start of the present slot of the name with that hash: see
// start.
func (c *clock) slotOf(sum digest) int64 {
	length := max(c.slot/batches, 1)
	batch := int64(binary.BigEndian.Uint64(sum[:8]) % batches)
	phase := (c.offset(length) + batch*length) % c.slot
	behind := (c.now - phase) % c.slot
	if behind < 0 {
		behind += c.slot
	}
	return c.now - behind
}

// shares calls f for ranges that together are [0, n), one a processor, at the
// same time.
func shares(n int, f func(from, to int)) {
	procs := max(1, min(n, runtime.GOMAXPROCS(0)))
	var wait sync.WaitGroup
	for i := range procs {
		wait.Go(func() { f(n*i/procs, n*(i+1)/procs) })
	}
	wait.Wait()
}
