package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// An observed is what zonefetch observe saw, and by what it is judged. Without
// observations, or with ones that cannot be read, nothing is believed of any parent.
type observed struct {
	answers *zone.Observations // nil: none
	anchors []zone.Record
	err     error
}

// readObserved reads the observations and the trust anchors.
func (a *app) readObserved() observed {
	var o observed
	file := filepath.Join(a.cfg.Spool, "observations.json")
	data, err := shell.ReadFile(file, zone.MaxObservations)
	if errors.Is(err, fs.ErrNotExist) {
		o.anchors, _ = shell.Anchors(a.cfg) // they matter when something was observed
		return o
	}
	if err == nil {
		o.answers, err = zone.ParseObservations("spool/observations.json", data)
	}
	if err == nil {
		o.anchors, err = shell.Anchors(a.cfg)
	}
	o.err = err
	return o
}

// judge returns the judge of what the parents say.
func (o observed) judge(c *zone.Config, now time.Time) *sign.Judge {
	if o.err != nil {
		return sign.NewJudge(nil, nil, now, c.Observe.FreshFor)
	}
	return sign.NewJudge(asConfigured(o.answers, c), o.anchors, now, c.Observe.FreshFor)
}

// asConfigured returns the observations with what a person says today of the parents'
// servers, which may be other than when they were asked: only those that the
// configuration names are all that there are, and whoever of them was not asked is
// missing. A key that went because of an old list would go too early.
func asConfigured(o *zone.Observations, c *zone.Config) *zone.Observations {
	if o == nil {
		return nil
	}
	out := *o
	out.Parents, out.Zones = slices.Clone(o.Parents), slices.Clone(o.Zones)
	for i := range out.Parents {
		p := &out.Parents[i]
		p.Named = p.Named && slices.ContainsFunc(c.Observe.Parents, func(s zone.ParentServer) bool { return s.Parent == p.Zone })
	}
	for i := range out.Zones {
		z := &out.Zones[i]
		for _, s := range c.Observe.Parents {
			if s.Parent == z.Parent && !askedAll(z, s, c.Observe.IPv6) {
				u := zone.UnknownServer{Server: s.Host, Parent: true, Reason: "[[observe.parent]] names it, and it was not asked since: run zonefetch observe"}
				z.Unknown = append(slices.Clone(z.Unknown), u)
			}
		}
	}
	return &out
}

// askedAll reports whether a server was asked at all addresses that a person named
// of it, at one at least if none is named, or is known to be missing.
func askedAll(z *zone.ObservedZone, s zone.ParentServer, ipv6 bool) bool {
	at := func(address netip.AddrPort) bool {
		return slices.ContainsFunc(z.Delegation, func(o zone.Observation) bool {
			return o.Server == s.Host && (o.Address == address || !address.IsValid())
		})
	}
	if slices.ContainsFunc(z.Unknown, func(u zone.UnknownServer) bool { return u.Parent && u.Server == s.Host }) {
		return true
	}
	if len(s.Addresses) == 0 {
		return at(netip.AddrPort{})
	}
	return !slices.ContainsFunc(s.Addresses, func(a netip.AddrPort) bool { return (a.Addr().Is4() || ipv6) && !at(a) })
}

// believe takes over what was observed, and why nothing of it counts.
func (a *app) believe(o observed) { a.judge, a.unseen = o.judge(a.cfg, a.now), o.err }

// observations adds the notices of what was observed. They open and close like all
// others: what the servers do is no reason to build or not to build.
func (b *batch) observations() {
	o := b.readObserved()
	if o.err != nil {
		b.alarm("observations-unreadable", "observations.json", "no DS at a parent is believed: %v", o.err)
	}
	b.believe(o)
	if o.answers == nil {
		return
	}
	b.notices = append(b.notices, o.answers.Notices(b.cfg, b.now)...)
	if len(o.anchors) == 0 {
		return
	}
	for _, z := range b.cfg.Zones() {
		if n, ok := unbelieved(o.answers.Zone(z), b.judge); ok {
			n.Source = b.cfg.RIR
			b.notices = append(b.notices, n)
		}
	}
}

// maxReasons bounds the text of a notice.
const maxReasons = 3

// unbelieved is the notice of a zone whose parent answers what does not validate.
// An address that gave no good answer has a notice of its own (parent-unseen).
func unbelieved(z *zone.ObservedZone, judge *sign.Judge) (zone.Notice, bool) {
	if z == nil {
		return zone.Notice{}, false
	}
	s := judge.Zone(z.Zone)
	var why []string
	for _, m := range s.Refused {
		if len(why) < maxReasons {
			why = append(why, m)
		}
	}
	if len(why) == 0 {
		return zone.Notice{}, false
	}
	text := strings.Join(why, "; ")
	if more := len(s.Refused) - len(why); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return zone.Notice{Code: "ds-unbelieved", Severity: zone.Error, Zone: z.Zone, Text: text}, true
}
