package nir

import (
	"errors"
	"fmt"
	"slices"

	"nirzone/nir/inr"
)

// A ForeignRange is space that another registry manages, by its own statistics:
// the claims for its zonelets come of it. The ranges of a source are disjoint and
// do not touch: what was delegated to whom there is not kept.
type ForeignRange struct {
	Row
	Source string    `json:"source"` // of claims: ARIN
	Range  inr.Range `json:"range"`
	Import string    `json:"import"`
}

var foreignSpace = newTable[ForeignRange]("foreign_space", "fsp")

// ForeignSpace returns the space of another registry, or of all if the source is
// empty, by source, kind and range.
func (v *View) ForeignSpace(source string) ([]ForeignRange, error) {
	return foreignSpace.find(v, "($1 = '' OR source = $1) ORDER BY source, kind, first", source)
}

// A foreignPlan is what changes of a source's space.
type foreignPlan struct {
	end []ForeignRange
	add []ForeignRange
}

// planForeign compares another registry's statistics with the space that is known
// to be its own. All its records count, the available and reserved ones too: it
// manages them. What this registry manages, or a third one, is a mistake.
func (p *importPlan) planForeign() error {
	own, err := p.x.managed()
	if err != nil {
		return err
	}
	have, err := p.x.ForeignSpace("")
	if err != nil {
		return err
	}
	var third, mine inr.Builder
	for i := range have {
		if have[i].Source == p.Source {
			mine.Add(have[i].Range)
		} else {
			third.Add(have[i].Range)
		}
	}
	others := third.Set()
	var b inr.Builder
	for _, r := range slices.Concat(p.file.records, p.file.others) {
		switch {
		case own.Overlaps(r.Range):
			p.fail(r.Line, "%s is managed by %s: transfer it first, or correct the file", r.Range, p.x.Rules.RIR)
			continue
		case others.Overlaps(r.Range):
			p.fail(r.Line, "%s is in the statistics of another registry too", r.Range)
			continue
		}
		b.Add(r.Range)
	}
	p.compareSpace(have, mine.Set(), b.Set())
	return nil
}

func (p *importPlan) compareSpace(have []ForeignRange, mine, now inr.Set) {
	p.space = &foreignPlan{}
	stands := map[inr.Range]bool{}
	for i := range have {
		switch f := &have[i]; {
		case f.Source != p.Source:
		case now.Contains(f.Range) && around(now, f.Range) == f.Range:
			stands[f.Range] = true
			p.count(p.Source, "", f.Range.Kind).Unchanged++
		default:
			p.space.end = append(p.space.end, *f)
			p.count(p.Source, "", f.Range.Kind).Ended++
		}
	}
	for r := range now.All() {
		if !stands[r] {
			p.space.add = append(p.space.add, ForeignRange{Source: p.Source, Range: r})
			p.count(p.Source, "", r.Kind).Created++
		}
	}
}

func around(s inr.Set, r inr.Range) inr.Range {
	a, _ := s.Around(r)
	return a
}

func (f *foreignPlan) run(x *Tx, im string) error {
	for i := range f.end {
		if err := x.room(); err != nil {
			return err
		}
		if err := foreignSpace.end(x, f.end[i].ID); err != nil {
			return err
		}
	}
	for i := range f.add {
		f.add[i].Import = im
	}
	return fill(x, foreignSpace, f.add)
}

// managed returns the space that this registry manages, itself or through NIRs:
// what it delegated, and its pools.
func (v *View) managed() (inr.Set, error) {
	var b inr.Builder
	err := v.eachStep(func(s *step) error {
		b.Add(s.rng)
		return nil
	}, firstSteps)
	if err != nil {
		return inr.Set{}, err
	}
	list, err := v.Pools()
	for i := range list {
		b.Add(list[i].Range)
	}
	return b.Set(), err
}

// A step is of a delegation what claims are made of.
type step struct {
	rng inr.Range
	nir string
}

// firstSteps is the condition for what the regional registry delegated.
const firstSteps = "level <> 'nir-member'"

// eachStep calls fn for the delegations that a condition selects. It reads fewer
// columns than [View.EachDelegation], and many more rows a second.
func (v *View) eachStep(fn func(*step) error, where string, args ...any) (err error) {
	rows, err := v.query("SELECT kind, first, last, nir FROM delegation WHERE "+v.standing()+" AND "+where, args...)
	if err != nil {
		return fmt.Errorf("reading delegations: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s step
		if err := rows.Scan(append(rangeInto(&s.rng), &s.nir)...); err != nil {
			return fmt.Errorf("reading delegations: %w", err)
		}
		if err := fn(&s); err != nil {
			return err
		}
	}
	return rows.Err()
}
