package sign

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"nirzone/zone"
)

// A parentList is who must have been asked about the zones below a parent.
type parentList struct {
	hosts []zone.Name // sorted; none if the configuration names them
	err   error       // why nobody knows who they are
}

// list returns the servers of a parent by its own word. Which they are counts only
// if one NS set of its apex is fresh and validates now: a resolver alone could leave
// out a server that still has the old DS. Every server that any list named within
// [zone.ParentHold] is among them, believed or not: a list too many makes a key
// wait, one too few retires it too early.
func (j *Judge) list(parent zone.Name) parentList {
	if l, ok := j.lists[parent]; ok {
		return l
	}
	l := j.findList(j.o.Parent(parent))
	j.lists[parent] = l
	return l
}

func (j *Judge) findList(p *zone.ObservedParent) parentList {
	switch {
	case p == nil:
		return parentList{err: errors.New("who its servers are was never asked of themselves: run zonefetch observe")}
	case p.Named:
		return parentList{}
	case len(p.NS) >= zone.MaxParentLists:
		return parentList{err: fmt.Errorf("its servers gave over %d different NS sets", zone.MaxParentLists-1)}
	}
	why := errors.New("none of its servers gave its NS set")
	for _, seen := range p.NS {
		if err := j.believeList(p.Zone, seen); err != nil {
			why = err
			continue
		}
		hosts, _ := p.Hosts(j.o.Index(), j.now.Add(-zone.ParentHold))
		return parentList{hosts: slices.SortedFunc(maps.Keys(hosts), zone.Name.Compare)}
	}
	return parentList{err: why}
}

// believeList reports why an NS set does not say who serves a parent now.
func (j *Judge) believeList(parent zone.Name, seen zone.SeenSet) error {
	set := j.chain.sets[seen.Set]
	switch {
	case set == nil || set.set.Name != parent || set.set.Type != zone.TypeNS:
		return errors.New("what stands for its NS set is another")
	case seen.Last.After(j.now.Add(skew)):
		return fmt.Errorf("its NS set was seen at %s, which is in the future: one of the clocks is wrong", clockText(seen.Last.Unix()))
	case j.now.Sub(seen.Last) > j.fresh:
		return fmt.Errorf("its NS set was last seen at %s, longer ago than observe.fresh_for = %v: run zonefetch observe", clockText(seen.Last.Unix()), j.fresh)
	}
	keys, err := j.chain.trust(parent, j.now)
	if err != nil {
		return err
	}
	return j.chain.signed(set, parent, keys, j.now)
}

// unasked lists why it is not known that all servers of a zone's parent were asked.
// refused says that what they say of themselves is not believed.
func (j *Judge) unasked(z *zone.ObservedZone) (why []string, refused bool) {
	if z.Parent == "" {
		return []string{fmt.Sprintf("the zone above %s is not known: run zonefetch observe", z.Zone.File())}, false
	}
	l := j.list(z.Parent)
	if l.err != nil {
		return []string{fmt.Sprintf("the list of the servers of %s: %v; or name them in [[observe.parent]]", z.Parent.File(), l.err)}, true
	}
	for _, h := range l.hosts {
		if !slices.ContainsFunc(z.Delegation, func(o zone.Observation) bool { return o.Server == h }) &&
			!slices.ContainsFunc(z.Unknown, func(u zone.UnknownServer) bool { return u.Parent && u.Server == h }) {
			why = append(why, fmt.Sprintf("%s: it serves %s and was not asked: run zonefetch observe", h, z.Parent.File()))
		}
	}
	return why, false
}
