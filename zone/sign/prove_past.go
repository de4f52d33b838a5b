package sign

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"nirzone/zone/resolver"
)

// A usage is when a key was in published zones: in the DNSKEY set, and as signer
// of the rest. A zero end is not over yet.
type usage struct {
	key         resolver.Key
	ksk         bool
	in, out     time.Time
	signs, idle time.Time
}

// modelKey is how the model tells a key from others: by its DNSKEY record, as
// the record of generations does.
func modelKey(k *Key) resolver.Key {
	sum := sha256.Sum256(k.rdata())
	return resolver.Key{ID: hex.EncodeToString(sum[:]), Tag: k.Tag, Algorithm: k.Algorithm}
}

func modelKeys(keys []Key) []resolver.Key {
	var list []resolver.Key
	for i := range keys {
		list = append(list, modelKey(&keys[i]))
	}
	return list
}

// usages returns what was published. That is what generations have recorded; the
// times of the keys tell of keys that are in no record any more, or of all if
// nothing was recorded.
func (o *outlook) usages(keys []Key) []usage {
	var list []usage
	if o.published == nil {
		return nil
	}
	recorded := map[string]bool{}
	for _, r := range o.published.Keys {
		recorded[r.Digest] = true
		list = append(list, usage{
			key: resolver.Key{ID: r.Digest, Tag: r.Tag, Algorithm: r.Algorithm}, ksk: r.Flags == FlagsKSK,
			in: r.Since, out: r.Gone, signs: r.Signs, idle: r.Idle,
		})
	}
	for i := range keys {
		k := &keys[i]
		u := usage{key: modelKey(k), ksk: k.SignsKeys(), in: k.Timing.Publish, out: k.Timing.Remove}
		if len(recorded) == 0 && k.SignsZone() && reached(k.Timing.Active, o.published.Time) {
			u.signs = k.Timing.Active
			if reached(k.Timing.Retire, o.now.Add(-o.p.Slot)) {
				u.idle = k.Timing.Retire.Add(o.p.Slot)
			}
		}
		gone := reached(u.out, o.published.Time)
		if !recorded[u.key.ID] && reached(u.in, o.published.Time) && (gone || len(recorded) == 0) {
			if !gone {
				u.out = time.Time{}
			}
			list = append(list, u)
		}
	}
	return list
}

// past adds what was published before now and may be cached still.
func (o *outlook) past(t *resolver.Timeline, keys []Key) {
	used := o.usages(keys)
	begin := o.now.Add(-o.p.Propagation - max(o.p.MaxTTL, seconds32(o.p.DNSKEYTTL)) - time.Second)
	cuts := []time.Time{begin, o.now}
	for _, u := range used {
		for _, c := range [...]time.Time{u.in, u.out, u.signs, u.idle} {
			if c.After(begin) && c.Before(o.now) {
				cuts = append(cuts, c)
			}
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	for i, from := range cuts[:len(cuts)-1] {
		o.pastKeys(t, used, from, cuts[i+1])
		o.pastData(t, used, from, cuts[i+1])
	}
}

// pastKeys adds the DNSKEY set that was published from one cut until the next.
func (o *outlook) pastKeys(t *resolver.Timeline, used []usage, from, until time.Time) {
	s := resolver.Set{From: from, Until: until, TTL: seconds32(o.p.DNSKEYTTL)}
	for _, u := range used {
		if reached(u.in, from) && !reached(u.out, from) {
			s.Keys = append(s.Keys, u.key)
			if u.ksk {
				s.Signers = append(s.Signers, u.key)
			}
		}
	}
	if len(s.Keys) > 0 {
		t.DNSKEY = append(t.DNSKEY, s)
	}
}

// pastData adds the data of the same time: for each key that signed then, that
// which was signed by it and by some key of each other algorithm.
func (o *outlook) pastData(t *resolver.Timeline, used []usage, from, until time.Time) {
	var signing []resolver.Key
	for _, u := range used {
		if reached(u.signs, from) && !reached(u.idle, from) {
			signing = append(signing, u.key)
		}
	}
	for _, k := range signing {
		s := resolver.Set{From: from, Until: until, TTL: o.p.MaxTTL, Signers: []resolver.Key{k}}
		for _, other := range signing {
			if !slices.ContainsFunc(s.Signers, func(k resolver.Key) bool { return k.Algorithm == other.Algorithm }) {
				s.Signers = append(s.Signers, other)
			}
		}
		t.Data = append(t.Data, s)
	}
}
