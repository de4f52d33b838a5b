package nir

import (
	"slices"

	"nirzone/nir/inr"
)

// moveWhois makes the whois objects follow a transfer or a return, after the
// delegations changed: was went (it has no identifier if it came from another
// region), now came in its place (it has no range if nobody holds it any more),
// rest stays of was. Source and maintainer become the new manager's, what whois
// said of was it says of now, and name servers that are in use stay. If drop is
// true, what people kept for parts of the range ends.
func (x *Tx) moveWhois(was, now Delegation, rest []Delegation, drop bool) error {
	moved := now.Range
	if !moved.Valid() {
		moved = was.Range
	}
	if drop {
		if err := x.dropKept(moved); err != nil {
			return err
		}
	}
	if err := x.splitZones(moved); err != nil {
		return err
	}
	if now.Range.Valid() {
		if err := x.carryRegistration(&was, &now); err != nil {
			return err
		}
		if err := x.describe(&now, nil); err != nil {
			return err
		}
	}
	rest = slices.Clone(rest)
	slices.SortStableFunc(rest, func(a, b Delegation) int { // the one that prunes comes when the others have theirs
		return lastIf(a.ID == was.ID) - lastIf(b.ID == was.ID)
	})
	for _, d := range rest {
		if err := x.carryRegistration(&was, &d); err != nil {
			return err
		}
		if err := x.describe(&d, nil); err != nil {
			return err
		}
	}
	if was.ID != "" {
		_, stands, err := delegations.one(x.View, "id = $1", was.ID)
		if err != nil {
			return err
		}
		if !stands {
			if err := x.undescribe(&was); err != nil {
				return err
			}
		}
	}
	return x.mendAbove(moved)
}

func lastIf(last bool) int {
	if last {
		return 1
	}
	return 0
}

// dropKept ends what people keep for parts of a range.
func (x *Tx) dropKept(r inr.Range) error {
	list, err := x.keptWithin(r, "derived_from = ''")
	if err != nil {
		return err
	}
	for _, w := range list {
		if err := whoisObjects.end(x, w.ID); err != nil {
			return err
		}
	}
	return nil
}

// carryRegistration keeps what whois said of a delegation for the one that follows
// it, if that has no request or registration of its own.
func (x *Tx) carryRegistration(was, now *Delegation) error {
	have, err := x.registration(now, nil)
	if err != nil || have.Netname != "" || was.Range.Kind == 0 {
		return err
	}
	g, err := x.registration(was, nil)
	if err != nil || g.Netname == "" {
		return err
	}
	g.Row, g.Delegation = Row{}, now.ID
	return registrations.put(x, &g)
}

// mendAbove brings the objects of NIRs' own delegations around a range up to date:
// a pool that was cut has other delegations now.
func (x *Tx) mendAbove(r inr.Range) error {
	list, err := x.covering(r)
	if err != nil {
		return err
	}
	for _, w := range list {
		if w.DerivedFrom == "" {
			continue
		}
		d, stands, err := delegations.one(x.View, "id = $1", w.DerivedFrom)
		if err != nil {
			return err
		}
		if stands && slices.ContainsFunc(described(&d), func(n numbers) bool { return n.class == w.Type && n.key == w.Key }) {
			continue
		}
		if err := whoisObjects.end(x, w.ID); err != nil {
			return err
		}
		if err := x.describeParts(w.Range); err != nil {
			return err
		}
	}
	return nil
}

// describeParts describes what NIRs hold of a range.
func (x *Tx) describeParts(r inr.Range) error {
	parts, err := x.Within(RIRToNIR, r)
	if err != nil {
		return err
	}
	for _, d := range parts {
		if err := x.describe(&d, nil); err != nil {
			return err
		}
	}
	return nil
}
