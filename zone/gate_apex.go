package zone

import (
	"fmt"
	"slices"
)

// A PublishedApex is what the registry itself says at the top of a published
// zone: its name servers and its SOA, the serial aside. Times are in seconds.
type PublishedApex struct {
	NS      []Name `json:"ns"`
	MName   Name   `json:"mname"`
	RName   Name   `json:"rname"`
	Refresh uint32 `json:"refresh"`
	Retry   uint32 `json:"retry"`
	Expire  uint32 `json:"expire"`
	Minimum uint32 `json:"minimum"`
	TTL     uint32 `json:"ttl"`
}

// Published returns the apex as generation.json keeps it.
func (a Apex) Published() *PublishedApex {
	s := a.SOA
	return &PublishedApex{NS: slices.Clone(a.NS), MName: s.MName, RName: s.RName, Refresh: s.Refresh, Retry: s.Retry, Expire: s.Expire, Minimum: s.Minimum, TTL: s.TTL}
}

// Under returns the apex of a configuration with the published name servers and
// SOA in place of its own. How serials grow and the TTL of delegations stay.
func (p *PublishedApex) Under(a Apex) Apex {
	a.NS = slices.Clone(p.NS)
	a.SOA.MName, a.SOA.RName, a.SOA.TTL = p.MName, p.RName, p.TTL
	a.SOA.Refresh, a.SOA.Retry, a.SOA.Expire, a.SOA.Minimum = p.Refresh, p.Retry, p.Expire, p.Minimum
	return a
}

func (p *PublishedApex) lines() []string {
	var out []string
	for _, n := range p.NS {
		out = append(out, "NS "+string(n))
	}
	return append(out, fmt.Sprintf("SOA %s %s refresh %d retry %d expire %d minimum %d ttl %d", p.MName, p.RName, p.Refresh, p.Retry, p.Expire, p.Minimum, p.TTL))
}

// GateApex holds every change of a zone's own name servers and SOA: a slip of the
// configuration there takes the whole zone away. It returns nil if nothing
// changes. The loss is counted in name servers.
func GateApex(registry string, zone Name, published *PublishedApex, next Apex) *Hold {
	if published == nil {
		return nil
	}
	was, is := published.lines(), next.Published().lines()
	gone := slices.DeleteFunc(slices.Clone(was), func(l string) bool { return slices.Contains(is, l) })
	come := slices.DeleteFunc(slices.Clone(is), func(l string) bool { return slices.Contains(was, l) })
	if len(gone)+len(come) == 0 {
		return nil
	}
	h := &Hold{
		Source: registry, Zone: zone, Kind: KindApex, Rule: "apex: the configuration changes the zone's own NS or SOA",
		Before: len(published.NS), After: len(next.NS), Losses: []Name{}, Sets: []HeldSet{{Was: gone, Is: come}},
	}
	h.Hash = h.ComputeHash()
	return h
}
