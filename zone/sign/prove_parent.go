package sign

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // a parent may still have such a DS (RFC 8624, section 3.3)
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"nirzone/zone"
	"nirzone/zone/resolver"
)

// parent returns the DS sets that the parent had, has and may have.
//
// before and after are the keys without and with a step: what was seen is known
// from the former, what may come from the latter. It has what its servers answered. Without answers, it has the DS that were seen
// last; without any ever, it may have whatever was asked for. From now on it may
// also do what CDS asks for, whenever it likes, or a person who hands the same
// thing in.
func (o *outlook) parent(before, after []Key, parent Parent) []resolver.Set {
	ttl := o.p.DSTTL
	for _, a := range parent.Answers {
		ttl = max(ttl, a.TTL)
	}
	b := dsBook{ttl: ttl}
	for _, a := range parent.Answers {
		b.add(o.pointed(before, a.DS), time.Time{}, time.Time{})
	}
	seen := slices.DeleteFunc(slices.Clone(before), func(k Key) bool { return !reached(k.Timing.DSSeen, o.now) })
	slices.SortStableFunc(seen, func(a, b Key) int { return a.Timing.DSSeen.Compare(b.Timing.DSSeen) })
	for i := range seen {
		switch {
		case i+1 < len(seen): // until the next one was seen at the latest
			b.add(modelKeys(seen[i:i+1]), time.Time{}, seen[i+1].Timing.DSSeen)
		case len(parent.Answers) == 0:
			b.add(modelKeys(seen[i:]), time.Time{}, time.Time{})
		}
	}
	b.ask(after, o.now)
	if len(parent.Answers) == 0 && len(seen) == 0 {
		for _, k := range before { // the parent may have acted when it was asked
			if k.SignsKeys() && reached(k.Timing.Ready, o.now) {
				b.ask(before, k.Timing.Ready)
			}
		}
	}
	return b.sets
}

// ask adds what a parent may have after it was asked: all that are wanted, or the
// one that somebody handed in in place of the others.
func (b *dsBook) ask(keys []Key, from time.Time) {
	asked := wanted(keys, from)
	if len(asked) == 0 {
		return
	}
	b.add(modelKeys(asked), from, time.Time{})
	for i := range asked {
		b.add(modelKeys(asked[i:i+1]), from, time.Time{})
	}
}

// wanted returns the keys whose DS should be at the parent, as CDS has them (RFC
// 7344, section 4).
func wanted(keys []Key, now time.Time) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool {
		return !k.SignsKeys() || !reached(k.Timing.Ready, now) || reached(k.Timing.Unsync, now) || reached(k.Timing.Remove, now)
	})
}

// A dsBook collects DS sets, each once.
type dsBook struct {
	ttl  time.Duration
	sets []resolver.Set
}

func (b *dsBook) add(keys []resolver.Key, from, until time.Time) {
	slices.SortFunc(keys, func(a, b resolver.Key) int { return cmp.Compare(a.ID, b.ID) })
	for i := range b.sets {
		if s := &b.sets[i]; slices.Equal(s.Keys, keys) && s.From.Equal(from) && s.Until.Equal(until) {
			return
		}
	}
	b.sets = append(b.sets, resolver.Set{From: from, Until: until, TTL: b.ttl, Keys: keys})
}

// pointed returns the keys that DS records point to; a DS of no known key points
// to one that is nowhere.
func (o *outlook) pointed(keys []Key, ds []zone.Data) []resolver.Key {
	var list []resolver.Key
	for _, d := range ds {
		if len(d) < 4 {
			continue // no DS; the parser lets none through
		}
		k := resolver.Key{ID: "DS " + hex.EncodeToString([]byte(d)), Tag: binary.BigEndian.Uint16([]byte(d)), Algorithm: d[2]}
		for i := range keys {
			if keys[i].matchesDS(d) {
				k = modelKey(&keys[i])
			}
		}
		if !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// matchesDS reports whether a DS record, of any digest type in use, is of the
// key (RFC 4034, section 5.1.4; RFC 6605, section 2).
func (k *Key) matchesDS(ds zone.Data) bool {
	if len(ds) < 4 || binary.BigEndian.Uint16([]byte(ds)) != k.Tag || ds[2] != k.Algorithm {
		return false
	}
	data := append(k.Zone.AppendWire(nil), k.rdata()...)
	var digest []byte
	switch ds[3] {
	case 1:
		sum := sha1.Sum(data)
		digest = sum[:]
	case 2:
		sum := sha256.Sum256(data)
		digest = sum[:]
	case 4:
		sum := sha512.Sum384(data)
		digest = sum[:]
	}
	return digest != nil && bytes.Equal(digest, []byte(ds[4:]))
}
