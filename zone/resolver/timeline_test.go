package resolver

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestInsecure: without a DS nothing is bogus, and a DS set that comes makes it
// so when it comes.
func TestInsecure(t *testing.T) {
	s := standing()
	s.keys[1].publish, s.keys[1].remove = 300*day, 300*day // the data's key is never there
	s.keys[0].dsFrom = 100 * day
	got := s.first(t)
	if got == nil || !got.From.Equal(at(100*day)) {
		t.Errorf("got %v, want a state from %v", got, at(100*day))
	}
	s.keys[0].dsFrom = -1
	if got := s.first(t); got != nil {
		t.Errorf("an insecure zone is bogus: %s", got)
	}
}

// TestEitherDS: a parent that may or may not have acted is two DS sets at once,
// and both must do.
func TestEitherDS(t *testing.T) {
	a, b := key(1, 13), key(2, 13)
	tl := Timeline{
		DS: []Set{{From: at(0), Keys: []Key{a}}, {From: at(day), Keys: []Key{b}}},
		DNSKEY: []Set{
			{From: at(0), Until: at(2 * day), Keys: []Key{a, b}, Signers: []Key{a, b}},
			{From: at(2 * day), Keys: []Key{b}, Signers: []Key{b}},
		},
		Data: []Set{{From: at(0), Signers: []Key{b}}},
	}
	got := tl.Bogus(at(0), time.Time{})
	if len(got) != 1 || !got[0].From.Equal(at(2*day)) || !got[0].Until.IsZero() || got[0].DS.Keys[0] != a {
		t.Errorf("got %v", got)
	}
	if got := tl.Bogus(at(0), at(2*day)); len(got) != 0 {
		t.Errorf("a state outside the span is reported: %v", got)
	}
}

// TestText: a state can be read.
func TestText(t *testing.T) {
	s := zskRoll()
	s.keys[2].publish = 22 * day
	const want = "from 2027-01-23 00:00:00 to 2027-01-23 02:00:00: a resolver with the DS set of 1/13 (published 2027-01-01 00:00:00 to 2027-07-20 00:00:00), " +
		"the DNSKEY set of 1/13, 2/13 (published 2027-01-01 00:00:00 to 2027-01-23 00:00:00), signed by 1/13, " +
		"and data with signatures by 3/13 (published 2027-01-23 00:00:00 to 2027-07-31 00:00:00): " +
		"of algorithm 13, no signature of the data is by a key of the DNSKEY set (RFC 4035, sections 2.2 and 5.3.1)"
	if got := s.first(t).String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCovers: a state that is there without a step, and as long, is not the
// step's fault.
func TestCovers(t *testing.T) {
	s := zskRoll()
	s.keys[2].publish = 22 * day
	a := *s.first(t)
	later, longer, other := a, a, a
	later.From = a.From.Add(time.Second)
	longer.Until = time.Time{}
	other.Why = "x"
	if !a.Covers(&a) || !a.Covers(&later) || a.Covers(&longer) || a.Covers(&other) || later.Covers(&a) || !longer.Covers(&a) {
		t.Error("Covers is wrong")
	}
}

// brute asks at every tick for every combination, in the most simple-minded way.
func brute(tl *Timeline, from, until time.Time, tick time.Duration) bool {
	holds := func(s *Set, delay time.Duration, now time.Time) bool {
		return !now.Before(s.From) && (s.Until.IsZero() || now.Before(s.Until.Add(delay+s.TTL)))
	}
	signs := func(set []Key, alg uint8, also ...[]Key) bool {
		return slices.ContainsFunc(set, func(k Key) bool {
			for _, a := range also {
				if !slices.Contains(a, k) {
					return false
				}
			}
			return k.Algorithm == alg
		})
	}
	for now := from; now.Before(until); now = now.Add(tick) {
		for _, ds := range tl.DS {
			for _, ks := range tl.DNSKEY {
				for _, d := range tl.Data {
					if !holds(&ds, tl.ParentDelay, now) || !holds(&ks, tl.Delay, now) || !holds(&d, tl.Delay, now) {
						continue
					}
					for _, k := range ds.Keys {
						if !signs(ds.Keys, k.Algorithm, ks.Keys, ks.Signers) {
							return true
						}
					}
					for _, k := range ks.Keys {
						if len(ds.Keys) > 0 && !signs(d.Signers, k.Algorithm, ks.Keys) {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

// TestBrute: intervals and a clock that ticks agree, on procedures whose times
// are moved about at random.
func TestBrute(t *testing.T) {
	r := rand.New(rand.NewPCG(7583, 1))
	safe, bogus := 0, 0
	names := []string{"standing", "ZSK", "KSK", "algorithm", "CSK"}
	for range 400 {
		s := procedures[names[r.IntN(len(names))]]()
		s.validity, s.until = 0, 80*day
		for range r.IntN(3) {
			k := &s.keys[r.IntN(len(s.keys))]
			for _, m := range []*time.Duration{&k.publish, &k.active, &k.retire, &k.remove, &k.dsFrom, &k.dsUntil} {
				if *m > 0 && r.IntN(3) == 0 {
					*m = max(0, *m+time.Duration(r.IntN(97)-48)*hour)
				}
			}
		}
		tl := s.timeline()
		found := tl.Bogus(at(0), at(s.until))
		if want := brute(tl, at(0), at(s.until), hour); want != (len(found) > 0) {
			t.Fatalf("the ticking clock says %t, intervals say %v of %+v", want, found, s.keys)
		}
		if len(found) > 0 {
			bogus++
		} else {
			safe++
		}
		if !slices.IsSortedFunc(found, func(a, b State) int { return a.From.Compare(b.From) }) {
			t.Fatal("the states are out of order")
		}
	}
	if safe < 40 || bogus < 40 {
		t.Errorf("%d safe and %d bogus: that tests one side only", safe, bogus)
	}
}

// TestAlike and friends: two spellings of one key set are one.
func TestOneIdentity(t *testing.T) {
	a, b := key(1, 13), key(2, 8)
	if list([]Key{a, b, a}) != "2/8, 1/13" || identity([]Key{a, b}) != identity([]Key{b, a}) || list(nil) != "nobody" {
		t.Error("order or repetition matters")
	}
	if c := a; identity([]Key{a}) == identity([]Key{{ID: "other", Tag: c.Tag, Algorithm: c.Algorithm}}) {
		t.Error("two keys of one tag are one")
	}
	if !strings.Contains(stamp(at(0)), "2027-01-01") {
		t.Error(stamp(at(0)))
	}
}

func BenchmarkBogus(b *testing.B) {
	tl := algorithmRoll().timeline()
	for b.Loop() {
		if len(tl.Bogus(at(0), at(200*day))) > 0 {
			b.Fatal("bogus")
		}
	}
}
