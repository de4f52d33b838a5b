package nir

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// Fees are how what a registry manages becomes units of a fee, and what an LIR
// holds a membership tier (APNIC-103, sections 1.3 and 4). What a unit costs is
// not known here: the fee schedule in force says it. All of it is configuration;
// docs/fees.md describes it.
type Fees struct {
	Renewal  string            // month and day on which a fee year begins, as 01-31
	Renewals map[string]string // of an NIR that has its own, by code
	IPv4     Rate
	IPv6     Rate
	Tiers    []Tier // from the smallest; the last has no bounds
}

// A Rate is the per-address fee of a kind. A count of addresses is rounded up to
// multiples of Unit.
type Rate struct {
	Unit     int       // prefix length of what is counted as one: 32 for single IPv4 addresses
	Brackets []Bracket // by From; none: one unit of the fee for each
}

// A Bracket is a rate that holds from a number of addresses on, for those above.
type Bracket struct {
	From  int64 // how many are charged at the brackets before
	Milli int64 // thousandths of a unit of the fee, for each
}

// A Tier is a size of membership: the most that its members hold. A member is in
// the first tier of which it exceeds neither bound.
type Tier struct {
	Name string
	IPv4 Size // "" for no bound
	IPv6 Size
}

// DefaultFees is a schedule without prices: one unit for each IPv4 address, and for
// each /56 of IPv6. The tiers are steps of three bits from /22 of IPv4 and from /32
// of IPv6 on; both stand for the schedule in force, which is to be configured.
func DefaultFees() Fees {
	return Fees{
		Renewal: "01-01",
		IPv4:    Rate{Unit: 32},
		IPv6:    Rate{Unit: 56},
		Tiers: []Tier{
			{"very small", "/22", "/35"},
			{"small", "/19", "/32"},
			{"medium", "/16", "/29"},
			{"large", "/13", "/26"},
			{"very large", "/10", "/23"},
			{"extra large", "", ""},
		},
	}
}

// fees are the ones in force.
func (r Rules) fees() Fees {
	if r.Fees.Renewal == "" && r.Fees.Tiers == nil {
		return DefaultFees()
	}
	return r.Fees
}

// Check returns everything that is wrong with a schedule.
func (f Fees) Check() error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, invalid(field, format, args...)) }
	if _, err := renewalDay(f.Renewal); err != nil {
		bad("renewal", "%v", err)
	}
	for code, day := range f.Renewals {
		if _, err := renewalDay(day); err != nil {
			bad("renewals."+code, "%v", err)
		}
	}
	for i, r := range []Rate{f.IPv4, f.IPv6} {
		errs = append(errs, r.check(inr.Kinds[i]))
	}
	for i, t := range f.Tiers {
		last := i == len(f.Tiers)-1
		if last && (t.IPv4 != "" || t.IPv6 != "") {
			bad("tiers", "the last one, %s, has to be without bounds", t.Name)
		}
		if !last && i > 0 && (f.Tiers[i-1].count(inr.IPv4).Cmp(t.count(inr.IPv4)) > 0 || f.Tiers[i-1].count(inr.IPv6).Cmp(t.count(inr.IPv6)) > 0) {
			bad("tiers", "%s is smaller than the one before", t.Name)
		}
	}
	if len(f.Tiers) == 0 {
		bad("tiers", "there is none")
	}
	return errors.Join(errs...)
}

func (r Rate) check(k inr.Kind) error {
	if r.Unit < 1 || r.Unit > min(k.Bits(), 60) { // counts have 63 bits
		return invalid(k.String(), "unit /%d is not /1 to /%d", r.Unit, min(k.Bits(), 60))
	}
	for i, b := range r.Brackets {
		if b.Milli < 0 || i == 0 && b.From != 0 || i > 0 && b.From <= r.Brackets[i-1].From {
			return invalid(k.String(), "bracket %d: they begin at 0 and rise, and no rate is negative", i+1)
		}
	}
	return nil
}

// renewalDay reads a month and a day that every year has.
func renewalDay(text string) (time.Time, error) {
	t, err := time.Parse("2006-01-02", "2001-"+text)
	if err != nil {
		return t, fmt.Errorf("%.20q is not a month and a day that every year has, as 07-01", text)
	}
	return t, nil
}

// renewal returns when the fee year of a registry begins; nir is "" for direct
// members.
func (r Rules) renewal(nir string, year int) time.Time {
	f := r.fees()
	day, err := renewalDay(f.Renewals[nir])
	if err != nil {
		if day, err = renewalDay(f.Renewal); err != nil {
			day = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
	return time.Date(year, day.Month(), day.Day(), 0, 0, 0, 0, r.location()).UTC()
}

// FeeYear returns the fee year of a registry that a time is in: that in which it
// began.
func (r Rules) FeeYear(nir string, at time.Time) int {
	year := at.In(r.location()).Year()
	if at.Before(r.renewal(nir, year)) {
		year--
	}
	return year
}

func (f Fees) rate(k inr.Kind) Rate {
	if k == inr.IPv6 {
		return f.IPv6
	}
	return f.IPv4
}

// count returns how many addresses of the unit a set has, rounded up.
func (r Rate) count(s inr.Set, k inr.Kind) int64 {
	n := s.Count(k)
	unit := new(big.Int).Lsh(big.NewInt(1), uint(k.Bits()-r.Unit))
	n.Add(n, unit).Sub(n, big.NewInt(1))
	return n.Div(n, unit).Int64()
}

// milli returns the fee for a count, in thousandths of a unit.
func (r Rate) milli(count int64) *big.Int {
	list := r.Brackets
	if len(list) == 0 {
		list = []Bracket{{0, 1000}}
	}
	sum := new(big.Int)
	for i, b := range list {
		n := count - b.From
		if i+1 < len(list) {
			n = min(n, list[i+1].From-b.From)
		}
		if n > 0 {
			sum.Add(sum, new(big.Int).Mul(big.NewInt(n), big.NewInt(b.Milli)))
		}
	}
	return sum
}

// units writes thousandths of a unit as a decimal number.
func units(milli *big.Int) string {
	whole, part := new(big.Int).QuoRem(milli, big.NewInt(1000), new(big.Int))
	s := fmt.Sprintf("%s.%03d", whole, part.Int64())
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func (t Tier) bound(k inr.Kind) Size {
	if k == inr.IPv6 {
		return t.IPv6
	}
	return t.IPv4
}

// count returns the most that the tier has of a kind; nothing is more than no
// bound.
func (t Tier) count(k inr.Kind) *big.Int {
	if t.bound(k) == "" {
		return new(big.Int).Lsh(big.NewInt(1), 129)
	}
	return t.bound(k).Count(k)
}

// tier returns the name of the tier for what is held; "" if there is none.
func (f Fees) tier(s inr.Set) string {
	for _, t := range f.Tiers {
		if s.Count(inr.IPv4).Cmp(t.count(inr.IPv4)) <= 0 && s.Count(inr.IPv6).Cmp(t.count(inr.IPv6)) <= 0 {
			return t.Name
		}
	}
	return ""
}
