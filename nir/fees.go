package nir

import (
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"time"

	"nirzone/nir/inr"
)

// A FeeReport is the per-address fee of an NIR for a fee year (APNIC-103, section
// 1.3), as far as the year is over. It is computed from the delegations and their
// history alone, so that it comes out the same whenever it is asked for. The fee
// is the NIR's; nothing of it is charged to an LIR, for what it had before or for
// a transfer (sections 4.1 and 4.2).
type FeeReport struct {
	NIR   string    `json:"nir"`
	Year  int       `json:"year"`
	From  time.Time `json:"from"`  // the renewal
	To    time.Time `json:"to"`    // the next one
	AsOf  time.Time `json:"as_of"` // of the last event that was looked at
	Kinds []FeeKind `json:"kinds"`
	Fee   string    `json:"fee"` // units of the fee, a decimal number
}

// A FeeKind is the part of one kind: counts are of the kind's unit.
type FeeKind struct {
	Kind    inr.Kind `json:"kind"`
	Unit    string   `json:"unit"`    // /32: single addresses
	Renewed int64    `json:"renewed"` // managed at the renewal
	Added   int64    `json:"added"`   // delegated since
	Exempt  int64    `json:"exempt"`  // transferred in since: without a fee in this year
	Charged int64    `json:"charged"` // Renewed and Added
	Next    int64    `json:"next"`    // what the next renewal will count, if nothing changes: with what is exempt now
	Fee     string   `json:"fee"`
}

// Fee returns the report of an NIR for a fee year.
//
// Charged is what the NIR managed when the year began, and what was delegated to it
// since otherwise than by a transfer; what left it within the year stays charged.
// What was transferred in is exempt until the next renewal, where it counts as
// all the rest (APNIC-103, section 4.1, C and D), unless it had been charged
// before it left and came back.
func (v *View) Fee(nir string, year int) (FeeReport, error) {
	r := FeeReport{NIR: nir, Year: year, From: v.Rules.renewal(nir, year), To: v.Rules.renewal(nir, year+1)}
	if _, err := v.NIR(nir); err != nil {
		return r, err
	}
	begin, err := v.before(r.From)
	if err != nil {
		return r, err
	}
	end, err := v.until(r.To)
	if err != nil {
		return r, err
	}
	if r.AsOf, err = end.lastEvent(); err != nil {
		return r, err
	}
	renewed, err := begin.managedAt(RIRToNIR, nir)
	if err != nil {
		return r, err
	}
	next, err := end.managedAt(RIRToNIR, nir)
	if err != nil {
		return r, err
	}
	added, moved, err := v.came(nir, begin.event, end.event)
	if err != nil {
		return r, err
	}
	charged := renewed.Union(added)
	f, sum := v.Rules.fees(), new(big.Int)
	for _, k := range []inr.Kind{inr.IPv4, inr.IPv6} {
		rate := f.rate(k)
		line := FeeKind{
			Kind: k, Unit: fmt.Sprintf("/%d", rate.Unit),
			Renewed: rate.count(renewed, k), Exempt: rate.count(moved.Subtract(charged), k),
			Charged: rate.count(charged, k), Next: rate.count(next, k),
		}
		line.Added = line.Charged - line.Renewed
		milli := rate.milli(line.Charged)
		line.Fee = units(milli)
		sum.Add(sum, milli)
		r.Kinds = append(r.Kinds, line)
	}
	r.Fee = units(sum)
	return r, nil
}

// before returns the view as of the last event before a time: an empty one if
// there is none, and never one later than v.
func (v *View) before(at time.Time) (*View, error) {
	p := *v
	if err := p.back(at.Add(-time.Microsecond)); CodeOf(err) == NotFound {
		p.event = -1 // before the first
	} else if err != nil {
		return nil, err
	}
	if v.event != 0 && p.event > v.event {
		p.event = v.event
	}
	return &p, nil
}

// until is the same, but while nothing is later it is v itself: with what the
// transaction has written and will commit, so that a plan shows its fees.
func (v *View) until(at time.Time) (*View, error) {
	p, err := v.before(at)
	if err != nil || v.event != 0 {
		return p, err
	}
	later := int64(0)
	err = v.queryRow("SELECT count(*) FROM audit WHERE at >= $1", micros(at)).Scan(&later)
	if err == nil && later == 0 {
		return v, nil
	}
	return p, err
}

// lastEvent returns when the view's last event was.
func (v *View) lastEvent() (time.Time, error) {
	var at sql.NullInt64
	err := v.queryRow("SELECT max(at) FROM audit WHERE $1 = 0 OR seq <= $1", v.event).Scan(&at)
	return fromMicros(at.Int64), err
}

// managedAt returns what a registry manages at a level.
func (v *View) managedAt(l Level, nir string) (inr.Set, error) {
	var b inr.Builder
	err := delegations.each(v, "level = $1 AND nir = $2", []any{string(l), nir}, func(d *Delegation) error {
		b.Add(d.Range)
		return nil
	})
	return b.Set(), err
}

// came returns what an NIR got in the events after one until another: by a
// transfer, and otherwise. A delegation that was split, or whose record changed,
// counts again as what it came by.
func (v *View) came(nir string, after, until int64) (other, moved inr.Set, err error) {
	var o, m inr.Builder
	if until == 0 { // the present
		until = math.MaxInt64
	}
	query := "SELECT " + delegations.list + " FROM delegation WHERE level = 'rir-nir' AND nir = $1 AND since > $2 AND since <= $3 ORDER BY kind, first, since"
	err = delegations.scan(v, query, []any{nir, after, until}, func(d *Delegation) error {
		if d.Evidence == ByTransfer {
			m.Add(d.Range)
		} else {
			o.Add(d.Range)
		}
		return nil
	})
	return o.Set(), m.Set(), err
}

// An Assessment is the membership tier of an LIR that holds resources under the
// regional registry.
type Assessment struct {
	Member  string    `json:"member"`
	Name    string    `json:"name"`
	Renewed time.Time `json:"renewed"` // the renewal by which Tier is
	Tier    string    `json:"tier"`    // "" if it was no member then
	Next    time.Time `json:"next"`    // the renewal at which NextTier is assessed
	IPv4    string    `json:"ipv4"`    // addresses that count then: everything under this registry
	IPv6    string    `json:"ipv6"`
	// Transferred is what of it came by a transfer since: it changes nothing and
	// costs nothing before Next.
	Transferred inr.Set `json:"transferred"`
	NextTier    string  `json:"next_tier"`
}

// Assess returns the tier of a direct member as of a time in the present fee year,
// and the one at its next renewal, which is by all that the regional registry
// manages of it: what was transferred and what it had of it before (APNIC-103,
// section 4.2).
func (v *View) Assess(member string, now time.Time) (Assessment, error) {
	a := Assessment{Member: member}
	m, err := v.Member(member)
	if err != nil {
		return a, err
	}
	a.Name = m.Name
	if _, ok, err := memberships.one(v, "member = $1 AND nir = '' AND ended = 0", member); err != nil || !ok {
		if err == nil {
			err = refuse(NotFound, "%s is not a member of %s", m.Name, v.Rules.RIR).by("APNIC-103, section 4.2")
		}
		return a, err
	}
	year := v.Rules.FeeYear("", now)
	a.Renewed, a.Next = v.Rules.renewal("", year), v.Rules.renewal("", year+1)
	if err := v.assessPast(&a); err != nil {
		return a, err
	}
	held, err := v.heldUnder(member, "")
	if err != nil {
		return a, err
	}
	var all, moved inr.Builder
	for _, d := range held {
		all.Add(d.Range)
		if d.Evidence == ByTransfer {
			moved.Add(d.Range)
		}
	}
	a.IPv4, a.IPv6 = all.Set().Count(inr.IPv4).String(), all.Set().Count(inr.IPv6).String()
	a.NextTier = v.Rules.fees().tier(all.Set())
	before, err := v.heldAtRenewal(a.Renewed, member)
	a.Transferred = moved.Set().Subtract(before)
	return a, err
}

// assessPast fills in the tier by the last renewal.
func (v *View) assessPast(a *Assessment) error {
	p, err := v.before(a.Renewed)
	if err != nil {
		return err
	}
	_, was, err := memberships.one(p, "member = $1 AND nir = '' AND ended = 0", a.Member)
	if err != nil || !was {
		return err
	}
	held, err := v.heldAtRenewal(a.Renewed, a.Member)
	a.Tier = v.Rules.fees().tier(held)
	return err
}

// heldAtRenewal returns what a direct member held when a fee year began.
func (v *View) heldAtRenewal(at time.Time, member string) (inr.Set, error) {
	p, err := v.before(at)
	if err != nil {
		return inr.Set{}, err
	}
	list, err := p.heldUnder(member, "")
	var b inr.Builder
	for _, d := range list {
		b.Add(d.Range)
	}
	return b.Set(), err
}
