package sign

import (
	"testing"
	"time"
)

const lifeDay = 24 * time.Hour

// days lets time pass; what happens on a day is told by events.
func (l *life) days(n int, events map[int]func()) {
	start, done := l.now, map[int]bool{}
	for l.now.Before(start.AddDate(0, 0, n)) {
		if day := int(l.now.Sub(start) / lifeDay); events[day] != nil && !done[day] {
			done[day] = true
			events[day]()
		}
		if l.storm == nil || l.weather(l.storm) {
			l.run()
		} else {
			l.parent(l.wanted)
		}
		l.now = l.now.Add(lifeRun)
	}
	l.look()
}

// healthy fails the test if a resolver was led astray or a step was refused.
func (l *life) healthy(t *testing.T) {
	t.Helper()
	if len(l.bogus) > 0 {
		t.Errorf("%d bogus states, the first %s", len(l.bogus), l.bogus[0])
	}
	if l.dead != nil {
		t.Error(l.dead)
	}
	if len(l.refused) > 0 {
		t.Errorf("%d times a step was refused, first: %s", len(l.refused), l.refused[0])
	}
}

// TestLife: five years of what the planner does by itself.
func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(l *life) map[int]func()
		want map[Action]int
	}{
		"KSK and ZSK": {func(*life) map[int]func() { return nil }, map[Action]int{ActionMake: 20, ActionActivate: 15, ActionRemove: 15}},
		"CSK": {func(l *life) map[int]func() {
			l.p.CSK = true
			return nil
		}, map[Action]int{ActionMake: 4, ActionReady: 3, ActionRemove: 3}},
		"algorithms": {func(l *life) map[int]func() {
			return map[int]func(){300: func() { l.roll(algEd25519) }, 900: func() { l.roll(algECDSA) }, 1500: func() { l.roll(algRSA) }}
		}, map[Action]int{ActionPublish: 3, ActionRemove: 10}},
		"algorithms of a CSK": {func(l *life) map[int]func() {
			l.p.CSK = true
			return map[int]func(){300: func() { l.roll(algEd25519) }, 900: func() { l.roll(algECDSA) }}
		}, map[Action]int{ActionPublish: 2, ActionRemove: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 1)
			events := c.set(l)
			if raceEnabled {
				t.Log("SHORTENED under -race: 400 days, not five years")
				l.days(400, events)
				l.healthy(t)
				return
			}
			l.days(5*365, events) // decisions alone are fast
			l.healthy(t)
			t.Log(l.taken)
			for a, n := range c.want {
				if l.taken[a] < n {
					t.Errorf("%d times %s, want at least %d", l.taken[a], a, n)
				}
			}
		})
	}
}
