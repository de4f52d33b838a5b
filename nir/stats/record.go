package stats

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A Status is what was done with a resource.
type Status string

// The statuses. Available and Reserved are of the extended form.
const (
	Allocated Status = "allocated" // for further assignment
	Assigned  Status = "assigned"  // for use
	Available Status = "available" // free in the registry's pool
	Reserved  Status = "reserved"  // neither free nor held
)

// Valid reports whether s is one of the four.
func (s Status) Valid() bool {
	switch s {
	case Allocated, Assigned, Available, Reserved:
		return true
	}
	return false
}

// Held reports whether somebody holds what has this status.
func (s Status) Held() bool { return s == Allocated || s == Assigned }

// A Date is a day as the number yyyymmdd; 0 is none.
type Date uint32

// DateOf returns the day of a time in its location; none for the zero time.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// Time returns the day's beginning in UTC; the zero time for none.
func (d Date) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)
}

// String returns yyyymmdd, or 00000000 for none.
func (d Date) String() string { return fmt.Sprintf("%08d", uint32(d)) }

// parseDate reads yyyymmdd; an empty field and 00000000 are none.
func parseDate(s string) (Date, error) {
	if s == "" || s == "00000000" {
		return 0, nil
	}
	n := Date(0)
	for i := 0; i < len(s) && len(s) == 8; i++ {
		if s[i] < '0' || s[i] > '9' {
			n = 0
			break
		}
		n = n*10 + Date(s[i]-'0')
	}
	if n == 0 || DateOf(n.Time()) != n {
		return 0, fmt.Errorf("date %.20q: write a day as yyyymmdd, or 00000000 for none", s)
	}
	return n, nil
}

// A Record is what a file says of one range.
type Record struct {
	Registry   string // in lower case: apnic
	Economy    string // ISO 3166-1 alpha-2; "" if it is not said
	Range      inr.Range
	Date       Date
	Status     Status
	Opaque     string   // identifier of the holder, "" in the first form
	Extensions []string // what follows it
	Line       int      // where it was read; 0 if it was made
}

// A Header is the first line of a file.
type Header struct {
	Version  string // 2, or 2.3; "" is written as the form's usual one
	Registry string
	Serial   string // digits; as a rule the day, yyyymmdd
	Records  int    // that follow, of which [Write] makes its own count
	Start    Date   // of the time that the file is about
	End      Date
	Offset   string // of the dates from UTC: +1000
}

// kindOrder is the order of types in a file.
var kindOrder = [...]inr.Kind{inr.ASN, inr.IPv4, inr.IPv6}

// rank is a type's place in it.
func rank(k inr.Kind) int { return slices.Index(kindOrder[:], k) }

// Compare orders records as a file has them.
func (r Record) Compare(s Record) int {
	if a, b := rank(r.Range.Kind), rank(s.Range.Kind); a != b {
		return a - b
	}
	return r.Range.Compare(s.Range)
}

// allOf reports whether a text of 1 to limit octets has those of a class alone.
func allOf(s string, limit int, class func(c byte) bool) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !class(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// isPlain is for what stands in a field: printed ASCII without the separator.
func isPlain(c byte) bool { return c > ' ' && c < 0x7f && c != '|' }

func validRegistry(s string) bool {
	return allOf(s, 32, func(c byte) bool { return isLower(c) || isDigit(c) || c == '-' })
}

func validEconomy(s string) bool { return s == "" || len(s) == 2 && allOf(s, 2, isUpper) }

// validOffset takes +1000, -0330, and a field that is empty.
func validOffset(s string) bool {
	return s == "" || len(s) == 5 && (s[0] == '+' || s[0] == '-') && allOf(s[1:], 4, isDigit)
}

func validVersion(s string) bool {
	minor, ok := strings.CutPrefix(s, "2.")
	return s == "2" || ok && allOf(minor, 3, isDigit)
}
