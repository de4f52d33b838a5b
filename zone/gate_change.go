package zone

import (
	"slices"
	"strings"
)

// A SourceChange counts the delegations (owners with NS) that a source has in a
// zone before and after; the single addresses of a /24 with aliases (RFC 2317)
// count as one. Signed are those with DS before. Losses are what it lost, owner
// by owner, by kind and then canonically. Past is what it lost unheld in earlier
// runs and has not back, see [Ledger].
type SourceChange struct {
	Source        string
	Zone          Name
	Before, After int
	Signed        int
	Losses        []Loss
	Past          Ledger
}

// A Loss is a change of one owner that may be held. Was and Is are records in
// presentation form, for the kinds that have both: NS with the glue they rest on,
// CNAME, or DS; of a delegation that another source took over, all. By says what hides a shadowed one.
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
// above it. Where the addresses of name servers inside the zone change, every
// delegation that rests on them changes, and the source of the addresses answers
// for it.
func SourceChanges(prev, next *Zone) []SourceChange {
	t := changeTable{index: map[string]int{}, was: glueOf(prev), is: glueOf(next)}
	t.moved = t.was.moved(t.is)
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

type changeTable struct {
	zone  Name
	list  []SourceChange
	index map[string]int
	last  int
	cut   Name // the last delegation of the new version
	by    string
	was   glueTable
	is    glueTable
	moved map[Data]string // hosts that have other addresses, see [glueTable.moved]
	first counted         // what single addresses before were counted in last
	then  counted         // … and those after
}

// A counted is a /24 whose single addresses count as one.
type counted struct {
	source string
	unit   Name
}

// again reports whether the owner is a single address of a /24 of which another
// was counted.
func (c *counted) again(source string, n Name) bool {
	unit := unitOf(n)
	if unit == n {
		return false
	}
	last := *c
	*c = counted{source, unit}
	return last == *c
}

// compare looks at one owner's records before and after.
func (t *changeTable) compare(prev *Zone, a []Entry, next *Zone, b []Entry) {
	before, was, _ := gatedSource(prev, a)
	after, is, alias := gatedSource(next, b)
	if is && !alias {
		t.cut, t.by = b[0].Name, after
	}
	if is && !t.then.again(after, b[0].Name) {
		t.of(after).After++
	}
	if !was {
		return
	}
	if !t.first.again(before, a[0].Name) {
		t.of(before).Before++
	}
	if hasDS(a) {
		t.of(before).Signed++
	}
	same, mover := is && sameSets(a, b), t.mover(before, a, b)
	switch {
	case same && mover == "":
	case same && before == after:
		t.lose(mover, Loss{Kind: KindNS, Name: a[0].Name, Was: nsTexts(a, t.was), Is: nsTexts(b, t.is)})
	case is && before == after:
		t.lose(before, t.setLosses(a, b)...)
	case is:
		t.lose(before, Loss{Kind: KindShadowed, Name: a[0].Name, Was: allTexts(a, t.was), Is: allTexts(b, t.is), By: after, Over: true})
	case t.cut != "" && a[0].Name != t.cut && a[0].Name.Within(t.cut):
		t.lose(before, Loss{Kind: KindShadowed, Name: a[0].Name, By: string(t.cut) + " of " + t.by, had: setName(allTexts(a, t.was))})
	default:
		t.lose(before, Loss{Kind: KindRemoved, Name: a[0].Name, had: setName(allTexts(a, t.was))})
	}
}

func (t *changeTable) lose(source string, losses ...Loss) {
	c := t.of(source)
	c.Losses = append(c.Losses, losses...)
}

// mover returns the source that gave other addresses to a host that a delegation
// rests on, or that lies below it; its own if that is one of them, "" if there is
// none.
func (t *changeTable) mover(own string, a, b []Entry) string {
	if len(t.moved) == 0 {
		return ""
	}
	by := ""
	for _, es := range [][]Entry{a, b} {
		for i := range es {
			host := es[i].Data
			if isAddress(es[i].Record) {
				host = NSData(es[i].Name)
			} else if es[i].Type != TypeNS {
				continue
			}
			if source, ok := t.moved[host]; ok && (by == "" || source == own) {
				by = source
			}
		}
	}
	return by
}

// setLosses says how the sets of an owner changed that its source still has.
func (t *changeTable) setLosses(a, b []Entry) []Loss {
	var out []Loss
	if was, is := nsTexts(a, t.was), nsTexts(b, t.is); !slices.Equal(was, is) {
		out = append(out, Loss{Kind: KindNS, Name: a[0].Name, Was: was, Is: is})
	}
	was, is := dsTexts(a), dsTexts(b)
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
