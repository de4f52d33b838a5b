package sign

import (
	"strings"
	"testing"
	"time"
)

// impatient takes steps of an action without what they wait for.
func impatient(a Action, role, wait string) func(l *life) {
	return func(l *life) {
		l.fault = func(s *Step) {
			if s.Action != a || s.Role() != role || !strings.Contains(strings.Join(s.Waits, ";"), wait) {
				return
			}
			s.Waits = nil
			if l.random.IntN(6) > 0 {
				s.Waits = []string{"a bad moment"}
			}
		}
	}
}

// hasty changes the times of steps of an action.
func hasty(a Action, role string, change func(l *life, s *Step)) func(l *life) {
	return func(l *life) {
		l.fault = func(s *Step) {
			if s.Action == a && s.Role() == role {
				change(l, s)
			}
		}
	}
}

// lifeFaults are mistakes of a planner. Each must be seen by the model when steps
// are taken without proof, and be refused by Prove before it does harm.
var lifeFaults = []struct {
	name  string
	fault func(l *life)
	rolls bool // needs an algorithm roll
	csk   bool
}{
	{name: "a ZSK is active before caches have it", fault: impatient(ActionActivate, "ZSK", "caches to have it")},
	{name: "a ZSK is active at once", fault: hasty(ActionMake, "ZSK", func(l *life, s *Step) {
		if s.Due() && l.ev.Published != nil {
			s.Timing.Active = l.now
		}
	})},
	{name: "a ZSK goes while its signatures are in the zone", fault: impatient(ActionRemove, "ZSK", "its last signatures to leave the zone and caches")},
	{name: "a ZSK goes while its signatures are cached", fault: impatient(ActionRemove, "ZSK", "its last signatures to leave the zone and caches until")},
	{name: "a ZSK goes when it retires", fault: hasty(ActionActivate, "ZSK", func(l *life, s *Step) {
		for i := range s.Also {
			s.Also[i].Timing.Remove = l.now
		}
	})},
	{name: "a removal is planned too early", fault: func(l *life) {
		l.fault = func(s *Step) {
			if s.Action == ActionUnplan {
				s.Waits = []string{"nothing"}
			}
			for i := range s.Also {
				if s.Action == ActionActivate && s.Role() == "ZSK" {
					s.Also[i].Timing.Remove = l.now.Add(l.p.Slot)
				}
			}
		}
	}},
	{name: "a DS is asked for before caches have the KSK", fault: func(l *life) {
		l.slow = 0
		impatient(ActionReady, "KSK", "caches to have it")(l)
	}},
	{name: "a DS is asked for with the key's publication", fault: func(l *life) {
		l.slow = 0
		hasty(ActionMake, "KSK", func(l *life, s *Step) { s.Timing.Ready = s.Timing.Publish })(l)
	}},
	{name: "a KSK goes before its successor's DS is there", fault: impatient(ActionRemove, "KSK", "at the parent")},
	{name: "a KSK goes while its DS is cached", fault: impatient(ActionRemove, "KSK", "DS sets without it to leave caches until")},
	{name: "a KSK does not sign", fault: func(l *life) {
		l.fault = func(s *Step) {
			if s.Role() == "KSK" && l.ev.Published != nil && (s.Action == ActionMake || s.Action == ActionReady) {
				s.Timing.Active = time.Time{}
			}
		}
	}},
	{name: "a CSK goes while its signatures are in the zone", csk: true, fault: impatient(ActionRemove, "CSK", "its last signatures")},
	{name: "a CSK signs data before caches have it", csk: true, fault: hasty(ActionMake, "CSK", func(l *life, s *Step) {
		if s.Due() && l.ev.Published != nil {
			s.Timing.Active = l.now
		}
	})},
	{name: "keys of an algorithm before its signatures", rolls: true, fault: impatient(ActionPublish, "ZSK", "caches to have its signatures")},
	{name: "keys of an algorithm with its signatures", rolls: true, fault: hasty(ActionMake, "KSK", func(l *life, s *Step) {
		if s.Algorithm == algEd25519 {
			s.Timing.Publish = l.now
		}
	})},
	{name: "the DS of an algorithm before its keys are cached", rolls: true, fault: func(l *life) {
		l.slow = 0
		impatient(ActionReady, "KSK", "caches to have it")(l)
	}},
	{name: "an old algorithm goes while its DS is cached", rolls: true, fault: impatient(ActionRemove, "KSK", "DS sets without it to leave caches until")},
	{name: "old signatures go with the old keys", rolls: true, fault: hasty(ActionRemove, "KSK", func(l *life, s *Step) {
		if s.Algorithm == algECDSA && l.p.Algorithm == algEd25519 {
			s.Timing.Retire = l.now
			for i := range s.Also {
				s.Also[i].Timing.Retire = l.now
			}
		}
	})},
}

func (l *life) faulty(rolls, csk bool) {
	l.p.KSKLifetime, l.p.CSK = 150*lifeDay, csk
	var events map[int]func()
	if rolls {
		l.p.KSKLifetime = 0
		events = map[int]func(){60: func() { l.roll(algEd25519) }}
	}
	l.days(250, events)
}

// TestSeededPlans: the model sees what a wrong plan does, and Prove refuses it.
func TestSeededPlans(t *testing.T) {
	for i, c := range lifeFaults {
		if raceEnabled && i%6 > 0 {
			t.Logf("SKIPPED under -race: %s", c.name)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// A zone's names come due at one time of the day: what a fault does to
			// them depends on the hour of the step. One that shows it is enough.
			hour := 0
			for ; hour < 24; hour += 2 {
				free := newLife(t, 7)
				free.now = free.now.Add(time.Duration(hour) * time.Hour)
				free.unproved = true
				c.fault(free)
				free.faulty(c.rolls, c.csk)
				if len(free.bogus) > 0 || free.dead != nil {
					break
				}
			}
			if hour == 24 {
				t.Error("the model sees nothing of it")
			}
			proved := newLife(t, 7)
			proved.now = proved.now.Add(time.Duration(hour) * time.Hour)
			c.fault(proved)
			proved.faulty(c.rolls, c.csk)
			if len(proved.refused) == 0 {
				t.Error("no proof refuses it")
			} else {
				t.Log(proved.refused[0])
			}
			if len(proved.bogus) > 0 || proved.dead != nil {
				t.Errorf("it is done in spite of the proof: %v %v", proved.bogus, proved.dead)
			}
		})
	}
}

// TestSeededWorlds: where the world is worse than the policy believes, the model
// sees it; nothing else can.
func TestSeededWorlds(t *testing.T) {
	for name, worse := range map[string]func(l *life){
		"the DNSKEY set has a longer TTL": func(l *life) { l.dnskey = 12 * time.Hour },
		"data has a longer TTL":           func(l *life) { l.data = 9 * lifeDay },
		"DS sets have a longer TTL":       func(l *life) { l.ds = 9 * lifeDay },
		"secondaries are slower":          func(l *life) { l.world.Delay = 3 * lifeDay },
		"signatures are short":            func(l *life) { l.p.Validity = l.p.Slot + lifeRun; l.p.Propagation = time.Hour },
		"resolvers' clocks are off":       func(l *life) { l.world.Skew = 2 * time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 7)
			worse(l)
			l.faulty(false, false)
			if len(l.bogus) == 0 {
				t.Error("the model sees nothing of it")
			}
		})
	}
}
