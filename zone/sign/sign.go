package sign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nirzone/zone"
)

// Sign signs a merged zone, as the package comment has it. It uses the keys
// that are in use at now, on as many processors as there are, and stops when
// ctx ends. It refuses zones that cannot be signed as they are: records out of
// order or of the zone, at the apex, under a wildcard, or hidden below a
// delegation.
//
// It is [Prepare] and [Prepared.Sign] without a store.
func Sign(ctx context.Context, z *zone.Zone, keys []Key, p zone.SigningConfig, prior Prior, now time.Time) (*Signed, error) {
	s, err := newSigning(z, keys, p, now)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", z.Origin, err)
	}
	return (&Prepared{s, s.facts()}).Sign(ctx, prior, nil)
}

// Preview returns what [Sign] would say of a zone, without signing it: all but
// Serial, Size, SHA256 and Made. A zone whose Body is that of the one published
// before would become the same file, so there is no need to.
func Preview(z *zone.Zone, keys []Key, p zone.SigningConfig, now time.Time) (Facts, error) {
	w, err := Prepare(z, keys, p, now)
	if err != nil {
		return Facts{}, err
	}
	return w.Facts(), nil
}

// A Prepared zone can be signed. The merged zone it was made from must not be
// changed as long as it is used.
type Prepared struct {
	s     *signing
	facts Facts
}

// Prepare does the part of signing that makes no signature, with the refusals of
// [Sign].
func Prepare(z *zone.Zone, keys []Key, p zone.SigningConfig, now time.Time) (*Prepared, error) {
	s, err := newSigning(z, keys, p, now)
	if err != nil {
		return nil, fmt.Errorf("preparing to sign %s: %w", z.Origin, err)
	}
	return &Prepared{s, s.facts()}, nil
}

// Facts returns what [Preview] does.
func (p *Prepared) Facts() Facts { return p.facts }

// Sign signs the zone, with what a store has of it; nil is an empty one. Its bytes
// are the same with any store: what is in the store has the digest of all that it
// follows from (see [Store]).
func (p *Prepared) Sign(ctx context.Context, prior Prior, st *Store) (*Signed, error) {
	out := &Signed{policy: p.s.p, facts: p.facts}
	out.facts.Serial = prior.next(p.s.z.SOA.Family, out.facts.Body, time.Unix(p.s.clock.now, 0).UTC())
	if err := p.s.write(ctx, out, st); err != nil {
		return nil, fmt.Errorf("signing %s: %w", p.s.z.Origin, err)
	}
	return out, nil
}

// A signing is the work on one zone. It does not change once it is made, so
// many goroutines may use it.
type signing struct {
	z     *zone.Zone
	p     zone.SigningConfig
	clock *clock
	keys  *keySet
	nodes []node
	spans []span       // of nodes
	chain []hashedName // of NSEC3, by hash
}

func newSigning(z *zone.Zone, keys []Key, p zone.SigningConfig, now time.Time) (*signing, error) {
	set, err := newKeySet(z.Origin, keys, now)
	if err != nil {
		return nil, err
	}
	s := &signing{z: z, p: p, keys: set}
	if s.clock, err = newClock(z.Origin, set.zone, p, now); err != nil {
		return nil, err
	}
	if len(z.NS) == 0 {
		return nil, errors.New("the apex has no NS (RFC 1035, section 5.2)")
	}
	if s.nodes, err = nodes(z); err == nil && p.Denial == zone.DenialNSEC3 {
		err = s.chainNSEC3()
	}
	if err != nil {
		return nil, err
	}
	s.cutSpans()
	return s, nil
}

// after returns the name that follows node i in the NSEC chain (RFC 4034,
// section 4.1.1); the apex is -1 and follows the last one.
func (s *signing) after(i int) zone.Name {
	for i++; i < len(s.nodes); i++ {
		if k := s.nodes[i].kind; k != glue && k != hashed {
			return s.nodes[i].name
		}
	}
	return s.z.Origin
}
