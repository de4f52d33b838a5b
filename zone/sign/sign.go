package sign

import (
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
func Sign(ctx context.Context, z *zone.Zone, keys []Key, p zone.SigningConfig, prior Prior, now time.Time) (*Signed, error) {
	s, err := newSigning(z, keys, p, now)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", z.Origin, err)
	}
	out := &Signed{policy: p, facts: s.facts()}
	out.facts.Serial = prior.next(z.SOA.Family, out.facts.Body, now)
	if err := s.write(ctx, out); err != nil {
		return nil, fmt.Errorf("signing %s: %w", z.Origin, err)
	}
	return out, nil
}

// Preview returns what [Sign] would say of a zone, without signing it: all but
// Serial, Size and SHA256. A zone whose Body is that of the one published before
// would become the same file, so there is no need to.
func Preview(z *zone.Zone, keys []Key, p zone.SigningConfig, now time.Time) (Facts, error) {
	s, err := newSigning(z, keys, p, now)
	if err != nil {
		return Facts{}, fmt.Errorf("preparing to sign %s: %w", z.Origin, err)
	}
	return s.facts(), nil
}

// A signing is the work on one zone. It does not change once it is made, so
// many goroutines may use it.
type signing struct {
	z     *zone.Zone
	p     zone.SigningConfig
	clock *clock
	keys  *keySet
	nodes []node
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
	return s, err
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

// blockNodes is how many names one goroutine signs before it hands them over:
// about 10 ms of work.
const blockNodes = 256

// A block is a run of names, written.
type block struct{ text, wire []byte }

// write signs the zone block by block and puts the parts together.
func (s *signing) write(ctx context.Context, out *Signed) error {
	serial := out.facts.Serial
	apex, err := s.startApex(serial)
	if err != nil {
		return err
	}
	out.text = [][]byte{nil}
	count := (len(s.nodes) + blockNodes - 1) / blockNodes
	worker := func() func(int) (block, error) {
		w := s.writer()
		return w.block
	}
	err = ordered(ctx, count, worker, func(b block) error {
		apex.hash.Write(b.wire)
		out.text = append(out.text, b.text)
		return nil
	})
	if err != nil {
		return err
	}
	if out.text[0], err = apex.finish(serial); err != nil {
		return err
	}
	out.seal()
	return nil
}

// block signs the names of one block.
func (w *writer) block(i int) (block, error) {
	w.text, w.wire = w.text[:0], make([]byte, 0, cap(w.wire))
	for n := i * blockNodes; n < min(len(w.s.nodes), (i+1)*blockNodes); n++ {
		if err := w.node(n); err != nil {
			return block{}, fmt.Errorf("%s: %w", w.s.nodes[n].name, err)
		}
	}
	return block{slices.Clone(w.text), w.wire}, nil
}
