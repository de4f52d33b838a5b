package sign

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// first plans for a zone that no resolver has seen: its keys are in use at once.
func (l *planner) first() {
	parent, zone := l.has(Key.SignsKeys), l.has(Key.SignsZone)
	switch {
	case !parent && !zone && l.p.CSK:
		l.atOnce(Key{Flags: FlagsKSK, CSK: true})
	default:
		if !parent {
			l.atOnce(Key{Flags: FlagsKSK})
		}
		if !zone {
			l.atOnce(Key{Flags: FlagsZSK})
		}
	}
}

// has reports whether a key for the purpose is in use or on its way.
func (l *planner) has(purpose func(Key) bool) bool {
	return slices.ContainsFunc(l.keys, func(k Key) bool {
		return purpose(k) && k.State(l.now) < StateRetired && (l.in(&k) || l.reached(k.Timing.Active))
	})
}

func (l *planner) atOnce(like Key) {
	like.Algorithm = l.p.Algorithm
	s := l.fresh(like, fmt.Sprintf("the zone has no %s that is in use or will be", like.Role()))
	created := s.Timing.Created
	s.Timing = Timing{Created: created, Publish: l.now, Ready: l.now, Active: l.now}
	l.addUrgent(s)
}

// fresh returns the step that brings a key of the role and algorithm into the
// DNSKEY set: a spare one that was made before, or a new pair.
func (l *planner) fresh(like Key, why string) Step {
	spare := l.spare(like)
	if spare == nil {
		return l.newPair(like, why)
	}
	s := l.step(ActionPublish, spare, "%s", why)
	l.published(&s)
	return s
}

// newPair returns the step that makes a key and brings it into the DNSKEY set.
func (l *planner) newPair(like Key, why string) Step {
	k := Key{Flags: like.Flags, CSK: like.CSK, Algorithm: like.Algorithm, Timing: Timing{Created: l.now}}
	s := l.step(ActionMake, &k, "%s", why)
	l.published(&s)
	return s
}

func (l *planner) published(s *Step) {
	s.Timing.Publish = l.now
	if s.Flags == FlagsKSK && !s.CSK {
		s.Timing.Active = l.now
	}
}

// spare returns the oldest key of the role and algorithm that is not used yet.
func (l *planner) spare(like Key) *Key {
	var best *Key
	for i := range l.keys {
		k := &l.keys[i]
		t := k.Timing
		used := !t.Publish.IsZero() || !t.Active.IsZero() || !t.Retire.IsZero() || !t.Remove.IsZero()
		if k.Flags == like.Flags && k.CSK == like.CSK && k.Algorithm == like.Algorithm && !used &&
			(best == nil || t.Created.Before(best.Timing.Created)) {
			best = k
		}
	}
	return best
}

// lost tells of a published zone that has no key for a purpose. A new key would
// make it bogus, so that is for a person.
func (l *planner) lost(like Key) {
	like.Algorithm = l.p.Algorithm
	s := l.fresh(like, "the zone is published and has no "+like.Role())
	s.wait("a person: restore the keys folder, or: zonebuild keys init --lost -m REASON "+l.zone.File(), time.Time{})
	s.Stake = "with a new key the zone is bogus until the parent has its DS and caches have forgotten the old ones"
	l.addUrgent(s)
}

// byAge sorts keys from the one that was published first to the last.
func byAge(keys []*Key) {
	slices.SortFunc(keys, func(a, b *Key) int {
		return cmp.Or(a.Timing.Publish.Compare(b.Timing.Publish), a.Timing.Created.Compare(b.Timing.Created), cmp.Compare(a.Tag, b.Tag))
	})
}

// pick returns the keys in the DNSKEY set that are for a purpose, by age.
func (l *planner) pick(purpose func(Key) bool) []*Key {
	var list []*Key
	for i := range l.keys {
		if k := &l.keys[i]; purpose(*k) && l.in(k) {
			list = append(list, k)
		}
	}
	byAge(list)
	return list
}

// earliest is the lesser of two times that are set.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
