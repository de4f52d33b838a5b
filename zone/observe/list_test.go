package observe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

// A lookedUp is a world whose parent nobody configured: a resolver that says what it
// likes, and addresses 192.0.2.n behind which there are real servers.
type lookedUp struct {
	*world
	key    *peers.ZoneKey    // of in-addr.arpa
	behind map[string]string // what really answers at an address
	base   string            // of [observe]
	anchor string            // the DS of in-addr.arpa
	dead   bool              // the resolver is silent
}

func newLookedUp(t *testing.T) *lookedUp {
	w := &lookedUp{world: newWorld(t), key: peers.NewZoneKey(t, "in-addr.arpa", 257), behind: map[string]string{}}
	w.anchor = w.key.DS()
	z := w.zone(2026112101, 20)
	z.Until = w.now.AddDate(0, 0, 30)
	w.publish(z)
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(w.text)})
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	w.base = w.extra
	return w
}

// parentOf starts a server of in-addr.arpa that names these hosts as its servers.
func (w *lookedUp) parentOf(ds string, hosts ...string) *peers.DNSServer {
	z := peers.SignedZone{Name: "in-addr.arpa", Keys: []*peers.ZoneKey{w.key}, From: testNow.Add(-time.Hour), Until: testNow.AddDate(0, 0, 30), Records: []string{
		"in-addr.arpa. 3600 IN SOA a.arpa.example. nstld.arpa.example. 1 1 1 1 1", testZone + ". 86400 IN NS ns1.registry.example.", ds,
	}}
	for _, h := range hosts {
		z.Records = append(z.Records, "in-addr.arpa. 86400 IN NS "+h+".arpa.example.")
	}
	dir := w.t.TempDir()
	z.Write(w.t, dir)
	return peers.StartNSD(w.t, peers.DNSConfig{Zones: []string{"in-addr.arpa"}, Dir: dir})
}

// run observes, by a resolver that names hosts and has addresses: "a 1" is
// a.arpa.example at 192.0.2.1.
func (w *lookedUp) run(hosts string, addresses ...string) (*Report, *zone.Observations) {
	w.t.Helper()
	text := "in-addr.arpa. 60 IN SOA a.x. b.x. 1 1 1 1 1\n"
	for _, h := range strings.Fields(hosts) {
		text += "in-addr.arpa. 60 IN NS " + h + ".arpa.example.\n"
	}
	for _, a := range addresses {
		host, n, _ := strings.Cut(a, " ")
		text += host + ".arpa.example. 60 IN A 192.0.2." + n + "\n"
	}
	dead := w.dead
	l := startLiar(w.t, text, func(_ string, m *dns.Msg) [][]byte {
		if dead {
			return nil
		}
		m.Authoritative = false
		m.Answer, m.Ns = append(m.Answer, m.Ns...), nil
		return [][]byte{pack(m)}
	})
	w.extra = fmt.Sprintf("ipv6 = false\nresolvers = [%q]\n", l.addr()) + w.base
	o := w.options()
	o.Anchors, _ = zone.ParseAnchors("anchors", []byte(w.anchor))
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if real, ok := w.behind[address]; ok {
			address = real
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	r, err := Run(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, w.recorded()
}

// at puts a server behind 192.0.2.n; "" is nobody.
func (w *lookedUp) at(n int, server *peers.DNSServer) {
	real := "127.0.0.1:1"
	if server != nil {
		real = server.Addr()
	}
	w.behind[netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 53).String()] = real
}

// says holds what is believed of the parent: "" is everything.
func (w *lookedUp) says(o *zone.Observations, want string) {
	w.t.Helper()
	s := judge(w.t, o, w.now, w.anchor)
	if s.Complete != (want == "") || !strings.Contains(strings.Join(s.Missing, "\n"), want) {
		w.t.Errorf("complete %v, missing %q, want %q", s.Complete, s.Missing, want)
	}
}

// A resolver leaves out a server that the parent itself names: it is asked, in the
// same run, and what it says counts.
func TestParentListFromParent(t *testing.T) {
	w := newLookedUp(t)
	server := w.parentOf(w.ksk.DS(), "a", "b", "c")
	stale := w.parentOf(peers.NewZoneKey(t, testZone, 257).DS(), "a", "b", "c")
	w.at(1, server)
	w.at(2, stale)
	w.at(3, server)
	r, o := w.run("a", "a 1", "b 2", "c 3")
	wantCodes(t, r, "ds-bogus b.arpa.example", "ds-differs")
	w.says(o, "")
	own, _ := zone.ParseRecord(w.ksk.DS())
	s := judge(t, o, w.now, w.anchor)
	if _, ok := s.Since(own.Data); ok || len(s.Rows) != 3 {
		t.Errorf("the server that still has the old DS was left out: %v", s)
	}
	w.says(func() *zone.Observations { o.Parents[0].NS = nil; return o }(), "none of its servers gave its NS set")
	// One that nobody can find is waited for.
	w.now = w.now.Add(2 * time.Hour)
	r, o = w.run("a", "a 1", "b 2")
	wantCodes(t, r, "ds-bogus b.arpa.example", "ds-differs", "parent-shrank c.arpa.example", "parent-unseen c.arpa.example")
	w.says(o, "c.arpa.example.: it has no address")
}

// Servers that a resolver makes up give no list that is believed, however they are
// named.
func TestParentListForged(t *testing.T) {
	w := newLookedUp(t)
	honest := w.anchor
	w.key = peers.NewZoneKey(t, "in-addr.arpa", 257)
	w.at(9, w.parentOf(w.ksk.DS(), "z"))
	_, o := w.run("z", "z 9")
	w.anchor = honest
	w.says(o, "the list of the servers of in-addr.arpa: no key of in-addr.arpa.")
}

// The list and the addresses shrink: who is not named any more is asked for a week,
// a notice says so, and no DS counts without it.
func TestParentListShrinks(t *testing.T) {
	w := newLookedUp(t)
	both, one := w.parentOf(w.ksk.DS(), "a", "b"), w.parentOf(w.ksk.DS(), "a")
	for n := range 3 {
		w.at(n+1, both)
	}
	r, o := w.run("a b", "a 1", "a 2", "b 3")
	wantCodes(t, r)
	w.says(o, "")

	w.now = w.now.Add(2 * time.Hour)
	w.at(1, one)
	w.at(2, nil)
	w.at(3, nil)
	r, o = w.run("a", "a 1")
	wantCodes(t, r, "parent-shrank a.arpa.example", "parent-shrank b.arpa.example", "parent-unseen a.arpa.example", "parent-unseen b.arpa.example")
	if n := len(o.Zones[0].Delegation); n != 3 {
		t.Errorf("%d addresses", n)
	}
	if text := fmt.Sprint(r.Notices); !strings.Contains(text, "192.0.2.2:53 has not been among its addresses since 2026-11-21T12:00:00Z; it counts until 2026-11-28T12:00:00Z") {
		t.Errorf("%s", text)
	}
	w.now = w.now.Add(23 * time.Hour) // past fresh_for: what they said before is no help
	_, o = w.run("a", "a 1")
	w.says(o, "b.arpa.example. at 192.0.2.3:53: its last answer is of 2026-11-21T12:00:00Z, older")
	w.says(o, "a.arpa.example. at 192.0.2.2:53")

	// Without a resolver for a while, nothing is forgotten.
	w.now, w.dead = testNow.AddDate(0, 0, 5), true
	if _, o = w.run(""); len(o.Zones[0].Delegation) != 3 || len(o.Parents[0].NS) == 0 {
		t.Errorf("%+v", o.Zones[0].Delegation)
	}
	w.dead = false

	w.now = testNow.AddDate(0, 0, 7).Add(time.Hour)
	r, o = w.run("a", "a 1")
	wantCodes(t, r)
	w.says(o, "")
	if n := len(o.Zones[0].Delegation); n != 1 {
		t.Errorf("%d addresses", n)
	}
}

// A list that a person names is the list; that the parent names others is told.
func TestParentListNamed(t *testing.T) {
	w := newLookedUp(t)
	server := w.parentOf(w.ksk.DS(), "a", "b")
	w.at(1, server)
	w.at(2, server)
	if r, o := w.run("a", "a 1", "b 2"); len(o.Zones[0].Delegation) != 2 {
		wantCodes(t, r)
	}
	w.base += "[[observe.parent]]\nzone = \"in-addr.arpa\"\nhost = \"a.arpa.example\"\n"
	r, o := w.run("a", "a 1")
	wantCodes(t, r, "parent-list b.arpa.example")
	if r.Differs() || len(o.Zones[0].Delegation) != 1 {
		t.Errorf("%+v", o.Zones[0])
	}
	w.says(o, "")
	// An address of a named server that is not found any more is waited for as well.
	w.now = w.now.Add(time.Hour)
	w.at(2, nil)
	r, o = w.run("a", "a 2")
	wantCodes(t, r, "parent-list b.arpa.example", "parent-shrank a.arpa.example", "parent-unseen a.arpa.example")
	w.says(o, "a.arpa.example. at 192.0.2.2:53")
}
