package sign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"nirzone/zone"
)

// A keySet is what the keys of a zone are for at one instant.
type keySet struct {
	dnskey []Key   // the DNSKEY set: KSKs first, then by tag
	ksks   []Key   // those of them that sign it
	cds    []Key   // that sign CDS and CDNSKEY
	zone   [][]Key // that sign all else, by algorithm, in rising order
	named  []Key   // that CDS and CDNSKEY name
}

// newKeySet finds out what each key is for, and refuses a DNSKEY set that would
// make the zone bogus: every algorithm in it must sign every RRset (RFC 4035,
// section 2.2), the set itself among them.
func newKeySet(name zone.Name, keys []Key, now time.Time) (*keySet, error) {
	s := &keySet{}
	var used []Key
	for _, k := range keys {
		if k.Zone != name {
			return nil, fmt.Errorf("key %s is of zone %s", k.ID, k.Zone)
		}
		if k.published(now) || k.signing(now) {
			used = append(used, k)
		}
		if k.CDS {
			s.named = append(s.named, k)
		}
	}
	slices.SortFunc(used, func(a, b Key) int { return cmp.Or(-cmp.Compare(a.Flags, b.Flags), cmp.Compare(a.Tag, b.Tag)) })
	if err := uniqueTags(used); err != nil {
		return nil, err
	}
	for _, k := range used {
		if k.published(now) {
			s.dnskey = append(s.dnskey, k)
		}
	}
	s.signers(used, now)
	return s, cmp.Or(s.check(), s.checkNamed())
}

// signing reports whether the key makes signatures of the zone at now, be it for
// slots that are over.
func (k Key) signing(now time.Time) bool {
	return reached(k.Timing.Active, now) && !k.over(now)
}

// signers sorts the keys by what they sign. Outside the DNSKEY set, only keys of
// an algorithm that is not in it sign: a validator that knows the algorithm would
// take such a signature for a wrong one.
func (s *keySet) signers(used []Key, now time.Time) {
	for _, k := range used {
		in := k.published(now)
		if !in && hasAlgorithm(s.dnskey, k.Algorithm) {
			continue
		}
		if k.SignsKeys() && (k.signing(now) || k.CSK) {
			s.cds = append(s.cds, k)
			if in {
				s.ksks = append(s.ksks, k)
			}
		}
	}
	s.zone = zoneSigners(used, now)
}

// zoneSigners returns the keys that sign slots, by algorithm in rising order.
func zoneSigners(keys []Key, now time.Time) [][]Key {
	published := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return !k.published(now) })
	byAlgorithm := map[uint8][]Key{}
	for _, k := range keys {
		if k.SignsZone() && k.signing(now) && (k.published(now) || !hasAlgorithm(published, k.Algorithm)) {
			byAlgorithm[k.Algorithm] = append(byAlgorithm[k.Algorithm], k)
		}
	}
	var out [][]Key
	for alg := range 256 {
		if list := byAlgorithm[uint8(alg)]; list != nil {
			out = append(out, list)
		}
	}
	return out
}

func hasAlgorithm(keys []Key, alg uint8) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.Algorithm == alg })
}

func (s *keySet) check() error {
	if len(s.ksks) == 0 {
		return errors.New("no KSK is active; " + noKeys)
	}
	if len(s.zone) == 0 {
		return errors.New("no ZSK is active; " + noKeys)
	}
	for _, k := range s.dnskey {
		switch {
		case !hasAlgorithm(s.ksks, k.Algorithm):
			return fmt.Errorf("key %s is in the DNSKEY set, but no active KSK of algorithm %d signs the set (RFC 4035, section 2.2)", k.ID, k.Algorithm)
		case !slices.ContainsFunc(s.zone, func(list []Key) bool { return list[0].Algorithm == k.Algorithm }):
			return fmt.Errorf("key %s is in the DNSKEY set, but no active ZSK of algorithm %d signs the zone (RFC 4035, section 2.2)", k.ID, k.Algorithm)
		}
	}
	return nil
}

// noKeys is what to do about a zone without keys that sign. One that was published
// needs its own keys back: with others it is bogus.
const noKeys = "restore the keys folder from a backup, or, for a zone that was never published, run zonebuild keys init"
