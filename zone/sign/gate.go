package sign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
)

// A SetChange is why a DNSKEY set may not follow the one that is published.
type SetChange struct {
	Zone zone.Name
	Tags []uint16 // of the set that is refused
	Why  []string
}

// Error says what is wrong with the set.
func (c *SetChange) Error() string {
	return fmt.Sprintf("the DNSKEY set would change in a way that nobody planned: %s", strings.Join(c.Why, "; "))
}

// CheckSet holds the keys that would be used at now against what is published. It
// refuses, with a [SetChange], keys that nobody made for the zone, keys that are
// gone although resolvers need them, and signatures by keys that resolvers do not
// know (a standby signer with other keys; a ZSK that was not pre-published).
// published are the records of the present generation, none for a zone that was
// never published. known says which keys came by a step or a person; trusted are
// the digests of a whole set that a person named, which is then not questioned.
func CheckSet(keys []Key, p Policy, published []zone.KeyRecord, known func(Key) bool, trusted []string, name zone.Name, now time.Time) error {
	if len(published) == 0 {
		return nil
	}
	c := &setCheck{keys: keys, p: &p, before: published, now: now, change: SetChange{Zone: name}}
	var digests []string
	for i := range keys {
		if k := &keys[i]; k.published(now) {
			digests = append(digests, k.Digest())
			c.change.Tags = append(c.change.Tags, k.Tag)
			if !known(*k) && findRecord(published, k) == nil {
				c.refuse("%s %d is new and no step made it", k.Role(), k.Tag)
			}
		}
	}
	c.gone()
	c.early()
	slices.Sort(digests)
	slices.Sort(c.change.Tags)
	if len(c.change.Why) == 0 || len(trusted) > 0 && slices.Equal(digests, slices.Sorted(slices.Values(trusted))) {
		return nil
	}
	return &c.change
}

type setCheck struct {
	keys   []Key
	p      *Policy
	before []zone.KeyRecord
	now    time.Time
	change SetChange
}

func (c *setCheck) refuse(format string, args ...any) {
	c.change.Why = append(c.change.Why, fmt.Sprintf(format, args...))
}

// gone looks at the keys that leave the DNSKEY set.
func (c *setCheck) gone() {
	for i := range c.before {
		r := &c.before[i]
		if r.Since.IsZero() || !r.Gone.IsZero() {
			continue
		}
		j := slices.IndexFunc(c.keys, func(k Key) bool { return findRecord(c.before[i:i+1], &k) != nil })
		switch {
		case j < 0:
			c.refuse("key %d is published and not among the zone's keys", r.Tag)
		case !c.keys[j].published(c.now):
			c.leaves(&c.keys[j], r)
		}
	}
}

// leaves looks at one that has its times.
func (c *setCheck) leaves(k *Key, r *zone.KeyRecord) {
	if k.SignsZone() && !k.signing(c.now) && (!r.Signs.IsZero() && r.Idle.IsZero() || !r.Idle.IsZero() && c.now.Before(r.Idle.Add(c.p.dataWait(r.Idle)))) {
		c.refuse("%s %d goes although signatures by it are in the zone, or in caches", k.Role(), k.Tag)
	}
	if !k.SignsKeys() || k.Timing.Ready.IsZero() {
		return
	}
	if !slices.ContainsFunc(c.keys, func(o Key) bool {
		return o.SignsKeys() && o.published(c.now) && reached(o.Timing.DSSeen.Add(c.p.dsWait(0)), c.now) && !o.Timing.DSSeen.IsZero()
	}) {
		c.refuse("%s %d goes although no other key's DS was seen at the parent for long enough", k.Role(), k.Tag)
	}
}

// early looks for signatures of the zone by keys that resolvers may not know.
func (c *setCheck) early() {
	algorithms := map[uint8]bool{}
	for _, k := range c.keys {
		if k.published(c.now) {
			algorithms[k.Algorithm] = true
		}
	}
	for i := range c.keys {
		k := &c.keys[i]
		if !algorithms[k.Algorithm] || !k.uses(c.keys, c.now.Add(-c.p.Slot), c.now) {
			continue
		}
		r := findRecord(c.before, k)
		switch {
		case r == nil || r.Since.IsZero() && r.Signs.IsZero():
			c.refuse("%s %d signs and was not published before", k.Role(), k.Tag)
		case !r.Signs.IsZero() && r.Idle.IsZero():
		case r.Since.IsZero() || c.now.Before(r.Since.Add(c.p.keyWait(r.Since))):
			c.refuse("%s %d signs and is published only since %s", k.Role(), k.Tag, minute(r.Since))
		}
	}
}

// Ends returns when the zone can no longer be signed, by the times of its keys
// alone: now if that is so already, zero if it never comes to that.
func Ends(keys []Key, name zone.Name, now time.Time) time.Time {
	instants := []time.Time{now}
	for _, k := range keys {
		t := k.Timing
		for _, at := range [...]time.Time{t.Publish, t.Active, t.Retire, t.Remove} {
			if at.After(now) {
				instants = append(instants, at)
			}
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	for _, at := range instants {
		if _, err := newKeySet(name, keys, at); err != nil {
			return at
		}
	}
	return time.Time{}
}
