package nir

import (
	"slices"

	"nirzone/nir/inr"
)

// moveForeign makes the claims of other regional registries follow a transfer in
// the event that carries it out, before their next statistics say so.
func (x *Tx) moveForeign(t *Transfer, r inr.Range) error {
	if x.Rules.peer(t.Source) {
		list, err := foreignSpace.find(x.View, "kind = $1 AND first <= $2 AND last >= $3 ORDER BY source, first", r.Kind.String(), numKey(r.Last), numKey(r.First))
		if err != nil {
			return err
		}
		return x.replaceForeign(list, "", inr.Of(r))
	}
	if !x.Rules.peer(t.Destination) {
		return nil
	}
	around := r // with what touches it
	if around.First != (inr.Num{}) {
		around.First = around.First.Prev()
	}
	if around.Last != r.Kind.Max() {
		around.Last = around.Last.Next()
	}
	list, err := foreignSpace.find(x.View, "source = $1 AND kind = $2 AND first <= $3 AND last >= $4 ORDER BY first",
		t.Destination, r.Kind.String(), numKey(around.Last), numKey(around.First))
	if err != nil {
		return err
	}
	return x.replaceForeign(list, t.Destination, inr.Of(r))
}

// replaceForeign takes a range out of rows of other registries, or puts it to those
// of one: its ranges do not touch.
func (x *Tx) replaceForeign(list []ForeignRange, gains string, r inr.Set) error {
	var come []ForeignRange
	var all inr.Builder
	for _, f := range list {
		all.Add(f.Range)
		for rest := range inr.Of(f.Range).Subtract(r).All() {
			come = append(come, ForeignRange{Source: f.Source, Range: rest, Import: f.Import})
		}
		if err := foreignSpace.end(x, f.ID); err != nil {
			return err
		}
	}
	if gains != "" {
		come = slices.Delete(come, 0, len(come))
		for one := range all.Set().Union(r).All() {
			come = append(come, ForeignRange{Source: gains, Range: one})
		}
	}
	for i := range come {
		if err := foreignSpace.put(x, &come[i]); err != nil {
			return err
		}
	}
	return nil
}
