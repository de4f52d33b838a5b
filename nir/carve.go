package nir

import "nirzone/nir/inr"

// A section is what becomes of a delegation when a range is taken out of it.
type section struct {
	was  Delegation
	in   inr.Range   // what is taken
	rest []inr.Range // what stays: nothing, one range, or one on either side
}

// carve takes a range out of delegations of one level, in order. Each is split
// into as few ranges as can be: what stays of it is never cut up into prefixes, so
// that the delegations made from it are still part of one.
func carve(list []Delegation, r inr.Range) []section {
	out := inr.Of(r)
	var cuts []section
	for _, d := range list {
		whole := inr.Of(d.Range)
		in := whole.Intersect(out)
		if in.IsEmpty() {
			continue
		}
		cuts = append(cuts, section{was: d, in: in.Ranges()[0], rest: whole.Subtract(out).Ranges()})
	}
	return cuts
}

// covers reports whether cuts leave no number of a range out.
func covers(cuts []section, r inr.Range) bool {
	var b inr.Builder
	for _, c := range cuts {
		b.Add(c.in)
	}
	return b.Set().Contains(r)
}

// takeOut removes what was cut out of delegations. The first range that stays
// keeps the identifier; where nothing stays the identifier is free for the
// delegation that takes its place. It returns what stays.
func (x *Tx) takeOut(c section) ([]Delegation, error) {
	return x.leave(c, 0)
}

// takeOutParent does the same at level rir-nir. There the range from which more
// was delegated keeps the identifier; what was delegated from the other is made
// part of that one.
func (x *Tx) takeOutParent(c section) ([]Delegation, error) {
	children := make([][]Delegation, len(c.rest))
	keep := 0
	for i, r := range c.rest {
		var err error
		if children[i], err = x.Within(NIRToMember, r); err != nil {
			return nil, err
		}
		if len(children[i]) > len(children[keep]) {
			keep = i
		}
	}
	rest, err := x.leave(c, keep)
	if err != nil {
		return nil, err
	}
	for i, d := range rest {
		for _, child := range children[i] {
			if child.Parent == d.ID {
				continue
			}
			child.Parent = d.ID
			if err := delegations.put(x, &child); err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// leave writes what stays of a delegation, of which one keeps the identifier.
func (x *Tx) leave(c section, keep int) ([]Delegation, error) {
	if len(c.rest) == 0 {
		return nil, delegations.end(x, c.was.ID)
	}
	rest := make([]Delegation, len(c.rest))
	for i, r := range c.rest {
		rest[i] = c.was
		rest[i].Range = r
	}
	if err := delegations.put(x, &rest[keep]); err != nil { // first the one that shrinks: no two overlap
		return nil, err
	}
	for i := range rest {
		if i == keep {
			continue
		}
		rest[i].Row = Row{}
		if err := delegations.put(x, &rest[i]); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
