package zone

import (
	"fmt"
	"time"
)

// A Serial is a SOA serial number. It is compared by serial number arithmetic
// (RFC 1982), never by <.
type Serial uint32

// Before reports whether s comes before t (RFC 1982, section 3.2). For two
// serials exactly half the number space apart, which the RFC leaves undefined,
// neither is before the other.
func (s Serial) Before(t Serial) bool {
	d := uint32(t) - uint32(s)
	return d != 0 && d < 1<<31
}

// A Family says how the serials of a zone grow.
type Family uint8

// The families: a date with a two-digit count (2026112100), a plain counter,
// seconds since 1970. A zone stays in its family, but growing always wins:
// a zone ahead of its date or clock counts up by one.
const (
	FamilyDate Family = iota
	FamilyCounter
	FamilyUnixtime
)

var familyNames = [...]string{"date", "counter", "unixtime"}

// String returns the word used in the configuration.
func (f Family) String() string {
	if int(f) < len(familyNames) {
		return familyNames[f]
	}
	return fmt.Sprintf("family(%d)", uint8(f))
}

// ParseFamily reads the word used in the configuration.
func ParseFamily(s string) (Family, error) {
	for i, n := range familyNames {
		if s == n {
			return Family(i), nil
		}
	}
	return 0, fmt.Errorf(`serial %q: not one of "date", "counter", "unixtime"`, s)
}

// First returns the serial of a zone that was never published.
func (f Family) First(now time.Time) Serial {
	switch f {
	case FamilyDate:
		y, m, d := now.UTC().Date()
		return Serial(y*1000000 + int(m)*10000 + d*100)
	case FamilyUnixtime:
		return Serial(now.Unix())
	}
	return 1
}

// Next returns the serial that follows prev: what the family says of now, if
// that is later (RFC 1982), else prev + 1. It never goes back, whatever the
// clock does.
func (f Family) Next(prev Serial, now time.Time) Serial {
	if s := f.First(now); f != FamilyCounter && prev.Before(s) {
		return s
	}
	return prev + 1
}
