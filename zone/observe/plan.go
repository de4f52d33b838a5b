package observe

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"nirzone/zone"
)

// A target is one address of one server.
type target struct {
	server  zone.Name
	address netip.AddrPort
	gone    bool // nobody gives this address now: it was found within zone.ParentHold
}

func (t target) is(server zone.Name, address netip.AddrPort) bool {
	return t.server == server && t.address == address
}

// A zonePlan is whom to ask about one zone.
type zonePlan struct {
	zone    zone.Name
	parent  *parentPlan // one for all zones below it; its zone is empty if nobody knows it
	servers []target
	unknown []zone.UnknownServer
}

// A planner turns the configuration into addresses. What was known before serves
// to ask those whom nobody names any more.
type planner struct {
	cfg      *zone.Config
	resolver *resolver
	prev     *zone.Observations
	now      time.Time
	parents  map[zone.Name]*parentPlan // by parent
	above    map[zone.Name]zone.Name   // parent by zone's own parent name
}

// A parentPlan is whom to ask about the zones below a parent.
type parentPlan struct {
	zone    zone.Name
	named   bool               // by the configuration
	hosts   []zone.Name        // that are asked
	listed  map[zone.Name]bool // … of which somebody names these now
	targets []target
	unknown []zone.UnknownServer
}

func newPlanner(c *zone.Config, r *resolver, prev *zone.Observations, now time.Time) *planner {
	return &planner{cfg: c, resolver: r, prev: prev, now: now, parents: map[zone.Name]*parentPlan{}, above: map[zone.Name]zone.Name{}}
}

func (p *planner) plan(ctx context.Context, z zone.Name) zonePlan {
	plan := zonePlan{zone: z}
	for _, host := range p.hosts(z) {
		t, unknown := p.host(ctx, host, p.configured(host))
		plan.servers, plan.unknown = append(plan.servers, t...), append(plan.unknown, unknown...)
	}
	parent, err := p.parentOf(ctx, z)
	if err != nil {
		plan.unknown = append(plan.unknown, zone.UnknownServer{Server: z.Parent(), Parent: true, Reason: err.Error()})
		if old := p.prev.Zone(z); old != nil {
			parent = old.Parent // what was seen of it must not be forgotten
		}
	}
	if plan.parent = (&parentPlan{}); parent != "" {
		plan.parent = p.parent(ctx, parent)
	}
	sortTargets(plan.servers)
	return plan
}

func sortTargets(list []target) {
	slices.SortFunc(list, func(a, b target) int { return cmp.Or(a.server.Compare(b.server), a.address.Compare(b.address)) })
}

// hosts returns the servers of a zone: those of its NS set, and those that the
// configuration adds.
func (p *planner) hosts(z zone.Name) []zone.Name {
	var hosts []zone.Name
	if g := p.cfg.Group(z); g != nil {
		hosts = slices.Clone(g.NS)
	}
	for _, s := range p.cfg.Observe.Servers {
		if slices.Contains(hosts, s.Host) {
			continue
		}
		if slices.Contains(s.Zones, z) || len(s.Zones) == 0 && !p.isNS(s.Host) {
			hosts = append(hosts, s.Host)
		}
	}
	return hosts
}

// isNS reports whether the NS set of some zone names a host.
func (p *planner) isNS(host zone.Name) bool {
	return slices.ContainsFunc(p.cfg.Groups, func(g zone.Group) bool { return slices.Contains(g.NS, host) })
}

func (p *planner) configured(host zone.Name) []netip.AddrPort {
	for _, s := range p.cfg.Observe.Servers {
		if s.Host == host {
			return s.Addresses
		}
	}
	return nil
}

// host returns the addresses to ask of a server: those given, or those it has.
func (p *planner) host(ctx context.Context, host zone.Name, given []netip.AddrPort) ([]target, []zone.UnknownServer) {
	if len(given) == 0 {
		var err error
		if given, err = p.resolver.host(ctx, host); err != nil {
			return nil, []zone.UnknownServer{{Server: host, Reason: err.Error()}}
		}
	}
	var out []target
	for _, a := range given {
		if a.Addr().Is4() || p.cfg.Observe.IPv6 {
			out = append(out, target{server: host, address: a})
		}
	}
	return out, nil
}

// parentOf returns the zone above: the nearest that the configuration has servers
// for, else what the resolver says.
func (p *planner) parentOf(ctx context.Context, z zone.Name) (zone.Name, error) {
	best := zone.Name("")
	for _, s := range p.cfg.Observe.Parents {
		if s.Parent != z && z.Within(s.Parent) && (best == "" || s.Parent.Labels() > best.Labels()) {
			best = s.Parent
		}
	}
	if best != "" {
		return best, nil
	}
	if known, ok := p.above[z.Parent()]; ok {
		return known, nil
	}
	parent, err := p.resolver.above(ctx, z)
	if err == nil {
		p.above[z.Parent()] = parent
	}
	return parent, err
}

// parent returns the servers of a parent zone, as far as they are known before one
// of them was asked.
func (p *planner) parent(ctx context.Context, parent zone.Name) *parentPlan {
	if known := p.parents[parent]; known != nil {
		return known
	}
	plan := &parentPlan{zone: parent, listed: map[zone.Name]bool{}}
	p.parents[parent] = plan
	for _, s := range p.cfg.Observe.Parents {
		if s.Parent == parent {
			plan.named, plan.listed[s.Host] = true, true
			p.join(ctx, plan, s.Host, s.Addresses)
		}
	}
	if plan.named {
		return plan
	}
	hosts, err := p.resolver.nameServers(ctx, parent)
	for _, host := range hosts {
		plan.listed[host] = true
	}
	hosts = append(hosts, p.before(parent)...)
	if len(hosts) == 0 {
		plan.unknown = []zone.UnknownServer{{Server: parent, Parent: true, Reason: err.Error()}}
	}
	for _, host := range hosts {
		p.join(ctx, plan, host, nil)
	}
	return plan
}

// join adds a host and its addresses, those of late included, if it is not among
// those that are asked.
func (p *planner) join(ctx context.Context, plan *parentPlan, host zone.Name, given []netip.AddrPort) {
	if slices.Contains(plan.hosts, host) {
		return
	}
	plan.hosts = append(plan.hosts, host)
	t, unknown := p.host(ctx, host, given)
	if len(given) == 0 {
		t = append(t, p.late(plan.zone, host, t)...)
	}
	for i := range unknown {
		unknown[i].Parent = true
	}
	plan.targets, plan.unknown = append(plan.targets, t...), append(plan.unknown, unknown...)
}

// before returns the servers of a parent that were named within the hold, whoever
// named them.
func (p *planner) before(parent zone.Name) []zone.Name {
	var hosts []zone.Name
	if old := p.prev.Parent(parent); old != nil {
		named, _ := old.Hosts(p.prev.Index(), p.now.Add(-zone.ParentHold))
		hosts = slices.Collect(maps.Keys(named))
	}
	p.rows(parent, func(o *zone.Observation) { hosts = append(hosts, o.Server) })
	slices.SortFunc(hosts, zone.Name.Compare)
	return slices.Compact(hosts)
}

// late returns the addresses of a host that were found within the hold and are not
// among those found now.
func (p *planner) late(parent, host zone.Name, now []target) []target {
	var out []target
	p.rows(parent, func(o *zone.Observation) {
		same := func(t target) bool { return t.is(host, o.Address) }
		if o.Server == host && (o.Address.Addr().Is4() || p.cfg.Observe.IPv6) && !slices.ContainsFunc(now, same) && !slices.ContainsFunc(out, same) {
			out = append(out, target{server: host, address: o.Address, gone: true})
		}
	})
	return out
}

// rows visits the addresses of a parent's servers that were named within the hold.
func (p *planner) rows(parent zone.Name, visit func(*zone.Observation)) {
	for i := range p.prev.Zones {
		z := &p.prev.Zones[i]
		if z.Parent != parent {
			continue
		}
		for j := range z.Delegation {
			if o := &z.Delegation[j]; o.Named.After(p.now.Add(-zone.ParentHold)) && !o.Named.After(p.now) {
				visit(o)
			}
		}
	}
}
