package observe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// SystemResolvers returns the recursive resolvers that a resolv.conf names, at most
// three (resolv.conf(5)).
func SystemResolvers(conf []byte) []netip.AddrPort {
	var out []netip.AddrPort
	for s := bufio.NewScanner(bytes.NewReader(conf)); s.Scan() && len(out) < 3; {
		f := strings.Fields(s.Text())
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			out = append(out, netip.AddrPortFrom(a.Unmap(), 53))
		}
	}
	return out
}

// A resolver looks up through recursive resolvers, one after the other until one
// answers. One that was silent is not asked again. It is for one goroutine.
type resolver struct {
	asker   *asker
	servers []netip.AddrPort
	dead    map[netip.AddrPort]bool
	ipv6    bool
	known   map[zone.Name]addresses // of hosts
	wanted  bool                    // something was asked, or would have been
}

type addresses struct {
	list []netip.AddrPort
	err  error
}

var errNoResolver = errors.New("no recursive resolver is configured (observe.resolvers) or in /etc/resolv.conf")

// ask returns the first answer; that there is no such name, or none of that type, is
// one.
func (r *resolver) ask(ctx context.Context, name zone.Name, typ zone.Type) (*dns.Msg, error) {
	q := question{name: name, typ: typ, recurse: true}
	err := errNoResolver
	r.wanted = true
	for _, server := range r.servers {
		if r.dead[server] {
			err = fmt.Errorf("resolver %s did not answer", server)
			continue
		}
		m, e := r.asker.ask(ctx, server, q)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case e != nil:
			r.dead[server] = faultOf(e) == zone.FaultSilent
			err = fmt.Errorf("resolver %s: %w", server, e)
		case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
			err = fmt.Errorf("resolver %s: %s: it answers %s", server, q, rcode(m))
		default:
			return m, nil
		}
	}
	return nil, err
}

// host returns the addresses of a host, sorted: all of them, or an error.
func (r *resolver) host(ctx context.Context, host zone.Name) ([]netip.AddrPort, error) {
	if a, ok := r.known[host]; ok {
		return a.list, a.err
	}
	var a addresses
	a.list, a.err = r.lookUp(ctx, host)
	if ctx.Err() == nil {
		r.known[host] = a
	}
	return a.list, a.err
}

func (r *resolver) lookUp(ctx context.Context, host zone.Name) ([]netip.AddrPort, error) {
	types := []zone.Type{zone.TypeA}
	if r.ipv6 {
		types = append(types, zone.TypeAAAA)
	}
	var list []netip.AddrPort
	for _, typ := range types {
		m, err := r.ask(ctx, host, typ)
		if err != nil {
			return nil, fmt.Errorf("looking up its addresses: %w", err)
		}
		for _, rr := range m.Answer[:min(len(m.Answer), maxRecords)] {
			var ip netip.Addr
			switch rr := rr.(type) {
			case *dns.A:
				ip, _ = netip.AddrFromSlice(rr.A)
			case *dns.AAAA:
				ip, _ = netip.AddrFromSlice(rr.AAAA)
			}
			if ip = ip.Unmap(); ip.IsValid() && !ip.IsUnspecified() && !ip.IsMulticast() {
				list = append(list, netip.AddrPortFrom(ip, 53))
			}
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it has no address")
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	return slices.Compact(list), nil
}

// above returns the zone that a zone is delegated from: the nearest name above it
// that has a SOA of its own.
func (r *resolver) above(ctx context.Context, name zone.Name) (zone.Name, error) {
	for n := name; n != zone.Root; {
		n = n.Parent()
		m, err := r.ask(ctx, n, zone.TypeSOA)
		if err != nil {
			return "", fmt.Errorf("finding its parent zone: %w", err)
		}
		if s, err := setIn(m.Answer, n, zone.TypeSOA); err == nil && s != nil {
			return n, nil
		}
	}
	return "", errors.New("finding its parent zone: no name above it has a SOA")
}

// servers returns the hosts of a zone's NS set, sorted.
func (r *resolver) nameServers(ctx context.Context, name zone.Name) ([]zone.Name, error) {
	m, err := r.ask(ctx, name, zone.TypeNS)
	if err != nil {
		return nil, fmt.Errorf("finding its name servers: %w", err)
	}
	s, err := setIn(m.Answer, name, zone.TypeNS)
	if err != nil {
		return nil, err
	}
	var hosts []zone.Name
	if s != nil {
		for _, r := range s.Records() {
			if host, ok := r.Data.Host(); ok {
				hosts = append(hosts, host)
			}
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("finding its name servers: %s has no NS set", name.File())
	}
	slices.SortFunc(hosts, zone.Name.Compare)
	return hosts, nil
}
