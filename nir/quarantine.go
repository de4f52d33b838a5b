package nir

import (
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Quarantined is a range that was returned: neither free nor held until FreeFrom,
// so that what routers and servers remember of its last holder is forgotten before
// somebody else gets it. It stays part of its pool.
type Quarantined struct {
	Row
	Range    inr.Range `json:"range"`
	Source   string    `json:"source"` // the return
	Began    time.Time `json:"began"`
	FreeFrom time.Time `json:"free_from"`
}

var quarantines = newTable[Quarantined]("quarantine", "qua")

// Quarantined returns what is in quarantine, by range.
func (v *View) Quarantined() ([]Quarantined, error) {
	return quarantines.find(v, "id <> '' ORDER BY kind, first")
}

func (v *View) quarantinedIn(r inr.Range) ([]Quarantined, error) {
	before, ok, err := quarantines.one(v, "kind = $1 AND first < $2 ORDER BY first DESC LIMIT 1", r.Kind.String(), numKey(r.First))
	if err != nil {
		return nil, err
	}
	var list []Quarantined
	if ok && before.Range.Overlaps(r) {
		list = append(list, before)
	}
	more, err := quarantines.find(v, "kind = $1 AND first >= $2 AND first <= $3 ORDER BY first", r.Kind.String(), numKey(r.First), numKey(r.Last))
	return append(list, more...), err
}

// isolate puts a range into quarantine that nobody holds any more.
func (x *Tx) isolate(r inr.Range, source string) error {
	q := Quarantined{Range: r, Source: source, Began: x.Actor.At, FreeFrom: x.Actor.At.AddDate(0, 0, x.Rules.QuarantineDays)}
	return quarantines.put(x, &q)
}

// endQuarantine makes a range free again, in the pools that it is in; what is in
// none becomes a regional pool (APNIC-103, section 3.5: what is allocated anew is
// the region's). If it was ended already nothing happens.
func (x *Tx) endQuarantine(id string, r *Ran) error {
	if err := x.Actor.need("end a quarantine", RegistryStaff, Admin); err != nil {
		return err
	}
	q, err := quarantines.get(x.View, id)
	if CodeOf(err) == NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	x.act("quarantine.end")
	if err := quarantines.end(x, q.ID); err != nil {
		return err
	}
	over, err := x.poolsOver(q.Range)
	if err != nil {
		return err
	}
	rest := inr.Of(q.Range)
	for _, p := range over {
		in := inr.Of(p.Range).Intersect(rest)
		rest = rest.Subtract(in)
		if err := x.release(p.ID, in.Blocks()); err != nil {
			return fmt.Errorf("ending the quarantine of %s: %w", q.Range, err)
		}
	}
	for own := range rest.All() {
		p := Pool{Range: own, Purpose: Regional, Description: "returned"}
		if err := pools.put(x, &p); err != nil {
			return err
		}
		if err := x.release(p.ID, inr.Of(own).Blocks()); err != nil {
			return err
		}
	}
	r.Freed = append(r.Freed, q.Range)
	return nil
}
