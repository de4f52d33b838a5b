package sign

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/resolver"
)

// A life is a zone over years, in runs two hours apart, without its records: Plan
// and Prove decide, what would be published goes to the model of resolvers. The
// world may be worse than the policy believes.
type life struct {
	t      testing.TB
	p      Policy
	keys   []Key
	ev     Evidence
	now    time.Time
	starts []zone.Name // whose slots are looked at
	random *rand.Rand
	drawn  int
	models map[string]resolver.Key

	world    resolver.Timeline // with the true delays
	fault    func(s *Step)     // seeded: changes a step before it is taken
	unproved bool              // steps are taken without proof
	dnskey   time.Duration     // true TTLs
	data, ds time.Duration
	due      time.Time

	parentAt time.Time // when the parent does what CDS asks for
	wanted   []Key
	slow     time.Duration // how long the parent takes at most

	moved   bool // the TTLs are others since the last run
	forgets bool // what TTLs there were

	storm                                 *storm
	torn, silent                          bool // this run
	restored, restoreRefused, emergencies int

	approved, refused []string
	taken             map[Action]int
	bogus             []resolver.State
	dead              error // the last time that it could not be signed
	checked           time.Time
}

const lifeRun = 2 * time.Hour

func newLife(t testing.TB, seed uint64) *life {
	l := &life{
		t: t, p: proofPolicy(), now: testNow, random: rand.New(rand.NewPCG(seed, 2)), taken: map[Action]int{},
		slow: 5 * 24 * time.Hour, models: map[string]resolver.Key{},
	}
	l.p.MaxTTL = 24 * time.Hour
	l.p.ZSKLifetime, l.p.KSKLifetime = 90*24*time.Hour, 365*24*time.Hour
	l.dnskey, l.data, l.ds = time.Hour, 24*time.Hour, 24*time.Hour
	l.world.Delay, l.world.ParentDelay = l.p.Propagation, l.p.Propagation
	for i := range 80 {
		l.starts = append(l.starts, zone.Name(fmt.Sprintf("%d.%s", i, testName)))
	}
	return l
}

// run is one run of cron.
func (l *life) run() {
	l.observe()
	l.ev.Approved = l.approved
	steps := 0
	for range 30 {
		s, ok := l.next()
		if !ok {
			break
		}
		if l.torn && len(s.Also) > 0 {
			l.tear(s)
			return
		}
		l.take(s)
		steps++
	}
	if steps == 0 && l.now.Before(l.due) && !l.future() && !l.moved {
		l.parent(l.wanted)
		return // nothing is due
	}
	l.publish()
}

// future reports whether a key has a time that comes by itself.
func (l *life) future() bool {
	return slices.ContainsFunc(l.keys, func(k Key) bool {
		return k.Timing.Retire.After(l.now.Add(-lifeRun)) || k.Timing.Remove.After(l.now.Add(-lifeRun)) || k.Timing.Active.After(l.now.Add(-lifeRun))
	})
}

// model is modelKey, remembered.
func (l *life) model(k *Key) resolver.Key {
	m, ok := l.models[k.ID]
	if !ok {
		m = modelKey(k)
		l.models[k.ID] = m
	}
	return m
}

// next returns the step that is taken now.
func (l *life) next() (Step, bool) {
	for _, s := range Plan(l.keys, l.p, l.ev, testName, l.now) {
		if s.Hash != "" && !slices.Contains(l.approved, s.Hash) && len(s.Waits) == 1 {
			if l.random.IntN(20) == 0 { // a person comes by
				l.approved = append(l.approved, s.Hash)
			}
		}
		if l.fault != nil {
			l.fault(&s)
		}
		if !s.Due() {
			continue
		}
		if err := Prove(l.keys, s, l.p, l.ev, l.now); err != nil {
			l.refused = append(l.refused, err.Error())
			if !l.unproved {
				continue
			}
		}
		return s, true
	}
	return Step{}, false
}

// take takes a step, in memory.
func (l *life) take(s Step) {
	if s.Action == ActionMake {
		k := l.draw(s)
		s.New, s.Key = &k, k.ID
	}
	l.keys = Take(l.keys, s)
	l.taken[s.Action]++
	l.keys = slices.DeleteFunc(l.keys, func(k Key) bool { // staff tidy up
		return reached(k.Timing.Remove, l.now.Add(-200*24*time.Hour))
	})
}

// tear takes a part of a step, as a crash between two files leaves it.
func (l *life) tear(s Step) {
	if n := l.random.IntN(len(s.Also) + 1); n < len(s.Also) {
		s.Also = s.Also[:n]
	}
	l.take(s)
}

// draw makes a key that never signs anything real.
func (l *life) draw(s Step) Key {
	l.drawn++
	k := proofKey(uint16(100+l.drawn), s.Flags, s.Algorithm)
	k.CSK = s.CSK
	return k
}

// publish shows the world what the run signed.
func (l *life) publish() {
	set, err := newKeySet(testName, MarkCDS(l.keys, l.now), l.now)
	if err != nil {
		l.dead = fmt.Errorf("%s: %w", l.now, err) // what is published stays
		return
	}
	c := clock{now: l.now.Unix(), slot: seconds(l.p.Slot), origin: testName.AppendWire(nil), signers: set.zone}
	data := map[string]resolver.Set{}
	first := l.now
	for _, n := range l.starts {
		start := c.start(n.AppendWire(nil))
		signers := c.keys(nil, start)
		id := ""
		for _, k := range signers {
			id += k.ID
		}
		at := time.Unix(start, 0).UTC()
		if s, ok := data[id]; !ok || at.Add(l.p.Validity).Before(s.Expires) {
			s = resolver.Set{TTL: l.data, Inception: at.Add(-l.p.Inception), Expires: at.Add(l.p.Validity)}
			for _, k := range signers {
				s.Signers = append(s.Signers, l.model(k))
			}
			data[id] = s
		}
		if at.Before(first) {
			first = at
		}
	}
	if len(set.named) > 0 {
		data["CDS"] = resolver.Set{TTL: l.dnskey, Signers: modelKeys(set.cds)}
	}
	l.due = first.Add(l.p.Slot)
	var before []zone.KeyRecord
	if l.ev.Published != nil {
		before = l.ev.Published.Keys
	}
	l.ev.Published = &Published{Time: l.now, Keys: Records(before, l.keys, l.p.SigningConfig, l.due, l.now)}
	if l.p.Past, l.moved = l.p.Past.Next(l.p.DNSKEYTTL, uint32(l.p.MaxTTL/time.Second), l.p.Propagation, l.now), false; l.forgets {
		l.p.Past = nil
	}
	l.show(resolver.Set{TTL: l.dnskey, Keys: modelKeys(set.dnskey), Signers: modelKeys(set.ksks)}, data)
	l.parent(set.named)
}

// show puts the sets into the world, if they are others than before.
func (l *life) show(dnskey resolver.Set, data map[string]resolver.Set) {
	l.look()
	next := []resolver.Set{}
	for _, s := range data {
		next = append(next, s)
	}
	l.world.DNSKEY = replace(l.world.DNSKEY, []resolver.Set{dnskey}, l.now)
	l.world.Data = replace(l.world.Data, next, l.now)
}

// replace ends the sets that are published and are not among the next, and
// begins those that are new.
func replace(sets, next []resolver.Set, now time.Time) []resolver.Set {
	same := func(a, b resolver.Set) bool {
		return slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Signers, b.Signers) && a.Expires.Equal(b.Expires) && a.TTL == b.TTL
	}
	for i := range sets {
		s := &sets[i]
		if s.Until.IsZero() && !slices.ContainsFunc(next, func(n resolver.Set) bool { return same(*s, n) }) {
			s.Until = now
		}
	}
	for _, n := range next {
		if !slices.ContainsFunc(sets, func(s resolver.Set) bool { return s.Until.IsZero() && same(s, n) }) {
			n.From = now
			sets = append(sets, n)
		}
	}
	return sets
}

// look asks the model about all that could be held since the last look.
func (l *life) look() {
	if !l.checked.IsZero() && len(l.world.DNSKEY) > 0 {
		l.bogus = append(l.bogus, l.world.Bogus(l.checked, l.now)...)
	}
	l.checked = l.now
	for _, sets := range []*[]resolver.Set{&l.world.DNSKEY, &l.world.Data, &l.world.DS} {
		*sets = slices.DeleteFunc(*sets, func(s resolver.Set) bool {
			return !s.Until.IsZero() && s.Until.Add(l.world.Delay+l.world.ParentDelay+s.TTL).Before(l.now)
		})
	}
}

// parent lets the parent do what CDS asks for, some time later.
func (l *life) parent(named []Key) {
	if !slices.EqualFunc(named, l.wanted, func(a, b Key) bool { return a.ID == b.ID }) {
		l.wanted, l.parentAt = named, l.now.Add(time.Duration(l.random.Int64N(int64(l.slow)+1)))
	}
	if l.parentAt.IsZero() || l.now.Before(l.parentAt) || len(l.wanted) == 0 {
		return
	}
	l.look()
	l.world.DS = replace(l.world.DS, []resolver.Set{{TTL: l.ds, Keys: modelKeys(l.wanted)}}, l.now)
	l.parentAt = time.Time{}
}

// observe asks the parent's servers.
func (l *life) observe() {
	if l.silent {
		return
	}
	l.ev.Parent = Parent{Complete: true}
	a := ParentAnswer{Server: "parent", Time: l.now.Add(-time.Minute), TTL: l.p.DSTTL}
	for _, s := range l.world.DS {
		if s.Until.IsZero() {
			for _, k := range l.keys {
				if slices.Contains(s.Keys, l.model(&k)) {
					a.DS = append(a.DS, k.DS().Data)
				}
			}
		}
	}
	l.ev.Parent.Answers = append(l.ev.Parent.Answers, a)
}

// roll starts the roll to another algorithm, as the command does.
func (l *life) roll(alg uint8) {
	for _, k := range l.keys {
		if k.Algorithm != alg && k.SignsZone() && !reached(k.Timing.Remove, l.now) && !reached(k.Timing.Retire, l.now) {
			l.p.Algorithm = alg
			l.take(Step{
				Zone: testName, Action: ActionMake, Flags: k.Flags, CSK: k.CSK, Algorithm: alg,
				Timing: Timing{Created: l.now, Active: l.now},
			})
			return
		}
	}
	l.t.Fatalf("%s: no key to roll from", l.now)
}
