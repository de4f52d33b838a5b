package sign

import (
	"slices"
	"time"

	"nirzone/zone"
	"nirzone/zone/resolver"
)

// A usage is when a key was in published zones: in the DNSKEY set, and as signer
// of the rest. A zero end is not over yet.
type usage struct {
	key         resolver.Key
	ksk         bool
	in, out     time.Time
	signs, idle time.Time
	ahead       time.Time // of a KSK: signing CDS and CDNSKEY, in the DNSKEY set or not
	asked       time.Time // named by CDS and CDNSKEY
}

// modelKey is how the model tells a key from others: by its DNSKEY record, as
// the record of generations does.
func modelKey(k *Key) resolver.Key {
	return resolver.Key{ID: k.Digest(), Tag: k.Tag, Algorithm: k.Algorithm}
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
// nothing was recorded, and of what KSKs sign ahead of the DNSKEY set.
func (o *outlook) usages(keys []Key) []usage {
	var list []usage
	if o.published == nil {
		return nil
	}
	for _, r := range o.published.Keys {
		if r.Digest == "" { // of an older generation
			if i := slices.IndexFunc(keys, func(k Key) bool { return k.Tag == r.Tag && k.Algorithm == r.Algorithm && k.Flags == r.Flags }); i >= 0 {
				r.Digest = keys[i].Digest()
			}
		}
		list = append(list, usage{
			key: resolver.Key{ID: r.Digest, Tag: r.Tag, Algorithm: r.Algorithm}, ksk: r.Flags == FlagsKSK,
			in: o.told(r.Since), out: o.told(r.Gone), signs: o.told(r.Signs), idle: o.told(r.Idle),
		})
	}
	recorded := len(list)
	for i := range keys {
		u := o.usage(&keys[i], recorded == 0)
		at := slices.IndexFunc(list[:recorded], func(r usage) bool { return r.key == u.key })
		switch {
		case at >= 0:
			list[at].ahead, list[at].asked = u.ahead, u.asked
		case reached(u.out, o.published.Time) || recorded == 0:
			list = append(list, u)
		case reached(u.ahead, o.published.Time): // in no DNSKEY set
			u.in, u.out = time.Time{}, time.Time{}
			list = append(list, u)
		}
	}
	return list
}

// told returns a time of the record, or none if it is that of a generation that
// the servers do not know yet: to resolvers that has not happened.
func (o *outlook) told(t time.Time) time.Time {
	if o.published.Untold && !t.Before(o.published.Time.Truncate(time.Second)) {
		return time.Time{}
	}
	return t
}

// usage returns what the times of a key say. Times after the present generation
// are not yet true.
func (o *outlook) usage(k *Key, alone bool) usage {
	u := usage{key: modelKey(k), ksk: k.SignsKeys()}
	if reached(k.Timing.Publish, o.published.Time) {
		u.in = k.Timing.Publish
	}
	if reached(k.Timing.Remove, o.published.Time) {
		u.out = k.Timing.Remove
	}
	if u.ksk {
		u.ahead, u.asked = k.Timing.Active, k.Timing.Ready
	}
	if alone && k.SignsZone() && reached(k.Timing.Active, o.published.Time) {
		u.signs = k.Timing.Active
		if reached(k.Timing.Retire, o.now.Add(-o.p.Slot)) {
			u.idle = k.Timing.Retire.Add(o.p.Slot)
		}
	}
	return u
}

// past adds what was published before now and may be cached still.
func (o *outlook) past(t *resolver.Timeline, keys []Key) {
	used := o.usages(keys)
	begin := o.now.Add(-o.p.Propagation - o.p.longest() - time.Second)
	cuts := []time.Time{begin, o.now}
	for _, p := range o.p.Past {
		for _, c := range [...]time.Time{p.Since, p.Until} {
			if c.After(begin) && c.Before(o.now) {
				cuts = append(cuts, c)
			}
		}
	}
	for _, u := range used {
		for _, c := range [...]time.Time{u.in, u.out, u.signs, u.idle, u.ahead, u.asked} {
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

// ttl returns the TTL with which something was published from one cut until the
// next: as the record has it, else the present one. Without an until, it is
// published still.
func (o *outlook) ttl(from, until time.Time, present time.Duration, of func(zone.TTLPeriod) uint32) time.Duration {
	longest, known := time.Duration(0), false
	for _, p := range o.p.Past {
		if (until.IsZero() || p.Since.Before(until)) && (p.Open() || p.Until.After(from)) {
			longest, known = max(longest, seconds32(of(p))), true
		}
	}
	if !known {
		return present
	}
	return longest
}

func (o *outlook) keyTTL(from, until time.Time) time.Duration {
	return o.ttl(from, until, seconds32(o.p.DNSKEYTTL), func(t zone.TTLPeriod) uint32 { return t.Keys })
}

func (o *outlook) dataTTL(from, until time.Time) time.Duration {
	return o.ttl(from, until, o.p.MaxTTL, func(t zone.TTLPeriod) uint32 { return t.Data })
}

// pastKeys adds the DNSKEY set that was published from one cut until the next.
func (o *outlook) pastKeys(t *resolver.Timeline, used []usage, from, until time.Time) {
	s := resolver.Set{From: from, Until: until, TTL: o.keyTTL(from, until)}
	for _, u := range used {
		if reached(u.in, from) && !reached(u.out, from) {
			s.Keys = append(s.Keys, u.key)
			if u.ksk {
				s.Signers = append(s.Signers, u.key)
			}
		}
	}
	if len(s.Keys) == 0 {
		return
	}
	t.DNSKEY = append(t.DNSKEY, s)
	if slices.ContainsFunc(used, func(u usage) bool { return reached(u.asked, from) }) { // CDS and CDNSKEY (RFC 7344)
		cds := resolver.Set{From: from, Until: until, TTL: s.TTL, Signers: slices.Clone(s.Signers)}
		for _, u := range used {
			if reached(u.ahead, from) && !slices.ContainsFunc(s.Keys, func(k resolver.Key) bool { return k.Algorithm == u.key.Algorithm }) {
				cds.Signers = append(cds.Signers, u.key)
			}
		}
		t.Data = append(t.Data, cds)
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
		s := resolver.Set{From: from, Until: until, TTL: o.dataTTL(from, until), Signers: []resolver.Key{k}}
		for _, other := range signing {
			if !slices.ContainsFunc(s.Signers, func(k resolver.Key) bool { return k.Algorithm == other.Algorithm }) {
				s.Signers = append(s.Signers, other)
			}
		}
		t.Data = append(t.Data, s)
	}
}
