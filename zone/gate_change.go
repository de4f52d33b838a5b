package zone

import (
	"slices"
	"strings"
)

// A SourceChange counts the delegations (owners with NS) that a source has in a
// zone before and after. Signed are those with DS before. Losses are what it
// lost, by kind and then canonically. Past is what it lost unheld in earlier
// runs and has not back, see [Ledger].
type SourceChange struct {
	Source        string
	Zone          Name
	Before, After int
	Signed        int
	Losses        []Loss
	Past          Ledger
}

// A Loss is a change of one owner that may be held. Was and Is are NS or DS
// records in presentation form, for the kinds that have both; of a delegation
// that another source took over, both types. By says what hides a shadowed one.
type Loss struct {
	Kind string
	Name Name
	Was  []string
	Is   []string
	By   string
	Over bool // taken over by another source: the owner itself is still delegated
	had  string
}

// SourceChanges compares two versions of a zone, source by source, sorted;
// either may be nil. An owner counts for the source it is published from. One
// that another source or the registry took over with the very same records is
// no loss; with others it is shadowed, as is one that gave way to a delegation
// above it.
func SourceChanges(prev, next *Zone) []SourceChange {
	t := changeTable{index: map[string]int{}}
	if next != nil {
		t.zone = next.Origin
	} else if prev != nil {
		t.zone = prev.Origin
	}
	walk(prev, next, func(a, b []Entry) { t.compare(prev, a, next, b) })
	slices.SortFunc(t.list, func(a, b SourceChange) int { return strings.Compare(a.Source, b.Source) })
	for i := range t.list {
		slices.SortStableFunc(t.list[i].Losses, func(a, b Loss) int { return kindOrder(a.Kind) - kindOrder(b.Kind) })
	}
	return t.list
}

// UnchangedSources returns the changes of a zone that was not merged again
// because nothing in it changes: the counts of the published one, and what was
// lost before. The limits on a source's total need them.
func UnchangedSources(z *GenerationZone) []SourceChange {
	var list []SourceChange
	for _, c := range z.Counts {
		list = append(list, SourceChange{Source: c.Source, Zone: z.Zone, Before: c.Delegations, After: c.Delegations, Past: z.Ledger.of(c.Source)})
	}
	return list
}

func kindOrder(kind string) int { return slices.Index(LossKinds, kind) }

// nsSource returns the source of an owner's NS set, false if it has none.
func nsSource(z *Zone, es []Entry) (string, bool) {
	for i := range es {
		if es[i].Type == TypeNS {
			return z.input(es[i]).Source, true
		}
	}
	return "", false
}

type changeTable struct {
	zone  Name
	list  []SourceChange
	index map[string]int
	last  int
	cut   Name // the last delegation of the new version
	by    string
}

// compare looks at one owner's records before and after.
func (t *changeTable) compare(prev *Zone, a []Entry, next *Zone, b []Entry) {
	before, was := nsSource(prev, a)
	after, is := nsSource(next, b)
	if is {
		t.cut, t.by = b[0].Name, after
		t.of(after).After++
	}
	if !was {
		return
	}
	c := t.of(before)
	c.Before++
	if hasDS(a) {
		c.Signed++
	}
	switch {
	case is && sameSets(a, b):
	case is && before == after:
		c.Losses = append(c.Losses, setLosses(a, b)...)
	case is:
		c.Losses = append(c.Losses, Loss{Kind: KindShadowed, Name: a[0].Name, Was: setTexts(a, TypeNS, TypeDS), Is: setTexts(b, TypeNS, TypeDS), By: after, Over: true})
	case t.cut != "" && a[0].Name != t.cut && a[0].Name.Within(t.cut):
		c.Losses = append(c.Losses, Loss{Kind: KindShadowed, Name: a[0].Name, By: string(t.cut) + " of " + t.by, had: setName(setTexts(a, TypeNS, TypeDS))})
	default:
		c.Losses = append(c.Losses, Loss{Kind: KindRemoved, Name: a[0].Name, had: setName(setTexts(a, TypeNS, TypeDS))})
	}
}

// setLosses says how the sets of an owner changed that its source still has.
func setLosses(a, b []Entry) []Loss {
	var out []Loss
	if was, is := setTexts(a, TypeNS), setTexts(b, TypeNS); !slices.Equal(was, is) {
		out = append(out, Loss{Kind: KindNS, Name: a[0].Name, Was: was, Is: is})
	}
	was, is := setTexts(a, TypeDS), setTexts(b, TypeDS)
	if slices.Equal(was, is) {
		return out
	}
	kind := KindDSChanged
	if len(was) == 0 {
		kind = KindDSAdded
	} else if len(is) == 0 {
		kind = KindDSRemoved
	}
	return append(out, Loss{Kind: kind, Name: a[0].Name, Was: was, Is: is})
}

func hasDS(es []Entry) bool {
	return slices.ContainsFunc(es, func(e Entry) bool { return e.Type == TypeDS })
}

// sameSets reports whether two versions of an owner have the same NS and DS
// records. Glue stands below or beside them and does not count.
func sameSets(a, b []Entry) bool {
	i, j := 0, 0
	for {
		i, j = nextInSet(a, i), nextInSet(b, j)
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i].Type != b[j].Type || a[i].Data != b[j].Data {
			return false
		}
		i, j = i+1, j+1
	}
}

func nextInSet(es []Entry, i int) int {
	for i < len(es) && (es[i].Type != TypeNS && es[i].Type != TypeDS || es[i].Name != es[0].Name) {
		i++
	}
	return i
}

// setTexts writes the records of an owner of the types given.
func setTexts(es []Entry, types ...Type) []string {
	var out []string
	for i := nextInSet(es, 0); i < len(es); i = nextInSet(es, i+1) {
		if slices.Contains(types, es[i].Type) {
			out = append(out, es[i].Type.String()+" "+es[i].Text())
		}
	}
	return out
}

// of returns the change of a source. Neighbours in a zone are mostly from the
// same one.
func (t *changeTable) of(source string) *SourceChange {
	if t.last < len(t.list) && t.list[t.last].Source == source {
		return &t.list[t.last]
	}
	i, ok := t.index[source]
	if !ok {
		i = len(t.list)
		t.index[source] = i
		t.list = append(t.list, SourceChange{Source: source, Zone: t.zone})
	}
	t.last = i
	return &t.list[i]
}
