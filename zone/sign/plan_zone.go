package sign

import (
	"fmt"
	"slices"
	"time"
)

// zoneKeys plans for the keys that sign the zone: pre-publish (RFC 7583, section
// 3.2.1). A new key is published, active when every cache that has the DNSKEY set
// has it, and signs slots that start from then on. Its predecessor stays in the
// set until its last signature has left the zone and the caches.
func (l *planner) zoneKeys() {
	var active, next, retired []*Key
	for _, k := range l.pick(Key.SignsZone) {
		switch {
		case l.reached(k.Timing.Retire):
			retired = append(retired, k)
		case l.reached(k.Timing.Active):
			active = append(active, k)
		default:
			next = append(next, k)
		}
	}
	slices.SortStableFunc(active, func(a, b *Key) int { return a.Timing.Active.Compare(b.Timing.Active) })
	if n := len(active) - 1; n > 0 {
		l.retire(active[:n], active[n])
		active = active[n:]
	}
	if len(active) > 0 {
		next = l.overtaken(next, active[0])
	}
	switch {
	case len(next) > 0:
		l.activate(next[len(next)-1], active, retired)
	case len(active) > 0:
		l.schedule(active[0], retired)
	case len(retired) > 0:
		l.replace(retired[len(retired)-1])
	default:
		l.lost(Key{Flags: FlagsZSK})
	}
	for _, k := range retired {
		if !k.SignsKeys() {
			l.removeRetired(k, active)
		}
	}
}

// retire ends the activity of keys that have a successor already: a crash came
// between the two, or another program had several active.
func (l *planner) retire(old []*Key, by *Key) {
	for _, k := range old {
		s := l.step(ActionRetire, k, "%s %d has taken over", by.Role(), by.Tag)
		s.Timing.Retire = l.now
		l.add(s)
	}
}

// overtaken returns the keys that come after the active one. The others were
// published before it and never used, so nobody needs them.
func (l *planner) overtaken(next []*Key, active *Key) []*Key {
	var list []*Key
	for _, k := range next {
		if !k.Timing.Publish.Before(active.Timing.Publish) {
			list = append(list, k)
			continue
		}
		s := l.step(ActionRemove, k, "%s %d came into use instead of it", active.Role(), active.Tag)
		s.Timing.Retire, s.Timing.Remove = l.now, l.now
		if k.CSK { // as a key for the parent it goes another way
			s.Action, s.Timing.Remove = ActionRetire, time.Time{}
		}
		l.add(s)
	}
	return list
}

// activate lets the next key sign slots that start from now on.
func (l *planner) activate(k *Key, active, retired []*Key) {
	s := l.step(ActionActivate, k, "new signatures are by it from now on")
	s.Timing.Active = l.now
	if !k.SignsKeys() {
		s.Timing.Ready = l.now
	}
	for _, old := range active {
		t := old.Timing
		t.Retire = l.now
		s.Also = append(s.Also, Change{old.ID, t})
		s.Why = fmt.Sprintf("it takes over from %s %d as signatures come due", old.Role(), old.Tag)
	}
	from, ok := l.since(k)
	l.waitFor(&s, "caches to have it", from, ok, l.p.keyWait(from))
	s.Stake = "if a resolver does not know the key yet, the zone is bogus for it"
	if len(active) == 0 && len(retired) > 0 { // its predecessor is not to be trusted
		l.addUrgent(s)
		return
	}
	l.add(s)
}

// schedule plans the successor of the active key.
func (l *planner) schedule(k *Key, retired []*Key) {
	if k.CSK || l.p.ZSKLifetime == 0 {
		return // a CSK goes with its DS
	}
	at := k.Timing.Active.Add(l.p.ZSKLifetime - l.p.keyWait(l.now))
	s := l.fresh(*k, fmt.Sprintf("the successor of ZSK %d, which is in use since %s", k.Tag, k.Timing.Active.Format("2006-01-02")))
	s.Succeeds = k.ID
	if l.now.Before(at) {
		s.wait("its time, "+minute(at), at)
	}
	for _, old := range retired {
		s.wait(fmt.Sprintf("%s %d to be gone", old.Role(), old.Tag), time.Time{})
	}
	l.add(s)
}

// replace makes a key for a zone whose only one was retired: an emergency.
func (l *planner) replace(old *Key) {
	like := Key{Flags: FlagsZSK, Algorithm: old.Algorithm}
	if old.CSK {
		like.Flags, like.CSK = FlagsKSK, true
	}
	l.addUrgent(l.fresh(like, fmt.Sprintf("%s %d was retired and has no successor", old.Role(), old.Tag)))
}

// removeRetired takes a ZSK out of the DNSKEY set when nobody needs it any more.
func (l *planner) removeRetired(k *Key, active []*Key) {
	s := l.step(ActionRemove, k, "no signature by it is left in the zone and in caches")
	s.Timing.Remove = l.now
	s.Stake = "if a signature by it is still cached, that record is bogus"
	if len(active) == 0 {
		s.wait("its successor to be active", time.Time{})
	}
	l.waitIdle(&s, k)
	if k.emergency(active) {
		l.addUrgent(s)
		return
	}
	l.add(s)
}

// waitIdle lets a step wait until the last signature of the zone by a key is in
// no cache.
func (l *planner) waitIdle(s *Step, k *Key) {
	from, ok := l.idle(k)
	l.waitFor(s, "its last signatures to leave the zone and caches", from, ok, l.p.dataWait(from))
	if !ok && len(s.Waits) == 1 && l.reached(k.Timing.Retire) { // about
		s.At = k.Timing.Retire.Add(l.p.Slot)
		s.At = s.At.Add(l.p.dataWait(s.At))
	}
}

// emergency reports whether a retired key was retired before it had a successor.
func (k *Key) emergency(active []*Key) bool {
	var first time.Time
	for _, a := range active {
		first = earliest(first, a.Timing.Publish)
	}
	return !first.IsZero() && k.Timing.Retire.Before(first)
}
