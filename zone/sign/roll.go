package sign

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"nirzone/zone"
)

// A Request is a roll that a person asks for: which keys get successors, and of
// which algorithm (0: the one they are of). KSK and ZSK together with a CSK in
// use, or CSK with a KSK and a ZSK in use, change the profile.
type Request struct {
	KSK, ZSK, CSK bool
	Algorithm     uint8
	// Emergency says that the private half of the present keys is known to others:
	// the roll begins in a freeze and in the middle of another roll, every
	// signature of the zone is replaced as soon as the new key may sign, and the old
	// key goes as soon as that is safe.
	Emergency bool
	// Begun has, by role, the digests of the keys that others know of an emergency
	// roll that was begun: what is missing of it is done, and nothing twice. Without
	// it the roll begins, with all keys that there are.
	Begun map[string][]string
}

// Roles returns which roles get new keys: KSK, ZSK, CSK.
func (r Request) Roles() []string {
	var list []string
	for _, k := range r.roles() {
		list = append(list, k.Role())
	}
	return list
}

// Exposed reports whether a key for the role that others know is still in the
// DNSKEY set: then the emergency roll that began for it is not over.
func Exposed(keys []Key, role string, known []string, now time.Time) bool {
	return slices.ContainsFunc(keys, func(k Key) bool {
		does := k.SignsKeys() && role != "ZSK" || k.SignsZone() && role != "KSK"
		return does && k.published(now) && slices.Contains(known, k.Digest())
	})
}

// Roll returns the steps that begin a roll; [Plan] goes on with it. They are all
// due and harmless by themselves: a key is made, published or signs ahead, and in
// an emergency the old one is retired.
func Roll(keys []Key, p Policy, ev Evidence, name zone.Name, now time.Time, r Request) ([]Step, error) {
	l := &planner{keys: keys, p: &p, ev: &ev, zone: name, now: now.UTC().Truncate(time.Second)}
	if err := l.mayRoll(r); err != nil {
		return nil, fmt.Errorf("rolling the keys of %s: %w", name.File(), err)
	}
	present := l.present()
	if r.Algorithm != 0 && r.Algorithm != present {
		l.beginAlgorithm(r)
		return l.held(), nil
	}
	for _, like := range r.roles() {
		like.Algorithm = present
		l.begin(like, r.Emergency, r.Begun[like.Role()])
	}
	return l.held(), nil
}

// mayRoll refuses a roll that cannot begin now.
func (l *planner) mayRoll(r Request) error {
	switch {
	case l.ev.Published == nil:
		return errors.New("it was never published, so there is nothing to roll; remove its keys folder and make new keys: zonebuild keys init")
	case l.now.Before(l.ev.Published.Time):
		return errors.New("the clock is behind the published generation")
	case r.CSK && (r.KSK || r.ZSK) || !r.CSK && !r.KSK && !r.ZSK && r.Algorithm == 0:
		return errors.New("say which keys: --ksk, --zsk, both, or --csk")
	case len(l.pick(Key.SignsKeys)) == 0 || len(l.pick(Key.SignsZone)) == 0:
		return errors.New("it has no keys that are in use; restore the keys folder from a backup")
	case r.Algorithm != 0 && r.Algorithm != l.present() && r.KSK != r.ZSK:
		return errors.New("an algorithm is rolled for all keys of a zone at once (RFC 6781, section 4.1.4)")
	case r.Algorithm != 0 && r.Algorithm == l.present() && len(r.roles()) == 0:
		return fmt.Errorf("its keys are of algorithm %d already", r.Algorithm)
	case r.Algorithm != 0 && r.Algorithm != l.present() && r.Emergency:
		return errors.New("an algorithm roll is no answer to a key that others know: roll the key first, then the algorithm")
	case r.KSK != r.ZSK && l.csk():
		return errors.New("it has a CSK, which is both: roll the CSK, or KSK and ZSK together")
	case r.Emergency:
		return nil
	}
	if f := l.p.Frozen(l.now); f != nil {
		return fmt.Errorf("no key step is taken until %s (%s); an emergency roll is", f.Until.Format("2006-01-02"), f.Reason)
	}
	return l.busy(r)
}

// busy refuses a second roll of the same keys.
func (l *planner) busy(r Request) error {
	if l.algorithmRoll() != nil {
		return errors.New("its algorithm is being rolled; wait for the end: zonebuild keys")
	}
	other := r.Algorithm != 0 && r.Algorithm != l.present() || r.CSK || l.csk()
	for _, c := range []struct {
		on      bool
		purpose func(Key) bool
		name    string
	}{{r.KSK || other, Key.SignsKeys, "parent's"}, {r.ZSK || other, Key.SignsZone, "zone's"}} {
		if n := len(l.pick(c.purpose)); c.on && n > 1 {
			return fmt.Errorf("a roll of its %s keys is going on, %d of them are in the DNSKEY set; wait for its end (zonebuild keys), or say --emergency if others know the key", c.name, n)
		}
	}
	return nil
}

// present is the algorithm of the keys that are in use.
func (l *planner) present() uint8 {
	keys := l.pick(Key.SignsZone)
	if len(keys) == 0 {
		return 0
	}
	return keys[len(keys)-1].Algorithm
}

// csk reports whether the zone's newest key for the parent is a CSK.
func (l *planner) csk() bool {
	keys := l.pick(Key.SignsKeys)
	return len(keys) > 0 && keys[len(keys)-1].CSK
}

// roles returns what keys are asked for.
func (r Request) roles() []Key {
	var list []Key
	if r.KSK {
		list = append(list, Key{Flags: FlagsKSK})
	}
	if r.ZSK {
		list = append(list, Key{Flags: FlagsZSK})
	}
	if r.CSK {
		list = append(list, Key{Flags: FlagsKSK, CSK: true})
	}
	return list
}

// begin publishes a new key and, in an emergency, retires those whose signatures
// nobody should take any more. They sign until the new key may, and then at once
// no slot is theirs: they count as retired since before all of them. known are the
// digests of these keys, nil for all that there are.
func (l *planner) begin(like Key, emergency bool, known []string) {
	why := "a person asked for a new " + like.Role()
	switch {
	case !emergency:
		l.addUrgent(l.fresh(like, why))
		return
	case known == nil || !l.succeeded(like, known):
		l.addUrgent(l.newPair(like, why+" in an emergency")) // who has the present keys may have the spare ones
	}
	if !like.SignsZone() {
		return
	}
	for _, k := range l.pick(Key.SignsZone) {
		retire := k.Timing.Retire
		if known != nil && !slices.Contains(known, k.Digest()) {
			continue
		}
		if l.reached(k.Timing.Active) && (retire.IsZero() || retire.After(l.now.Add(-l.p.Slot))) {
			s := l.step(ActionRetire, k, "its private half is known to others")
			s.Timing.Retire = l.now.Add(-l.p.Slot)
			s.Stake = "whoever has it can sign names of the zone until it is out of the DNSKEY set"
			l.addUrgent(s)
		}
	}
}

// succeeded reports whether the DNSKEY set has a key of the role that others do not
// know: the successor that an emergency roll made before a crash.
func (l *planner) succeeded(like Key, known []string) bool {
	return slices.ContainsFunc(l.keys, func(k Key) bool {
		return k.Flags == like.Flags && k.CSK == like.CSK && k.Algorithm == like.Algorithm &&
			l.in(&k) && !l.reached(k.Timing.Retire) && !slices.Contains(known, k.Digest())
	})
}

// beginAlgorithm makes the keys of another algorithm. They sign at once, ahead of
// the DNSKEY set.
func (l *planner) beginAlgorithm(r Request) {
	roles := r.roles()
	if len(roles) == 0 {
		roles = []Key{{Flags: FlagsKSK}, {Flags: FlagsZSK}}
		if l.csk() {
			roles = []Key{{Flags: FlagsKSK, CSK: true}}
		}
	}
	for _, like := range roles {
		like.Algorithm, like.Timing.Created = r.Algorithm, l.now
		s := l.step(ActionMake, &like, "a person asked for algorithm %d", r.Algorithm)
		if spare := l.spare(like); spare != nil {
			s = l.step(ActionSign, spare, "a person asked for algorithm %d", r.Algorithm)
		}
		s.Timing.Active = l.now // a KSK signs CDS and CDNSKEY ahead
		l.addUrgent(s)
	}
}
