package nir

import (
	"fmt"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A Delegation is one step of resources from hand to hand. An allocation by an NIR
// makes two of the same range: from the regional registry to the NIR, and from
// the NIR to its member (APNIC-103, section 3.2); a direct member's has one.
type Delegation struct {
	Row
	Level    Level     `json:"level"`
	Range    inr.Range `json:"range"`
	Type     string    `json:"type"` // allocation or assignment
	Economy  string    `json:"economy"`
	NIR      string    `json:"nir"`    // that manages the range, "" for the regional registry
	Member   string    `json:"member"` // "" at level rir-nir
	Date     time.Time `json:"date"`   // of the delegation, which an import or a transfer keeps
	Evidence Evidence  `json:"evidence"`
	Request  string    `json:"request"` // or transfer, or import
	Parent   string    `json:"parent"`  // the delegation that this one is part of
	Pool     string    `json:"pool"`
}

// A Level is between whom a delegation is.
type Level string

// The levels.
const (
	RIRToNIR    Level = "rir-nir"
	NIRToMember Level = "nir-member"
	RIRToMember Level = "rir-member"
)

// levels are all levels, the most specific first.
var levels = []Level{NIRToMember, RIRToMember, RIRToNIR}

// Evidence is why a delegation is in the registry.
type Evidence string

// The kinds of evidence.
const (
	ByRequest       Evidence = "request"        // within the window
	BySecondOpinion Evidence = "second-opinion" // approved above it
	ByImport        Evidence = "import"         // confirmed by two persons
	ByExistingPool  Evidence = "existing-pool"  // further allocated (APNIC-103, section 3.5)
	ByTransfer      Evidence = "transfer"       // (section 4)
)

var delegations = newTable[Delegation]("delegation", "del")

// Delegation returns the delegation of an identifier.
func (v *View) Delegation(id string) (Delegation, error) { return delegations.get(v, id) }

// DelegationVersions returns every version of a delegation, the oldest first.
func (v *View) DelegationVersions(id string) ([]Delegation, error) {
	return delegations.versions(v, id)
}

// At returns the delegations that cover a number, the most specific first: to the
// member, then to the NIR.
func (v *View) At(k inr.Kind, n inr.Num) ([]Delegation, error) {
	return v.meeting(inr.Range{Kind: k, First: n, Last: n}, levels...)
}

// Within returns the delegations of a level that share numbers with a range, in
// order.
func (v *View) Within(l Level, r inr.Range) ([]Delegation, error) { return v.meeting(r, l) }

// meeting returns the delegations of levels that share numbers with a range, by
// level and range. Those of one level do not overlap: of what begins before the
// range only the last may reach into it. One statement asks for all levels.
func (v *View) meeting(r inr.Range, of ...Level) ([]Delegation, error) {
	var parts []string
	args := []any{r.Kind.String(), numKey(r.First), numKey(r.Last)}
	for _, l := range of {
		args = append(args, string(l))
		at := fmt.Sprintf("%s AND level = $%d AND kind = $1", v.standing(), len(args))
		parts = append(parts, "SELECT "+delegations.list+" FROM delegation WHERE "+at+
			" AND first <= $3 AND first >= coalesce((SELECT first FROM delegation WHERE "+at+" AND first <= $2 ORDER BY first DESC LIMIT 1), $2)")
	}
	var list []Delegation
	err := delegations.scan(v, strings.Join(parts, " UNION ALL ")+" ORDER BY level, first", args, func(d *Delegation) error {
		if d.Range.Overlaps(r) {
			list = append(list, *d)
		}
		return nil
	})
	return list, err
}

// Holdings returns the delegations of a member for a kind, in order.
func (v *View) Holdings(member string, k inr.Kind) ([]Delegation, error) {
	return delegations.find(v, "member = $1 AND kind = $2 ORDER BY first", member, k.String())
}

// EachDelegation calls fn for all delegations, by level, kind and range.
func (v *View) EachDelegation(fn func(*Delegation) error) error {
	return delegations.each(v, "id <> '' ORDER BY level, kind, first", nil, fn)
}

// addDelegation records a delegation. Above it there has to be one that contains
// it, if its level is nir-member.
func (x *Tx) addDelegation(d *Delegation) error { return x.addDelegations(d) }

// addDelegations records the delegations of one range, from the top down.
func (x *Tx) addDelegations(list ...*Delegation) error {
	near, err := x.meeting(list[0].Range, levels...)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := x.checkPlaceOf(d, near); err != nil {
			return err
		}
		if d.ID == "" {
			d.ID = x.newID(delegations.prefix)
		} else if err := delegations.close(x, d.ID); err != nil { // of one that ended in this event
			return err
		}
		near = append(near, *d)
	}
	if err := delegations.write(x, list...); err != nil {
		return fmt.Errorf("delegating %s: %w", list[0].Range, err)
	}
	for _, d := range list {
		if err := x.note(delegations.name, d.ID, d); err != nil {
			return err
		}
	}
	return nil
}

// of returns the delegations of a level.
func (l Level) of(list []Delegation) []Delegation {
	var found []Delegation
	for _, d := range list {
		if d.Level == l {
			found = append(found, d)
		}
	}
	return found
}

// checkPlaceOf finds the delegation that d is part of, and refuses one that nobody
// could have made: of what is delegated, to a member of what the NIR does not hold,
// or to both an NIR and a direct member. near is what shares numbers with it.
func (x *Tx) checkPlaceOf(d *Delegation, near []Delegation) error {
	if clash := d.Level.of(near); len(clash) > 0 {
		return refuse(Conflict, "%s overlaps %s, which is delegated to %s", d.Range, clash[0].Range, x.holder(&clash[0]))
	}
	other := map[Level]Level{RIRToNIR: RIRToMember, RIRToMember: RIRToNIR, NIRToMember: RIRToMember}[d.Level]
	if clash := other.of(near); len(clash) > 0 {
		return refuse(Conflict, "%s overlaps %s, which is managed by %s", d.Range, clash[0].Range, x.registryName(clash[0].NIR))
	}
	if d.Level != NIRToMember {
		return nil
	}
	above := RIRToNIR.of(near)
	if len(above) != 1 || !above[0].Range.Contains(d.Range) || above[0].NIR != d.NIR {
		return refuse(Conflict, "%s is not delegated to %s as one range", d.Range, d.NIR).by("APNIC-103, section 3.2")
	}
	d.Parent = above[0].ID
	return nil
}

// holder names who has a delegation.
func (x *Tx) holder(d *Delegation) string {
	if d.Member == "" {
		return d.NIR
	}
	if m, err := x.Member(d.Member); err == nil {
		return m.Name
	}
	return d.Member
}
