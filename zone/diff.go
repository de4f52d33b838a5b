package zone

import (
	"fmt"
	"slices"
)

// A Delta is the difference between two versions of a zone: one Change an
// owner, in canonical order.
type Delta struct {
	Zone    Name     `json:"zone"`
	Apex    []string `json:"apex,omitempty"` // "- …" and "+ …" lines: name servers, TTL of delegations, SOA without serial
	Changes []Change `json:"changes"`
}

// A ChangeKind is one way in which an owner changed.
type ChangeKind string

// The kinds of change. An owner that is added or removed has no other kind.
const (
	ChangeAdded     ChangeKind = "added"
	ChangeRemoved   ChangeKind = "removed"
	ChangeNS        ChangeKind = "ns"
	ChangeDSAdded   ChangeKind = "ds-added"
	ChangeDSChanged ChangeKind = "ds-changed"
	ChangeDSRemoved ChangeKind = "ds-removed"
	ChangeGlue      ChangeKind = "glue"
	ChangeCNAME     ChangeKind = "cname"
	ChangeTTL       ChangeKind = "ttl"
	ChangeSource    ChangeKind = "source" // another source; the records may be the same
)

// A Change is what happened to one owner: a delegation with its glue, or an
// alias of RFC 2317. Before and After name the sources it was and is published
// from; Removed and Added are the records without TTL, in canonical order; Kept
// is the code if published state stands now.
type Change struct {
	Name    Name         `json:"name"`
	Kinds   []ChangeKind `json:"kinds"`
	Before  string       `json:"before,omitempty"`
	After   string       `json:"after,omitempty"`
	Removed []string     `json:"removed,omitempty"`
	Added   []string     `json:"added,omitempty"`
	Kept    string       `json:"kept,omitempty"`
}

// Diff compares two versions of a zone; either may be nil. It goes once over
// both; names that are equal cost no comparison of keys.
func Diff(prev, next *Zone) Delta {
	var d Delta
	if next != nil {
		d.Zone = next.Origin
	} else if prev != nil {
		d.Zone = prev.Origin
	}
	if prev != nil && next != nil {
		d.Apex = diffLines(prev.Apex.lines(), next.Apex.lines())
	}
	walk(prev, next, func(a, b []Entry) {
		if c, ok := diffOwner(prev, a, next, b); ok {
			d.Changes = append(d.Changes, c)
		}
	})
	return d
}

// lines returns what an apex says of itself and of the TTLs below, for
// comparison and for people.
func (a Apex) lines() []string {
	var out []string
	for _, n := range a.NS {
		out = append(out, "NS "+string(n))
	}
	ttl := fmt.Sprintf("TTL of delegations %d", a.TTL.Fixed)
	if a.TTL.FromSource {
		ttl = fmt.Sprintf("TTL of delegations from the source, %d to %d", a.TTL.Min, a.TTL.Max)
	}
	s := a.SOA
	return append(out, ttl, fmt.Sprintf("SOA %s %s refresh %d retry %d expire %d minimum %d ttl %d serial %s", s.MName, s.RName, s.Refresh, s.Retry, s.Expire, s.Minimum, s.TTL, s.Family))
}

func diffLines(before, after []string) []string {
	var out []string
	for _, l := range before {
		if !slices.Contains(after, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			out = append(out, "+ "+l)
		}
	}
	return out
}

// diffOwner compares one owner's records; false if nothing changed.
func diffOwner(prev *Zone, a []Entry, next *Zone, b []Entry) (Change, bool) {
	var c Change
	if len(a) > 0 {
		c.Name, c.Before = a[0].Name, prev.input(a[0]).Source
	}
	if len(b) > 0 {
		c.Name, c.After, c.Kept = b[0].Name, next.input(b[0]).Source, b[0].Kept
	}
	switch {
	case len(a) == 0:
		c.Kinds, c.Added = []ChangeKind{ChangeAdded}, recordTexts(b, c.Name)
		return c, true
	case len(b) == 0:
		c.Kinds, c.Removed = []ChangeKind{ChangeRemoved}, recordTexts(a, c.Name)
		return c, true
	case c.Before == c.After && slices.EqualFunc(a, b, func(x, y Entry) bool { return x.Record == y.Record }):
		return c, false
	}
	gone, come := without(a, b), without(b, a)
	c.Removed, c.Added = recordTexts(gone, c.Name), recordTexts(come, c.Name)
	c.Kinds = changeKinds(a, b, gone, come)
	if c.Before != c.After {
		c.Kinds = append(c.Kinds, ChangeSource)
	}
	return c, true
}

// without returns the records of a that are not in b, TTL aside.
func without(a, b []Entry) []Entry {
	var out []Entry
	for _, e := range a {
		if !slices.ContainsFunc(b, func(f Entry) bool { return e.Type == f.Type && e.Data == f.Data && e.Name == f.Name }) {
			out = append(out, e)
		}
	}
	return out
}

// changeKinds says in which ways an owner with records before and after
// changed.
func changeKinds(a, b, gone, come []Entry) []ChangeKind {
	has := func(es []Entry, t Type) bool {
		return slices.ContainsFunc(es, func(e Entry) bool { return e.Type == t })
	}
	changed := func(t Type) bool { return has(gone, t) || has(come, t) }
	var kinds []ChangeKind
	if changed(TypeNS) {
		kinds = append(kinds, ChangeNS)
	}
	if changed(TypeDS) {
		switch {
		case !has(a, TypeDS):
			kinds = append(kinds, ChangeDSAdded)
		case !has(b, TypeDS):
			kinds = append(kinds, ChangeDSRemoved)
		default:
			kinds = append(kinds, ChangeDSChanged)
		}
	}
	if changed(TypeA) || changed(TypeAAAA) {
		kinds = append(kinds, ChangeGlue)
	}
	if changed(TypeCNAME) {
		kinds = append(kinds, ChangeCNAME)
	}
	if differentTTL(a, b) {
		kinds = append(kinds, ChangeTTL)
	}
	return kinds
}

func differentTTL(a, b []Entry) bool {
	for _, e := range a {
		if slices.ContainsFunc(b, func(f Entry) bool { return e.Type == f.Type && e.Name == f.Name && e.TTL != f.TTL }) {
			return true
		}
	}
	return false
}

// recordTexts writes records of an owner; names below it are written out.
func recordTexts(es []Entry, owner Name) []string {
	var out []string
	for _, e := range es {
		s := e.Type.String() + " " + e.Text()
		if e.Name != owner {
			s = string(e.Name) + " " + s
		}
		out = append(out, s)
	}
	return out
}

// Empty reports whether nothing changed.
func (d Delta) Empty() bool { return len(d.Apex) == 0 && len(d.Changes) == 0 }
