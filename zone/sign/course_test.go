package sign

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// A course is a zone that is built every two hours, without files: the plan, the
// steps, and what a generation would say of the keys.
type course struct {
	t      *testing.T
	now    time.Time
	start  time.Time
	every  time.Duration
	keys   []Key
	p      Policy
	ev     Evidence
	zone   *zone.Zone
	random io.Reader
	log    []string // "day action role", of every step
	parent func(l *course) Parent
	failed bool // the generation of this run is not committed
	known  map[string]bool
	off    bool // do not check the set against what is published
}

func coursePolicy() Policy {
	p := testPolicy(algEd25519)
	p.ZSKLifetime, p.Propagation, p.DSTTL = 90*day, 6*hour, 2*day
	return Policy{SigningConfig: p, MaxTTL: day}
}

func newCourse(t *testing.T) *course {
	t.Helper()
	l := &course{
		t: t, now: testNow, start: testNow, every: 2 * hour, p: coursePolicy(), random: testRandom(t.Name()),
		zone: testZone(t, testName, 12), known: map[string]bool{}, parent: func(*course) Parent { return Parent{} },
	}
	return l
}

// run is one run of zonebuild.
func (l *course) run() {
	l.t.Helper()
	l.ev.Parent = l.parent(l)
	for i := 0; ; i++ {
		steps := Plan(l.keys, l.p, l.ev, testName, l.now)
		if len(steps) == 0 || !steps[0].Due() {
			break
		}
		if i > 20 {
			l.t.Fatalf("the plan has no end: %v", steps)
		}
		l.take(steps[0])
	}
	l.publish()
}

func (l *course) take(s Step) {
	l.t.Helper()
	if s.Action == ActionMake {
		k, err := Draw(s, l.keys, l.random)
		if err != nil {
			l.t.Fatal(err)
		}
		l.known[k.Digest()] = true
		s.New, s.Key = &k, k.ID
	}
	l.keys = Take(l.keys, s)
	l.log = append(l.log, fmt.Sprintf("%s %s %s", l.day(), s.Action, s.Role()))
}

// day is the time since the start, to the hour.
func (l *course) day() string {
	h := int(l.now.Sub(l.start).Hours())
	return fmt.Sprintf("%d.%02d", h/24, h%24)
}

// publish signs the zone and notes what its generation would say.
func (l *course) publish() {
	l.t.Helper()
	f, err := Preview(l.zone, MarkCDS(l.keys, l.now), l.p.SigningConfig, l.now)
	if err != nil {
		l.t.Fatalf("%s: the zone cannot be signed: %v\n%s", l.day(), err, strings.Join(l.log, "\n"))
	}
	var before []zone.KeyRecord
	if l.ev.Published != nil {
		before = l.ev.Published.Keys
	}
	known := func(k Key) bool { return l.known[k.Digest()] }
	if err := CheckSet(l.keys, l.p, before, known, nil, testName, l.now); err != nil && !l.off {
		l.t.Fatalf("%s: %v\n%s", l.day(), err, strings.Join(l.log, "\n"))
	}
	if l.failed {
		return
	}
	l.ev.Published = &Published{Time: l.now, Keys: Records(before, l.keys, l.p.SigningConfig, f.Due, l.now)}
	l.p.Past = l.p.Past.Next(l.p.DNSKEYTTL, uint32(l.p.MaxTTL/time.Second), l.p.Propagation, l.now)
}

// until runs every two hours up to the day.
func (l *course) until(d time.Duration) {
	l.t.Helper()
	for ; l.now.Before(l.start.Add(d)); l.now = l.now.Add(l.every) {
		l.run()
	}
}

func (l *course) steps(want string) {
	l.t.Helper()
	got := strings.Join(l.log, "\n")
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if got != want {
		l.t.Errorf("steps:\n%s\nwanted:\n%s\nstill planned: %v", got, want, Plan(l.keys, l.p, l.ev, testName, l.now))
	}
}

// roll begins a roll as "keys roll" does.
func (l *course) roll(r Request) {
	l.t.Helper()
	steps, err := Roll(l.keys, l.p, l.ev, testName, l.now, r)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, s := range steps {
		if !s.Due() {
			l.t.Fatalf("a roll begins with a step that waits: %v", s)
		}
		l.take(s)
	}
}

// approve agrees to every step that asks for it.
func (l *course) approve() int {
	n := 0
	for _, s := range Plan(l.keys, l.p, l.ev, testName, l.now) {
		if s.Hash != "" && !slices.Contains(l.ev.Approved, s.Hash) {
			l.ev.Approved = append(l.ev.Approved, s.Hash)
			n++
		}
	}
	return n
}

// follows is a parent that has the DS of what CDS says, since delay ago.
func follows(delay time.Duration) func(*course) Parent {
	var have []zone.Data
	asked := map[string]time.Time{}
	return func(l *course) Parent {
		var want []zone.Data
		for _, k := range MarkCDS(l.keys, l.now) {
			if k.CDS {
				want = append(want, k.DS().Data)
			}
		}
		id := fmt.Sprintf("%q", want)
		if asked[id].IsZero() {
			asked[id] = l.now
		}
		if !l.now.Before(asked[id].Add(delay)) {
			have = want
		}
		return Parent{Complete: true, Answers: []ParentAnswer{{Server: "a", Time: l.now, TTL: day, DS: have}, {Server: "b", Time: l.now, TTL: day, DS: have}}}
	}
}

// TestZSKRoll: on schedule, every 90 days, without anybody doing anything.
func TestZSKRoll(t *testing.T) {
	l := newCourse(t)
	l.until(120 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	89.18 make ZSK
	90.02 activate ZSK
	100.16 remove ZSK`)
}

// TestKSKRoll: the parent is slow, and the person slower.
func TestKSKRoll(t *testing.T) {
	l := newCourse(t)
	l.p.ZSKLifetime = 0
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{KSK: true})
	if _, err := Roll(l.keys, l.p, l.ev, testName, l.now, Request{KSK: true}); err == nil || !strings.Contains(err.Error(), "is going on") {
		t.Errorf("a second roll begins: %v", err)
	}
	l.until(30 * day)
	if n := l.approve(); n != 1 {
		t.Errorf("%d steps want approval", n)
	}
	l.until(31 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	3.02 ds-seen KSK
	10.00 make KSK
	10.08 ready KSK
	13.10 ds-seen KSK
	30.00 remove KSK`)
}

// An early approval counts as soon as the rest is there.
func TestKSKApprovedEarly(t *testing.T) {
	l := newCourse(t)
	l.p.ZSKLifetime = 0
	l.p.KSKLifetime = 100 * day
	l.parent = follows(3 * day)
	l.until(101 * day)
	l.approve()
	l.until(110 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	3.02 ds-seen KSK
	100.00 make KSK
	100.08 ready KSK
	103.10 ds-seen KSK
	105.16 remove KSK`)
}

func TestCSKRoll(t *testing.T) {
	l := newCourse(t)
	l.p.CSK = true
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{CSK: true})
	l.until(11 * day)
	l.approve()
	l.until(30 * day)
	l.steps(`0.00 make CSK
	3.02 ds-seen CSK
	10.00 make CSK
	10.08 activate CSK
	10.08 ready CSK
	13.10 ds-seen CSK
	21.16 remove CSK`)
}

func TestProfileToCSK(t *testing.T) {
	l := newCourse(t)
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{CSK: true})
	l.until(11 * day)
	l.approve()
	l.until(200 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	3.02 ds-seen KSK
	10.00 make CSK
	10.08 activate CSK
	10.08 ready CSK
	13.10 ds-seen CSK
	15.16 remove KSK
	21.16 remove ZSK`)
}

func TestProfileFromCSK(t *testing.T) {
	l := newCourse(t)
	l.p.CSK = true
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{KSK: true, ZSK: true})
	l.until(11 * day)
	l.approve()
	l.until(98 * day)
	l.steps(`0.00 make CSK
	3.02 ds-seen CSK
	10.00 make KSK
	10.00 make ZSK
	10.08 activate ZSK
	10.08 ready KSK
	13.10 ds-seen KSK
	21.16 remove CSK`)
}

func TestPlanAlgorithmRoll(t *testing.T) {
	l := newCourse(t)
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{Algorithm: algECDSA})
	if _, err := Roll(l.keys, l.p, l.ev, testName, l.now, Request{ZSK: true}); err == nil || !strings.Contains(err.Error(), "algorithm is being rolled") {
		t.Errorf("a second roll begins: %v", err)
	}
	l.until(11 * day)
	l.approve()
	l.until(12 * day)
	l.approve()
	l.until(98 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	3.02 ds-seen KSK
	10.00 make KSK
	10.00 make ZSK
	11.06 publish ZSK
	11.14 ready KSK
	14.16 ds-seen KSK
	16.22 remove KSK`)
	for _, k := range l.keys {
		if old := k.Algorithm == algEd25519; old != k.over(l.now) {
			t.Errorf("%s %s: %+v", k.ID, k.Role(), k.Timing)
		}
	}
}

func TestPlanAlgorithmRollCSK(t *testing.T) {
	l := newCourse(t)
	l.p.CSK = true
	l.parent = follows(3 * day)
	l.until(10 * day)
	l.roll(Request{Algorithm: algECDSA})
	l.until(12 * day)
	l.approve()
	l.until(98 * day)
	l.steps(`0.00 make CSK
	3.02 ds-seen CSK
	10.00 make CSK
	11.06 publish CSK
	11.14 ready CSK
	14.16 ds-seen CSK
	16.22 remove CSK`)
}

// TestEmergencyZSK: every signature is replaced as soon as caches know the new
// key, and the old one goes when the last of them has left the caches.
func TestEmergencyZSK(t *testing.T) {
	l := newCourse(t)
	l.p.Freezes = []zone.Freeze{{From: l.now.Add(19 * day), Until: l.now.Add(60 * day), Reason: "test"}}
	l.until(20 * day)
	l.roll(Request{ZSK: true, Emergency: true})
	l.until(40 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	20.00 make ZSK
	20.00 retire ZSK
	20.08 activate ZSK
	21.14 remove ZSK`)
}

// An emergency in the middle of a roll: neither key counts any more.
func TestEmergencyInRoll(t *testing.T) {
	for _, at := range []time.Duration{10*day + 2*hour, 10*day + 12*hour, 15 * day} {
		l := newCourse(t)
		l.until(10 * day)
		l.roll(Request{ZSK: true})
		l.until(at)
		l.roll(Request{ZSK: true, Emergency: true})
		l.until(at + 3*day)
		for i, k := range l.keys[1:] {
			if in := k.published(l.now); in != (i == 2) || k.Flags != FlagsZSK {
				t.Errorf("%v: key %d of 3 is in the set: %v, %+v", at, i, in, k.Timing)
			}
		}
	}
}

// TestFreeze: a due step waits until the freeze is over, signatures go on.
func TestFreeze(t *testing.T) {
	l := newCourse(t)
	l.p.Freezes = []zone.Freeze{{From: l.now.Add(89 * day), Until: l.now.Add(95 * day), Reason: "end of year"}}
	l.until(90 * day)
	steps := Plan(l.keys, l.p, l.ev, testName, l.now)
	if len(steps) == 0 || steps[0].Due() || steps[0].Action != ActionMake || !strings.Contains(strings.Join(steps[0].Waits, "; "), "(end of year)") || !steps[0].At.Equal(l.start.Add(95*day)) {
		t.Errorf("in the freeze: %+v", steps)
	}
	if _, err := Roll(l.keys, l.p, l.ev, testName, l.now, Request{ZSK: true}); err == nil || !strings.Contains(err.Error(), "end of year") {
		t.Errorf("a roll begins in the freeze: %v", err)
	}
	l.until(110 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	95.00 make ZSK
	95.08 activate ZSK
	104.16 remove ZSK`)
}

func TestManual(t *testing.T) {
	l := newCourse(t)
	l.run()
	l.p.ManualKeys = true
	l.until(100 * day)
	l.steps("0.00 make KSK\n0.00 make ZSK")
	steps := Plan(l.keys, l.p, l.ev, testName, l.now)
	if len(steps) == 0 || !strings.Contains(steps[0].String(), "a person: zonebuild keys step 202.in-addr.arpa") {
		t.Errorf("plan %v", steps)
	}
}

// TestMissedRuns: nine days without a run delay the steps. After them a roll goes
// on with all its waits, wherever they began.
func TestMissedRuns(t *testing.T) {
	for from := 85 * day; from < 104*day; from += 19 * hour {
		l := newCourse(t)
		l.until(from)
		l.now = l.now.Add(9 * day)
		l.until(130 * day)
		var removed int
		for _, line := range l.log {
			if strings.HasSuffix(line, "remove ZSK") {
				removed++
			}
		}
		if removed != 1 {
			t.Errorf("no run for 9 days from %v on: %v", from, l.log)
		}
	}
}

// TestFailedRuns: the steps are taken, the generation is not committed. Nothing
// counts as published that was not.
func TestFailedRuns(t *testing.T) {
	for from := 89 * day; from < 104*day; from += 31 * hour {
		l := newCourse(t)
		l.until(from)
		l.failed = true
		l.until(from + 3*day)
		l.failed = false
		l.until(130 * day)
		if len(l.log) != 5 {
			t.Errorf("no commit for 3 days from %v on: %v", from, l.log)
		}
	}
	l := newCourse(t)
	l.until(89*day + 16*hour)
	l.failed = true
	l.until(92 * day)
	l.failed = false
	l.until(105 * day)
	l.steps(`0.00 make KSK
	0.00 make ZSK
	89.18 make ZSK
	92.08 activate ZSK
	102.16 remove ZSK`)
}

// TestUntold: while the servers are not told, no wait begins to run.
func TestUntold(t *testing.T) {
	l := newCourse(t)
	l.until(89*day + 20*hour)
	l.ev.Published.Untold = true
	for _, s := range Plan(l.keys, l.p, l.ev, testName, l.now.Add(5*day)) {
		if s.Due() {
			t.Errorf("due although nobody was told: %v", s)
		}
	}
}

// TestClockBack: with a clock behind the published generation no step is due.
func TestClockBack(t *testing.T) {
	l := newCourse(t)
	l.parent = follows(0)
	l.until(90 * day)
	for back := 3 * hour; back < 90*day; back *= 2 {
		for _, s := range Plan(l.keys, l.p, l.ev, testName, l.now.Add(-back)) {
			if s.Due() {
				t.Errorf("%v back: %v", back, s)
			}
		}
	}
}

// TestHalfSteps: a crash between two files of a step is found and finished in the
// next run, at once where the zone could not be signed otherwise.
func TestHalfSteps(t *testing.T) {
	begin := map[string]Request{
		"algorithm": {Algorithm: algECDSA}, "csk": {CSK: true}, "both": {KSK: true, ZSK: true}, "zsk": {ZSK: true},
	}
	for name, r := range begin {
		whole := rolled(t, r, func(s Step, k []Key) []Key { return Take(k, s) })
		half := rolled(t, r, func(s Step, k []Key) []Key {
			s.Also = nil
			return Take(k, s)
		})
		other := rolled(t, r, func(s Step, k []Key) []Key {
			if len(s.Also) > 0 && s.Action != ActionReady {
				s.Key = "" // only the others
			}
			return Take(k, s)
		})
		if whole != half || whole != other {
			t.Errorf("%s: states after it\n%s\nhalf\n%s\nother half\n%s", name, whole, half, other)
		}
	}
}

// rolled plays a roll in which some steps are taken once by a crashing hand.
func rolled(t *testing.T, r Request, crash func(Step, []Key) []Key) string {
	l := newCourse(t)
	l.p.ZSKLifetime = 0
	l.parent = follows(day)
	l.until(10 * day)
	l.roll(r)
	crashed := map[Action]bool{}
	for ; l.now.Before(l.start.Add(60 * day)); l.now = l.now.Add(l.every) {
		l.approve()
		l.ev.Parent = l.parent(l)
		if steps := Plan(l.keys, l.p, l.ev, testName, l.now); len(steps) > 0 && steps[0].Due() && !crashed[steps[0].Action] {
			crashed[steps[0].Action] = true
			l.keys = crash(steps[0], l.keys)
			continue // a run that crashed publishes nothing
		}
		l.run()
	}
	var states []string
	for _, k := range l.keys {
		states = append(states, fmt.Sprintf("%d %s %s cds %v", k.Algorithm, k.Role(), k.State(l.now), k.inCDS(l.now)))
	}
	return strings.Join(states, "\n")
}

// TestParentEvidence: what does not prove that every server has the DS does not
// count.
func TestParentEvidence(t *testing.T) {
	l := newCourse(t)
	l.parent = follows(0)
	l.until(10 * day)
	l.roll(Request{KSK: true})
	l.until(11 * day)
	l.approve()
	good := l.parent(l)
	k := l.keys[len(l.keys)-1]
	l.until(20 * day)
	if k.Timing.DSSeen = (time.Time{}); k.Flags != FlagsKSK {
		t.Fatal("the last key is no KSK")
	}
	bad := map[string]func(p *Parent){
		"zonefetch observe":            func(p *Parent) { p.Answers = nil },
		"believed: c: old; and 1 more": func(p *Parent) { p.Answers, p.Complete, p.Missing = nil, false, []string{"c: old", "d: old"} },
		"an answer of c: timeout":      func(p *Parent) { p.Complete, p.Missing = false, []string{"c: timeout"} },
		"every server":                 func(p *Parent) { p.Complete = false },
		"its DS at b":                  func(p *Parent) { p.Answers[1].DS = nil },
		"newer answers":                func(p *Parent) { p.Answers[0].Time = p.Answers[0].Time.Add(-25 * hour) },
		"not from the future": func(p *Parent) {
			p.Answers[0].Time, p.Answers[1].Time = p.Answers[0].Time.Add(hour), p.Answers[1].Time.Add(hour)
		},
		"its DS at a": func(p *Parent) { p.Answers[0].DS = []zone.Data{p.Answers[0].DS[0][:10]} },
	}
	now := l.start.Add(11*day - 2*hour)
	for want, spoil := range bad {
		p := Parent{Complete: good.Complete}
		for _, a := range good.Answers {
			a.Time = now
			p.Answers = append(p.Answers, a)
		}
		if at, missing := p.has(k, now); missing != "" || !at.Equal(now) {
			t.Fatalf("good evidence: %q", missing)
		}
		spoil(&p)
		if _, missing := p.has(k, now); !strings.Contains(missing, want) {
			t.Errorf("%q instead of %q", missing, want)
		}
	}
}

// A DS that is taken back keeps the old key.
func TestParentTakesBack(t *testing.T) {
	l := newCourse(t)
	l.p.ZSKLifetime = 0
	l.parent = follows(0)
	l.until(10 * day)
	first := l.parent(l).Answers[0].DS
	l.roll(Request{KSK: true})
	l.until(12 * day)
	l.approve()
	l.parent = func(l *course) Parent {
		return Parent{Complete: true, Answers: []ParentAnswer{{Server: "a", Time: l.now, DS: first}}}
	}
	l.until(30 * day)
	if got := l.log[len(l.log)-1]; !strings.HasSuffix(got, "ds-seen KSK") {
		t.Errorf("the last step is %s", got)
	}
}
