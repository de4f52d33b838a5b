package sign

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"nirzone/zone"
)

// Prior is what was published of a zone before. The zero value means nothing.
type Prior struct {
	Serial zone.Serial
	Body   string // Facts.Body of that zone
	Known  bool   // whether there was one
}

// Facts describe a signed zone, as generation.json has them.
type Facts struct {
	Zone        zone.Name
	Serial      zone.Serial
	Body        string               // digest of all but the serial and what follows from it, hex
	Due         time.Time            // end of the first slot: sign again then
	Expires     time.Time            // earliest end of a signature
	Delegations int                  // owners with NS, the apex not counted
	Signatures  int                  // RRSIG records
	Made        int                  // of them made now; the others are from the store
	Keys        []zone.GenerationKey // the DNSKEY set, KSK first, then by tag
	Size        int64                // of the zone file, in bytes
	SHA256      string               // of the zone file, hex
}

// A Signed is a signed zone that nobody has verified. It cannot be written:
// give it to [Verify].
type Signed struct {
	facts  Facts
	policy zone.SigningConfig
	text   [][]byte // the zone file, in parts that end at a line's end: the apex, then the spans
	parts  []part   // about text[1:]
	store  *Store   // that it was signed with, nil for none
	known  proven   // single signatures of that store
	md     *transcript
	sum    chan fileSum // that is still being computed; nil if it is in facts
}

// Facts returns what is to be recorded of the zone.
func (s *Signed) Facts() Facts {
	s.sealed()
	return s.facts
}

// next returns the serial of a zone with the given body.
func (p Prior) next(family zone.Family, body string, now time.Time) zone.Serial {
	switch {
	case !p.Known:
		return family.First(now)
	case p.Body == body:
		return p.Serial
	}
	return family.Next(p.Serial, now)
}

// facts returns what is known before anything is signed.
func (s *signing) facts() Facts {
	f := Facts{Zone: s.z.Origin, Body: s.body()}
	for _, k := range s.keys.dnskey {
		f.Keys = append(f.Keys, k.generationKey())
	}
	c := s.clock
	first := c.start(c.origin)
	f.Signatures = 4*len(c.signers) + len(s.keys.ksks) + len(s.cdsSets())*len(s.keys.cds) // NS, SOA, NSEC or NSEC3PARAM, ZONEMD; DNSKEY; CDS, CDNSKEY
	for i := range s.spans {
		p := &s.spans[i]
		if p.sigs > 0 {
			first = min(first, p.start)
		}
		f.Signatures += p.sigs
		f.Delegations += p.cuts
	}
	f.Due = time.Unix(first+c.slot, 0).UTC()
	f.Expires = time.Unix(first+c.validity, 0).UTC()
	return f
}

// signedSets returns how many RRsets of a name are signed.
func (s *signing) signedSets(n *node) int {
	if n.kind == glue {
		return 0
	}
	count, last := 0, zone.Type(0)
	if n.kind == hashed || s.p.Denial == zone.DenialNSEC {
		count++ // NSEC or NSEC3
	}
	for _, e := range s.z.Entries[n.first:n.last] {
		if e.Type != last && n.kind.signs(e.Type) {
			count++
		}
		last = e.Type
	}
	return count
}

// A fileSum is size and SHA-256 of a file.
type fileSum struct {
	size   int64
	sha256 string
}

func sumFile(text [][]byte) fileSum {
	h, size := sha256.New(), int64(0)
	for _, part := range text {
		h.Write(part)
		size += int64(len(part))
	}
	return fileSum{size, hex.EncodeToString(h.Sum(nil))}
}

// seal begins to compute size and digest of the file: its text must not change
// any more.
func (s *Signed) seal() {
	sum := make(chan fileSum, 1)
	s.sum = sum
	text := s.text
	go func() { sum <- sumFile(text) }()
}

// sealed waits until size and digest are in the facts. It is for one goroutine at
// a time.
func (s *Signed) sealed() {
	if s.sum != nil {
		sum := <-s.sum
		s.facts.Size, s.facts.SHA256, s.sum = sum.size, sum.sha256, nil
	}
}
