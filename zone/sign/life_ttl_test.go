package sign

import (
	"testing"
	"time"
)

// ttls has the configuration, and what is published, get other TTLs.
func (l *life) ttls(dnskey, data time.Duration) {
	l.moved = l.moved || dnskey != l.dnskey || data != l.data
	l.dnskey, l.data = dnskey, data
	l.p.DNSKEYTTL, l.p.MaxTTL = uint32(dnskey/time.Second), data
}

// flapping lets the TTLs go down and up again, most often when a step is due: then
// caches hold what was published before for longer than today's TTLs say.
func (l *life) flapping(days int) {
	for range days {
		l.days(1, map[int]func(){0: func() {
			due := len(Plan(l.keys, l.p, l.ev, testName, l.now.Add(lifeDay))) > 0 && l.random.IntN(2) == 0
			if low := l.dnskey == time.Hour; due != low && l.random.IntN(3) > 0 {
				l.ttls(map[bool]time.Duration{true: time.Hour, false: 4 * lifeDay}[!low], map[bool]time.Duration{true: lifeDay, false: 6 * lifeDay}[!low])
			}
		}})
	}
}

// TestLifeLoweredTTL: TTLs that are lowered just before a step do not bring the step
// forward, in any roll; a planner that forgets them leads resolvers astray.
func TestLifeLoweredTTL(t *testing.T) {
	days := 500
	if raceEnabled {
		t.Log("SHORTENED under -race: 150 days, not 500")
		days = 150
	}
	for name, set := range map[string]func(l *life){
		"KSK and ZSK": func(l *life) { l.p.ZSKLifetime, l.p.KSKLifetime = 40*lifeDay, 100*lifeDay },
		"CSK":         func(l *life) { l.p.CSK, l.p.KSKLifetime = true, 60*lifeDay },
		"algorithm": func(l *life) {
			l.p.KSKLifetime = 0
			l.days(60, nil)
			l.roll(algEd25519)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 3)
			set(l)
			l.flapping(days)
			l.healthy(t)
			t.Log(l.taken)
			if raceEnabled {
				return
			}
			for seed := uint64(0); ; seed++ {
				l := newLife(t, seed)
				l.forgets, l.unproved = true, true
				set(l)
				l.flapping(days)
				if len(l.bogus) > 0 {
					t.Log("forgotten:", l.bogus[0])
					break
				}
				if seed == 9 {
					t.Fatal("the model sees nothing of TTLs that are forgotten")
				}
			}
		})
	}
}
