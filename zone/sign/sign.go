package sign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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

// noKeys is what to do about a zone without keys that sign. One that was published
// needs its own keys back: with others it is bogus.
const noKeys = "restore the keys folder from a backup, or, for a zone that was never published, run zonebuild keys init"

// A signing is the work on one zone. It does not change once it is made, so
// many goroutines may use it.
type signing struct {
	z     *zone.Zone
	p     zone.SigningConfig
	clock *clock
	keys  []Key // the DNSKEY set
	ksks  []Key // those of them that sign it
	nodes []node
	spans []span // of nodes
}

func newSigning(z *zone.Zone, keys []Key, p zone.SigningConfig, now time.Time) (*signing, error) {
	s := &signing{z: z, p: p}
	for _, k := range keys {
		if k.Zone != z.Origin {
			return nil, fmt.Errorf("key %s is of zone %s", k.ID, k.Zone)
		}
		if k.published(now) {
			s.keys = append(s.keys, k)
		}
	}
	slices.SortFunc(s.keys, func(a, b Key) int { return cmp.Or(-cmp.Compare(a.Flags, b.Flags), cmp.Compare(a.Tag, b.Tag)) })
	if err := uniqueTags(s.keys); err != nil {
		return nil, err
	}
	for _, k := range s.keys {
		// One algorithm, so that one signature a set is enough (RFC 4035,
		// section 2.2).
		if k.Algorithm != s.keys[0].Algorithm {
			return nil, fmt.Errorf("keys %s and %s are of two algorithms; rolling the algorithm is not supported (RFC 4035, section 2.2)", s.keys[0].ID, k.ID)
		}
		if k.Flags == FlagsKSK && reached(k.Timing.Active, now) {
			s.ksks = append(s.ksks, k)
		}
	}
	if len(s.ksks) == 0 {
		return nil, errors.New("no KSK is active; " + noKeys)
	}
	var err error
	if s.clock, err = newClock(z.Origin, s.keys, p, now); err != nil {
		return nil, err
	}
	if len(z.NS) == 0 {
		return nil, errors.New("the apex has no NS (RFC 1035, section 5.2)")
	}
	if s.nodes, err = nodes(z); err != nil {
		return nil, err
	}
	s.cutSpans()
	return s, nil
}

// after returns the name that follows node i in the NSEC chain (RFC 4034,
// section 4.1.1); the apex is -1 and follows the last one.
func (s *signing) after(i int) zone.Name {
	for i++; i < len(s.nodes); i++ {
		if s.nodes[i].kind != glue {
			return s.nodes[i].name
		}
	}
	return s.z.Origin
}
