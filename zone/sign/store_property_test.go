package sign

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"nirzone/zone"
)

// TestIncrementalEqualsFull makes random changes to a zone, its apex, its keys
// and the time. After each, the file made with the store that the last run left is
// the file made without one, and so is the store that is left (shelf.build); and no
// more signatures are made than the change explains. NIRZONE_STEPS sets how many.
func TestIncrementalEqualsFull(t *testing.T) {
	steps := 300
	if n, err := strconv.Atoi(os.Getenv("NIRZONE_STEPS")); err == nil {
		steps = n
	}
	for _, c := range []struct {
		alg   uint8
		steps int
	}{{algEd25519, steps}, {algECDSA, steps / 6}, {algRSA, steps / 100}} {
		t.Run(algorithmNames[c.alg], func(t *testing.T) {
			r := &randomWorld{shelf: newShelf(t, c.alg, 60), r: rand.New(rand.NewPCG(1, uint64(c.alg)))}
			r.keys = slices.Clone(r.keys)
			r.names = r.places()
			made, full := r.build().facts.Made, 0
			for step := range c.steps {
				what, most := r.change()
				v := r.build()
				if most >= 0 && v.facts.Made > most {
					t.Fatalf("step %d, %s: %d signatures were made, at most %d are explained", step, what, v.facts.Made, most)
				}
				made, full = made+v.facts.Made, full+v.facts.Signatures
			}
			t.Logf("%d steps: %d signatures made of %d", c.steps, made, full)
		})
	}
}

// A randomWorld changes.
type randomWorld struct {
	*shelf
	r     *rand.Rand
	names []zone.Name // that may be delegated
}

// places are /16s and /24s in them, so that a delegation may come above others.
func (w *randomWorld) places() []zone.Name {
	var list []zone.Name
	for i := range 12 {
		for j := range 12 {
			list = append(list, zone.Name(fmt.Sprintf("%d.%d.%s", j*17, i*19, testName)))
		}
		list = append(list, zone.Name(fmt.Sprintf("%d.%s", i*19, testName)))
	}
	return list
}

// change does something and returns what, and how many signatures that may take,
// -1 for any number.
func (w *randomWorld) change() (string, int) {
	due := 0
	if w.r.IntN(3) == 0 { // time goes on
		w.now = w.now.Add(time.Duration(w.r.IntN(3*3600)) * time.Second)
		due = 1 << 20
	}
	name := w.names[w.r.IntN(len(w.names))]
	switch k := w.r.IntN(40); {
	case k < 12:
		w.remove(name)
		w.delegate(name)
		return "delegate " + string(name), 5 + due
	case k < 22:
		gone := w.remove(name)
		return "remove " + string(name), 4 + due + gone
	case k < 30: // change what is there
		if w.remove(name) > 0 {
			w.delegate(name)
		}
		return "change " + string(name), 6 + due
	case k < 34:
		for range 15 {
			n := w.names[w.r.IntN(len(w.names))]
			w.remove(n)
			w.delegate(n)
		}
		return "many", -1
	case k == 34:
		w.z.SOA.RName = zone.Name(fmt.Sprintf("h%d.example.", w.r.IntN(9)))
		return "the SOA", 2 + due
	case k == 35:
		w.z.SOA.Minimum = uint32(600 + w.r.IntN(3))
		return "the TTL of NSEC", -1
	case k == 36:
		w.z.NS = []zone.Name{zone.Name(fmt.Sprintf("ns%d.example.", w.r.IntN(9)))}
		return "the apex NS", 3 + due
	case k == 37:
		w.now = w.now.AddDate(0, 0, w.r.IntN(12))
		return "days", -1
	case k == 38:
		return w.roll(), -1
	default:
		w.z.Entries = nil
		return "empty", 3 + due
	}
}

// remove takes a name, and glue below it, out of the zone and returns how many
// names went.
func (w *randomWorld) remove(name zone.Name) int {
	before := len(w.z.Entries)
	w.z.Entries = slices.DeleteFunc(w.z.Entries, func(e zone.Entry) bool { return e.Name.Within(name) })
	return before - len(w.z.Entries)
}

// delegate adds a delegation, unless one above it would hide it.
func (w *randomWorld) delegate(name zone.Name) {
	for up := name.Parent(); up != testName; up = up.Parent() {
		if slices.ContainsFunc(w.z.Entries, func(e zone.Entry) bool { return e.Name == up }) {
			return
		}
	}
	ttl := uint32(86400 - 60*w.r.IntN(2))
	add := func(n zone.Name, t zone.Type, d zone.Data) {
		w.z.Entries = append(w.z.Entries, zone.Entry{Record: zone.Record{Name: n, Type: t, TTL: ttl, Data: d}, Line: 1})
	}
	for i := range 1 + w.r.IntN(3) {
		add(name, zone.TypeNS, zone.NSData(zone.Name(fmt.Sprintf("ns%d.isp%d.example.", i, w.r.IntN(5)))))
	}
	if w.r.IntN(3) == 0 {
		add(name, zone.TypeDS, testDS(w.r.IntN(9), 2))
	}
	if w.r.IntN(4) == 0 {
		add(name, zone.TypeNS, zone.NSData("ns."+name))
		add("ns."+name, zone.TypeA, zone.Data([]byte{192, 0, 2, byte(w.r.IntN(9))}))
	}
	if w.r.IntN(5) == 0 {
		add(name, zone.TypeA, zone.Data([]byte{192, 0, 2, byte(w.r.IntN(9))}))
	}
	sortEntries(w.z)
}

// roll makes a new ZSK that takes over in two days, or forgets one that went.
func (w *randomWorld) roll() string {
	gone := func(k Key) bool { return reached(k.Timing.Remove, w.now) }
	if slices.ContainsFunc(w.keys, gone) { // and the store has been sealed anew
		w.keys = slices.DeleteFunc(w.keys, gone)
		return "a key's file goes"
	}
	if len(w.keys) > 2 {
		w.now = w.now.AddDate(0, 0, 14)
		return "a key goes"
	}
	next, err := makeKey(Step{Zone: testName, Flags: FlagsZSK, Algorithm: w.keys[0].Algorithm}, w.keys, w.now, testRandom(fmt.Sprint(w.r.Uint64())))
	must(w.t, err)
	next.Timing = Timing{Created: w.now, Publish: w.now, Ready: w.now.AddDate(0, 0, 1), Active: w.now.AddDate(0, 0, 2)}
	w.keys[1].Timing.Retire, w.keys[1].Timing.Remove = next.Timing.Active, w.now.AddDate(0, 0, 13)
	w.keys = append(w.keys, next)
	return "a key comes"
}
