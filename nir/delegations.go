package nir

import (
	"fmt"
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
	var list []Delegation
	key := n.Bytes()
	for _, l := range []Level{NIRToMember, RIRToMember, RIRToNIR} {
		d, ok, err := delegations.one(v, "level = $1 AND kind = $2 AND first <= $3 ORDER BY first DESC LIMIT 1", string(l), k.String(), key[:])
		if err != nil {
			return nil, err
		}
		if ok && d.Range.Last.Cmp(n) >= 0 {
			list = append(list, d)
		}
	}
	return list, nil
}

// Within returns the delegations of a level that share numbers with a range, in
// order.
func (v *View) Within(l Level, r inr.Range) ([]Delegation, error) {
	first, last := r.First.Bytes(), r.Last.Bytes()
	var list []Delegation
	before, ok, err := delegations.one(v, "level = $1 AND kind = $2 AND first < $3 ORDER BY first DESC LIMIT 1", string(l), r.Kind.String(), first[:])
	if err != nil {
		return nil, err
	}
	if ok && before.Range.Overlaps(r) {
		list = append(list, before)
	}
	more, err := delegations.find(v, "level = $1 AND kind = $2 AND first >= $3 AND first <= $4 ORDER BY first", string(l), r.Kind.String(), first[:], last[:])
	return append(list, more...), err
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
func (x *Tx) addDelegation(d *Delegation) error {
	clash, err := x.Within(d.Level, d.Range)
	if err != nil {
		return err
	}
	if len(clash) > 0 {
		return refuse(Conflict, "%s overlaps %s, which is delegated to %s", d.Range, clash[0].Range, x.holder(&clash[0]))
	}
	if err := x.checkParent(d); err != nil {
		return err
	}
	if err := delegations.put(x, d); err != nil {
		return fmt.Errorf("delegating %s: %w", d.Range, err)
	}
	return nil
}

// checkParent finds the delegation that d is part of, and refuses one that nobody
// could have made: to a member of what the NIR does not hold, or to both an NIR
// and a direct member.
func (x *Tx) checkParent(d *Delegation) error {
	other := map[Level]Level{RIRToNIR: RIRToMember, RIRToMember: RIRToNIR, NIRToMember: RIRToMember}[d.Level]
	clash, err := x.Within(other, d.Range)
	if err != nil {
		return err
	}
	if len(clash) > 0 {
		return refuse(Conflict, "%s overlaps %s, which is managed by %s", d.Range, clash[0].Range, x.registryName(clash[0].NIR))
	}
	if d.Level != NIRToMember {
		return nil
	}
	above, err := x.Within(RIRToNIR, d.Range)
	if err != nil {
		return err
	}
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
	if m, err := members.get(x.View, d.Member); err == nil {
		return m.Name
	}
	return d.Member
}
