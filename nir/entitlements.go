package nir

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"nirzone/nir/inr"
)

// Entitlements returns what an NIR holds of the regional registry: what its
// resource certificate may cover at most (R-SEC-7). The empty code stands for the
// regional registry's direct members together.
func (v *View) Entitlements(nir string) (inr.Set, error) {
	level := RIRToNIR
	if nir == "" {
		level = RIRToMember
	}
	var b inr.Builder
	err := delegations.each(v, "nir = $1 AND level = $2", []any{nir, string(level)}, func(d *Delegation) error {
		b.Add(d.Range)
		return nil
	})
	return b.Set(), err
}

// EntitlementsOf returns what a member holds of the regional registry directly.
func (v *View) EntitlementsOf(member string) (inr.Set, error) {
	var b inr.Builder
	err := delegations.each(v, "member = $1 AND level = $2", []any{member, string(RIRToMember)}, func(d *Delegation) error {
		b.Add(d.Range)
		return nil
	})
	return b.Set(), err
}

// An EntitlementChange says that what a holder is entitled to has grown or shrunk:
// entitlement.grown asks for a certificate with more, entitlement.shrunk for one
// with less and the revocation of the old. It is computed from the audit, so
// nothing can be committed without it and nothing is told twice: a reader keeps
// the number of the last event that it has dealt with.
type EntitlementChange struct {
	Code   string    `json:"code"` // entitlement.grown or entitlement.shrunk
	NIR    string    `json:"nir"`  // the holder, or
	Member string    `json:"member"`
	Set    inr.Set   `json:"set"` // what came or went
	Event  int64     `json:"event"`
	At     time.Time `json:"at"`
}

// The codes of a change.
const (
	EntitlementGrown  = "entitlement.grown"
	EntitlementShrunk = "entitlement.shrunk"
)

// EntitlementChanges calls fn for every change of what holders are entitled to in
// the events after one, in order: what went before what came, so that no number
// is two holders' in between.
func (v *View) EntitlementChanges(after int64, fn func(EntitlementChange) error) error {
	type event struct {
		seq int64
		at  time.Time
	}
	var found []event
	err := v.Events(after, func(entry, _ []byte) error {
		e, err := decodeEvent(entry)
		if err == nil && slices.ContainsFunc(e.Changes, func(c Change) bool { return c.Table == delegations.name }) {
			found = append(found, event{e.Seq, e.At})
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range found { // now that the query of the audit has ended
		if err := v.entitled(f.seq, f.at, fn); err != nil {
			return err
		}
	}
	return nil
}

// A holder has entitlements: an NIR, or a direct member.
type holder struct{ nir, member string }

// entitled tells the changes of one event.
func (v *View) entitled(seq int64, at time.Time, fn func(EntitlementChange) error) error {
	var entry string
	if err := v.queryRow("SELECT entry FROM audit WHERE seq = $1", seq).Scan(&entry); err != nil {
		return fmt.Errorf("reading event %d: %w", seq, err)
	}
	e, err := decodeEvent([]byte(entry))
	if err != nil {
		return err
	}
	was, is := map[holder]*inr.Builder{}, map[holder]*inr.Builder{}
	var order []holder
	add := func(to map[holder]*inr.Builder, d *Delegation) {
		if d.Level == NIRToMember {
			return
		}
		h := holder{d.NIR, d.Member}
		if was[h] == nil {
			order = append(order, h)
			was[h], is[h] = new(inr.Builder), new(inr.Builder)
		}
		to[h].Add(d.Range)
	}
	for _, c := range e.Changes {
		if c.Table != delegations.name {
			continue
		}
		if err := v.addVersions(seq, c, was, is, add); err != nil {
			return err
		}
	}
	for _, grown := range []bool{false, true} {
		for _, h := range order {
			c := EntitlementChange{Code: EntitlementShrunk, NIR: h.nir, Member: h.member, Event: seq, At: at}
			before, after := was[h].Set(), is[h].Set()
			if c.Set = before.Subtract(after); grown {
				c.Code, c.Set = EntitlementGrown, after.Subtract(before)
			}
			if c.Set.IsEmpty() {
				continue
			}
			if err := fn(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// addVersions adds the version of a delegation that an event ended, and the one
// that it began.
func (v *View) addVersions(seq int64, c Change, was, is map[holder]*inr.Builder, add func(map[holder]*inr.Builder, *Delegation)) error {
	err := delegations.scan(v, "SELECT "+delegations.list+" FROM delegation WHERE id = $1 AND until = $2", []any{c.ID, seq}, func(d *Delegation) error {
		add(was, d)
		return nil
	})
	if err != nil || string(c.Row) == "null" || len(c.Row) == 0 {
		return err
	}
	var d Delegation
	if err := json.Unmarshal(c.Row, &d); err != nil {
		return fmt.Errorf("event %d: decoding delegation %s: %w", seq, c.ID, err)
	}
	add(is, &d)
	return nil
}
