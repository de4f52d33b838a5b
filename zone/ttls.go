package zone

import (
	"fmt"
	"slices"
	"time"
)

// A TTLPeriod is with which TTLs, in seconds, a zone is or was published: what a
// cache took then it may hold for as long, whatever the configuration says today
// (RFC 7583, section 3.2.1: TTLkey and TTLsig are of what was published).
type TTLPeriod struct {
	Keys uint32 `json:"keys"` // of the DNSKEY set, CDS and CDNSKEY
	Data uint32 `json:"data"` // the longest of all else, negative answers included (RFC 2308, section 5)
	// Since is the first generation with them, zero if nobody knows: the zone was
	// taken over. Until is the first one without, zero if they are published still.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Open reports whether the zone is published with these TTLs still.
func (p TTLPeriod) Open() bool { return p.Until.IsZero() }

// TTLPeriods are those of which a cache may still hold something, the present one
// last. As with [KeyRecord], the times are of generations, or, once the servers
// were told of one, of when they were.
type TTLPeriods []TTLPeriod

// Next returns the periods of a generation of now that is published with the TTLs
// given, after one with the periods l. What no cache holds any more, slow servers
// included, drops out.
func (l TTLPeriods) Next(keys, data uint32, slow time.Duration, now time.Time) TTLPeriods {
	now = now.UTC().Truncate(time.Second)
	next := TTLPeriod{Keys: keys, Data: data, Since: now}
	var list TTLPeriods
	for _, p := range l {
		same := p.Keys == keys && p.Data == data
		switch {
		case same && (p.Open() || p.Since.Before(next.Since)): // it goes on, from when servers were told, or comes back
			next.Since = p.Since
		case same:
		default:
			if p.Open() {
				p.Until = now
			}
			longest := time.Duration(max(p.Keys, p.Data)) * time.Second
			if now.Before(p.Until.Add(longest + slow)) {
				list = append(list, p)
			}
		}
	}
	return append(list, next)
}

// Told returns the periods when the servers are told at now of what is published
// since before: what changed in between, no server knew.
func (l TTLPeriods) Told(before, now time.Time) TTLPeriods {
	out := slices.Clone(l)
	for i := range out {
		for _, t := range []*time.Time{&out[i].Since, &out[i].Until} {
			if t.After(before) && t.Before(now) {
				*t = now
			}
		}
	}
	return out
}

// Untold returns the periods as servers serve them that were not told of the
// generation of at: what ended with it has not ended.
func (l TTLPeriods) Untold(at time.Time) TTLPeriods {
	out := slices.Clone(l)
	for i := range out {
		if !out[i].Open() && !out[i].Until.Before(at.Truncate(time.Second)) {
			out[i].Until = time.Time{}
		}
	}
	return out
}

// Now returns the TTLs that are published, and whether that is known.
func (l TTLPeriods) Now() (p TTLPeriod, ok bool) {
	i := slices.IndexFunc(l, TTLPeriod.Open)
	if i < 0 {
		return p, false
	}
	return l[i], true
}

func (l TTLPeriods) check() error {
	for i, p := range l {
		if p.Open() != (i == len(l)-1) {
			return fmt.Errorf("ttls: the period since %s ends, or does not, out of turn", p.Since.UTC().Format(time.RFC3339))
		}
		if max(p.Keys, p.Data) > maxTTL {
			return fmt.Errorf("ttls: %d seconds are no TTL (RFC 2181, section 8)", max(p.Keys, p.Data))
		}
	}
	return nil
}
