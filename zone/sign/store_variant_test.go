package sign

import (
	"math/rand/v2"
	"testing"
	"time"

	"nirzone/zone"
)

// TestVariantsIncremental is TestIncrementalEqualsFull for NSEC3, several
// algorithms and a CSK, with changes between NSEC and NSEC3.
func TestVariantsIncremental(t *testing.T) {
	for i, v := range []variant{
		{name: "NSEC3", keys: pairs(algEd25519), policy: nsec3},
		{name: "two algorithms", keys: named(algEd25519, algECDSA)},
		{name: "two algorithms, NSEC3", keys: pairs(algEd25519, algECDSA), policy: nsec3},
		{name: "CSK, NSEC3", keys: func(t testing.TB, name zone.Name) []Key { return []Key{aCSK(t, name, algEd25519, longAgo())} }, policy: nsec3},
		{name: "early", keys: early, policy: nsec3},
	} {
		t.Run(v.name, func(t *testing.T) {
			w := &randomWorld{shelf: newShelf(t, algEd25519, 60), r: rand.New(rand.NewPCG(2, uint64(i)))}
			w.keys, w.tweak = v.keys(t, testName), v.policy
			w.names = w.places()
			made, full := w.build().facts.Made, 0
			for step := range 40 {
				if w.r.IntN(15) == 0 {
					if w.tweak = nsec3; w.r.IntN(2) == 0 {
						w.tweak = nil
					}
				}
				if step%20 == 19 && len(w.keys) == 4 { // an algorithm comes and goes
					w.keys[2].Timing.Publish = w.now.Add(time.Hour)
					w.keys[3].Timing.Publish = w.now.Add(time.Hour)
				}
				if v.name == "NSEC3" {
					w.change()
				} else { // without the rolls of one algorithm
					w.place()
				}
				f := w.build().facts
				made, full = made+f.Made, full+f.Signatures
			}
			if made*2 > full {
				t.Errorf("%d signatures made of %d", made, full)
			}
			t.Logf("%d signatures made of %d", made, full)
		})
	}
}

// place delegates a name, or takes it away, or lets time go on.
func (w *randomWorld) place() {
	name := w.names[w.r.IntN(len(w.names))]
	if w.remove(name); w.r.IntN(3) > 0 {
		w.delegate(name)
	}
	if w.r.IntN(3) == 0 {
		w.now = w.now.Add(time.Duration(w.r.IntN(30*3600)) * time.Second)
	}
}

// TestOneChangeNSEC3: a delegation touches its own NSEC3 record and the one before
// it, and those of the empty names above that come with it.
func TestOneChangeNSEC3(t *testing.T) {
	s := newShelf(t, algEd25519, 600)
	s.tweak = nsec3
	s.build()
	for _, c := range []struct {
		owner zone.Name
		most  int // SOA, ZONEMD, and NSEC3 records
	}{{"200.0.", 4}, {"201.77.", 6}, {"1.2.3.", 8}} {
		s.z.Entries = append(s.z.Entries, entry(c.owner+testName, zone.TypeNS, zone.NSData("ns.new.example.")))
		sortEntries(s.z)
		if v := s.build(); v.facts.Made > c.most {
			t.Errorf("%s: %d signatures for one delegation", c.owner, v.facts.Made)
		}
	}
}
