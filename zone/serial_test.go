package zone

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The cases of RFC 1982, section 5.2 (scaled from 8 to 32 bits), and the edges
// of section 3.2.
func TestSerialBefore(t *testing.T) {
	for _, tc := range []struct {
		a, b Serial
		want bool
	}{
		{0, 1, true},
		{44 << 24, 45 << 24, true},
		{0, 44 << 24, true},
		{0, 100 << 24, true},
		{44 << 24, 100 << 24, true},
		{100 << 24, 200 << 24, true},
		{200 << 24, 255 << 24, true},
		{255 << 24, 0, true},
		{255 << 24, 100 << 24, true},
		{200 << 24, 0, true},
		{200 << 24, 44 << 24, true},
		{1<<32 - 1, 0, true},
		{0, 1<<31 - 1, true},
		{0, 1 << 31, false}, // undefined
		{1 << 31, 0, false}, // undefined
		{0, 1<<31 + 1, false},
		{7, 7, false},
		{1, 0, false},
	} {
		if got := tc.a.Before(tc.b); got != tc.want {
			t.Errorf("%d before %d: %v", tc.a, tc.b, got)
		}
		if tc.want && tc.b.Before(tc.a) {
			t.Errorf("%d and %d are before each other", tc.a, tc.b)
		}
	}
}

func TestNext(t *testing.T) {
	now := time.Date(2026, 11, 21, 23, 30, 0, 0, time.FixedZone("x", -3600)) // the 22nd in UTC
	for _, tc := range []struct {
		f    Family
		prev Serial
		want Serial
	}{
		{FamilyDate, 2026112100, 2026112200},
		{FamilyDate, 2026112200, 2026112201},
		{FamilyDate, 2026112299, 2026112300}, // a hundredth change in a day: growing wins
		{FamilyDate, 2026112300, 2026112301}, // ahead of its date
		{FamilyDate, 3006012345, 3006012346}, // a foreign family
		{FamilyDate, 5, 2026112200},
		{FamilyCounter, 22000, 22001},
		{FamilyCounter, 1<<32 - 1, 0},
		{FamilyUnixtime, 5, Serial(now.Unix())},
		{FamilyUnixtime, Serial(now.Unix()), Serial(now.Unix()) + 1},
		{FamilyUnixtime, 2026112200, 2026112201}, // ahead of its clock
	} {
		if got := tc.f.Next(tc.prev, now); got != tc.want {
			t.Errorf("%s after %d: %d, want %d", tc.f, tc.prev, got, tc.want)
		}
	}
	for f, want := range map[Family]Serial{FamilyDate: 2026112200, FamilyCounter: 1, FamilyUnixtime: Serial(now.Unix())} {
		if got := f.First(now); got != want {
			t.Errorf("first of %s: %d, want %d", f, got, want)
		}
	}
}

// Whatever the family, the serial before and the clock: it goes forward.
func TestNextGoesForward(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := Family(rapid.IntRange(0, 2).Draw(r, "family"))
		prev := Serial(rapid.Uint32().Draw(r, "prev"))
		now := time.Unix(rapid.Int64Range(-1<<35, 1<<37).Draw(r, "now"), 0)
		if next := f.Next(prev, now); !prev.Before(next) {
			r.Fatalf("%s at %v: %d after %d", f, now, next, prev)
		}
	})
}

func TestFamily(t *testing.T) {
	for _, f := range []Family{FamilyDate, FamilyCounter, FamilyUnixtime} {
		if got, err := ParseFamily(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if f, err := ParseFamily("Date"); err == nil {
		t.Errorf("Date: %v", f)
	}
	if got := Family(9).String(); got != "family(9)" {
		t.Error(got)
	}
}
