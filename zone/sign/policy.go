package sign

import (
	"time"

	"nirzone/zone"
)

// A Policy is what decides over the life of a zone's keys.
type Policy struct {
	zone.SigningConfig
	MaxTTL time.Duration // the largest TTL of a signed record of the zone, negative answers included
}

// NewPolicy returns the policy for the zones of a group.
func NewPolicy(c zone.SigningConfig, g *zone.Group) Policy {
	ttl := max(g.SOA.TTL, g.SOA.Minimum, g.TTL.Fixed)
	if g.TTL.FromSource {
		ttl = max(ttl, g.TTL.Max)
	}
	return Policy{SigningConfig: c, MaxTTL: time.Duration(ttl) * time.Second}
}

// keyWait is how long it takes until a changed DNSKEY set is in every cache that
// has one (RFC 7583, section 3.2.1: Ipub).
func (p *Policy) keyWait() time.Duration {
	return p.Propagation + time.Duration(p.DNSKEYTTL)*time.Second
}

// dataWait is how long a signature that is no longer published may be in a cache
// (RFC 7583, section 3.2.1: Dprp + TTLsig).
func (p *Policy) dataWait() time.Duration { return p.Propagation + p.MaxTTL }

// dsWait is how long a DS set that the parent no longer has may be in a cache.
func (p *Policy) dsWait(seen time.Duration) time.Duration { return p.Propagation + max(p.DSTTL, seen) }

// Evidence is what is known of a zone beside its keys: what is published, what
// the parent answers and what people agreed to. [Plan] takes it as it is.
type Evidence struct {
	Published *Published // nil: the zone was never published
	Parent    Parent
	Approved  []string // hashes of steps
}

// Published is what the current generation says of a zone's keys.
type Published struct {
	Time time.Time // of the generation
	Keys []zone.KeyRecord
	// Untold says that the servers have not been told to load the zone yet:
	// nothing counts as published then.
	Untold bool
}

// Parent is what the parent's servers answered when they were asked for the
// zone's DS set. Only answers that validated to the trust anchor are in it.
type Parent struct {
	Answers []ParentAnswer
	// Complete says that every address of every name server of the parent is
	// among the answers.
	Complete bool
	Missing  []string // addresses that did not give a usable answer, with the reason
}

// A ParentAnswer is one server's DS set, empty if it proved that there is none.
type ParentAnswer struct {
	Server string // name and address
	Time   time.Time
	TTL    time.Duration // of the DS set or of the negative answer, as the parent signed it
	DS     []zone.Data   // RDATA
}
