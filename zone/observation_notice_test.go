package zone

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A seenWorld is one zone with one published key and the answers of two addresses of
// its server and of its parent's.
type seenWorld struct {
	o    Observations
	keys RRset
}

func (w *seenWorld) add(s RRset) []SeenSet {
	w.o.Sets = append(w.o.Sets, s)
	return []SeenSet{{Set: s.ID(), First: observedAt, Last: observedAt}}
}

// dsFor is a DS set for keys; 0 is the published one.
func (w *seenWorld) dsFor(keys ...byte) RRset {
	s := RRset{Name: "202.in-addr.arpa.", Type: TypeDS, TTL: 86400}
	for _, k := range keys {
		dnskey := []byte{1, 1, 3, 13, k, k}
		sum := sha256.Sum256(append(s.Name.AppendWire(nil), dnskey...))
		s.Data = append(s.Data, append([]byte{0, k, 13, 2}, sum[:]...))
	}
	return s
}

func newSeenWorld() *seenWorld {
	w := &seenWorld{keys: RRset{Name: "202.in-addr.arpa.", Type: TypeDNSKEY, TTL: 3600, Data: [][]byte{{1, 1, 3, 13, 0, 0}}}}
	soa := RRset{Name: "202.in-addr.arpa.", Type: TypeSOA, TTL: 60, Data: [][]byte{{1}}, Signatures: [][]byte{{7}}}
	at := func(host Name, last byte) Observation {
		return Observation{Server: host, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, last}), 53), First: observedAt, Last: observedAt, Asked: observedAt}
	}
	z := ObservedZone{Zone: "202.in-addr.arpa.", Serial: 7, SerialSince: observedAt, Parent: "in-addr.arpa.", Published: []string{soa.ID(), w.keys.ID()}}
	both := append(w.add(soa), w.add(w.keys)...)
	ds := w.add(w.dsFor(0))
	for i := range 2 {
		own, up := at("ns1.registry.example.", byte(1+i)), at("a.example.", byte(11+i))
		own.Serial, own.Highest, own.Sets, own.Expires = 7, 7, both, observedAt.AddDate(0, 0, 10)
		up.Sets = ds
		z.Servers, z.Delegation = append(z.Servers, own), append(z.Delegation, up)
	}
	w.o = Observations{Version: 1, Time: observedAt, Zones: []ObservedZone{z}, Sets: w.o.Sets}
	return w
}

func TestObservationNotices(t *testing.T) {
	c, err := ParseConfig("nirzone.toml", []byte(configHead+configZones))
	if err != nil {
		t.Fatal(err)
	}
	type change func(w *seenWorld, own, up []Observation)
	for _, tc := range []struct {
		name   string
		change change
		want   []string // code, server and a part of the text
	}{
		{"all is well", func(*seenWorld, []Observation, []Observation) {}, nil},
		{"both silent", func(_ *seenWorld, own, _ []Observation) {
			for i := range own {
				own[i].Fault, own[i].Reason, own[i].Since = FaultSilent, "nothing", observedAt
			}
		}, []string{"server-silent ns1.registry.example. 192.0.2.1:53, since 2026-11-21T18:00:00Z: nothing; 192.0.2.2:53, since"}},
		{"malformed and never good", func(_ *seenWorld, own, _ []Observation) {
			own[0] = Observation{Server: own[0].Server, Address: own[0].Address, Asked: observedAt, Fault: FaultMalformed, Reason: "x", Since: observedAt}
		}, []string{"server-malformed ns1.registry.example. 192.0.2.1:53"}},
		{"behind, not for long", func(_ *seenWorld, own, _ []Observation) {
			own[0].Serial, own[0].OldSince = 6, observedAt.Add(-59*time.Minute)
		}, []string{"serial-back ns1.registry.example."}},
		{"behind", func(_ *seenWorld, own, _ []Observation) {
			own[0].Serial, own[0].Highest, own[0].OldSince = 6, 6, observedAt.Add(-time.Hour)
		}, []string{"server-behind ns1.registry.example. 192.0.2.1:53: serial 6 instead of 7"}},
		{"ahead", func(_ *seenWorld, own, _ []Observation) {
			own[0].Serial, own[0].Highest, own[0].OldSince = 8, 8, observedAt.Add(-time.Hour)
		}, []string{"server-ahead ns1.registry.example. 192.0.2.1:53: serial 8, but 7"}},
		{"ahead across zero", func(w *seenWorld, own, _ []Observation) {
			w.o.Zones[0].Serial = 0xffffffff
			own[1].Serial, own[1].Highest = 0xffffffff, 0xffffffff
			own[0].Serial, own[0].Highest, own[0].OldSince = 3, 3, observedAt.Add(-time.Hour)
		}, []string{"server-ahead ns1.registry.example. 192.0.2.1:53: serial 3"}},
		{"other bytes", func(w *seenWorld, own, _ []Observation) {
			own[0].Sets = slices.Concat(w.add(RRset{Name: "202.in-addr.arpa.", Type: TypeSOA, TTL: 60, Data: [][]byte{{1}}, Signatures: [][]byte{{8}}}),
				w.add(RRset{Name: "202.in-addr.arpa.", Type: TypeDNSKEY, TTL: 3600, Data: [][]byte{{9}}}))
		}, []string{"server-differs ns1.registry.example. 192.0.2.1:53: serial 7 as published, but other SOA signatures or TTL, DNSKEY"}},
		{"a set is missing", func(_ *seenWorld, own, _ []Observation) { own[1].Sets = own[1].Sets[:1] }, []string{"server-differs ns1.registry.example. 192.0.2.2:53: serial 7 as published, but other no DNSKEY"}},
		{"expiry", func(_ *seenWorld, own, _ []Observation) { own[0].Expires = observedAt.AddDate(0, 0, 8) }, []string{"server-expiry ns1.registry.example. 192.0.2.1:53: a signature ends at 2026-11-29T18:00:00Z"}},
		{"delegations", func(_ *seenWorld, own, _ []Observation) {
			own[0].Missing = []Name{"1.202.in-addr.arpa.", "2.202.in-addr.arpa.", "3.202.in-addr.arpa.", "4.202.in-addr.arpa.", "5.202.in-addr.arpa.", "6.202.in-addr.arpa."}
			own[1].Differs = []Name{"7.202.in-addr.arpa."}
		}, []string{"delegation-differs ns1.registry.example. 192.0.2.2:53: serial 7 with other records of 7.202", "delegation-missing ns1.registry.example. 192.0.2.1:53: serial 7 without 1.202.in-addr.arpa, 2.202.in-addr.arpa, 3.202.in-addr.arpa, 4.202.in-addr.arpa, 5.202.in-addr.arpa and 1 more"}},
		{"nobody found", func(w *seenWorld, _, _ []Observation) {
			w.o.Zones[0].Unknown = []UnknownServer{{Server: "ns2.registry.example.", Reason: "no address"}, {Server: "b.example.", Parent: true, Reason: "no address"}}
		}, []string{"parent-unseen b.example. no address", "server-unknown ns2.registry.example. no address"}},
		{"parent silent", func(_ *seenWorld, _, up []Observation) { up[1].Fault, up[1].Reason = FaultSilent, "nothing" }, []string{"parent-unseen a.example. 192.0.2.12:53"}},
		{"no DS", func(_ *seenWorld, _, up []Observation) { up[0].Denied, up[1].Denied = true, true }, []string{"ds-none  the servers of in-addr.arpa"}},
		{"DS at one", func(_ *seenWorld, _, up []Observation) { up[1].Denied = true }, []string{"ds-missing a.example. 192.0.2.12:53 has no DS set; 1 other"}},
		{"another DS at one", func(w *seenWorld, _, up []Observation) { up[1].Sets = w.add(w.dsFor(0, 5)) }, []string{"ds-differs  the DS sets at the 2 addresses", "ds-extra a.example. 192.0.2.12:53 has DS records for keys 5/13"}},
		{"a wrong DS", func(w *seenWorld, _, up []Observation) { up[0].Sets = w.add(w.dsFor(5)); up[1].Sets = up[0].Sets }, []string{"ds-bogus a.example. 192.0.2.11:53 has DS records for keys 5/13 only, none of which is published; 192.0.2.12:53"}},
		{"stale", func(w *seenWorld, own, _ []Observation) {
			w.o.Time = observedAt.Add(-25 * time.Hour)
		}, []string{"observe-stale  the last zonefetch observe was at 2026-11-20T17:00:00Z"}},
		{"not configured any more", func(w *seenWorld, own, _ []Observation) {
			w.o.Zones[0].Zone = "203.in-addr.arpa."
			own[0].Fault = FaultSilent
		}, nil},
		{"nothing published", func(w *seenWorld, own, _ []Observation) {
			w.o.Zones[0].SerialSince, w.o.Zones[0].Serial, w.o.Zones[0].Published = time.Time{}, 0, nil
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newSeenWorld()
			tc.change(w, w.o.Zones[0].Servers, w.o.Zones[0].Delegation)
			var got []string
			for _, n := range w.o.Notices(c, observedAt) {
				_, text, _ := strings.Cut(n.Text, "202.in-addr.arpa: ")
				if n.Zone == "" {
					text = n.Text
				}
				got = append(got, n.Code+" "+string(n.Name)+" "+text)
				if n.Name != "" && !strings.HasPrefix(n.Text, n.Name.File()+" for ") || !strings.HasSuffix(n.Text, ")") {
					t.Errorf("%q does not say whom it is about and what to do", n.Text)
				}
			}
			ok := len(got) == len(tc.want)
			for i := range got {
				ok = ok && strings.HasPrefix(got[i], tc.want[i])
			}
			if !ok {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestStandsFor(t *testing.T) {
	w := newSeenWorld()
	ds, key := Data(w.dsFor(0).Data[0]), Data(w.keys.Data[0])
	if !StandsFor("202.in-addr.arpa.", ds, key) {
		t.Error("its own key")
	}
	for name, bad := range map[string]bool{
		"another zone": StandsFor("203.in-addr.arpa.", ds, key), "another key": StandsFor("202.in-addr.arpa.", ds, key+"x"),
		"cut short": StandsFor("202.in-addr.arpa.", ds[:20], key), "nothing": StandsFor("202.in-addr.arpa.", "", key), "SHA-1": StandsFor("202.in-addr.arpa.", ds[:3]+"\x01"+ds[4:], key),
	} {
		if bad {
			t.Error(name)
		}
	}
}
