package observe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

func judge(t *testing.T, o *zone.Observations, now time.Time, anchors ...string) *sign.Sightings {
	t.Helper()
	a, err := zone.ParseAnchors("anchors", []byte(strings.Join(anchors, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return sign.NewJudge(o, a, now, 24*time.Hour).Zone(testZone + ".")
}

// From real servers to belief: the parent at two addresses, the chain above it
// through a real resolver, the anchor at arpa. The DS is at one address only, then at
// both, then the parent's signature has expired.
func TestDSFromRealServers(t *testing.T) {
	w := newWorld(t)
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(w.text)})
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	with, without := newParent(t, w, w.ksk.DS()), newParent(t, w)
	without.zone.Keys = with.zone.Keys
	arpaKey := peers.NewZoneKey(t, "arpa", 257)
	arpa := peers.SignedZone{Name: "arpa", Keys: []*peers.ZoneKey{arpaKey}, From: w.now.Add(-time.Hour), Until: w.now.AddDate(0, 0, 14), Records: []string{
		"arpa. 3600 IN SOA a.arpa.example. nstld.arpa.example. 1 1 1 1 1", "arpa. 86400 IN NS a.arpa.example.", "in-addr.arpa. 86400 IN NS a.arpa.example.", with.zone.Keys[0].DS(),
	}}
	dir := t.TempDir()
	arpa.Write(t, dir)
	a, b := with.start(), without.start()
	top := peers.StartNSD(t, peers.DNSConfig{Zones: []string{"arpa"}, Dir: dir})
	resolver := peers.StartUnbound(t, peers.UnboundConfig{Stubs: map[string]string{"arpa": top.Addr(), "in-addr.arpa": a.Addr()}, Extra: "\tlocal-zone: \"in-addr.arpa\" nodefault\n\tlocal-zone: \"202.in-addr.arpa\" nodefault\n"})
	w.parent("a.arpa.example", a.Addr(), b.Addr())
	w.extra = fmt.Sprintf("resolvers = [%q]\n", resolver.Addr()) + w.extra
	o := w.options()
	var err error
	if o.Anchors, err = zone.ParseAnchors("anchors", []byte(arpaKey.DS())); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, r, "ds-missing a.arpa.example")
	seen := w.recorded()
	s := judge(t, seen, w.now, arpaKey.DS())
	if !s.Complete || len(s.Rows) != 2 || len(s.Rows[0].DS)+len(s.Rows[1].DS) != 1 {
		t.Fatalf("%v %+v", s, s)
	}
	own, _ := zone.ParseRecord(w.ksk.DS())
	if _, ok := s.Since(own.Data); ok {
		t.Error("the DS is at one address, and was seen everywhere")
	}
	if s := judge(t, seen, w.now, peers.NewZoneKey(t, "arpa", 257).DS()); s.Complete || len(s.Rows) != 0 {
		t.Errorf("by a wrong anchor: %v", s)
	}
	if s := judge(t, seen, w.now, with.zone.Keys[0].DS()); !s.Complete {
		t.Errorf("by an anchor at the parent: %v", s)
	}
	if s := judge(t, seen, w.now.Add(25*time.Hour), arpaKey.DS()); s.Complete || !strings.Contains(s.String(), "older than observe.fresh_for") {
		t.Errorf("stale: %v", s)
	}

	// Now everywhere, from two hours later on.
	w.now = w.now.Add(2 * time.Hour)
	w.extra = strings.Replace(w.extra, b.Addr(), peers.StartNamed(t, peers.DNSConfig{Zones: []string{"in-addr.arpa"}, Dir: parentFolder(t, with)}).Addr(), 1)
	o.Config, o.Now = w.config(), w.now
	if r, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	wantCodes(t, r)
	seen = w.recorded()
	if since, ok := judge(t, seen, w.now, arpaKey.DS()).Since(own.Data); !ok || !since.Equal(w.now) {
		t.Errorf("since %v, %v", since, ok)
	}
	// Two weeks on it was observed all the time, and the parent's signature has ended.
	w.now = w.now.AddDate(0, 0, 14)
	o.Now = w.now
	if _, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if s := judge(t, w.recorded(), w.now, arpaKey.DS()); s.Complete || !strings.Contains(s.String(), "ended at") {
		t.Errorf("expired: %v", s)
	}
}

func parentFolder(t *testing.T, p *parent) string {
	dir := t.TempDir()
	p.zone.Write(t, dir)
	return dir
}

// A resolver finds the parent, its servers and their addresses; what cannot be found
// is named, and IPv6 is left out where there is none.
func TestLookUp(t *testing.T) {
	w := newWorld(t)
	text := `in-addr.arpa. 60 IN SOA a.x. b.x. 1 1 1 1 1
in-addr.arpa. 60 IN NS a.servers.example.
in-addr.arpa. 60 IN NS b.servers.example.
a.servers.example. 60 IN A 192.0.2.1
a.servers.example. 60 IN A 192.0.2.2
a.servers.example. 60 IN AAAA 2001:db8::1
ns1.registry.example. 60 IN A 192.0.2.3
ns2.registry.example. 60 IN A 0.0.0.0
`
	l := startLiar(t, text, func(_ string, m *dns.Msg) [][]byte {
		m.Authoritative = false
		m.Answer, m.Ns = append(m.Answer, m.Ns...), nil
		return [][]byte{pack(m)}
	})
	w.extra = fmt.Sprintf("resolvers = [%q, %q]\n", "127.0.0.1:1", l.addr())
	for _, ipv6 := range []bool{true, false} {
		o := w.options()
		o.Config.Observe.IPv6 = ipv6
		r := &runner{Options: o, report: &Report{}}
		if err := r.defaults(); err != nil {
			t.Fatal(err)
		}
		p := newPlanner(o.Config, r.resolver(), &zone.Observations{}, o.Now)
		plan := p.plan(t.Context(), testZone+".")
		want := "in-addr.arpa. [{ns1.registry.example. 192.0.2.3:53}] [{a.servers.example. 192.0.2.1:53} {a.servers.example. 192.0.2.2:53} {a.servers.example. [2001:db8::1]:53}]" +
			" [{ns2.registry.example. false it has no address} {b.servers.example. true it has no address}]"
		if !ipv6 {
			want = strings.Replace(want, " {a.servers.example. [2001:db8::1]:53}", "", 1)
		}
		text := func(list []target) string {
			var out []string
			for _, t := range list {
				out = append(out, fmt.Sprintf("{%s %s}", t.server, t.address))
			}
			return "[" + strings.Join(out, " ") + "]"
		}
		if got := fmt.Sprint(plan.parent.zone, " ", text(plan.servers), " ", text(plan.parent.targets), " ", slices.Concat(plan.unknown, plan.parent.unknown)); got != want {
			t.Errorf("ipv6 %v:\n%s\n%s", ipv6, got, want)
		}
	}
}

// Without a resolver, what is configured is asked, and the rest is named.
func TestNoResolver(t *testing.T) {
	w := newWorld(t)
	w.extra = "[[observe.server]]\nhost = \"hidden.registry.example\"\naddresses = [\"127.0.0.1:1\"]\n"
	r, o := w.observe()
	wantCodes(t, r, "server-silent hidden.registry.example", "server-unknown ns1.registry.example", "server-unknown ns2.registry.example", "parent-unseen in-addr.arpa")
	if len(r.Off) != 2 || !strings.Contains(r.Off[0], "[observe] anchors") || !strings.Contains(r.Off[1], "set resolvers in [observe]") {
		t.Errorf("off: %q", r.Off)
	}
	if z := o.Zone(testZone + "."); len(z.Servers) != 1 || !strings.Contains(z.Unknown[0].Reason, "no recursive resolver is configured") {
		t.Errorf("%+v", z)
	}
}

func TestSystemResolvers(t *testing.T) {
	got := SystemResolvers([]byte("# a comment\nsearch example.net\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver 2001:db8::1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"))
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53"), netip.MustParseAddrPort("192.0.2.2:53")}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// The DS set's history: unbroken, broken by a gap, by another set, by the clock.
func TestSettleHistory(t *testing.T) {
	const fresh = 24 * time.Hour
	set := func(b byte) *zone.RRset {
		return &zone.RRset{Name: testZone + ".", Type: zone.TypeDS, TTL: 60, Data: [][]byte{{0, b, 13, 2, 1}}}
	}
	var o *zone.Observation
	at := func(after time.Duration, s *zone.RRset, err error) string {
		now := testNow.Add(after)
		task := &task{target: target{server: "a.example.", address: netip.MustParseAddrPort("192.0.2.1:53")}, zone: testZone + ".", kind: taskDS, got: finding{err: err}}
		if s != nil {
			task.got.sets = []*zone.RRset{s}
		} else if err == nil {
			task.got.denied = true
		}
		next := newSettler(&zone.Observations{}, now, fresh).observation(o, task)
		o = &next
		var out []string
		for _, seen := range o.Sets {
			name := map[string]string{set(1).ID(): "1", set(2).ID(): "2"}[seen.Set]
			out = append(out, fmt.Sprintf("%s:%d-%d", name, int(seen.First.Sub(testNow).Hours()), int(seen.Last.Sub(testNow).Hours())))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		hours int
		set   *zone.RRset
		err   error
		want  string
	}{
		{0, set(1), nil, "1:0-0"},
		{2, set(1), nil, "1:0-2"},
		{4, nil, fault(zone.FaultSilent, "x"), "1:0-2"},
		{6, set(1), nil, "1:0-6"},
		{8, set(2), nil, "1:0-6 2:8-8"},
		{10, set(1), nil, "1:0-6 2:8-8 1:10-10"},
		{12, nil, nil, "1:0-6 2:8-8 1:10-10"}, // denied without proof
		{40, set(1), nil, "1:0-6 2:8-8 1:10-10 1:40-40"},
		{20, set(1), nil, "1:0-6 2:8-8 1:10-20"}, // the clock went back: what is to come is forgotten
	} {
		if got := at(time.Duration(c.hours)*time.Hour, c.set, c.err); got != c.want {
			t.Errorf("after %d h: %s, want %s", c.hours, got, c.want)
		}
		if c.err != nil && (o.Fault != zone.FaultSilent || !o.Since.Equal(testNow.Add(time.Duration(c.hours)*time.Hour))) {
			t.Errorf("%+v", o)
		}
	}
	for i := range 3 * keptDS {
		at(time.Duration(41+i)*time.Hour, set(byte(1+i%2)), nil)
	}
	if len(o.Sets) != keptDS {
		t.Errorf("%d sets are kept", len(o.Sets))
	}
}

// The sample is the same for the same run, and another for the next; in the end
// every delegation has been asked for.
func TestSample(t *testing.T) {
	w := newWorld(t)
	gen, dir, err := readGeneration(publish.OS, w.config().Public)
	if err != nil || gen.Zone(testZone+".") == nil {
		t.Fatal(err)
	}
	owners := func(run uint64, size int) string {
		p, err := readPublished(dir, &gen.Zones[0], run, size, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, d := range p.sample {
			if len(d.ns.Data) != 2 {
				t.Errorf("%s: %d NS", d.owner, len(d.ns.Data))
			}
			out = append(out, string(d.owner))
		}
		return strings.Join(out, " ")
	}
	if a, b := owners(1, 5), owners(1, 5); a != b || strings.Count(a, " ") != 4 {
		t.Errorf("%q, %q", a, b)
	}
	all := map[string]bool{}
	for run := range uint64(40) {
		for _, n := range strings.Fields(owners(run, 3)) {
			all[n] = true
		}
	}
	if len(all) != 20 {
		t.Errorf("%d of 20 were ever asked for", len(all))
	}
	if owners(1, 0) != "" {
		t.Error("a sample of none")
	}
}

// A zone that was interrupted before its plan keeps what was known.
func TestOneZone(t *testing.T) {
	w := newWorld(t)
	w.extra = "[[observe.server]]\nhost = \"hidden.registry.example\"\naddresses = [\"127.0.0.1:1\"]\n"
	w.observe()
	before := w.recorded()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := w.options()
	r, err := Run(ctx, o)
	if err != nil || !r.Cancelled {
		t.Fatal(err)
	}
	after := w.recorded()
	if after.Run != 2 || len(after.Zones) != 1 || !after.Zones[0].Servers[0].Asked.Equal(before.Zones[0].Servers[0].Asked) {
		t.Errorf("%+v", after)
	}
	o.Zones = []zone.Name{"203.in-addr.arpa."}
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("a zone that is not configured")
	}
}
