package sign

import (
	"fmt"
	"slices"
	"time"
)

// freshAnswer is how old the parent's answers may be when a step rests on them.
const freshAnswer = 24 * time.Hour

// parentKeys plans for the keys that the parent vouches for: double-KSK (RFC
// 7583, section 3.3.1). A new key is published and signs the DNSKEY set; when
// every cache that has the set has it, its DS is asked for; when every server of
// the parent has that, caches have forgotten the DS set before, and a person
// agreed, its predecessor goes.
func (l *planner) parentKeys() {
	keys := l.pick(Key.SignsKeys)
	if len(keys) == 0 {
		l.lost(Key{Flags: FlagsKSK, CSK: len(l.pick(Key.SignsZone)) == 0 && l.p.CSK})
		return
	}
	last := len(keys) - 1
	l.ready(keys[last], keys[:last])
	l.seeDS(keys[last], nil)
	for _, old := range keys[:last] {
		l.removeParentKey(old, keys[last])
	}
	if last == 0 {
		l.scheduleParentKey(keys[0])
	}
}

// ready puts a key into CDS and CDNSKEY, in the place of its predecessors.
func (l *planner) ready(k *Key, old []*Key) {
	if l.reached(k.Timing.Ready) {
		for _, o := range old {
			if o.Timing.Unsync.IsZero() {
				s := l.step(ActionUnsync, o, "the parent is asked for the DS of %s %d", k.Role(), k.Tag)
				s.Timing.Unsync = l.now
				l.add(s)
			}
		}
		return
	}
	s := l.step(ActionReady, k, "the parent is asked for its DS")
	s.Timing.Ready = l.now
	if !k.CSK && k.Timing.Active.IsZero() {
		s.Timing.Active = l.now
	}
	for _, o := range old {
		t := o.Timing
		t.Unsync = l.now
		s.Also = append(s.Also, Change{o.ID, t})
	}
	s.Stake = "if a resolver does not know the key yet and the parent is quick, the zone is bogus for it"
	from, ok := l.since(k)
	l.waitFor(&s, "caches to have it", from, ok, l.p.keyWait(from))
	l.add(s)
}

// seeDS notes that every server of the parent has the DS of the key, and none has
// one of the keys that must be gone from there.
func (l *planner) seeDS(k *Key, gone []*Key) {
	if !l.reached(k.Timing.Ready) || !k.Timing.DSSeen.IsZero() {
		return
	}
	s := l.step(ActionDSSeen, k, "every server of the parent has its DS")
	at, missing := l.ev.Parent.has(*k, l.now)
	for _, o := range gone {
		if missing == "" && !l.ev.Parent.hasNot(*o) {
			missing = fmt.Sprintf("the parent to take the DS of %s %d away", o.Role(), o.Tag)
		}
	}
	s.Timing.DSSeen = at
	if missing != "" {
		s.wait(missing, time.Time{})
	}
	l.add(s)
}

// removeParentKey takes the predecessor of a KSK or CSK out of the DNSKEY set.
func (l *planner) removeParentKey(old, k *Key) {
	s := l.step(ActionRemove, old, "the parent vouches for %s %d instead", k.Role(), k.Tag)
	l.removal(&s, &s.Timing, old)
	s.Stake = "if a resolver still goes by its DS, the whole zone is bogus for it"
	l.waitDS(&s, k)
	if old.CSK {
		if old.Timing.Retire.IsZero() {
			s.wait("a successor to sign the zone", time.Time{})
		}
		l.waitIdle(&s, old)
	}
	l.approve(&s, k.ID)
	l.add(s)
}

// removal sets when a key is out of the DNSKEY set.
func (l *planner) removal(s *Step, t *Timing, k *Key) {
	t.Remove = l.now
	if t.Retire.IsZero() && !k.SignsZone() {
		t.Retire = l.now
	}
	if t.Unsync.IsZero() && k.SignsKeys() {
		t.Unsync = l.now
	}
}

// waitDS lets a step wait until the parent vouches for the key in every cache.
func (l *planner) waitDS(s *Step, k *Key) {
	seen := k.Timing.DSSeen
	l.waitFor(s, "DS sets without it to leave caches", seen, !seen.IsZero(), l.p.dsWait(l.ev.Parent.ttl()))
	if seen.IsZero() {
		s.Waits[len(s.Waits)-1] = fmt.Sprintf("the DS of %s %d at the parent", k.Role(), k.Tag)
		return
	}
	if _, missing := l.ev.Parent.has(*k, l.now); missing != "" {
		s.wait(missing, time.Time{})
	}
}

func (l *planner) scheduleParentKey(k *Key) {
	if l.p.KSKLifetime == 0 || !l.reached(k.Timing.Ready) {
		return
	}
	if k.SignsZone() && !l.reached(k.Timing.Active) {
		return
	}
	s := l.fresh(*k, fmt.Sprintf("the successor of %s %d, which is in use since %s", k.Role(), k.Tag, k.Timing.Ready.Format("2006-01-02")))
	s.Succeeds = k.ID
	if at := k.Timing.Ready.Add(l.p.KSKLifetime); l.now.Before(at) {
		s.wait("its time, "+minute(at), at)
	}
	if k.Timing.DSSeen.IsZero() {
		s.wait(fmt.Sprintf("the DS of %s %d at the parent", k.Role(), k.Tag), time.Time{})
	}
	l.add(s)
}

// has returns when the parent's servers were seen to have a DS of the key, the
// oldest answer's time, or what is missing for that.
func (p *Parent) has(k Key, now time.Time) (time.Time, string) {
	switch {
	case len(p.Answers) == 0 && len(p.Missing) > 0: // asked, perhaps, and not believed
		text := "an answer of the parent that can be believed: " + p.Missing[0]
		if more := len(p.Missing) - 1; more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
		return time.Time{}, text
	case len(p.Answers) == 0:
		return time.Time{}, "the parent's servers to be asked: zonefetch observe"
	}
	var oldest time.Time
	for _, a := range p.Answers {
		if !slices.ContainsFunc(a.DS, k.isDS) {
			return time.Time{}, fmt.Sprintf("its DS at %s", a.Server)
		}
		oldest = earliest(oldest, a.Time)
	}
	switch {
	case !p.Complete && len(p.Missing) > 0:
		return time.Time{}, "an answer of " + p.Missing[0]
	case !p.Complete:
		return time.Time{}, "answers of every server of the parent"
	case oldest.Before(now.Add(-freshAnswer)):
		return time.Time{}, "newer answers of the parent: zonefetch observe"
	case oldest.After(now):
		return time.Time{}, "answers of the parent that are not from the future"
	}
	return oldest.UTC().Truncate(time.Second), ""
}

// hasNot reports whether no server of the parent was seen to have a DS of the
// key.
func (p *Parent) hasNot(k Key) bool {
	for _, a := range p.Answers {
		if slices.ContainsFunc(a.DS, k.isDS) {
			return false
		}
	}
	return true
}

// ttl is the longest TTL that was seen.
func (p *Parent) ttl() time.Duration {
	var longest time.Duration
	for _, a := range p.Answers {
		longest = max(longest, a.TTL)
	}
	return longest
}
