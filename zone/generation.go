package zone

import (
	"fmt"
	"time"
)

// GenerationVersion is the version of generation.json that this program
// writes. It reads this one and the one before.
const GenerationVersion = 2

// A Generation is public/generations/<n>/generation.json: everything that a run
// of zonebuild decided. It is written in the same commit as the zones, so the
// two cannot disagree. With the inputs it names, it is enough to compute the
// merged zones again.
type Generation struct {
	Version  int       `json:"version"`
	Number   uint64    `json:"number"`
	Previous uint64    `json:"previous,omitempty"`
	Time     time.Time `json:"time"`
	Cause    string    `json:"cause"`  // init, adopt, build, rollback
	Config   string    `json:"config"` // SHA-256 of the configuration
	Claims   string    `json:"claims"` // SHA-256 of registry/claims
	// Probation are the sources of which nothing is published yet, sorted.
	Probation []string         `json:"probation,omitempty"`
	Zones     []GenerationZone `json:"zones"` // sorted by name
	Notices   []OpenNotice     `json:"notices,omitempty"`
	Holds     []Hold           `json:"holds,omitempty"`
	// Reload lists the zones whose servers have not been told yet. It is
	// written before the reload and emptied after it.
	Reload []Name `json:"reload,omitempty"`
}

// A GenerationZone is one zone of a generation. SHA256 and Size are of the
// published file; Body is the digest of everything in the zone but the serial
// and what follows from it, so a zone with an equal body needs no new serial.
type GenerationZone struct {
	Zone        Name            `json:"zone"`
	Serial      Serial          `json:"serial"`
	SHA256      string          `json:"sha256"`
	Size        int64           `json:"size"`
	Body        string          `json:"body"`
	Delegations int             `json:"delegations"` // owners with NS
	Counts      []SourceCount   `json:"counts,omitempty"`
	Inputs      []Input         `json:"inputs"` // accepted for this zone, one a source, sorted by source
	Kept        []KeptRecord    `json:"kept,omitempty"`
	Keys        []GenerationKey `json:"keys"`
	KeyRecords  []KeyRecord     `json:"key_records,omitempty"` // since when they are used, sorted by tag
	Told        time.Time       `json:"told,omitzero"`         // the servers were told of what is published since then
	TTLs        TTLPeriods      `json:"ttls,omitempty"`        // with which TTLs it is published, and was as far as caches remember
	DeleteDS    bool            `json:"delete_ds,omitempty"`   // its CDS and CDNSKEY ask for no DS at all (RFC 8078, section 4)
	Due         time.Time       `json:"due"`                   // the first slot that ends, when a signature must be replaced
	Expires     time.Time       `json:"expires"`               // the earliest end of a signature
	// Claims is the digest of the claims that the zone was merged by. They, like
	// the registry's own zonelets and the configuration, are kept in
	// state/inputs.
	Claims string `json:"claims"`
	// Pinned is the generation whose content this zone was rolled back to, until
	// that is released; 0 if it follows its inputs.
	Pinned uint64 `json:"pinned,omitempty"`
	// PinnedSince is the time of the rollback.
	PinnedSince time.Time `json:"pinned_since,omitzero"`
	// Ledger is what sources lost in the zone without being held, for the limits
	// over 24 hours and 7 days.
	Ledger Ledger `json:"ledger,omitempty"`
	// Apex is the zone's own NS and SOA as published: the configuration may have
	// another one that waits for a person.
	Apex *PublishedApex `json:"apex,omitempty"`
	// Carried says why this zone was not built in this run: its delegations are
	// those of the generation before, signed again or, where that was not
	// possible either, with the file taken over.
	Carried string `json:"carried,omitempty"`
	// Basis is the digest of everything that made this zone what it is but the
	// time: inputs, claims, keys and policy. A run that computes the same one has
	// nothing to do for the zone until a signature is due. It is empty if
	// something waits in the zone, which has to be looked at in every run.
	Basis string `json:"basis,omitempty"`
}

// A SourceCount is the number of owners that a source has delegated in a zone.
type SourceCount struct {
	Source      string `json:"source"`
	Delegations int    `json:"delegations"`
}

// A GenerationKey names a key in the zone's DNSKEY set.
type GenerationKey struct {
	Tag       uint16 `json:"tag"`
	Algorithm uint8  `json:"algorithm"`
	Flags     uint16 `json:"flags"`
}

// A KeyRecord says since when a key is used in a zone that was published: what
// the next step of its life rests on. Digest tells it from another key with its
// tag. All times are of generations; while the servers have not been told of a
// generation, the next one takes its place.
type KeyRecord struct {
	Tag       uint16    `json:"tag"`
	Algorithm uint8     `json:"algorithm"`
	Flags     uint16    `json:"flags"`
	Digest    string    `json:"digest"`         // SHA-256 of the DNSKEY RDATA, hex
	Since     time.Time `json:"since,omitzero"` // in the DNSKEY set, without a gap
	Gone      time.Time `json:"gone,omitzero"`  // out of the DNSKEY set, though it signs still
	Signs     time.Time `json:"signs,omitzero"` // signing the zone
	Idle      time.Time `json:"idle,omitzero"`  // no signature of the zone is by it any more
}

// A KeptRecord is published state that stands although the accepted inputs do
// not say it (any more), with the input it was read from.
type KeptRecord struct {
	Name  Name   `json:"name"`
	Type  Type   `json:"type"`
	TTL   uint32 `json:"ttl"`
	Data  []byte `json:"data"` // RDATA in canonical wire form
	Input Input  `json:"input"`
	Line  uint32 `json:"line"`
	Why   string `json:"why"` // code of the notice
}

// An OpenNotice is a notice with the time of the run that first gave it.
type OpenNotice struct {
	Notice
	Since time.Time `json:"since"`
}

// ParseGeneration reads generation.json. It refuses unknown keys, a newer
// version, digests that are not 64 hex digits, zones named twice and kept
// records outside their zone.
func ParseGeneration(file string, data []byte) (*Generation, error) {
	var g Generation
	rest, list := cutNotices(data)
	err := decodeVersioned(file, rest, GenerationVersion, &g)
	if list != nil {
		notices, ok := list()
		if g.Notices = notices; err != nil || !ok { // its place in the file is to be right
			g = Generation{}
			err = decodeVersioned(file, data, GenerationVersion, &g)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, d := range []string{g.Config, g.Claims} {
		if err := checkDigest(d); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	seen := map[Name]bool{}
	for i := range g.Zones {
		if seen[g.Zones[i].Zone] {
			return nil, fmt.Errorf("%s: zone %s stands twice", file, g.Zones[i].Zone)
		}
		seen[g.Zones[i].Zone] = true
		if err := g.Zones[i].check(); err != nil {
			return nil, fmt.Errorf("%s: zone %s: %w", file, g.Zones[i].Zone, err)
		}
	}
	return &g, nil
}

func (z *GenerationZone) check() error {
	if n, err := ParseName(string(z.Zone)); err != nil || n != z.Zone {
		return fmt.Errorf("%.80q is not a canonical name", z.Zone)
	}
	digests := []string{z.SHA256, z.Body, z.Claims}
	if z.Basis != "" {
		digests = append(digests, z.Basis)
	}
	for _, in := range z.Inputs {
		digests = append(digests, in.SHA256)
	}
	for _, k := range z.Kept {
		if n, err := ParseName(string(k.Name)); err != nil || n != k.Name || !n.Within(z.Zone) {
			return fmt.Errorf("kept record %.80q is no canonical name inside the zone", k.Name)
		}
		digests = append(digests, k.Input.SHA256)
	}
	for _, l := range z.Ledger {
		for _, n := range l.Names {
			if c, err := ParseName(string(n)); err != nil || c != n || !n.Within(z.Zone) {
				return fmt.Errorf("ledger: %.80q is no canonical name inside the zone", n)
			}
		}
	}
	for _, d := range digests {
		if err := checkDigest(d); err != nil {
			return err
		}
	}
	return z.TTLs.check()
}

// Zone returns the entry of a zone, nil if there is none.
func (g *Generation) Zone(n Name) *GenerationZone {
	for i := range g.Zones {
		if g.Zones[i].Zone == n {
			return &g.Zones[i]
		}
	}
	return nil
}

// Objects returns the digest of every input that the generation names, so that
// no prune removes it.
func (g *Generation) Objects() map[string]bool {
	objects := map[string]bool{g.Config: true, g.Claims: true}
	for _, z := range g.Zones {
		objects[z.Claims] = true
		for _, in := range z.Inputs {
			objects[in.SHA256] = true
		}
		for _, k := range z.Kept {
			objects[k.Input.SHA256] = true
		}
	}
	return objects
}

// Encode returns the file's bytes.
func (g *Generation) Encode() []byte {
	if len(g.Notices) == 0 {
		return encodeJSON(g)
	}
	c := *g
	c.Notices = marker("notices")
	return putNotices(encodeJSON(&c), "notices", g.Notices)
}
