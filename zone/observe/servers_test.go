package observe

import (
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

// Three real servers serve what is published; then one lags, one misses a
// delegation, one serves other bytes for the serial, and one is gone.
func TestRealServers(t *testing.T) {
	w := newWorld(t)
	parent := newParent(t, w, w.ksk.DS())
	a := parent.start()
	good := w.folder(w.text)
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: good})
	nsd := peers.StartNSD(t, peers.DNSConfig{Zones: []string{testZone}, Dir: good})
	knot := peers.StartKnot(t, peers.KnotConfig{DNSConfig: peers.DNSConfig{Zones: []string{testZone}, Dir: good}, IgnoreZONEMD: true})
	w.server("ns1.registry.example", bind.Addr(), nsd.Addr())
	w.server("ns2.registry.example", knot.Addr())
	w.parent("a.arpa.example", a.Addr())
	r, o := w.observe()
	wantCodes(t, r)
	if r.Differs() || len(r.Notes) > 0 {
		t.Errorf("differs: %v", r.Notes)
	}
	z := o.Zone(testZone + ".")
	if len(z.Servers) != 3 || z.Serial != 2026112101 || z.Parent != "in-addr.arpa." || len(z.Published) != 4 {
		t.Fatalf("%+v", z)
	}
	for _, s := range z.Servers {
		if s.Fault != "" || s.Serial != 2026112101 || s.Sampled != 8 || len(s.Sets) != 4 || !s.Expires.Equal(testNow.AddDate(0, 0, 14)) {
			t.Errorf("%s: %+v", s.Address, s)
		}
	}
	if d := z.Delegation; len(d) != 1 || d[0].Denied || len(d[0].Sets) != 1 {
		t.Errorf("delegation %+v", d)
	}

	// A new serial is published; BIND alone has it, and another delegation is missing on Knot.
	w.now = w.now.Add(2 * time.Hour)
	w.publish(w.zone(2026112102, 20))
	lacking := w.zone(2026112102, 20)
	var kept []string
	for _, line := range lacking.Records {
		if !strings.HasPrefix(line, "7.") {
			kept = append(kept, line)
		}
	}
	lacking.Records = kept
	missing := peers.StartKnot(t, peers.KnotConfig{DNSConfig: peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(lacking.Sign(t))}, IgnoreZONEMD: true})
	fresh := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(w.text)})
	knot.Stop()
	w.extra = ""
	w.server("ns1.registry.example", fresh.Addr(), nsd.Addr(), knot.Addr())
	w.server("ns2.registry.example", missing.Addr())
	w.extra = "sample = 20\n" + w.extra
	w.parent("a.arpa.example", a.Addr())
	r, o = w.observe()
	wantCodes(t, r, "server-behind ns1.registry.example", "server-silent ns1.registry.example",
		"delegation-missing ns2.registry.example", "server-differs ns2.registry.example")
	z = o.Zone(testZone + ".")
	for _, s := range z.Servers {
		if s.Address == addr(t, missing.Addr()) && (len(s.Missing) != 1 || s.Missing[0] != "7."+testZone+".") {
			t.Errorf("missing %v of %d", s.Missing, s.Sampled)
		}
		if s.Address == addr(t, knot.Addr()) && s.Fault != zone.FaultSilent {
			t.Errorf("a stopped server: %+v", s)
		}
	}

	// The next sample is another, but the suspect is asked for again.
	w.now = w.now.Add(2 * time.Hour)
	w.extra = strings.Replace(w.extra, "sample = 20", "sample = 1", 1)
	r, _ = w.observe()
	wantCodes(t, r, "server-behind ns1.registry.example", "server-silent ns1.registry.example",
		"delegation-missing ns2.registry.example", "server-differs ns2.registry.example")
}

// Incident 9: the SOAs match everywhere, and the signatures are old. Incident 7: so
// is that of the DNSKEY set. Nobody has to look at a serial to see it.
func TestOldSignatures(t *testing.T) {
	w := newWorld(t)
	z := w.zone(2026112101, 3)
	z.Until = w.now.Add(8 * 24 * time.Hour)
	w.publish(z)
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(w.text)})
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	w.parent("a.arpa.example", newParent(t, w, w.ksk.DS()).start().Addr())
	r, _ := w.observe()
	wantCodes(t, r, "server-expiry ns1.registry.example", "server-expiry ns2.registry.example")
}

// Incident 8: a serial goes back at a server, and one that is ahead takes nothing
// that is published.
func TestSerialBack(t *testing.T) {
	w := newWorld(t)
	dir := w.folder(w.zone(2026112105, 20).Sign(t))
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: dir})
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	w.parent("a.arpa.example", newParent(t, w, w.ksk.DS()).start().Addr())
	r, _ := w.observe()
	wantCodes(t, r, "server-ahead ns1.registry.example", "server-ahead ns2.registry.example")
	bind.Stop()
	back := w.folder(w.text)
	bind = peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: back})
	w.now = w.now.Add(time.Hour)
	// The same address with the older serial: what was seen there is renamed to the new port.
	o := w.recorded()
	for i := range o.Zones[0].Servers {
		o.Zones[0].Servers[i].Address = addr(t, bind.Addr())
	}
	w.record(o)
	w.extra = ""
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	w.parent("a.arpa.example", newParent(t, w, w.ksk.DS()).start().Addr())
	r, _ = w.observe()
	wantCodes(t, r, "serial-back ns1.registry.example", "serial-back ns2.registry.example")
}

// A server that serves another zone, and one behind a name without address.
func TestLame(t *testing.T) {
	w := newWorld(t)
	other := newParent(t, w, w.ksk.DS())
	lame := other.start()
	w.server("ns1.registry.example", lame.Addr())
	w.parent("a.arpa.example", lame.Addr())
	r, o := w.observe()
	wantCodes(t, r, "server-lame ns1.registry.example", "server-unknown ns2.registry.example")
	if s := o.Zone(testZone + ".").Servers; len(s) != 1 || s[0].Fault != zone.FaultLame || !s[0].Last.IsZero() {
		t.Errorf("%+v", s)
	}
}
