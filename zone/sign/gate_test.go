package sign

import (
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// gateCase is a zone with a KSK and a ZSK that is published since ten days.
type gateCase struct {
	keys    []Key
	before  []zone.KeyRecord
	known   bool
	past    zone.TTLPeriods
	trusted []string
}

func (c *gateCase) key(role string) *Key {
	for i := range c.keys {
		if c.keys[i].Role() == role {
			return &c.keys[i]
		}
	}
	return nil
}

func newGateCase(t *testing.T) *gateCase {
	l := newCourse(t)
	l.until(10 * day)
	return &gateCase{keys: l.keys, before: l.ev.Published.Keys}
}

// other makes a key for the zone that nobody knows.
func other(t *testing.T, flags uint16, timing Timing) Key {
	t.Helper()
	k, err := Draw(Step{Zone: testName, Flags: flags, Algorithm: algEd25519, Timing: timing}, nil, testRandom(t.Name()+"other"))
	must(t, err)
	return k
}

func TestCheckSet(t *testing.T) {
	now := testNow.Add(10 * day)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		change func(t *testing.T, c *gateCase)
		want   string // "": accepted
	}{
		"nothing":         {func(*testing.T, *gateCase) {}, ""},
		"never published": {func(_ *testing.T, c *gateCase) { c.before, c.keys = nil, nil }, ""},
		"unknown key": {func(t *testing.T, c *gateCase) {
			c.keys = append(c.keys, other(t, FlagsZSK, Timing{Publish: ago(0)}))
		}, "is new and no step made it"},
		"known key": {func(t *testing.T, c *gateCase) {
			c.known, c.keys = true, append(c.keys, other(t, FlagsZSK, Timing{Publish: ago(0)}))
		}, ""},
		"known key that signs at once": {func(t *testing.T, c *gateCase) {
			c.known, c.keys = true, append(c.keys, other(t, FlagsZSK, Timing{Publish: ago(0), Active: ago(0)}))
		}, "signs and was not published before"},
		"key that signs too soon": {func(t *testing.T, c *gateCase) {
			k := other(t, FlagsZSK, Timing{Publish: ago(hour), Active: ago(0)})
			c.known, c.keys = true, append(c.keys, k)
			c.before = append(c.before, zone.KeyRecord{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags, Digest: k.Digest(), Since: ago(hour)})
		}, "signs and is published only since"},
		"spare key": {func(t *testing.T, c *gateCase) { c.keys = append(c.keys, other(t, FlagsZSK, Timing{})) }, ""},
		"key away":  {func(_ *testing.T, c *gateCase) { c.keys = c.keys[:1] }, "is published and not among the zone's keys"},
		"other key with its tag": {func(t *testing.T, c *gateCase) {
			c.key("ZSK").Public = append([]byte{}, c.key("ZSK").Public...)
			c.key("ZSK").Public[3] ^= 1
		}, "not among the zone's keys"},
		"ZSK removed while it signs": {func(_ *testing.T, c *gateCase) {
			c.key("ZSK").Timing.Retire, c.key("ZSK").Timing.Remove = ago(0), ago(0)
		}, "signatures by it are in the zone"},
		"ZSK removed when it is gone": {func(_ *testing.T, c *gateCase) {
			k := c.key("ZSK")
			k.Timing.Retire, k.Timing.Remove = ago(9*day), ago(0)
			findRecord(c.before, k).Idle = ago(31 * hour)
		}, ""},
		"ZSK removed an hour early": {func(_ *testing.T, c *gateCase) {
			k := c.key("ZSK")
			k.Timing.Retire, k.Timing.Remove = ago(9*day), ago(0)
			findRecord(c.before, k).Idle = ago(29 * hour)
		}, "or in caches"},
		"ZSK removed when it is gone, but not from caches": {func(_ *testing.T, c *gateCase) {
			k := c.key("ZSK")
			k.Timing.Retire, k.Timing.Remove = ago(9*day), ago(0)
			findRecord(c.before, k).Idle = ago(31 * hour)
			c.past = zone.TTLPeriods{{Keys: 3600, Data: 172800, Until: ago(40 * hour)}, {Keys: 3600, Data: 86400, Since: ago(40 * hour)}}
		}, "or in caches"},
		"key that signs too soon for a TTL that was longer": {func(t *testing.T, c *gateCase) {
			k := other(t, FlagsZSK, Timing{Publish: ago(8 * hour), Active: ago(0)})
			c.known, c.keys = true, append(c.keys, k)
			c.before = append(c.before, zone.KeyRecord{Tag: k.Tag, Algorithm: k.Algorithm, Flags: k.Flags, Digest: k.Digest(), Since: ago(8 * hour)})
			c.past = zone.TTLPeriods{{Keys: 3 * 3600, Data: 86400}}
		}, "signs and is published only since"},
		"KSK removed, the other's DS not seen": {func(t *testing.T, c *gateCase) {
			c.key("KSK").Timing.Remove = ago(0)
			c.known, c.keys = true, append(c.keys, other(t, FlagsKSK, Timing{Publish: ago(9 * day), Active: ago(9 * day), Ready: ago(8 * day)}))
		}, "no other key's DS was seen"},
		"KSK removed": {func(t *testing.T, c *gateCase) {
			c.key("KSK").Timing.Remove = ago(0)
			c.known, c.keys = true, append(c.keys, other(t, FlagsKSK, Timing{Publish: ago(9 * day), Active: ago(9 * day), Ready: ago(8 * day), DSSeen: ago(3 * day)}))
		}, ""},
		"trusted": {func(t *testing.T, c *gateCase) {
			c.keys = []Key{c.keys[0], other(t, FlagsZSK, Timing{Publish: ago(0), Active: ago(0)})}
			c.trusted = []string{c.keys[1].Digest(), c.keys[0].Digest()}
		}, ""},
		"trusted in part": {func(t *testing.T, c *gateCase) {
			c.keys = []Key{c.keys[0], other(t, FlagsZSK, Timing{Publish: ago(0), Active: ago(0)})}
			c.trusted = []string{c.keys[1].Digest()}
		}, "nobody planned"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateCase(t)
			c.change(t, g)
			p := coursePolicy()
			p.Past = g.past
			err := CheckSet(g.keys, p, g.before, func(Key) bool { return g.known }, g.trusted, testName, now)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, wanted %q", err, c.want)
			}
		})
	}
}

// TestRecordsOfOlderGenerations: without digests, tags tell keys.
func TestRecordsOfOlderGenerations(t *testing.T) {
	g := newGateCase(t)
	for i := range g.before {
		g.before[i].Digest = ""
	}
	if err := CheckSet(g.keys, coursePolicy(), g.before, func(Key) bool { return false }, nil, testName, testNow.Add(10*day)); err != nil {
		t.Error(err)
	}
	for _, r := range Records(g.before, g.keys, coursePolicy().SigningConfig, testNow.Add(12*day), testNow.Add(10*day)) {
		if r.Digest == "" || !r.Since.Equal(testNow) {
			t.Errorf("record %+v", r)
		}
	}
}

// TestEnds: planned times of all keys together say until when the zone can be
// signed.
func TestEnds(t *testing.T) {
	g := newGateCase(t)
	now := testNow.Add(10 * day)
	if end := Ends(g.keys, testName, now); !end.IsZero() {
		t.Errorf("ends %v", end)
	}
	g.key("ZSK").Timing.Retire = now.Add(day)
	if end := Ends(g.keys, testName, now); !end.IsZero() {
		t.Errorf("a retired key still signs its slots, not until %v", end)
	}
	g.key("ZSK").Timing.Remove = now.Add(5 * day)
	if end := Ends(g.keys, testName, now); !end.Equal(now.Add(5 * day)) {
		t.Errorf("ends %v", end)
	}
	if end := Ends(nil, testName, now); !end.Equal(now) {
		t.Errorf("without keys it ends %v", end)
	}
}

// TestRecordsAgree: the records say of each key what the signed zone shows, at
// every run of rolls of every kind.
func TestRecordsAgree(t *testing.T) {
	for _, r := range []Request{{ZSK: true}, {ZSK: true, Emergency: true}, {CSK: true}, {Algorithm: algECDSA}} {
		l := newCourse(t)
		l.p.ZSKLifetime, l.every, l.off = 0, 10*hour, true
		l.parent = follows(day)
		l.until(3 * day)
		l.roll(r)
		for range 50 {
			l.approve()
			l.run()
			signers := map[uint16]bool{}
			set, err := newKeySet(testName, l.keys, l.now)
			must(t, err)
			c, err := newClock(testName, set.zone, l.p.SigningConfig, l.now)
			must(t, err)
			names := [][]byte{testName.AppendWire(nil)}
			for _, e := range l.zone.Entries {
				names = append(names, e.Name.AppendWire(nil))
			}
			for _, n := range names {
				for _, k := range c.keys(nil, c.start(n)) {
					signers[k.Tag] = true
				}
			}
			for _, k := range l.keys {
				rec := findRecord(l.ev.Published.Keys, &k)
				idle := rec == nil || rec.Signs.IsZero() || !rec.Idle.IsZero()
				if signers[k.Tag] && idle {
					t.Errorf("%+v, %s: %s %d signs, its record is %+v", r, l.day(), k.Role(), k.Tag, rec)
				}
				if in := rec != nil && !rec.Since.IsZero() && rec.Gone.IsZero(); in != k.published(l.now) {
					t.Errorf("%+v, %s: %s %d is in the DNSKEY set %v, its record is %+v", r, l.day(), k.Role(), k.Tag, k.published(l.now), rec)
				}
			}
			l.now = l.now.Add(l.every)
		}
	}
}
