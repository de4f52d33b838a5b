package sign

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// An algorithmRoll is the keys of the new algorithm and those of all others.
type algorithmRoll struct{ fresh, old []*Key }

// algorithmRoll returns the roll that is going on, nil if all keys in use are of
// one algorithm. The new algorithm is the one that came into use last.
func (l *planner) algorithmRoll() *algorithmRoll {
	begun := map[uint8]time.Time{}
	for i := range l.keys {
		k := &l.keys[i]
		if from := earliest(k.Timing.Publish, k.Timing.Active); l.alive(k) && l.reached(from) {
			begun[k.Algorithm] = earliest(begun[k.Algorithm], from)
		}
	}
	if len(begun) < 2 {
		return nil
	}
	var algs []uint8
	for alg := range begun {
		algs = append(algs, alg)
	}
	fresh := slices.MaxFunc(algs, func(a, b uint8) int { return cmp.Or(begun[a].Compare(begun[b]), cmp.Compare(a, b)) })
	roll := &algorithmRoll{}
	for i := range l.keys {
		switch k := &l.keys[i]; {
		case k.Algorithm == fresh && !l.reached(k.Timing.Remove):
			roll.fresh = append(roll.fresh, k)
		case begun[k.Algorithm] != (time.Time{}) && k.Algorithm != fresh && l.alive(k):
			roll.old = append(roll.old, k)
		}
	}
	byAge(roll.fresh)
	byAge(roll.old)
	return roll
}

// alive reports whether a key is not over, or still is on the servers because
// its last step has not been published.
func (l *planner) alive(k *Key) bool {
	if !k.over(l.now) {
		return true
	}
	r := l.record(k)
	return r != nil && k.SignsZone() && !r.Signs.IsZero() && r.Idle.IsZero() && l.reached(k.Timing.Remove) && !k.Timing.Retire.Before(k.Timing.Remove)
}

// rollAlgorithm is the conservative roll (RFC 6781, section 4.1.4): the zone is
// signed by the new algorithm; when that is in every cache, its keys are
// published; when they are, the parent is asked to exchange the DS; when it has,
// the old keys go from the DNSKEY set; when caches have forgotten them, the zone
// is signed by the new algorithm alone.
func (l *planner) rollAlgorithm(r *algorithmRoll) {
	gone := slices.ContainsFunc(r.old, func(k *Key) bool { return l.reached(k.Timing.Remove) }) ||
		!slices.ContainsFunc(r.old, func(k *Key) bool { return l.in(k) && k.SignsKeys() })
	in := slices.ContainsFunc(r.fresh, l.in)
	switch {
	case gone:
		l.endAlgorithm(r)
	case !l.whole(r.fresh):
		l.publishAlgorithm(r, in)
	default:
		l.exchangeAlgorithm(r)
	}
}

// whole reports whether the DNSKEY set has keys of the new algorithm for both
// purposes.
func (l *planner) whole(keys []*Key) bool {
	return slices.ContainsFunc(keys, func(k *Key) bool { return l.in(k) && k.SignsZone() }) &&
		slices.ContainsFunc(keys, func(k *Key) bool { return l.in(k) && k.SignsKeys() })
}

// publishAlgorithm publishes the keys of the new algorithm. begun says that one
// of them is in the DNSKEY set already: a crash came between the two.
func (l *planner) publishAlgorithm(r *algorithmRoll, begun bool) {
	var signer, ksk *Key
	for _, k := range r.fresh {
		if l.reached(k.Timing.Active) && k.SignsZone() {
			signer = k
		}
		if k.SignsKeys() {
			ksk = k
		}
	}
	if signer == nil {
		return // a KSK alone: the DNSKEY gate refuses it
	}
	if ksk == nil {
		// Active ahead of Publish: it signs CDS and CDNSKEY, which are data too.
		k := Key{Flags: FlagsKSK, Algorithm: signer.Algorithm, Timing: Timing{Created: l.now, Active: l.now}}
		l.addUrgent(l.step(ActionMake, &k, "ZSK %d of the new algorithm needs a KSK", signer.Tag))
		return
	}
	if ksk.Timing.Active.IsZero() { // it signs CDS and CDNSKEY ahead
		s := l.step(ActionSign, ksk, "ZSK %d of the new algorithm signs already", signer.Tag)
		s.Timing.Active = l.now
		l.addUrgent(s)
		return
	}
	s := l.step(ActionPublish, signer, "the zone's signatures by algorithm %d are in every cache", signer.Algorithm)
	if !l.in(signer) {
		s.Timing.Publish = l.now
	}
	if ksk != signer && !l.in(ksk) {
		t := ksk.Timing
		t.Publish = l.now
		s.Also = []Change{{ksk.ID, t}}
	}
	s.Stake = "if a resolver has a signature of the old algorithm only, that record may be bogus for it"
	if begun {
		l.addUrgent(s)
		return
	}
	var from time.Time
	rec := l.record(signer)
	ok := rec != nil && !l.ev.Published.Untold && !rec.Signs.IsZero()
	if ok {
		from = rec.Signs
	}
	l.waitFor(&s, "caches to have its signatures", from, ok, l.p.dataWait(from))
	l.waitFor(&s, "caches to have CDS and CDNSKEY as its KSK signs them", ksk.Timing.Active, true, l.p.keyWait(ksk.Timing.Active))
	l.add(s)
}

// exchangeAlgorithm has the parent exchange the DS, and takes the old keys out of
// the DNSKEY set when that has reached every cache.
func (l *planner) exchangeAlgorithm(r *algorithmRoll) {
	var fresh, old []*Key
	for _, k := range r.fresh {
		if k.SignsKeys() && l.in(k) {
			fresh = append(fresh, k)
		}
	}
	for _, k := range r.old {
		if k.SignsKeys() && l.in(k) {
			old = append(old, k)
		}
	}
	if len(fresh) == 0 || len(old) == 0 {
		return
	}
	k := fresh[len(fresh)-1]
	l.ready(k, old)
	l.seeDS(k, old)
	s := l.step(ActionRemove, old[0], "the parent vouches for %s %d of algorithm %d instead", k.Role(), k.Tag, k.Algorithm)
	s.Stake = "if a resolver still goes by a DS of the old algorithm, the whole zone is bogus for it"
	for _, o := range r.old {
		if !l.in(o) {
			continue
		}
		t := o.Timing
		l.removal(&s, &t, o)
		if !l.reached(o.Timing.Retire) { // signing on until caches have forgotten the old DNSKEY set
			t.Retire = l.now.Add(l.p.keyWait(l.now))
		}
		if o == old[0] {
			s.Timing = t
			continue
		}
		s.Also = append(s.Also, Change{o.ID, t})
	}
	l.waitDS(&s, k)
	for _, o := range old {
		if !l.ev.Parent.hasNot(*o) {
			s.wait(fmt.Sprintf("the parent to take the DS of %s %d away", o.Role(), o.Tag), time.Time{})
		}
	}
	l.approve(&s, k.ID)
	l.add(s)
}

// endAlgorithm finishes: what a crash left of the old keys in the DNSKEY set goes,
// and signatures of the old algorithm are made until caches have forgotten it.
func (l *planner) endAlgorithm(r *algorithmRoll) {
	for _, k := range r.old {
		t := k.Timing
		if l.in(k) {
			s := l.step(ActionRemove, k, "the other keys of algorithm %d are gone", k.Algorithm)
			l.removal(&s, &t, k)
			if k.SignsZone() {
				t.Retire = l.now.Add(l.p.keyWait(l.now))
			}
			s.Timing = t
			l.addUrgent(s)
			continue
		}
		if !k.SignsZone() {
			continue
		}
		until := l.now.Add(l.p.keyWait(l.now))
		if rec := l.record(k); rec != nil && !rec.Gone.IsZero() && !l.ev.Published.Untold {
			until = rec.Gone.Add(l.p.keyWait(rec.Gone))
		} else if rec != nil && rec.Since.IsZero() { // it came back as signer after it had gone
			until = k.Timing.Remove.Add(l.p.keyWait(k.Timing.Remove))
		}
		s := l.step(ActionSign, k, "caches may have the DNSKEY set of algorithm %d, so it goes on signing", k.Algorithm)
		s.Timing.Retire = until
		if k.Timing.Retire.Before(until) {
			l.addUrgent(s)
			continue
		}
		s.Action, s.Why = ActionRetire, fmt.Sprintf("no cache has the DNSKEY set of algorithm %d any more", k.Algorithm)
		s.Timing.Retire = k.Timing.Retire
		s.wait("its time, "+minute(k.Timing.Retire), k.Timing.Retire)
		l.add(s)
	}
}
