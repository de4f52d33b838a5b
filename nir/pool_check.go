package nir

import (
	"fmt"

	"nirzone/nir/inr"
)

// A Fault is something in the registry that its rules exclude: it got there by
// another program, a restored part, or a mistake of this one.
type Fault struct {
	Subject string `json:"subject"` // a pool or a range
	Text    string `json:"text"`
}

type faults []Fault

func (f *faults) add(subject fmt.Stringer, format string, args ...any) {
	*f = append(*f, Fault{subject.String(), fmt.Sprintf(format, args...)})
}

// CheckPools returns everything that is wrong with the pools. Of each pool every
// number is free, held, or in quarantine, and only one of the three; free blocks
// are disjoint blocks of one pool, and no two that nobody has reserved make up
// one. In an NIR's existing pool held is what its members have; elsewhere what
// anybody has.
func (v *View) CheckPools() ([]Fault, error) {
	var f faults
	list, err := v.Pools()
	if err != nil {
		return nil, err
	}
	known := map[string]Pool{}
	for i, p := range list {
		known[p.ID] = p
		if i > 0 && list[i-1].Range.Overlaps(p.Range) {
			f.add(p.Range, "the pool overlaps pool %s", list[i-1].Range)
		}
		if s, ok := inr.WhySpecial(p.Range); ok {
			f.add(p.Range, "the pool holds %s (%s; APNIC-103, section 2.6)", s.Range, s.RFC)
		}
	}
	free, err := v.checkFree(known, &f)
	if err != nil {
		return nil, err
	}
	any, members, err := v.heldSets()
	if err != nil {
		return nil, err
	}
	q, err := v.Quarantined()
	if err != nil {
		return nil, err
	}
	out := quarantinedSet(q)
	if both := out.Intersect(any.Subtract(v.existing(list))); !both.IsEmpty() {
		f.add(both, "in quarantine, and delegated")
	}
	for _, p := range list {
		held := any
		if p.Purpose == NIRExisting {
			held = members
		}
		checkPool(p, free[p.ID], held, out, &f)
	}
	return f, nil
}

func (v *View) existing(list []Pool) inr.Set {
	var b inr.Builder
	for _, p := range list {
		if p.Purpose == NIRExisting {
			b.Add(p.Range)
		}
	}
	return b.Set()
}

// checkPool compares what a pool is with what it has.
func checkPool(p Pool, free, held, quarantined inr.Set, f *faults) {
	all := inr.Of(p.Range)
	if both := free.Intersect(held); !both.IsEmpty() {
		f.add(p.Range, "%s is free and held", both)
	}
	if both := free.Intersect(quarantined); !both.IsEmpty() {
		f.add(p.Range, "%s is free and in quarantine", both)
	}
	if both := held.Intersect(quarantined).Intersect(all); !both.IsEmpty() && p.Purpose == NIRExisting {
		f.add(p.Range, "%s is held and in quarantine", both)
	}
	if lost := all.Subtract(free).Subtract(held).Subtract(quarantined); !lost.IsEmpty() {
		f.add(p.Range, "%s is neither free nor held nor in quarantine", lost)
	}
}

// checkFree returns what is free of each pool.
func (v *View) checkFree(known map[string]Pool, f *faults) (map[string]inr.Set, error) {
	builders := map[string]*inr.Builder{}
	var last FreeBlock
	open := map[inr.Block]string{} // unreserved blocks and their pools
	err := freeBlocks.each(v, "id <> '' ORDER BY kind, first", nil, func(b *FreeBlock) error {
		p, ok := known[b.Pool]
		block, aligned := b.Range.Block()
		switch {
		case !ok:
			f.add(b.Range, "the free block is of a pool that is not there")
			return nil
		case !p.Range.Contains(b.Range):
			f.add(b.Range, "the free block is not in its pool %s", p.Range)
		case last.ID != "" && last.Range.Overlaps(b.Range):
			f.add(b.Range, "the free block overlaps %s", last.Range)
		case !aligned || block.Len != b.Len:
			f.add(b.Range, "the free block is no block of length %d", b.Len)
		}
		if buddy, ok := block.Buddy(); ok && b.Member == "" {
			if of, there := open[buddy]; there && of == b.Pool {
				f.add(b.Range, "the free block and %s are not merged", buddy)
			}
			open[block] = b.Pool
		}
		if builders[b.Pool] == nil {
			builders[b.Pool] = &inr.Builder{}
		}
		builders[b.Pool].Add(b.Range)
		last = *b
		return nil
	})
	free := map[string]inr.Set{}
	for id, b := range builders {
		free[id] = b.Set()
	}
	return free, err
}

// heldSets returns what anybody holds, and what members hold.
func (v *View) heldSets() (any, members inr.Set, err error) {
	var a, m inr.Builder
	err = v.EachDelegation(func(d *Delegation) error {
		a.Add(d.Range)
		if d.Member != "" {
			m.Add(d.Range)
		}
		return nil
	})
	return a.Set(), m.Set(), err
}

// CheckDelegations returns everything that is wrong with the delegations: that one
// level overlaps itself, that a number has two managers, or none above the
// member's, and that a record names a parent it is not part of.
func (v *View) CheckDelegations() ([]Fault, error) {
	var f faults
	byID := map[string]Delegation{}
	levels := map[Level][]Delegation{}
	err := v.EachDelegation(func(d *Delegation) error {
		if list := levels[d.Level]; len(list) > 0 && list[len(list)-1].Range.Overlaps(d.Range) {
			f.add(d.Range, "it overlaps %s at level %s", list[len(list)-1].Range, d.Level)
		}
		levels[d.Level] = append(levels[d.Level], *d)
		byID[d.ID] = *d
		return nil
	})
	if err != nil {
		return nil, err
	}
	var direct, national inr.Builder
	for _, d := range levels[RIRToMember] {
		direct.Add(d.Range)
		if d.NIR != "" || d.Parent != "" {
			f.add(d.Range, "a direct member's delegation names NIR %q and a parent", d.NIR)
		}
	}
	for _, d := range levels[RIRToNIR] {
		national.Add(d.Range)
	}
	if both := direct.Set().Intersect(national.Set()); !both.IsEmpty() {
		f.add(both, "it has two managers: an NIR and %s (APNIC-103, section 4)", v.Rules.RIR)
	}
	for _, d := range levels[NIRToMember] {
		p, ok := byID[d.Parent]
		if !ok || p.Level != RIRToNIR || p.NIR != d.NIR || !p.Range.Contains(d.Range) {
			f.add(d.Range, "it is not part of a delegation to %s (APNIC-103, section 3.2)", d.NIR)
		}
	}
	return f, nil
}
