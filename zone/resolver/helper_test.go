package resolver

import (
	"slices"
	"testing"
	"time"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

var start = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// at is so long after the start of a test's time.
func at(d time.Duration) time.Time { return start.Add(d) }

func key(tag uint16, alg uint8) Key {
	return Key{ID: string(rune('A' + tag)), Tag: tag, Algorithm: alg}
}

// A life is a key in a scenario, in durations from the start; -1 is never.
type life struct {
	key                             Key
	ksk                             bool
	publish, active, retire, remove time.Duration
	dsFrom, dsUntil                 time.Duration // the parent's DS
}

// A scenario is a zone as the times of its keys make it, by other code than the
// signer's.
type scenario struct {
	keys                      []life
	slot, validity, inception time.Duration
	dnskeyTTL, dataTTL, dsTTL time.Duration
	delay, parentDelay        time.Duration
	noSignatures              map[uint8]time.Duration // data of an algorithm is signed not before
	until                     time.Duration           // the zone is looked at until then
}

func within(t, from, until time.Duration) bool { return t >= from && (until < 0 || t < until) }

// moments are all times at which something changes.
func (s *scenario) moments(of ...func(life) []time.Duration) []time.Duration {
	list := []time.Duration{0, s.until}
	for _, k := range s.keys {
		for _, f := range of {
			for _, m := range f(k) {
				if m > 0 && m < s.until {
					list = append(list, m)
				}
			}
		}
	}
	for _, m := range s.noSignatures {
		list = append(list, m)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func published(k life) []time.Duration { return []time.Duration{k.publish, k.active, k.remove} }
func signing(k life) []time.Duration   { return []time.Duration{k.active, k.retire} }
func parent(k life) []time.Duration    { return []time.Duration{k.dsFrom, k.dsUntil} }

func pairs(list []time.Duration, do func(from, until time.Duration)) {
	for i := range list[:len(list)-1] {
		do(list[i], list[i+1])
	}
}

func (s *scenario) timeline() *Timeline {
	t := &Timeline{Delay: s.delay, ParentDelay: s.parentDelay}
	pairs(s.moments(parent), func(from, until time.Duration) {
		ds := Set{From: at(from), Until: at(until), TTL: s.dsTTL}
		for _, k := range s.keys {
			if k.ksk && k.dsFrom >= 0 && within(from, k.dsFrom, k.dsUntil) {
				ds.Keys = append(ds.Keys, k.key)
			}
		}
		t.DS = append(t.DS, ds)
	})
	pairs(s.moments(published), func(from, until time.Duration) {
		set := Set{From: at(from), Until: at(until), TTL: s.dnskeyTTL}
		for _, k := range s.keys {
			if within(from, k.publish, k.remove) {
				set.Keys = append(set.Keys, k.key)
				if k.ksk && k.active >= 0 && from >= k.active {
					set.Signers = append(set.Signers, k.key)
				}
			}
		}
		t.DNSKEY = append(t.DNSKEY, set)
	})
	pairs(s.moments(signing), func(from, until time.Duration) {
		data := Set{From: at(from), Until: at(until + s.slot), TTL: s.dataTTL, Leaves: at(from + s.slot)}
		for _, k := range s.keys {
			if !k.ksk && within(from, k.active, k.retire) && from >= s.noSignatures[k.key.Algorithm] {
				data.Signers = append(data.Signers, k.key)
			}
		}
		if s.validity > 0 {
			data.Inception, data.Expires = at(from-s.inception), at(from+s.validity)
		}
		if len(data.Signers) > 0 {
			t.Data = append(t.Data, data)
		}
	})
	return t
}

// first returns the first bogus state, or nil.
func (s *scenario) first(t testing.TB) *State {
	t.Helper()
	found := s.timeline().Bogus(at(0), at(s.until))
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// standing is a zone that rolls nothing.
func standing() *scenario {
	return &scenario{
		keys: []life{
			{key: key(1, 13), ksk: true, remove: -1, retire: -1, dsFrom: 0, dsUntil: -1},
			{key: key(2, 13), retire: -1, remove: -1, dsFrom: -1},
		},
		slot: 11 * day, validity: 21 * day, inception: hour,
		dnskeyTTL: hour, dataTTL: day, dsTTL: day, delay: hour, parentDelay: 2 * hour,
		until: 200 * day,
	}
}

// zskRoll is a pre-publish roll (RFC 7583, section 3.2.1): the times are just
// enough.
func zskRoll() *scenario {
	s := standing()
	s.keys[1].retire, s.keys[1].remove = 22*day, 22*day+s.slot+s.delay+s.dataTTL
	s.keys = append(s.keys, life{key: key(3, 13), publish: 22*day - s.delay - s.dnskeyTTL, active: 22 * day, retire: -1, remove: -1, dsFrom: -1})
	return s
}

// kskRoll is a double-KSK roll (RFC 7583, section 3.3.1).
func kskRoll() *scenario {
	s := standing()
	s.keys[0].dsUntil = 30 * day
	s.keys[0].remove = s.keys[0].dsUntil + s.parentDelay + s.dsTTL
	ready := 30 * day
	s.keys = append(s.keys, life{key: key(4, 13), ksk: true, publish: ready - s.delay - s.dnskeyTTL, active: ready - s.delay - s.dnskeyTTL, retire: -1, remove: -1, dsFrom: ready, dsUntil: -1})
	return s
}

// algorithmRoll is a conservative one (RFC 6781, section 4.1.4): signatures,
// keys, DS; and the other way round.
func algorithmRoll() *scenario {
	s := standing()
	signed := 30 * day // from here on every signature is by both
	keys := signed + s.slot + s.delay + s.dataTTL
	ds := keys + s.delay + s.dnskeyTTL
	gone := ds + s.parentDelay + s.dsTTL
	unsigned := gone + s.delay + s.dnskeyTTL
	s.keys[0].dsUntil, s.keys[0].remove = ds, gone
	s.keys[1].remove, s.keys[1].retire = gone, unsigned
	s.keys = append(s.keys,
		life{key: key(5, 15), ksk: true, publish: keys, active: keys, retire: -1, remove: -1, dsFrom: ds, dsUntil: -1},
		life{key: key(6, 15), publish: keys, active: signed, retire: -1, remove: -1, dsFrom: -1})
	return s
}

// cskRoll rolls the only key of a zone.
func cskRoll() *scenario {
	s := standing()
	s.keys = nil
	csk := func(k Key, from, dsFrom time.Duration) (life, life) {
		l := life{key: k, ksk: true, publish: from, active: from, retire: -1, remove: -1, dsFrom: dsFrom, dsUntil: -1}
		z := l
		z.ksk, z.dsFrom = false, -1
		return l, z
	}
	ds := 30 * day
	k1, z1 := csk(key(7, 13), 0, 0)
	k2, z2 := csk(key(8, 13), ds-s.delay-s.dnskeyTTL, ds)
	z2.active = ds // it signs data once everybody can have it
	z1.retire = ds
	k1.dsUntil = ds
	k1.remove = ds + max(s.slot+s.delay+s.dataTTL, s.parentDelay+s.dsTTL)
	z1.remove = k1.remove
	s.keys = []life{k1, z1, k2, z2}
	return s
}
