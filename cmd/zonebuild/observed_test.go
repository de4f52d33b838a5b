package main

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/sign"
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
	return &zone.Observations{Version: zone.ObservationsVersion, Run: 1, Time: tr.now, Zones: []zone.ObservedZone{z}, Parents: []zone.ObservedParent{{Zone: "in-addr.arpa.", Named: true}}}
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

// parentConfig names the anchor of the parent and its only server.
const parentConfig = "[observe]\nanchors = \"anchors\"\n[[observe.parent]]\nzone = \"in-addr.arpa\"\nhost = \"a.example\"\n"

// A parentWorld is a signed in-addr.arpa whose servers were observed.
type parentWorld struct {
	tr  *tree
	key *peers.ZoneKey
	o   *zone.Observations
}

// newParentWorld configures the anchor of the parent.
func newParentWorld(tr *tree) *parentWorld {
	p := &parentWorld{tr: tr, key: peers.NewZoneKey(tr.t, "in-addr.arpa", 257)}
	tr.write("anchors", p.key.DS()+"\n")
	tr.write("nirzone.toml", treeConfig+parentConfig)
	return p
}

// says records that each of the parent's addresses, 192.0.2.101 and so on, has a DS set,
// under signatures that are valid until then.
func (p *parentWorld) says(until time.Time, sets ...[]zone.Data) {
	tr := p.tr
	tr.t.Helper()
	o := tr.seenAt(nil)
	z := &o.Zones[0]
	for i, set := range sets {
		records := []string{"in-addr.arpa. 3600 IN SOA a.example. b.example. 1 1 1 1 1", "in-addr.arpa. 3600 IN NS a.example.", string(zoneA) + " 3600 IN NS ns.example."}
		for _, d := range set {
			records = append(records, zone.Record{Name: zoneA, Type: zone.TypeDS, TTL: 86400, Data: d}.String())
		}
		text := peers.SignedZone{Name: "in-addr.arpa", Keys: []*peers.ZoneKey{p.key}, From: tr.now.Add(-48 * time.Hour), Until: until, Records: records}.Sign(tr.t)
		ds, keys := rrset(tr.t, text, zoneA, zone.TypeDS), rrset(tr.t, text, "in-addr.arpa.", zone.TypeDNSKEY)
		seen := func(s zone.RRset) zone.SeenSet { return zone.SeenSet{Set: s.ID(), First: tr.now, Last: tr.now} }
		o.Sets, o.Chain = append(o.Sets, ds, keys), append(o.Chain, seen(keys))
		z.Delegation = append(z.Delegation, zone.Observation{
			Server: "a.example.", Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(101 + i)}), 53),
			First: tr.now, Last: tr.now, Asked: tr.now, Sets: []zone.SeenSet{seen(ds)},
		})
	}
	p.o = o
	tr.observations(o)
}

// A DS that does not validate is told of, with the reason, until it does.
func TestUnbelievedDS(t *testing.T) {
	tr := published(t)
	p := newParentWorld(tr)
	set := tr.wanted()
	p.says(tr.now.Add(-time.Hour), set)
	tr.must(0)
	tr.says("ds-unbelieved", "a.example. at 192.0.2.101:53", "ended at 2026-11-21T05:00:00Z")
	p.says(tr.now.Add(time.Hour), set)
	tr.must(0)
	tr.says("closed notices: 1")
	if n := strings.Count(tr.codes(), "ds-"); n != 0 {
		t.Errorf("%q", tr.codes())
	}
}

// A KSK roll waits for the DS until it is seen at every address, validated and fresh;
// nothing else moves it.
func TestKSKRollByObservation(t *testing.T) {
	tr := published(t)
	p := newParentWorld(tr)
	old := tr.wanted()
	valid := tr.now.AddDate(0, 1, 0)
	tr.later(2 * time.Hour)
	tr.seen()
	p.says(valid, old, old)
	tr.must(0)
	tr.must(0, "keys", "roll", fileA, "--ksk")
	for range 7 { // until the new key is ready
		tr.later(2 * time.Hour)
		tr.seen()
		p.says(valid, old, old)
		tr.must(0)
	}
	waits := func(text string) {
		t.Helper()
		tr.must(0, "keys", fileA)
		if said := strings.Join(strings.Fields(tr.out.String()), " "); !strings.Contains(said, text) {
			t.Errorf("%q is not in\n%s", text, said) // whose lines are broken
		}
		if n := tr.vouched(); n != 1 {
			t.Errorf("the DS of %d keys were seen", n)
		}
	}
	waits("its DS at a.example. at 192.0.2.101:53")
	both := tr.wanted()
	if slices.Equal(both, old) {
		t.Fatal("nothing is asked for")
	}
	both = append(both, old...)
	run := func() {
		t.Helper()
		tr.seen()
		if code := tr.run(); code != 0 {
			t.Fatalf("exit %d\n%s%s", code, tr.out.String(), tr.err.String())
		}
	}
	p.says(valid, both, old)
	run()
	waits("its DS at a.example. at 192.0.2.102:53")
	p.says(tr.now.Add(-time.Minute), both, both)
	run()
	waits("an answer of the parent that can be believed: a.example. at 192.0.2.101:53") // nothing is believed: the signatures have ended
	p.says(valid, both, both)
	tr.write("anchors", peers.NewZoneKey(t, "in-addr.arpa", 257).DS()+"\n")
	run()
	waits("an answer of the parent that can be believed") // another anchor
	tr.write("nirzone.toml", treeConfig)
	waits("no trust anchor is configured: set observe.anchors")
	tr.write("nirzone.toml", treeConfig+parentConfig)
	tr.write("anchors", "garbled\n")
	waits("an answer of the parent that can be believed: " + tr.path("anchors"))
	good := must2(os.ReadFile(tr.path("spool/observations.json")))
	must(t, os.Remove(tr.path("spool/observations.json")))
	tr.write("anchors", p.key.DS()+"\n")
	waits("never observed: run")
	tr.write("spool/observations.json", string(good))
	tr.write("anchors", p.key.DS()+"\n")
	p.o.Zones[0].Unknown = []zone.UnknownServer{{Server: "b.example.", Parent: true, Reason: "it has no address"}}
	tr.observations(p.o)
	run()
	waits("b.example.")
	p.says(valid, both, both)
	tr.write("nirzone.toml", treeConfig+"[observe]\nanchors = \"anchors\"\n")
	run()
	waits("none of its servers gave its NS set") // nobody names them any more
	tr.write("nirzone.toml", treeConfig+parentConfig+"[[observe.parent]]\nzone = \"in-addr.arpa\"\nhost = \"c.example\"\n")
	run()
	waits("c.example.: [[observe.parent]] names it, and it was not asked since")
	tr.write("nirzone.toml", treeConfig+parentConfig+"addresses = [\"192.0.2.101\", \"192.0.2.103\"]\n")
	run()
	waits("a.example.: [[observe.parent]] names it, and it was not asked since")
	tr.write("nirzone.toml", treeConfig+parentConfig)
	tr.later(26 * time.Hour)
	run()
	waits("an answer of the parent that can be believed") // stale
	waits("older than observe.fresh_for")
	p.says(valid, both, both)
	run()
	if n := tr.vouched(); n != 2 {
		t.Errorf("the DS of %d keys were seen\n%s", n, tr.out.String())
	}
}

// vouched counts the keys of zone A whose DS was seen at the parent.
func (tr *tree) vouched() int {
	tr.t.Helper()
	keys, err := sign.LoadKeys(tr.path("keys"), zoneA)
	if err != nil {
		tr.t.Fatal(err)
	}
	n := 0
	for _, k := range keys {
		if !k.Timing.DSSeen.IsZero() {
			n++
		}
	}
	return n
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
