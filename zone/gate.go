package zone

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Hold is a change of one source in one zone that passed a limit and waits
// for a person. Losses are the owners that would no longer be delegated and
// whose loss nobody has accepted, sorted canonically. Before and After count
// the source's delegations in the zone.
type Hold struct {
	Hash   string `json:"hash"` // see ComputeHash
	Source string `json:"source"`
	Zone   Name   `json:"zone"`
	Kind   string `json:"kind"` // one of the Kind constants
	Rule   string `json:"rule"` // which limits, in words, with the figures
	Before int    `json:"before"`
	After  int    `json:"after"`
	Losses []Name `json:"losses"`
}

// The kinds of change that are held: delegations that a source removed, those
// that stand only although its claims moved, and a whole zone that is configured
// no more.
const (
	KindRemoved     = "removed"
	KindClaimsMoved = "claims-moved"
	KindZoneDropped = "zone-dropped"
)

// holdVersion is part of every hash, so that a later form cannot be mistaken
// for this one.
const holdVersion = "nirzone hold 1"

// ComputeHash returns the hex SHA-256 that names the hold. It covers the
// source, the zone, the kind and the losses, and nothing else: the rest of the
// feed may change while a person thinks about it.
func (h Hold) ComputeHash() string {
	losses := slices.Clone(h.Losses)
	slices.Sort(losses)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%q\n%q\n%q\n", holdVersion, h.Source, h.Zone, h.Kind)
	for _, n := range losses {
		fmt.Fprintf(&b, "%q\n", n)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// A SourceChange counts the delegations (owners with NS) that a source has in a
// zone before and after. Removed are the owners that were published from it and
// that nobody delegates any more, sorted canonically.
type SourceChange struct {
	Source  string `json:"source"`
	Zone    Name   `json:"zone"`
	Before  int    `json:"before"`
	After   int    `json:"after"`
	Removed []Name `json:"removed,omitempty"`
}

// SourceChanges compares two versions of a zone, source by source, sorted;
// either may be nil. An owner counts for the source it is published from. One
// that another source or the registry took over is no loss; one that gave way
// to a delegation above or below it is.
func SourceChanges(prev, next *Zone) []SourceChange {
	t := changeTable{index: map[string]int{}}
	if next != nil {
		t.zone = next.Origin
	} else if prev != nil {
		t.zone = prev.Origin
	}
	walk(prev, next, func(a, b []Entry) {
		before, was := nsSource(prev, a)
		after, is := nsSource(next, b)
		if was {
			c := t.of(before)
			c.Before++
			if !is {
				c.Removed = append(c.Removed, a[0].Name)
			}
		}
		if is {
			t.of(after).After++
		}
	})
	slices.SortFunc(t.list, func(a, b SourceChange) int { return strings.Compare(a.Source, b.Source) })
	return t.list
}

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

// Gate returns the changes that pass a limit, sorted by source and zone: at
// most one Hold a source and zone, which names every limit it passes. Give it
// the changes of all zones together, because one limit is on a source's total.
// accepted returns the owners whose loss a person has agreed to, which do not
// count; it may be nil.
func Gate(changes []SourceChange, lim Limits, accepted func(source string, zone Name) map[Name]bool) []Hold {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b SourceChange) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), a.Zone.Compare(b.Zone))
	})
	var holds []Hold
	for i := 0; i < len(changes); {
		j := i + 1
		for j < len(changes) && changes[j].Source == changes[i].Source {
			j++
		}
		holds = append(holds, gateSource(changes[i:j], lim, accepted)...)
		i = j
	}
	return holds
}

// gateSource looks at one source's changes in all zones.
func gateSource(changes []SourceChange, lim Limits, accepted func(string, Name) map[Name]bool) []Hold {
	losses := make([][]Name, len(changes))
	before, fall, lost := 0, 0, 0
	for i, c := range changes {
		losses[i] = c.losses(accepted)
		before += c.Before
		fall += c.Before - c.After - (len(c.Removed) - len(losses[i]))
		lost += len(losses[i])
	}
	// What others took over lowers the total too, and is no loss.
	total := lim.total(before, min(fall, lost))
	var holds []Hold
	for i, c := range changes {
		if len(losses[i]) == 0 {
			continue
		}
		rules := lim.rules(c, losses[i])
		if total != "" {
			rules = append(rules, total)
		}
		if len(rules) == 0 {
			continue
		}
		h := Hold{Source: c.Source, Zone: c.Zone, Kind: KindRemoved, Rule: strings.Join(rules, "; "), Before: c.Before, After: c.After, Losses: losses[i]}
		h.Hash = h.ComputeHash()
		holds = append(holds, h)
	}
	return holds
}

// losses returns the removed owners that nobody has accepted, sorted.
func (c SourceChange) losses(accepted func(string, Name) map[Name]bool) []Name {
	var agreed map[Name]bool
	if accepted != nil && len(c.Removed) > 0 {
		agreed = accepted(c.Source, c.Zone)
	}
	var out []Name
	for _, n := range c.Removed {
		if !agreed[n] {
			out = append(out, n)
		}
	}
	return out
}

// rules returns the limits of one zone that the losses pass, in words.
func (lim Limits) rules(c SourceChange, losses []Name) []string {
	var rules []string
	n := len(losses)
	if float64(n)*100 > lim.Percent*float64(c.Before) && n >= lim.Least {
		rules = append(rules, fmt.Sprintf("share: %d of %d delegations are %.1f %%, more than %g %% and at least %d", n, c.Before, 100*float64(n)/float64(c.Before), lim.Percent, lim.Least))
	}
	if n >= lim.Most {
		rules = append(rules, fmt.Sprintf("most: %d delegations, %d or more", n, lim.Most))
	}
	if lim.Last && c.After == 0 {
		rules = append(rules, fmt.Sprintf("last: the source's last %d of %d delegations in the zone", n, c.Before))
	}
	for _, name := range losses {
		if p, ok := name.Prefix(); ok && lim.wide(p.Addr().Is4(), p.Bits()) {
			rules = append(rules, fmt.Sprintf("wide: %s is a /%d", name, p.Bits()))
			break
		}
	}
	return rules
}

func (lim Limits) wide(v4 bool, bits int) bool {
	if v4 {
		return bits <= lim.Wide4
	}
	return bits <= lim.Wide6
}

// total says by how much a source's total falls, "" if within the limit.
func (lim Limits) total(before, fall int) string {
	if float64(fall)*100 <= lim.TotalPercent*float64(before) {
		return ""
	}
	return fmt.Sprintf("total: %d of %d delegations in all zones are %.1f %%, more than %g %%", fall, before, 100*float64(fall)/float64(before), lim.TotalPercent)
}
