package zone

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// ObserveConfig says whom zonefetch observe asks, how, and how much what it saw
// is worth.
type ObserveConfig struct {
	Servers   []ObserveServer  // addresses of the zones' servers, and servers beside them, sorted by host
	Parents   []ParentServer   // servers of the zones' parents, sorted by parent and host; parents without any are looked up
	Resolvers []netip.AddrPort // recursive; none: those of the system
	Anchors   string           // file with DS or DNSKEY records to believe in; "" believes no DS

	Sample   int           // delegations that each server is asked for, a zone and run
	Timeout  time.Duration // for one answer
	Retries  int           // further tries after the first
	Parallel int           // addresses asked at a time
	Rate     int           // questions a second to one address
	Total    time.Duration // longest time for all
	FreshFor time.Duration // age from which an observation is not believed
	Lag      time.Duration // how long a server may be behind without a notice
	IPv6     bool          // ask IPv6 addresses too
}

// An ObserveServer is an authoritative server. Without addresses they are looked
// up. Zones are those it serves beside the ones whose NS set names it; a host
// that no NS set names and that has no zones here serves all.
type ObserveServer struct {
	Host      Name
	Addresses []netip.AddrPort
	Zones     []Name
}

// A ParentServer is a server of a zone above the registry's, such as
// in-addr.arpa. Without addresses they are looked up.
type ParentServer struct {
	Parent    Name
	Host      Name
	Addresses []netip.AddrPort
}

type rawObserve struct {
	Anchors   string             `toml:"anchors"`
	Resolvers []string           `toml:"resolvers"`
	Sample    int                `toml:"sample"`
	Timeout   string             `toml:"timeout"`
	Retries   int                `toml:"retries"`
	Parallel  int                `toml:"parallel"`
	Rate      int                `toml:"rate"`
	Total     string             `toml:"total"`
	FreshFor  string             `toml:"fresh_for"`
	Lag       string             `toml:"lag"`
	IPv6      bool               `toml:"ipv6"`
	Server    []rawObserveServer `toml:"server"`
	Parent    []rawParentServer  `toml:"parent"`
}

type rawObserveServer struct {
	Host      string   `toml:"host"`
	Addresses []string `toml:"addresses"`
	Serves    []string `toml:"serves"`
}

type rawParentServer struct {
	Zone      string   `toml:"zone"`
	Host      string   `toml:"host"`
	Addresses []string `toml:"addresses"`
}

func observeDefaults() rawObserve {
	return rawObserve{
		Sample: 8, Timeout: "2s", Retries: 2, Parallel: 16, Rate: 50, Total: "10m", FreshFor: "1d", Lag: "1h", IPv6: true,
	}
}

func (p *configParser) observe(r *rawObserve) ObserveConfig {
	c := ObserveConfig{
		Anchors: p.path(r.Anchors), Resolvers: p.addresses("observe.resolvers", r.Resolvers), IPv6: r.IPv6,
		Sample: p.between("observe.sample", r.Sample, 0, 1000), Retries: p.between("observe.retries", r.Retries, 0, 10),
		Parallel: p.between("observe.parallel", r.Parallel, 1, 256), Rate: p.between("observe.rate", r.Rate, 1, 10000),
		Timeout: p.duration("observe.timeout", r.Timeout, time.Millisecond), Total: p.duration("observe.total", r.Total, time.Second),
		FreshFor: p.duration("observe.fresh_for", r.FreshFor, time.Minute), Lag: p.duration("observe.lag", r.Lag, 0),
	}
	for i := range r.Server {
		c.Servers = append(c.Servers, p.observeServer(i, &r.Server[i]))
	}
	for i := range r.Parent {
		c.Parents = append(c.Parents, p.parentServer(i, &r.Parent[i]))
	}
	slices.SortStableFunc(c.Servers, func(a, b ObserveServer) int { return a.Host.Compare(b.Host) })
	slices.SortStableFunc(c.Parents, compareParents)
	for i := 1; i < len(c.Servers); i++ {
		if c.Servers[i].Host == c.Servers[i-1].Host {
			p.fail("observe.server: %s stands twice", c.Servers[i].Host)
		}
	}
	for i := 1; i < len(c.Parents); i++ {
		if compareParents(c.Parents[i], c.Parents[i-1]) == 0 {
			p.fail("observe.parent: %s of %s stands twice", c.Parents[i].Host, c.Parents[i].Parent)
		}
	}
	return c
}

func compareParents(a, b ParentServer) int {
	if c := a.Parent.Compare(b.Parent); c != 0 {
		return c
	}
	return a.Host.Compare(b.Host)
}

func (p *configParser) observeServer(i int, r *rawObserveServer) ObserveServer {
	key := fmt.Sprintf("observe.server[%d]", i)
	return ObserveServer{
		Host: p.host(key, r.Host), Addresses: p.addresses(key+".addresses", r.Addresses), Zones: p.names(key+".serves", r.Serves),
	}
}

func (p *configParser) parentServer(i int, r *rawParentServer) ParentServer {
	key := fmt.Sprintf("observe.parent[%d]", i)
	return ParentServer{
		Parent: p.name(key+".zone", r.Zone), Host: p.host(key, r.Host), Addresses: p.addresses(key+".addresses", r.Addresses),
	}
}

func (p *configParser) host(key, s string) Name {
	n := p.name(key+".host", s)
	if n != "" && !isHostName(n) {
		p.fail("%s: %s is no host name: letters, digits and hyphens, two labels or more (RFC 1123, section 2.1)", key, n)
	}
	return n
}

// addresses reads IP addresses with or without a port, sorted.
func (p *configParser) addresses(key string, in []string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range in {
		a, err := parseServerAddress(s)
		if err != nil {
			p.fail("%s: %q is no address; write 192.0.2.1, 2001:db8::1, 192.0.2.1:5353 or [2001:db8::1]:5353", key, s)
			continue
		}
		out = append(out, a)
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			p.fail("%s: %s stands twice", key, out[i])
		}
	}
	return out
}

func parseServerAddress(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return serverAddress(netip.AddrPortFrom(a, 53))
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return a, err
	}
	return serverAddress(a)
}

// serverAddress returns an address in the one form in which it is compared.
func serverAddress(a netip.AddrPort) (netip.AddrPort, error) {
	ip := a.Addr().Unmap()
	if !ip.IsValid() || ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() || a.Port() == 0 {
		return a, fmt.Errorf("%s cannot be asked", a)
	}
	return netip.AddrPortFrom(ip, a.Port()), nil
}
