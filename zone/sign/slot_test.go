package sign

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"
)

// TestSlots runs every 2 hours for two slots: each name is signed anew exactly
// once a slot, about 1/11 of them a day, and no signature ever has less than 10
// days, minus the 2 hours between runs, left.
func TestSlots(t *testing.T) {
	const (
		day   = 24 * time.Hour
		names = 5000
		runs  = 11 * 12
	)
	p := testPolicy(algECDSA)
	parent, _ := testName.Prefix()
	var owners [][]byte
	for i := range names {
		owners = append(owners, delegation(t, parent, i).AppendWire(nil))
	}
	keys := []Key{{Zone: testName, Flags: FlagsZSK, Timing: Timing{Publish: testNow.Add(-99 * day), Active: testNow.Add(-99 * day)}}}
	last, changes := make([]int64, names), make([]int, names)
	perDay := make([]int, 11)
	for run := range runs + 1 {
		now := testNow.Add(time.Duration(run) * 2 * time.Hour)
		c, err := newClock(testName, [][]Key{keys}, p, now)
		must(t, err)
		for i, o := range owners {
			start := c.start(o)
			left := time.Unix(start, 0).Add(p.Validity).Sub(now)
			if start > now.Unix() || left <= 10*day-2*time.Hour || left <= p.Alarm {
				t.Fatalf("run %d: name %d has %v left", run, i, left)
			}
			if run > 0 && start != last[i] {
				changes[i]++
				perDay[(run-1)/12]++
			}
			last[i] = start
		}
	}
	for i, n := range changes {
		if n != 1 {
			t.Fatalf("name %d was signed anew %d times in 11 days", i, n)
		}
	}
	for d, n := range perDay {
		if math.Abs(float64(n)-names/11.0) > 5*math.Sqrt(names/11.0) {
			t.Errorf("on day %d %d names were signed anew, %d would be even", d, n, names/11)
		}
	}
}

// TestSlotPhaseHasZone: the same name in two zones has two phases, and times
// before 1970 have slots too.
func TestSlotEdges(t *testing.T) {
	c := clock{now: -5, slot: 100, origin: testName.AppendWire(nil)}
	for i := range 100 {
		start := c.start([]byte{byte(i)})
		if start > c.now || start <= c.now-c.slot {
			t.Errorf("start %d of a slot at %d", start, c.now)
		}
		c.now++
	}
	a, b := clock{now: 1e9, slot: 1e6, origin: []byte{1, 'a', 0}}, clock{now: 1e9, slot: 1e6, origin: []byte{1, 'b', 0}}
	if a.start([]byte{1, 'x', 0}) == b.start([]byte{1, 'x', 0}) {
		t.Error("the zone does not count in the phase")
	}
}

// TestSlotBatches: all names of a zone come due at 11 moments of a slot, a day
// apart, and zones at other times of the day.
func TestSlotBatches(t *testing.T) {
	const day = 24 * 3600
	times := map[int64]bool{}
	for z := range 50 {
		c := clock{now: 1e9, slot: 11 * day, origin: []byte{2, 'z', byte('a' + z), 0}}
		starts := map[int64]bool{}
		for i := range 300 {
			starts[c.start([]byte{2, byte(i), byte(i >> 8), 0})] = true
		}
		if len(starts) != batches {
			t.Fatalf("names come due at %d moments of a slot, not %d", len(starts), batches)
		}
		for s := range starts {
			times[s%day] = true
		}
	}
	if len(times) < 45 {
		t.Errorf("50 zones come due at %d times of the day", len(times))
	}
}

// TestRefreshedSignatures signs a real zone over 11 days, every 12 hours, and
// looks at the file: exactly the signatures of names whose slot ended change.
func TestRefreshedSignatures(t *testing.T) {
	z, keys := testZone(t, testName, 60), testKeys(t, testName, algEd25519)
	changes := map[string]int{}
	var prior Prior
	last := map[string]string{}
	for run := range 23 {
		now := testNow.Add(time.Duration(run) * 12 * time.Hour)
		s := mustSign(t, z, keys, prior, now)
		if _, err := Verify(context.Background(), s, z, keys, now); err != nil {
			t.Fatal(err)
		}
		prior = Prior{Serial: s.facts.Serial, Body: s.facts.Body, Known: true}
		for owner, sig := range nsecSignatures(fileOf(s)) {
			if run > 0 && last[owner] != sig {
				changes[owner]++
			}
			last[owner] = sig
		}
	}
	for owner := range last {
		if changes[owner] != 1 {
			t.Errorf("%s was signed anew %d times in 11 days", owner, changes[owner])
		}
	}
}

func nsecSignatures(file []byte) map[string]string {
	found := map[string]string{}
	for _, l := range bytes.Split(file, []byte("\n")) {
		f := strings.SplitN(string(l), "\t", 5)
		if len(f) == 5 && f[3] == "RRSIG" && strings.HasPrefix(f[4], "NSEC ") {
			found[f[0]] = f[4]
		}
	}
	return found
}

// TestSlotKeys: a slot is signed by the ZSK active at its start; a retired key
// keeps its slots; where none was active it is the first.
func TestSlotKeys(t *testing.T) {
	at := func(d int) time.Time { return testNow.AddDate(0, 0, d) }
	a := Key{Tag: 1, Flags: FlagsZSK, Timing: Timing{Publish: at(0), Active: at(0), Retire: at(20), Remove: at(40)}}
	b := Key{Tag: 2, Flags: FlagsZSK, Timing: Timing{Publish: at(10), Active: at(20)}}
	for _, c := range []struct {
		now, start int
		want       uint16
	}{
		{1, -9, 1}, // younger than its slot
		{1, 0, 1},
		{15, 12, 1},
		{20, 19, 1}, // a keeps what it signed
		{20, 20, 2},
		{30, 20, 2},
		{30, 19, 1},
		{41, 30, 2}, // a is gone
		{41, 19, 2},
	} {
		clk, err := newClock(testName, zoneSigners([]Key{a, b}, at(c.now)), testPolicy(algECDSA), at(c.now))
		must(t, err)
		if got := clk.keys(nil, at(c.start).Unix())[0].Tag; got != c.want {
			t.Errorf("day %d, slot of day %d: key %d instead of %d", c.now, c.start, got, c.want)
		}
	}
}

// TestRoll follows a prepared ZSK roll through the file: every signature moves
// to the new key within one slot, none before it is due, and each file verifies.
func TestRoll(t *testing.T) {
	z, keys := testZone(t, testName, 40), testKeys(t, testName, algEd25519)
	next, err := makeKey(Step{Zone: testName, Flags: FlagsZSK, Algorithm: algEd25519}, keys, testNow, testRandom("next"))
	must(t, err)
	next.Timing = Timing{Created: testNow, Publish: testNow, Ready: testNow.AddDate(0, 0, 1), Active: testNow.AddDate(0, 0, 2)}
	keys[1].Timing.Retire, keys[1].Timing.Remove = next.Timing.Active, testNow.AddDate(0, 0, 15)
	keys = append(keys, next)
	counts := []int{}
	for d := range 18 {
		now := testNow.AddDate(0, 0, d)
		s := mustSign(t, z, keys, Prior{}, now)
		if _, err := Verify(context.Background(), s, z, keys, now); err != nil {
			t.Fatalf("day %d: %v", d, err)
		}
		counts = append(counts, bytes.Count(fileOf(s), []byte(" "+zoneTag(next)+" "+string(testName))))
	}
	total := mustSign(t, z, keys, Prior{}, testNow).facts.Signatures - 1
	for d, n := range counts {
		if d < 2 && n != 0 || d > 2 && n < counts[d-1] || d >= 13 && n != total {
			t.Errorf("day %d: %d of %d signatures are by the new key", d, n, total)
		}
	}
}

func zoneTag(k Key) string { return strings.TrimLeft(k.ID[len(k.ID)-5:], "0") }
