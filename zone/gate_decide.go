package zone

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Gate returns the changes that pass a limit, sorted by source, zone and kind:
// at most one Hold for each, which names every limit it passes. A limit is
// passed by one run, or by it together with what the source lost unheld in the
// 24 hours or 7 days before. Give it the changes of all zones together, because
// one limit is on a source's total. What a person has accepted does not count.
func Gate(changes []SourceChange, lim Limits, accepts Accepts, now time.Time) []Hold {
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
		holds = append(holds, gateSource(changes[i:j], lim, accepts, now)...)
		i = j
	}
	return holds
}

// A gated is one source's change in one zone with what counts of it.
type gated struct {
	SourceChange
	open     map[string][]Loss // by kind, not accepted
	accepted int               // removed or hidden, and accepted
}

// gone returns what open losses concern after which nothing is delegated.
func (g *gated) gone() map[Name]bool {
	names := map[Name]bool{}
	for _, x := range slices.Concat(g.open[KindRemoved], g.open[KindShadowed]) {
		if !x.Over {
			names[unitOf(x.Name)] = true
		}
	}
	return names
}

// gateSource looks at one source's changes in all zones.
func gateSource(changes []SourceChange, lim Limits, accepts Accepts, now time.Time) []Hold {
	if !slices.ContainsFunc(changes, func(c SourceChange) bool { return len(c.Losses) > 0 }) {
		return nil
	}
	list := make([]gated, len(changes))
	for i, c := range changes {
		list[i] = gated{SourceChange: c, open: map[string][]Loss{}}
		agreed, gone := accepts.agreed(c.Source, c.Zone, now), map[Name]bool{}
		for _, x := range c.Losses {
			if !agreed.covers(x) {
				list[i].open[x.Kind] = append(list[i].open[x.Kind], x)
			} else if (x.Kind == KindRemoved || x.Kind == KindShadowed) && !x.Over {
				gone[unitOf(x.Name)] = true
			}
		}
		list[i].accepted = len(gone)
	}
	total := lim.totals(list, now)
	var holds []Hold
	for i := range list {
		for _, kind := range LossKinds {
			if rules := lim.rules(&list[i], kind, total, now); len(rules) > 0 {
				holds = append(holds, list[i].hold(kind, rules))
			}
		}
	}
	return holds
}

func (g *gated) hold(kind string, rules []string) Hold {
	h := Hold{Source: g.Source, Zone: g.Zone, Kind: kind, Rule: strings.Join(rules, "; "), Before: g.Before, After: g.After}
	for _, x := range g.open[kind] {
		h.Losses = append(h.Losses, x.Name)
		if kind != KindRemoved {
			h.Sets = append(h.Sets, HeldSet{Was: x.Was, Is: x.Is, By: x.By})
		}
	}
	h.Hash = h.ComputeHash()
	return h
}

// rules returns the limits that one kind of change passes in one zone, in words.
func (lim Limits) rules(g *gated, kind string, total []string, now time.Time) []string {
	open := g.open[kind]
	if len(open) == 0 {
		return nil
	}
	var rules []string
	for _, window := range []time.Duration{0, Day, Week} {
		rules = append(rules, lim.counted(g, kind, window, now)...)
	}
	if slices.ContainsFunc(open, func(x Loss) bool { return !x.Over }) && (kind == KindRemoved || kind == KindShadowed) {
		rules = append(rules, lim.gone(g, kind)...)
		rules = append(rules, total...)
	}
	return rules
}

// counted returns the limits on the number of owners within a window; the window
// of one run is 0.
func (lim Limits) counted(g *gated, kind string, window time.Duration, now time.Time) []string {
	names := map[Name]bool{}
	for _, x := range g.open[kind] {
		names[unitOf(x.Name)] = true
	}
	fresh, base := len(names), g.base(kind)
	past := g.Past.since(kind, window, now)
	for _, p := range past {
		for _, n := range p.Names {
			names[unitOf(n)] = true
		}
	}
	if len(past) > 0 {
		// Not more than there would be now without the losses: the source may have
		// shrunk since, by what a person accepted.
		base = min(past[0].Before, base+len(names)-fresh)
	}
	l := lim.Of(kind, window)
	if window > 0 && len(names) == fresh && l == lim.Of(kind, 0) {
		return nil // nothing but what the limit of the run has seen
	}
	var rules []string
	n, over := len(names), overWindow(window)
	if float64(n)*100 > l.Percent*float64(base) && n >= l.Least {
		rules = append(rules, fmt.Sprintf("share%s: %d of %d %s are %.1f %%, more than %g %% and at least %d", over, n, base, unit(kind), percent(n, base), l.Percent, l.Least))
	}
	if n >= l.Most {
		rules = append(rules, fmt.Sprintf("most%s: %s, %d or more", over, plural(n, strings.TrimSuffix(unit(kind), "s"), unit(kind)), l.Most))
	}
	return rules
}

func overWindow(window time.Duration) string {
	switch window {
	case 0:
		return ""
	case Day:
		return " over 24 h"
	}
	return " over 7 d"
}

func unit(kind string) string {
	if kind == KindDSChanged || kind == KindDSRemoved {
		return "signed delegations"
	}
	return "delegations"
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// gone returns the limits that are on what is lost, not on how much: a source's
// last delegation in the zone, and wide ranges.
func (lim Limits) gone(g *gated, kind string) []string {
	var rules []string
	if lim.Last && g.After == 0 {
		rules = append(rules, fmt.Sprintf("last: the source's last %d of %d delegations in the zone", len(g.gone()), g.Before))
	}
	for _, x := range g.open[kind] {
		if p, ok := x.Name.Prefix(); ok && !x.Over && lim.wide(p.Addr().Is4(), p.Bits()) {
			rules = append(rules, fmt.Sprintf("wide: %s is a /%d", x.Name, p.Bits()))
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

// totals says by how much a source's total over all zones falls, for every window
// in which that is over its limit. What others took over lowers the total too,
// and is no loss.
func (lim Limits) totals(list []gated, now time.Time) []string {
	var rules []string
	for _, window := range []time.Duration{0, Day, Week} {
		before, fall, lost, past := 0, 0, 0, false
		for i := range list {
			base, names := list[i].total(window, now)
			past = past || base.past
			before += base.count
			fall += base.count - list[i].After - list[i].accepted
			lost += names
		}
		limit := lim.Total(window)
		if window > 0 && !past && limit == lim.Total(0) {
			continue
		}
		if n := min(fall, lost); float64(n)*100 > limit*float64(before) {
			rules = append(rules, fmt.Sprintf("total%s: %d of %d delegations in all zones are %.1f %%, more than %g %%", overWindow(window), n, before, percent(n, before), limit))
		}
	}
	return rules
}

// A baseline is how many delegations a source had at the beginning of a window.
type baseline struct {
	count int
	past  bool // something was lost in the window before this run
}

// total returns how many delegations the source had in the zone, and how many
// owners it lost, in a window.
func (g *gated) total(window time.Duration, now time.Time) (baseline, int) {
	base, names := baseline{count: g.Before}, map[Name]bool{}
	for n := range g.gone() {
		names[n] = true
	}
	for _, p := range g.Past {
		if p.Kind != KindRemoved && p.Kind != KindShadowed || now.Sub(p.Time) >= window {
			continue
		}
		if !base.past {
			base = baseline{p.Before, true}
		}
		for i, n := range p.Names {
			if !strings.HasPrefix(p.was(i), overPrefix) {
				names[unitOf(n)] = true
			}
		}
	}
	return base, len(names)
}
