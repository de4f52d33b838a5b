package nir

import "nirzone/nir/inr"

// An Aggregate is what several delegations of one member, of one type and managed
// by one registry, add up to: a block of the minimal list of prefixes that covers
// them, or for ASNs a run of numbers.
type Aggregate struct {
	NIR         string    `json:"nir"`
	Type        string    `json:"type"`
	Range       inr.Range `json:"range"`
	Delegations []string  `json:"delegations"` // identifiers of those with a part in it, by range
}

// Aggregates returns the aggregates of a member, by kind, manager, type and range.
// They are computed from the delegations each time: two that were made on two days
// and touch are one aggregate and remain two delegations.
func (v *View) Aggregates(member string) ([]Aggregate, error) {
	var all []Aggregate
	for _, k := range inr.Kinds {
		list, err := delegations.find(v, "member = $1 AND kind = $2 ORDER BY nir, type, first", member, k.String())
		if err != nil {
			return nil, err
		}
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].NIR == list[0].NIR && list[n].Type == list[0].Type {
				n++
			}
			all = append(all, aggregate(list[:n])...)
			list = list[n:]
		}
	}
	return all, nil
}

// aggregate joins delegations that may be joined, in order.
func aggregate(list []Delegation) []Aggregate {
	var b inr.Builder
	for _, d := range list {
		b.Add(d.Range)
	}
	var out []Aggregate
	for _, r := range cover(b.Set()) {
		a := Aggregate{NIR: list[0].NIR, Type: list[0].Type, Range: r}
		for len(list) > 0 && list[0].Range.Last.Less(r.First) {
			list = list[1:]
		}
		for _, d := range list {
			if !d.Range.Overlaps(r) {
				break
			}
			a.Delegations = append(a.Delegations, d.ID)
		}
		out = append(out, a)
	}
	return out
}

func cover(s inr.Set) []inr.Range {
	if !s.Of(inr.ASN).IsEmpty() {
		return s.Ranges()
	}
	var list []inr.Range
	for b := range s.AllBlocks() {
		list = append(list, b.Range())
	}
	return list
}
