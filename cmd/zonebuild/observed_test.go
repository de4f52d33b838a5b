package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

func (tr *tree) codes() string {
	var codes []string
	for _, n := range tr.current().Notices {
		codes = append(codes, n.Code)
	}
	return strings.Join(codes, " ")
}

// seenAt is an observation of zone A by one address of a server and one of the parent.
func (tr *tree) seenAt(change func(z *zone.ObservedZone)) *zone.Observations {
	at := func(host zone.Name, last byte) zone.Observation {
		return zone.Observation{Server: host, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, last}), 53), First: tr.now, Last: tr.now, Asked: tr.now}
	}
	z := zone.ObservedZone{Zone: zoneA, Serial: 7, SerialSince: tr.now, Parent: "in-addr.arpa."}
	z.Servers = []zone.Observation{at("ns1.registry.example.", 1)}
	z.Servers[0].Serial, z.Servers[0].Highest = 7, 7
	if change != nil {
		change(&z)
	}
	return &zone.Observations{Version: zone.ObservationsVersion, Run: 1, Time: tr.now, Zones: []zone.ObservedZone{z}}
}

func (tr *tree) observations(o *zone.Observations) {
	tr.write("spool/observations.json", string(o.Encode()))
}

// What observe saw is told once and taken back once, and an alarm among it is exit 3.
func TestObservationsAreNotices(t *testing.T) {
	tr := published(t)
	quiet := tr.codes()
	tr.observations(tr.seenAt(nil))
	tr.must(0)
	if tr.codes() != quiet {
		t.Fatalf("%q", tr.codes())
	}
	tr.observations(tr.seenAt(func(z *zone.ObservedZone) {
		z.Servers[0].Fault, z.Servers[0].Reason, z.Servers[0].Since = zone.FaultLame, "REFUSED", tr.now
	}))
	tr.later(time.Hour)
	tr.must(0)
	tr.says("new notices: 1", "server-lame", "192.0.2.1:53")
	first := tr.current()
	tr.later(time.Hour)
	tr.must(0)
	if !slices.Equal(tr.current().Notices, first.Notices) {
		t.Errorf("the same observation gives other notices: %+v\n%+v", tr.current().Notices, first.Notices)
	}
	back := tr.seenAt(func(z *zone.ObservedZone) { z.Servers[0].Highest = 9 })
	tr.observations(back)
	tr.must(3)
	tr.says("closed notices: 1", "serial-back")
	tr.later(30 * time.Hour)
	tr.seen()
	tr.must(3)
	tr.says("observe-stale")
	tr.observations(tr.seenAt(nil))
	tr.must(0)
	tr.says("closed notices: 2")
}

// Observations that cannot be read are an alarm, and the zones are built.
func TestObservationsUnreadable(t *testing.T) {
	tr := published(t)
	tr.write("spool/observations.json", "{\n")
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(3)
	tr.says("observations-unreadable", "spool/observations.json:", "published generation")
	tr.count(zoneA, 66)
	tr.observations(tr.seenAt(nil))
	tr.write("nirzone.toml", treeConfig+"[observe]\nanchors = \"anchors\"\n")
	tr.must(3)
	i := slices.IndexFunc(tr.current().Notices, func(n zone.OpenNotice) bool { return n.Code == "observations-unreadable" })
	if i < 0 || !strings.Contains(tr.current().Notices[i].Text, "reading the trust anchors") {
		t.Errorf("%+v", tr.current().Notices)
	}
}

// A DS that does not validate is told of, with the reason, until it does.
func TestUnbelievedDS(t *testing.T) {
	tr := published(t)
	parent := peers.NewZoneKey(t, "in-addr.arpa", 257)
	child := peers.NewZoneKey(t, string(zoneA), 257)
	tr.write("anchors", parent.DS()+"\n")
	tr.write("nirzone.toml", treeConfig+"[observe]\nanchors = \"anchors\"\n")
	observe := func(until time.Duration) {
		text := peers.SignedZone{
			Name: "in-addr.arpa", Keys: []*peers.ZoneKey{parent}, From: tr.now.Add(-48 * time.Hour), Until: tr.now.Add(until),
			Records: []string{"in-addr.arpa. 3600 IN SOA a.example. b.example. 1 1 1 1 1", "in-addr.arpa. 3600 IN NS a.example.", string(zoneA) + " 3600 IN NS ns.example.", child.DS()},
		}.Sign(t)
		ds, keys := rrset(t, text, zoneA, zone.TypeDS), rrset(t, text, "in-addr.arpa.", zone.TypeDNSKEY)
		o := tr.seenAt(func(z *zone.ObservedZone) {
			one := z.Servers[0]
			one.Server, one.Serial, one.Highest = "a.example.", 0, 0
			one.Sets = []zone.SeenSet{{Set: ds.ID(), First: tr.now, Last: tr.now}}
			z.Delegation = []zone.Observation{one}
		})
		o.Sets, o.Chain = []zone.RRset{ds, keys}, []zone.SeenSet{{Set: keys.ID(), First: tr.now, Last: tr.now}}
		tr.observations(o)
	}
	observe(-time.Hour)
	tr.must(0)
	tr.says("ds-unbelieved", "a.example. at 192.0.2.1:53", "ended at 2026-11-21T05:00:00Z")
	observe(time.Hour)
	tr.must(0)
	tr.says("closed notices: 1")
}

// rrset takes a set with its signatures out of a zone's text.
func rrset(t *testing.T, text string, name zone.Name, typ zone.Type) zone.RRset {
	t.Helper()
	s := zone.RRset{Name: name, Type: typ}
	for line := range strings.Lines(text) {
		r, err := zone.ParseRecord(line)
		switch {
		case err != nil:
			t.Fatal(err)
		case r.Name != name:
		case r.Type == typ:
			s.TTL, s.Data = r.TTL, append(s.Data, []byte(r.Data))
		case r.Type == zone.TypeRRSIG && zone.Type(r.Data[0])<<8|zone.Type(r.Data[1]) == typ:
			s.Signatures = append(s.Signatures, []byte(r.Data))
		}
	}
	return s
}
