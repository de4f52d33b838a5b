package observe

import (
	"slices"
	"time"

	"nirzone/zone"
)

// keptSets is how many sets of one address are kept: for a zone's server the newest
// answers, for a parent's what led to it.
const (
	keptDS    = 16
	keptChain = 256
)

// chainHold is how long the sets above the parents are kept: no signature over a
// zone's sets that is older counts any more.
const chainHold = 30 * 24 * time.Hour

// A settler turns what was found into the next observations. It is pure.
type settler struct {
	now   time.Time
	fresh time.Duration
	sets  map[string]*zone.RRset // all that may be named, by ID
}

func newSettler(prev *zone.Observations, now time.Time, fresh time.Duration) *settler {
	return &settler{now: now, fresh: fresh, sets: prev.Index()}
}

// add returns the ID of a set and keeps the set.
func (s *settler) add(set *zone.RRset) string {
	id := set.ID()
	s.sets[id] = set
	return id
}

// observation is what is known of an address after a task. prev is nil for one that
// was never asked.
func (s *settler) observation(prev *zone.Observation, t *task) zone.Observation {
	o := zone.Observation{Server: t.server, Address: t.address}
	if prev != nil {
		o = *prev
	}
	o.Asked = s.now
	if t.got.err != nil {
		if o.Fault == "" {
			o.Since = s.now
		}
		o.Fault, o.Reason = faultOf(t.got.err), reason(t.got.err)
		return o
	}
	o.Fault, o.Reason, o.Since = "", "", time.Time{}
	if o.First.IsZero() {
		o.First = s.now
	}
	o.Last = s.now
	if t.kind == taskDS {
		s.delegation(&o, t)
		return o
	}
	s.apex(&o, t)
	return o
}

// apex takes what a zone's server said in place of what it said before.
func (s *settler) apex(o *zone.Observation, t *task) {
	before := o.Sets
	o.Sets = nil
	for _, set := range t.got.sets {
		o.Sets = append(o.Sets, s.see(before, set))
	}
	o.Serial, o.Expires = t.got.serial, t.got.expires
	if o.Highest == 0 || o.Highest.Before(o.Serial) {
		o.Highest = o.Serial
	}
	o.Sampled, o.Missing, o.Differs = t.got.sampled, t.got.missing, t.got.differs
	switch {
	case t.want == nil || t.want.serial == o.Serial:
		o.OldSince = time.Time{}
	case o.OldSince.IsZero():
		o.OldSince = s.now
	}
}

// see continues the time since when a set is seen, if it was.
func (s *settler) see(before []zone.SeenSet, set *zone.RRset) zone.SeenSet {
	id := s.add(set)
	for _, b := range before {
		if b.Set == id && s.now.Sub(b.Last) <= s.fresh && !s.now.Before(b.Last) {
			return zone.SeenSet{Set: id, First: b.First, Last: s.now}
		}
	}
	return zone.SeenSet{Set: id, First: s.now, Last: s.now}
}

// delegation adds what a parent's server said to what it said before. What cannot
// be the past (the clock went back) is forgotten.
func (s *settler) delegation(o *zone.Observation, t *task) {
	o.Denied, o.Expires = t.got.denied, t.got.expires
	past := slices.DeleteFunc(slices.Clone(o.Sets), func(b zone.SeenSet) bool { return b.Last.After(s.now) })
	if len(t.got.sets) > 0 {
		last := past[max(0, len(past)-1):]
		seen := s.see(last, t.got.sets[0])
		if len(last) > 0 && seen.Set == last[0].Set && seen.First.Equal(last[0].First) {
			past = past[:len(past)-1]
		}
		past = append(past, seen)
	}
	o.Sets = past[max(0, len(past)-keptDS):]
}

// seen adds sets to those seen before, and lets go what was not seen for longer than
// hold, and the oldest of more than most.
func (s *settler) seen(prev []zone.SeenSet, found []*zone.RRset, hold time.Duration, most int) []zone.SeenSet {
	out := slices.DeleteFunc(slices.Clone(prev), func(b zone.SeenSet) bool {
		return b.Last.After(s.now) || s.now.Sub(b.Last) > hold
	})
	for _, set := range found {
		id := s.add(set)
		i := slices.IndexFunc(out, func(b zone.SeenSet) bool { return b.Set == id })
		if i < 0 {
			out = append(out, zone.SeenSet{Set: id, First: s.now, Last: s.now})
			continue
		}
		out[i].Last = s.now
	}
	slices.SortStableFunc(out, func(a, b zone.SeenSet) int { return b.Last.Compare(a.Last) })
	return out[:min(len(out), most)]
}

// parents is what is known of the zones above: of those that this run asked, and of
// the others that zones still name.
func (s *settler) parents(next, prev *zone.Observations, plans []zonePlan, tasks []*task) []zone.ObservedParent {
	asked := map[zone.Name]*parentPlan{}
	for _, p := range plans {
		asked[p.parent.zone] = p.parent
	}
	found := map[zone.Name][]*zone.RRset{}
	for _, t := range tasks {
		if t.kind == taskKeys && t.done {
			found[t.zone] = append(found[t.zone], ofType(t.got.sets, zone.TypeNS)...)
		}
	}
	var out []zone.ObservedParent
	done := map[zone.Name]bool{"": true}
	for i := range next.Zones {
		name := next.Zones[i].Parent
		if done[name] {
			continue
		}
		done[name] = true
		var p zone.ObservedParent
		if old := prev.Parent(name); old != nil {
			p = *old
		}
		if plan := asked[name]; plan != nil {
			p.Zone, p.Named = name, plan.named
			p.NS = s.seen(p.NS, found[name], zone.ParentHold, zone.MaxParentLists)
		}
		if p.Zone != "" {
			out = append(out, p)
		}
	}
	return out
}

// ofType returns the sets of one type.
func ofType(sets []*zone.RRset, typ zone.Type) []*zone.RRset {
	return slices.DeleteFunc(slices.Clone(sets), func(s *zone.RRset) bool { return s.Type != typ })
}

// finish keeps the sets that are still named.
func (s *settler) finish(o *zone.Observations) {
	named := map[string]bool{}
	name := func(list []zone.SeenSet) {
		for _, seen := range list {
			named[seen.Set] = true
		}
	}
	name(o.Chain)
	for _, p := range o.Parents {
		name(p.NS)
	}
	for _, z := range o.Zones {
		for _, id := range z.Published {
			named[id] = true
		}
		for _, list := range [][]zone.Observation{z.Servers, z.Delegation} {
			for _, one := range list {
				name(one.Sets)
			}
		}
	}
	o.Sets = []zone.RRset{}
	for id, set := range s.sets {
		if named[id] {
			o.Sets = append(o.Sets, *set) // Encode sorts them
		}
	}
}
