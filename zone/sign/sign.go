package sign

import (
	"context"
	"errors"
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
	text   []byte // the zone file
}

// Facts returns what is to be recorded of the zone.
func (s *Signed) Facts() Facts { return s.facts }

// Sign signs a merged zone, as the package comment has it. It uses the keys
// that are in use at now, on as many processors as there are, and stops when
// ctx ends. It refuses zones that cannot be signed as they are: records out of
// order or of the zone, at the apex, under a wildcard, or hidden below a
// delegation.
func Sign(ctx context.Context, z *zone.Zone, keys []Key, p zone.SigningConfig, prior Prior, now time.Time) (*Signed, error) {
	return nil, errors.New("not yet")
}
