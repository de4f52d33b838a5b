package zone

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// parents tells of the lists of who serves the zones above: what they lost, and what
// the configuration leaves out.
func (w *observationNotices) parents(o *Observations) {
	for i := range o.Parents {
		p := &o.Parents[i]
		var below []*ObservedZone
		for j := range o.Zones {
			if z := &o.Zones[j]; z.Parent == p.Zone && w.cfg.Group(z.Zone) != nil {
				below = append(below, z)
			}
		}
		if len(below) == 0 {
			continue
		}
		w.zone = p.Zone
		hosts, last := p.Hosts(w.sets, w.now.Add(-ParentHold))
		for _, h := range slices.SortedFunc(maps.Keys(hosts), Name.Compare) {
			switch {
			case p.Named && hosts[h].Equal(last):
				w.unlisted(below[0], h)
			case !p.Named && hosts[h].Before(last):
				w.give(codeParentShrank, h, "its own NS set has not named it since %s; it counts until %s", clock(hosts[h]), clock(hosts[h].Add(ParentHold)))
			}
		}
		w.lostAddresses(below, hosts, last)
	}
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// unlisted is about a server that the configuration leaves out.
func (w *observationNotices) unlisted(z *ObservedZone, host Name) {
	if !slices.ContainsFunc(z.Delegation, func(o Observation) bool { return o.Server == host }) {
		w.give(codeParentList, host, "its own NS set names it, and [[observe.parent]] does not")
	}
}

// lostAddresses is about addresses that are no longer found, of servers that are
// still named; each once, however many zones are asked for there.
func (w *observationNotices) lostAddresses(below []*ObservedZone, hosts map[Name]time.Time, last time.Time) {
	type place struct {
		server  Name
		address netip.AddrPort
	}
	told := map[place]bool{}
	for _, z := range below {
		for _, o := range z.Delegation {
			at := place{o.Server, o.Address}
			if o.Named.IsZero() || !o.Named.Before(o.Asked) || hosts[o.Server].Before(last) || told[at] {
				continue
			}
			told[at] = true
			w.give(codeParentShrank, o.Server, "%s has not been among its addresses since %s; it counts until %s", o.Address, clock(o.Named), clock(o.Named.Add(ParentHold)))
		}
	}
}
