package zone

import (
	"slices"
	"sort"
	"strings"
)

// matchGlue marks the addresses that are glue (RFC 9471): those of a name
// server of some delegation in the zone, at or below a delegation of the same
// source. It notes the others, and name servers inside the zone that nobody can
// find.
func (m *merger) matchGlue() {
	servers := m.servers()
	for i := range m.glue {
		g := &m.glue[i]
		cut := m.cutOver(g.key)
		if cut != nil && cut.state == held {
			continue // has the glue it was published with; its own notice says why
		}
		if cut == nil || cut.say.frag != g.frag || servers[g.name] == nil {
			m.note(codeGlue, say{frag: g.frag, name: g.name, line: g.line}, "%s of %s ignored: it is no name server of a delegation in this zone, or not below a delegation of the same source; leave them out (RFC 9471)", plural(int(g.to-g.from), "address", "addresses"), g.name)
			continue
		}
		if g.to-g.from > maxSet {
			m.note(codeGlue, say{frag: g.frag, name: g.name, line: g.line}, "%d addresses of %s, the first %d are taken; leave the others out", g.to-g.from, g.name, maxSet)
			g.to = g.from + maxSet
		}
		g.used = true
	}
	m.noteLost(servers)
}

// servers returns the name servers that lie inside the zone, each with the
// first owner that names it. They are rare: the suffix is compared first.
func (m *merger) servers() map[Name]*owner {
	found := map[Name]*owner{}
	suffix := string(NSData(m.in.Apex.Origin))
	add := func(o *owner, es []Entry) {
		for i := range es {
			if es[i].Type != TypeNS || !strings.HasSuffix(string(es[i].Data), suffix) {
				continue
			}
			if host, ok := es[i].Data.Host(); ok && host.Within(m.in.Apex.Origin) && found[host] == nil {
				found[host] = o
			}
		}
	}
	for i := range m.owners {
		o := &m.owners[i]
		if o.state == held {
			add(o, m.pub.zone.Entries[o.pub.from:o.pub.to])
			continue
		}
		add(o, m.set(&o.say))
	}
	return found
}

// cutOver returns the delegation at or above the name with this key, nil if
// there is none. No owner lies below another, so it is the last one not after the name.
func (m *merger) cutOver(key string) *owner {
	i := sort.Search(len(m.owners), func(i int) bool { return m.owners[i].key > key })
	if i > 0 && strings.HasPrefix(key, m.owners[i-1].key) && !m.isCNAME(&m.owners[i-1]) {
		return &m.owners[i-1]
	}
	return nil
}

// noteLost warns of name servers inside the zone but below no delegation: there
// is no place where their address could be.
func (m *merger) noteLost(servers map[Name]*owner) {
	hosts := make([]Name, 0, len(servers))
	for host := range servers {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	told := map[*owner]bool{}
	for _, host := range hosts {
		o := servers[host]
		if !told[o] && m.cutOver(host.SortKey()) == nil {
			told[o] = true
			m.noteHeld(codeNoAddress, *o, "name server %s of %s lies in the parent zone and below no delegation, so it can have no address; name a server that exists", host, o.say.name)
		}
	}
}
