package observe

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"nirzone/zone"
)

// A target is one address of one server.
type target struct {
	server  zone.Name
	address netip.AddrPort
}

// A zonePlan is whom to ask about one zone.
type zonePlan struct {
	zone       zone.Name
	parent     zone.Name
	servers    []target
	delegation []target
	unknown    []zone.UnknownServer
}

// A planner turns the configuration into addresses.
type planner struct {
	cfg      *zone.Config
	resolver *resolver
	parents  map[zone.Name]*parentPlan // by parent
	above    map[zone.Name]zone.Name   // parent by zone's own parent name
}

type parentPlan struct {
	targets []target
	unknown []zone.UnknownServer
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
	} else {
		plan.parent = parent
		above := p.parent(ctx, parent)
		plan.delegation = above.targets
		plan.unknown = append(plan.unknown, above.unknown...)
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
			out = append(out, target{host, a})
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

// parent returns the servers of a parent zone.
func (p *planner) parent(ctx context.Context, parent zone.Name) *parentPlan {
	if known := p.parents[parent]; known != nil {
		return known
	}
	plan := &parentPlan{}
	add := func(host zone.Name, given []netip.AddrPort) {
		t, unknown := p.host(ctx, host, given)
		plan.targets, plan.unknown = append(plan.targets, t...), append(plan.unknown, unknown...)
	}
	found := false
	for _, s := range p.cfg.Observe.Parents {
		if s.Parent == parent {
			add(s.Host, s.Addresses)
			found = true
		}
	}
	if !found {
		hosts, err := p.resolver.nameServers(ctx, parent)
		if err != nil {
			plan.unknown = []zone.UnknownServer{{Server: parent, Reason: err.Error()}}
		}
		for _, host := range hosts {
			add(host, nil)
		}
	}
	for i := range plan.unknown {
		plan.unknown[i].Parent = true
	}
	sortTargets(plan.targets)
	p.parents[parent] = plan
	return plan
}
