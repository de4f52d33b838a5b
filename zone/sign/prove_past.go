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
		for _, c := range [...]time.Time{u.in, u.out} {
			if c.After(begin) && c.Before(o.now) {
				cuts = append(cuts, c)
			}
		}
		o.pastData(t, u, used, begin)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	for i, from := range cuts[:len(cuts)-1] {
		s := resolver.Set{From: from, Until: cuts[i+1], TTL: seconds32(o.p.DNSKEYTTL)}
		for _, u := range used {
			if reached(u.in, from) && !reached(u.out, from) {
				s.Keys = append(s.Keys, u.key)
				if u.ksk {
					s.Signers = append(s.Signers, u.key)
				}
			}
		}
		if len(s.Keys) > 0 && from.Before(s.Until) {
			t.DNSKEY = append(t.DNSKEY, s)
		}
	}
}

// pastData adds the data that a key signed, each set together with a key of each
// other algorithm that signed then.
func (o *outlook) pastData(t *resolver.Timeline, u usage, used []usage, begin time.Time) {
	if u.signs.IsZero() {
		return
	}
	s := resolver.Set{From: u.signs, Until: o.now, TTL: o.p.MaxTTL, Signers: []resolver.Key{u.key}}
	if !u.idle.IsZero() && u.idle.Before(o.now) {
		s.Until = u.idle
	}
	if s.Until.Before(begin) || !s.From.Before(s.Until) {
		return
	}
	for _, other := range used {
		if other.key.Algorithm != u.key.Algorithm && reached(other.signs, s.Until.Add(-time.Second)) && !reached(other.idle, s.From) {
			s.Signers = append(s.Signers, other.key)
		}
	}
	t.Data = append(t.Data, s)
}
