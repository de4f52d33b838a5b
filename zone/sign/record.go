package sign

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"nirzone/zone"
)

// Digest returns the SHA-256 of the key's DNSKEY data in hex: what tells it from
// every other key.
func (k Key) Digest() string {
	sum := sha256.Sum256(k.rdata())
	return hex.EncodeToString(sum[:])
}

// findRecord returns the record of a key, nil if there is none. Records of older
// generations have no digest.
func findRecord(list []zone.KeyRecord, k *Key) *zone.KeyRecord {
	for i := range list {
		r := &list[i]
		if r.Tag == k.Tag && r.Algorithm == k.Algorithm && r.Flags == k.Flags && (r.Digest == "" || r.Digest == k.Digest()) {
			return r
		}
	}
	return nil
}

// Records returns what a generation says of a zone's keys that is signed at now,
// given what the one before says. due is the zone's Facts.Due. Keys that are
// neither in the DNSKEY set nor signing are left out.
func Records(before []zone.KeyRecord, keys []Key, p zone.SigningConfig, due, now time.Time) []zone.KeyRecord {
	var list []zone.KeyRecord
	now = now.UTC().Truncate(time.Second)
	for i := range keys {
		k := &keys[i]
		r := zone.KeyRecord{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags}
		if old := findRecord(before, k); old != nil {
			r = *old
		}
		r.Digest = k.Digest()
		in, signs := k.published(now), k.uses(keys, due.Add(-p.Slot), now)
		switch {
		case in && (r.Since.IsZero() || !r.Gone.IsZero()):
			r.Since, r.Gone = now, time.Time{}
		case !in && !r.Since.IsZero() && r.Gone.IsZero():
			r.Gone = now
		}
		switch {
		case signs && (r.Signs.IsZero() || !r.Idle.IsZero()):
			r.Signs, r.Idle = now, time.Time{}
		case !signs && !r.Signs.IsZero() && r.Idle.IsZero():
			r.Idle = now
		}
		if in || signs {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b zone.KeyRecord) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Algorithm, b.Algorithm))
	})
	return list
}

// uses reports whether a slot that began at first or later, up to now, may be
// signed by the key.
func (k *Key) uses(keys []Key, first, now time.Time) bool {
	if !k.SignsZone() {
		return false
	}
	starts := []time.Time{first, now}
	for i := range keys {
		for _, t := range []time.Time{keys[i].Timing.Active, keys[i].Timing.Retire} {
			if t.After(first) && t.Before(now) {
				starts = append(starts, t)
			}
		}
	}
	for _, list := range zoneSigners(keys, now) {
		for _, t := range starts {
			if list[0].Algorithm == k.Algorithm && slotKey(list, t.Unix(), now.Unix()).ID == k.ID {
				return true
			}
		}
	}
	return false
}
