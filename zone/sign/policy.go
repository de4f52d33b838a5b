package sign

import (
	"time"

	"nirzone/zone"
)

// A Policy is what decides over the life of a zone's keys.
type Policy struct {
	zone.SigningConfig
	MaxTTL time.Duration // the largest TTL of a signed record of the zone, negative answers included
	// Past is with which TTLs servers serve the zone and served it, as far as a cache
	// may remember. They may be larger than those of the configuration.
	Past zone.TTLPeriods
}

// NewPolicy returns the policy for a zone of a group. published is what is
// published of it, nil if nothing is: its SOA counts beside that of the
// configuration, which may be held back by a gate, and the TTLs that it has and
// had.
func NewPolicy(c zone.SigningConfig, g *zone.Group, published *zone.GenerationZone) Policy {
	ttl := max(g.SOA.TTL, g.SOA.Minimum, g.TTL.Fixed)
	if g.TTL.FromSource {
		ttl = max(ttl, g.TTL.Max)
	}
	p := Policy{SigningConfig: c}
	if published != nil {
		p.Past = published.TTLs
		if soa := published.Apex; soa != nil {
			ttl = max(ttl, soa.TTL, soa.Minimum)
		}
	}
	p.MaxTTL = seconds32(ttl)
	return p
}

// PublishedTTLs returns the TTLs that a zone is signed with: of the DNSKEY set,
// CDS and CDNSKEY, and the longest of all else, negative answers included.
func PublishedTTLs(z *zone.Zone, c zone.SigningConfig) (keys, data uint32) {
	data = max(z.SOA.TTL, z.SOA.Minimum, nsTTL(z.Apex))
	for i := range z.Entries {
		data = max(data, z.Entries[i].TTL)
	}
	return c.DNSKEYTTL, data
}

// keyWait is how long after the time from it takes until a DNSKEY set that was
// published before it is in no cache (RFC 7583, section 3.2.1: Ipub).
func (p *Policy) keyWait(from time.Time) time.Duration {
	return p.wait(from, seconds32(p.DNSKEYTTL), func(t zone.TTLPeriod) uint32 { return t.Keys })
}

// dataWait is the same for signatures that are no longer published from then on
// (RFC 7583, section 3.2.1: Dprp + TTLsig).
func (p *Policy) dataWait(from time.Time) time.Duration {
	return p.wait(from, p.MaxTTL, func(t zone.TTLPeriod) uint32 { return t.Data })
}

// wait takes the TTL of today as long as it is, and those of the past from when
// they ended: a cache that took something then is rid of it that much earlier.
func (p *Policy) wait(from time.Time, ttl time.Duration, of func(zone.TTLPeriod) uint32) time.Duration {
	for _, t := range p.Past {
		longer := seconds32(of(t))
		if !t.Open() && t.Until.Before(from) {
			longer -= from.Sub(t.Until)
		}
		ttl = max(ttl, longer)
	}
	return p.Propagation + ttl
}

// longest is the largest TTL of all that a cache may hold or come to hold.
func (p *Policy) longest() time.Duration {
	ttl := max(p.MaxTTL, seconds32(p.DNSKEYTTL))
	for _, t := range p.Past {
		ttl = max(ttl, seconds32(max(t.Keys, t.Data)))
	}
	return ttl
}

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
