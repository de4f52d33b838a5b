package sign

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A proofZone is a zone whose keys are as a test says, with the record and the
// parent that go with them.
type proofZone struct {
	keys []Key
	p    Policy
	ev   Evidence
	now  time.Time
}

func proofPolicy() Policy {
	p := Policy{SigningConfig: testPolicy(algECDSA), MaxTTL: 48 * time.Hour}
	p.Propagation, p.DSTTL = 6*time.Hour, 24*time.Hour
	return p
}

// proofKey makes a key without a private half: proofs need none.
func proofKey(tag uint16, flags uint16, alg uint8) Key {
	return Key{
		ID: fmt.Sprintf("K%s+%03d+%05d", testName, alg, tag), Zone: testName, Tag: tag,
		Flags: flags, Algorithm: alg, Public: []byte{byte(tag >> 8), byte(tag)}, owner: -1,
	}
}

// newProofZone has a KSK 1 and a ZSK 2 that are 90 days old.
func newProofZone() *proofZone {
	z := &proofZone{p: proofPolicy(), now: testNow}
	old := z.ago(90 * 24 * time.Hour)
	for i, flags := range [...]uint16{FlagsKSK, FlagsZSK} {
		k := proofKey(uint16(i+1), flags, algECDSA)
		k.Timing = Timing{Created: old, Publish: old, Ready: old, Active: old}
		z.keys = append(z.keys, k)
	}
	z.keys[0].Timing.DSSeen = old.Add(24 * time.Hour)
	z.ev.Published = &Published{Time: z.ago(2 * time.Hour)}
	z.record(&z.keys[0])
	z.record(&z.keys[1])
	z.parent(z.keys[0])
	return z
}

func (z *proofZone) ago(d time.Duration) time.Time { return z.now.Add(-d) }

// record puts a key into the record as its times have it.
func (z *proofZone) record(k *Key) *zone.KeyRecord {
	r := zone.KeyRecord{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags, Digest: modelKey(k).ID, Since: k.Timing.Publish}
	if k.SignsZone() {
		r.Signs = k.Timing.Active
	}
	z.ev.Published.Keys = append(z.ev.Published.Keys, r)
	return &z.ev.Published.Keys[len(z.ev.Published.Keys)-1]
}

// parent lets both servers of the parent have the DS of these keys.
func (z *proofZone) parent(keys ...Key) {
	z.ev.Parent = Parent{Complete: true}
	for _, server := range [...]string{"a", "b"} {
		a := ParentAnswer{Server: server, Time: z.ago(time.Hour), TTL: 24 * time.Hour}
		for _, k := range keys {
			a.DS = append(a.DS, k.DS().Data)
		}
		z.ev.Parent.Answers = append(z.ev.Parent.Answers, a)
	}
}

// add puts a key beside the others that was published and active some time ago;
// -1 is not yet.
func (z *proofZone) add(k Key, published, active time.Duration) *Key {
	k.Timing.Created = z.ago(100 * time.Hour)
	if published >= 0 {
		k.Timing.Publish = z.ago(published)
	}
	if active >= 0 {
		k.Timing.Active = z.ago(active)
	}
	z.keys = append(z.keys, k)
	if published >= 0 || active >= 0 {
		z.record(&k)
	}
	return &z.keys[len(z.keys)-1]
}

// was has the zone published with other TTLs until some time ago.
func (z *proofZone) was(keys, data uint32, ago time.Duration) {
	now := zone.TTLPeriod{Keys: z.p.DNSKEYTTL, Data: uint32(z.p.MaxTTL / time.Second), Since: z.ago(ago)}
	z.p.Past = zone.TTLPeriods{{Keys: max(keys, now.Keys), Data: max(data, now.Data), Until: now.Since}, now}
}

// step changes the last key, or the one with the tag.
func (z *proofZone) step(tag uint16, a Action, change func(t *Timing)) Step {
	for _, k := range z.keys {
		if k.Tag == tag {
			change(&k.Timing)
			return Step{Zone: testName, Action: a, Flags: k.Flags, CSK: k.CSK, Algorithm: k.Algorithm, Key: k.ID, Timing: k.Timing}
		}
	}
	panic("no such key")
}

func (z *proofZone) prove(s Step) error { return Prove(z.keys, s, z.p, z.ev, z.now) }

func (z *proofZone) activate(tag uint16) Step {
	return z.step(tag, ActionActivate, func(t *Timing) { t.Active = z.now })
}

func (z *proofZone) remove(tag uint16) Step {
	return z.step(tag, ActionRemove, func(t *Timing) { t.Remove = z.now })
}

// zskNext has a ZSK 3 that was published some time ago.
func zskNext(published time.Duration) *proofZone {
	z := newProofZone()
	z.add(proofKey(3, FlagsZSK, algECDSA), published, -1)
	return z
}

// zskOld has a ZSK 3 that took over from ZSK 2, whose last signature went some
// time ago; -1 is not yet.
func zskOld(idle time.Duration) *proofZone {
	z := newProofZone()
	z.add(proofKey(3, FlagsZSK, algECDSA), 20*24*time.Hour, 15*24*time.Hour)
	z.keys[1].Timing.Retire = z.ago(15 * 24 * time.Hour)
	if idle >= 0 {
		z.ev.Published.Keys[1].Idle = z.ago(idle)
	}
	return z
}

// kskNext has a KSK 4 that was published some time ago beside KSK 1.
func kskNext(published time.Duration) *proofZone {
	z := newProofZone()
	z.add(proofKey(4, FlagsKSK, algECDSA), published, published)
	return z
}

// kskOld has the DS of KSK 4 at the parent since some time.
func kskOld(seen time.Duration) *proofZone {
	z := kskNext(20 * 24 * time.Hour)
	z.keys[2].Timing.Ready = z.ago(19 * 24 * time.Hour)
	z.keys[2].Timing.DSSeen = z.ago(seen)
	z.keys[0].Timing.Unsync = z.ago(19 * 24 * time.Hour)
	z.parent(z.keys[2])
	return z
}

// algNext has keys of Ed25519 that sign since some time, and are in the DNSKEY
// set since another.
func algNext(signs, published time.Duration) *proofZone {
	z := newProofZone()
	z.add(proofKey(5, FlagsKSK, algEd25519), published, signs)
	z.add(proofKey(6, FlagsZSK, algEd25519), published, signs)
	return z
}

func (z *proofZone) ready(tag uint16) Step {
	return z.step(tag, ActionReady, func(t *Timing) { t.Ready = z.now })
}

// publish5 puts both keys of the new algorithm into the set.
func (z *proofZone) publish5() Step {
	s := z.step(5, ActionPublish, func(t *Timing) { t.Publish = z.now })
	for i := range z.keys { // the step of the ZSK is taken already
		if z.keys[i].Tag == 6 {
			z.keys[i].Timing.Publish = z.now
		}
	}
	return s
}

const (
	keyWait  = 7 * time.Hour  // propagation and the DNSKEY TTL
	dataWait = 54 * time.Hour // propagation and the data's
	dsWait   = 30 * time.Hour // propagation and the DS's
)

func TestProveAccepts(t *testing.T) {
	for name, c := range map[string]func() (*proofZone, Step){
		"a new ZSK": func() (*proofZone, Step) {
			z := newProofZone()
			return z, Step{Zone: testName, Action: ActionMake, Flags: FlagsZSK, Algorithm: algECDSA, Timing: Timing{Created: z.now, Publish: z.now}}
		},
		"activate ZSK": func() (*proofZone, Step) { z := zskNext(keyWait); return z, z.activate(3) },
		"activate ZSK, TTL lowered": func() (*proofZone, Step) {
			z := zskNext(keyWait)
			z.was(7200, 0, keyWait+time.Hour)
			return z, z.activate(3)
		},
		"remove ZSK":    func() (*proofZone, Step) { z := zskOld(dataWait); return z, z.remove(2) },
		"ask for a DS":  func() (*proofZone, Step) { z := kskNext(keyWait); return z, z.ready(4) },
		"remove KSK":    func() (*proofZone, Step) { z := kskOld(dsWait); return z, z.remove(1) },
		"sign ahead":    func() (*proofZone, Step) { z := algNext(-1, -1); return z, z.activate(6) },
		"publish ahead": func() (*proofZone, Step) { z := algNext(dataWait, -1); return z, z.publish5() },
		"ask for the DS of an algorithm": func() (*proofZone, Step) {
			z := algNext(200*time.Hour, keyWait)
			return z, z.ready(5)
		},
	} {
		z, s := c()
		if err := z.prove(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := provePresent(newProofZone().keys, proofPolicy(), newProofZone().ev, testNow); err != nil {
		t.Error(err)
	}
}

// A refusal is a step that must be refused. want is a part of the reason, or
// several such parts with | between them.
type refusal struct {
	name, want string
	step       func() (*proofZone, Step)
}

func refuses(t *testing.T, steps []refusal) {
	for _, c := range steps {
		t.Run(c.name, func(t *testing.T) {
			z, s := c.step()
			err := z.prove(s)
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("it is not refused: %v", err)
			}
			if !matchesOne(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
		})
	}
}

// TestProveRefusesZSK: steps that leave data without a signature by a key that a
// cache has.
func TestProveRefusesZSK(t *testing.T) {
	refuses(t, []refusal{
		{"a ZSK that one cache may not have", "no signature of the data", func() (*proofZone, Step) { z := zskNext(keyWait - time.Second); return z, z.activate(3) }},
		{"a ZSK that is not published", "cannot be signed|no signature of the data", func() (*proofZone, Step) {
			z := zskNext(-1)
			return z, z.step(3, ActionActivate, func(t *Timing) { t.Publish, t.Active = z.now, z.now })
		}},
		{"a ZSK that servers have not been told of", "no signature of the data", func() (*proofZone, Step) {
			z := zskNext(100 * time.Hour)
			z.ev.Published.Untold, z.ev.Published.Time = true, z.ago(100*time.Hour)
			return z, z.activate(3)
		}},
		{"an old signature in one cache", "no signature of the data", func() (*proofZone, Step) { z := zskOld(dataWait - time.Second); return z, z.remove(2) }},
		{"an old signature in the zone", "no signature of the data", func() (*proofZone, Step) { z := zskOld(-1); return z, z.remove(2) }},
		{"the only ZSK", "cannot be signed", func() (*proofZone, Step) { z := newProofZone(); return z, z.remove(2) }},
		{"the only ZSK, which is to go later", "cannot be signed", func() (*proofZone, Step) {
			z := newProofZone()
			z.keys[1].Timing.Remove = z.now.Add(30 * 24 * time.Hour)
			return z, z.remove(2)
		}},
		{"slots as long as signatures are valid", "have expired", func() (*proofZone, Step) {
			z := zskNext(keyWait)
			z.ev.Published.Keys[2].Since = z.ago(keyWait)
			z.p.Validity = z.p.Slot
			return z, z.activate(3)
		}},
		{"a signer with other keys", "no DS|no signature", func() (*proofZone, Step) {
			z := newProofZone()
			other := newProofZone()
			other.keys[0], other.keys[1] = proofKey(8, FlagsKSK, algECDSA), proofKey(9, FlagsZSK, algECDSA)
			other.keys[0].Timing, other.keys[1].Timing = z.keys[0].Timing, z.keys[1].Timing
			z.keys = z.keys[:1] // the step brings its ZSK
			return z, Step{Zone: testName, Action: ActionMake, Flags: FlagsZSK, Algorithm: algECDSA, Timing: z.keys[0].Timing, New: &other.keys[1]}
		}},
		{"a ZSK that a DNSKEY set of a longer TTL lacks in one cache", "no signature of the data", func() (*proofZone, Step) {
			z := zskNext(keyWait)
			z.was(3600+1, 0, keyWait)
			return z, z.activate(3)
		}},
		{"an old signature of a longer TTL in one cache", "no signature of the data", func() (*proofZone, Step) {
			z := zskOld(dataWait + 10*time.Hour)
			z.was(0, 58*3600+1, dataWait+10*time.Hour)
			return z, z.remove(2)
		}},
	})
}

// TestProveRefusesKSK: steps that leave a DS set that a cache may have without
// its key, or the other way round.
func TestProveRefusesKSK(t *testing.T) {
	refuses(t, []refusal{
		{"the only KSK", "cannot be signed", func() (*proofZone, Step) { z := newProofZone(); return z, z.remove(1) }},
		{"a DS too soon", "no DS of algorithm 13", func() (*proofZone, Step) { z := kskNext(keyWait - time.Second); return z, z.ready(4) }},
		{"the old DS in one cache", "no DS of algorithm 13", func() (*proofZone, Step) { z := kskOld(dsWait - time.Second); return z, z.remove(1) }},
		{"the DS of the new KSK never seen", "no DS of algorithm 13", func() (*proofZone, Step) {
			z := kskOld(dsWait)
			z.keys[2].Timing.DSSeen = time.Time{}
			z.parent(z.keys[0])
			return z, z.remove(1)
		}},
		{"one server of the parent behind", "no DS of algorithm 13", func() (*proofZone, Step) {
			z := kskOld(dsWait)
			z.ev.Parent.Answers[1].DS = []zone.Data{z.keys[0].DS().Data}
			return z, z.remove(1)
		}},
		{"the parent changed back", "no DS of algorithm 13", func() (*proofZone, Step) {
			z := kskOld(dsWait)
			z.parent(z.keys[0])
			return z, z.remove(1)
		}},
		{"a DS with a TTL longer than configured", "no DS of algorithm 13", func() (*proofZone, Step) {
			z := kskOld(dsWait)
			z.ev.Parent.Answers[0].TTL = 48 * time.Hour
			return z, z.remove(1)
		}},
		{"a KSK that is published and does not sign", "cannot be signed|no DS", func() (*proofZone, Step) {
			z := kskOld(dsWait)
			z.keys[2].Timing.Active = time.Time{}
			return z, z.remove(1)
		}},
	})
}

// TestProveRefusesAlgorithm: steps of an algorithm roll (RFC 6781, section 4.1.4)
// out of order, or too soon.
func TestProveRefusesAlgorithm(t *testing.T) {
	refuses(t, []refusal{
		{"an algorithm that signs too short", "of algorithm 15, no signature", func() (*proofZone, Step) { z := algNext(dataWait-time.Second, -1); return z, z.publish5() }},
		{"an algorithm whose KSK did not sign CDS ahead", "of algorithm 15, no signature", func() (*proofZone, Step) {
			z := algNext(dataWait, -1)
			z.keys[2].Timing.Active = time.Time{}
			s := z.publish5()
			s.Timing.Active = z.now
			return z, s
		}},
		{"an algorithm's DS too soon", "no DS of algorithm 15", func() (*proofZone, Step) { z := algNext(200*time.Hour, keyWait-time.Second); return z, z.ready(5) }},
		{"an algorithm that is not signed with", "cannot be signed", func() (*proofZone, Step) {
			z := algNext(-1, -1)
			return z, z.step(6, ActionPublish, func(t *Timing) { t.Publish = z.now })
		}},
	})
}

// TestProveRefusesAhead: steps that give a key times which will be too close.
func TestProveRefusesAhead(t *testing.T) {
	refuses(t, []refusal{
		{"times in the future that are too close", "no signature of the data", func() (*proofZone, Step) {
			z := zskNext(-1)
			return z, z.step(3, ActionPublish, func(t *Timing) { t.Publish, t.Active = z.now, z.now.Add(keyWait-time.Second) })
		}},
		{"times in the future that a late run would make one", "no signature of the data", func() (*proofZone, Step) {
			z := zskNext(-1)
			return z, z.step(3, ActionPublish, func(t *Timing) {
				t.Publish = z.now.Add(time.Hour)
				t.Active = t.Publish.Add(keyWait + 5*time.Hour)
			})
		}},
		{"a removal in the future that is too early", "no signature of the data", func() (*proofZone, Step) {
			z := zskOld(-1)
			return z, z.step(2, ActionRemove, func(t *Timing) { t.Remove = z.now.Add(20 * time.Hour) })
		}},
	})
}

// provePresent is the same proof without a step: nil if no resolver that asks from
// now on can be led astray while no key step is taken.
func provePresent(keys []Key, p Policy, ev Evidence, now time.Time) error {
	o := newOutlook(testName, p, ev, now)
	o.ds = o.parent(keys, keys, ev.Parent)
	t, err := o.timeline(keys, keys)
	if err != nil {
		return err
	}
	if states := t.Bogus(now, time.Time{}); len(states) > 0 {
		return errors.New(states[0].String())
	}
	return nil
}

// TestProveMends: a step that makes a bad state shorter is taken, and one that
// does not touch it too.
func TestProveMends(t *testing.T) {
	z := zskOld(-1) // its ZSK 2 was removed too early
	z.keys[1].Timing.Remove = z.ago(time.Hour)
	z.ev.Published.Keys[1].Gone = z.ago(time.Hour)
	if err := provePresent(z.keys, z.p, z.ev, z.now); err == nil {
		t.Fatal("the present is not bogus")
	}
	back := z.step(2, ActionPublish, func(t *Timing) { t.Remove = time.Time{} })
	if err := z.prove(back); err != nil {
		t.Errorf("the step that mends it: %v", err)
	}
	aside := Step{Zone: testName, Action: ActionMake, Flags: FlagsKSK, Algorithm: algECDSA, Timing: Timing{Created: z.now}}
	if err := z.prove(aside); err != nil {
		t.Errorf("a step that does not touch it: %v", err)
	}
	worse := z.remove(3)
	if err := z.prove(worse); err == nil {
		t.Error("a step that makes it worse is not refused")
	}
}

// TestProveText: a refusal can be read.
func TestProveText(t *testing.T) {
	z := zskNext(time.Hour)
	got := fmt.Sprint(z.prove(z.activate(3)))
	const want = "202.in-addr.arpa.: step activate ZSK K202.in-addr.arpa.+013+00003 could be bogus from 2026-11-21 12:00:00 to 2026-11-21 18:00:00: " +
		"a resolver with the DS set of 1/13 (published all the time), "
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "the DNSKEY set of 1/13, 2/13 (published 2026-11-") {
		t.Errorf("got %s", got)
	}
}

func BenchmarkProve(b *testing.B) {
	z := algNext(200*time.Hour, keyWait)
	s := z.ready(5)
	for b.Loop() {
		if err := z.prove(s); err != nil {
			b.Fatal(err)
		}
	}
}

// TestProveAsked: a step that is refused is not taken, and no key is made for it.
func TestProveAsked(t *testing.T) {
	no := errors.New("no")
	w := &Work{
		FS: publish.OS, Dir: t.TempDir(), Zone: testName, Policy: Policy{SigningConfig: testPolicy(algEd25519)}, Random: testRandom("asked"),
		Prove: func([]Key, Step) error { return no },
	}
	_, steps, err := w.Init(Evidence{}, testNow)
	var refused *Refused
	if !errors.As(err, &refused) || !errors.Is(err, no) || len(steps) > 0 {
		t.Errorf("%v, %v", steps, err)
	}
	if keys, err := LoadKeys(w.Dir, testName); err != nil || len(keys) > 0 {
		t.Errorf("keys %v, %v", keys, err)
	}
}
