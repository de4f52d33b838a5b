package sign

import (
	"testing"
	"time"
)

// TestRoles: who signs what follows from the flags, and from the mark of a CSK.
func TestRoles(t *testing.T) {
	for _, c := range []struct {
		key        Key
		keys, zone bool
		role       string
	}{
		{Key{Flags: FlagsKSK}, true, false, "KSK"},
		{Key{Flags: FlagsZSK}, false, true, "ZSK"},
		{Key{Flags: FlagsKSK, CSK: true}, true, true, "CSK"},
	} {
		if k := c.key; k.SignsKeys() != c.keys || k.SignsZone() != c.zone || k.Role() != c.role {
			t.Errorf("%s: signs keys %v, the zone %v", k.Role(), k.SignsKeys(), k.SignsZone())
		}
	}
}

// TestOver: a key signs until it is out of the DNSKEY set, and on to its Retire
// if that is later.
func TestOver(t *testing.T) {
	at := func(d int) time.Time { return testNow.AddDate(0, 0, d) }
	for _, c := range []struct {
		timing Timing
		now    int
		want   bool
	}{
		{Timing{}, 9, false},
		{Timing{Retire: at(1)}, 9, false},
		{Timing{Retire: at(1), Remove: at(3)}, 2, false},
		{Timing{Retire: at(1), Remove: at(3)}, 3, true},
		{Timing{Remove: at(3)}, 3, true},
		{Timing{Remove: at(3), Retire: at(5)}, 4, false},
		{Timing{Remove: at(3), Retire: at(5)}, 5, true},
	} {
		if got := (Key{Timing: c.timing}).over(at(c.now)); got != c.want {
			t.Errorf("%+v on day %d: %v", c.timing, c.now, got)
		}
	}
}
