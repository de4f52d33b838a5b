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
	Keys        []zone.GenerationKey // the DNSKEY set, KSK first, then by tag
	Size        int64                // of the zone file, in bytes
	SHA256      string               // of the zone file, hex
}

// A Signed is a signed zone that nobody has verified. It cannot be written:
// give it to [Verify].
type Signed struct {
	facts  Facts
	policy zone.SigningConfig
	text   [][]byte // the zone file, in parts that end at a line's end
}

// Facts returns what is to be recorded of the zone.
func (s *Signed) Facts() Facts { return s.facts }

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
	sets := 4 // NS, SOA, NSEC or NSEC3PARAM, ZONEMD
	var owner []byte
	for i := range s.nodes {
		n := &s.nodes[i]
		if signed := s.signedSets(n); signed > 0 {
			sets += signed
			owner = n.name.AppendWire(owner[:0])
			first = min(first, c.start(owner))
		}
		if n.kind == cut {
			f.Delegations++
		}
	}
	f.Signatures = sets*len(c.signers) + len(s.keys.ksks) + len(s.cdsSets())*len(s.keys.cds)
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

// seal computes size and digest of the file.
func (s *Signed) seal() {
	h := sha256.New()
	s.facts.Size = 0
	for _, part := range s.text {
		h.Write(part)
		s.facts.Size += int64(len(part))
	}
	s.facts.SHA256 = hex.EncodeToString(h.Sum(nil))
}
