package sign

import (
	"fmt"
	"testing"
	"time"
)

// A storm is what befalls a zone beside its plan.
type storm struct {
	until  time.Time // no run before
	saved  []Key     // a backup of the key folder
	savedA time.Time
}

// weather decides what happens before a run, and whether there is a run.
func (l *life) weather(s *storm) bool {
	if !l.now.Before(s.until) && l.random.IntN(400) == 0 { // cron is off for up to nine days
		s.until = l.now.Add(time.Duration(l.random.Int64N(int64(9 * lifeDay))))
	}
	if l.now.Before(s.until) {
		return false
	}
	l.torn = l.random.IntN(8) == 0    // a run dies in its first step
	l.silent = l.random.IntN(10) == 0 // the parent's servers do not answer
	switch {
	case l.random.IntN(100) == 0 && l.ev.Published != nil:
		s.saved, s.savedA = append([]Key{}, l.keys...), l.now
	case l.random.IntN(500) == 0 && s.saved != nil && l.now.Sub(s.savedA) < 10*lifeDay:
		l.restore(s.saved)
		s.saved = nil
	case l.random.IntN(3000) == 0:
		l.emergency()
	}
	return true
}

// restore puts an old key folder in place. If keys have been made since then that
// are in use, it is refused: staff put the newer one back.
func (l *life) restore(saved []Key) {
	if err := provePresent(saved, l.p, l.ev, l.now); err != nil {
		l.restoreRefused++
		return
	}
	l.keys = append([]Key{}, saved...)
	l.restored++
}

// emergency retires the key that signs the zone, as staff do who do not trust it
// any more.
func (l *life) emergency() {
	for i := range l.keys {
		k := &l.keys[i]
		if k.Flags == FlagsZSK && k.State(l.now) == StateActive && len(l.keys) < 100 {
			k.Timing.Retire = l.now
			l.emergencies++
			return
		}
	}
}

// TestLifeStorm: years in which things go wrong.
func TestLifeStorm(t *testing.T) {
	seeds, years := 2, 4
	if raceEnabled || testing.Short() {
		seeds, years = 1, 2
		t.Logf("SHORTENED: %d years of one seed a profile; without -race it is four years of two", years)
	}
	for _, csk := range []bool{false, true} {
		for seed := range seeds {
			t.Run(fmt.Sprintf("csk %t, seed %d", csk, seed), func(t *testing.T) {
				t.Parallel()
				l := newLife(t, uint64(seed))
				l.p.CSK, l.p.KSKLifetime = csk, 200*lifeDay
				l.storm = &storm{}
				algs := []uint8{algEd25519, algECDSA}
				events := map[int]func(){}
				for i, day := range []int{250, 700, 1200, 1600} {
					events[day] = func() { l.roll(algs[i%2]) }
				}
				l.days(years*365, events)
				t.Logf("%v, %d restored, %d restores refused, %d emergencies", l.taken, l.restored, l.restoreRefused, l.emergencies)
				l.healthy(t)
				if l.taken[ActionSign] > 20 || l.taken[ActionMake] > 60 { // it goes round in circles
					t.Errorf("%v steps in %d years", l.taken, years)
				}
			})
		}
	}
}
