package main

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"nirzone/zone"
)

// classless are the registry's delegations in zone A: five /24s, and in twelve
// others one half each, with two aliases for it (RFC 2317) unless without says so.
func classless(extra int, aliases bool) []zone.Record {
	var records []zone.Record
	add := func(name zone.Name, typ zone.Type, target zone.Name) {
		records = append(records, zone.Record{Name: name, Type: typ, TTL: 86400, Data: zone.NSData(target)})
	}
	for _, n := range owners(zoneA, 250, 5+extra) {
		add(n, zone.TypeNS, "ns1.apnic.example.")
		add(n, zone.TypeNS, "ns2.apnic.example.")
	}
	for _, n := range owners(zoneA, 251, 12) {
		add("0-127."+n, zone.TypeNS, "ns1.customer.example.")
		add("0-127."+n, zone.TypeNS, "ns2.customer.example.")
		for i := range 2 {
			if octet := zone.Name(fmt.Sprint(i)); aliases {
				add(octet+"."+n, zone.TypeCNAME, octet+".0-127."+n)
			}
		}
	}
	return records
}

func (tr *tree) registryOf(z zone.Name, records []zone.Record) {
	tr.write("registry/"+z.File()+"-APNIC", string(zone.FormatZonelet("APNIC", z, tr.now, 86400, records)))
}

// TestAliasesHeld: a registry's export without the aliases of its classless
// delegations leaves these unreachable. It is held like their loss.
func TestAliasesHeld(t *testing.T) {
	tr := newTree(t)
	tr.registryOf(zoneA, classless(0, true))
	tr.must(0, "init", "--accept", "122")
	before := tr.content(zoneA)
	if strings.Count(before, "\tCNAME\t") != 24 {
		t.Fatalf("not 24 aliases are published\n%s", before)
	}
	tr.next(twoHours)
	tr.registryOf(zoneA, classless(1, false))
	tr.must(3)
	tr.wantHeld("APNIC removed 24")
	if tr.content(zoneA) != before {
		t.Error("the zone changed")
	}
	hash := tr.held()[0].Hash
	tr.must(0, "held", "show", hash)
	tr.says("24 single addresses would be removed", "share: 12 of 29 delegations", "- 1.3.251.27.in-addr.arpa. 27.251.3.1/32\n    - CNAME 1.0-127.3.251.27.in-addr.arpa.", "--removes 24")
	tr.must(0, "accept", hash, "--additions-only", "-m", "the export is mended")
	for range 2 {
		tr.next(twoHours)
		tr.must(3)
		tr.wantHeld("APNIC removed 24")
		tr.count(zoneA, 78)
		if now := tr.content(zoneA); strings.Count(now, "\tCNAME\t") != 24 {
			t.Error("the aliases do not stand")
		}
	}
	tr.must(0, "accept", hash, "--removes", "24", "-m", "yes")
	tr.must(0)
	tr.wantHeld()
	if now := tr.content(zoneA); strings.Count(now, "\tCNAME\t") != 0 {
		t.Error("the aliases are still there")
	}
	if d := tr.decided(); len(d) != 0 {
		t.Errorf("the decision is left: %+v", d)
	}
}

// inside is a feed of JPNIC in zone A: 40 delegations, of which 15 rest on a
// server inside the zone with the address given.
func inside(address string, extra int) []zone.Record {
	var records []zone.Record
	names := owners(zoneA, 10, 40+extra)
	host := "ns." + names[0]
	for i, n := range names {
		target := zone.Name("ns1.jpnic.example.")
		if i < 15 {
			target = host
		}
		records = append(records, zone.Record{Name: n, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(target)},
			zone.Record{Name: n, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData("ns2.jpnic.example.")})
	}
	a := netip.MustParseAddr(address)
	return append(records, zone.Record{Name: host, Type: zone.TypeA, TTL: 86400, Data: zone.Data(a.AsSlice())})
}

// TestGlueHeld: one other address takes over every delegation that rests on it. It
// is held as other name servers are.
func TestGlueHeld(t *testing.T) {
	tr := newTree(t)
	feed := func(address string, extra int) {
		tr.accept("JPNIC", zoneA, zone.FormatZonelet("JPNIC", zoneA, tr.now, 86400, inside(address, extra)))
	}
	feed("192.0.2.1", 0)
	tr.must(0, "init", "--accept", "110")
	before := tr.content(zoneA)
	tr.next(twoHours)
	feed("192.0.2.66", 1)
	tr.must(3)
	tr.wantHeld("JPNIC ns-replaced 15")
	if tr.content(zoneA) != before {
		t.Error("the zone changed")
	}
	hash := tr.held()[0].Hash
	tr.must(0, "held", "show", hash)
	tr.says("15 delegations would get other name servers", "- A ns.0.10.27.in-addr.arpa. 192.0.2.1", "+ A ns.0.10.27.in-addr.arpa. 192.0.2.66", "--removes 15")
	tr.must(0, "accept", hash, "--additions-only", "-m", "JPNIC looks")
	for range 2 {
		tr.next(twoHours)
		tr.must(3)
		tr.wantHeld("JPNIC ns-replaced 15")
		tr.count(zoneA, 66)
		if now := tr.content(zoneA); !strings.Contains(now, "192.0.2.1\n") || strings.Contains(now, "192.0.2.66") {
			t.Error("the address does not stand")
		}
	}
	tr.must(0, "accept", hash, "--removes", "15", "-m", "moved")
	tr.must(0)
	tr.wantHeld()
	if now := tr.content(zoneA); strings.Contains(now, "192.0.2.1\n") || !strings.Contains(now, "192.0.2.66\n") {
		t.Error("the address did not change")
	}
	if d := tr.decided(); len(d) != 0 {
		t.Errorf("the decision is left: %+v", d)
	}
}

// TestAdoptMakesBaseline: what is lost after an adoption counts from what was taken
// over, and what was lost before it counts no more.
func TestAdoptMakesBaseline(t *testing.T) {
	tr := wide(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 288))
	tr.must(0)
	if l := tr.current().Zone(zoneA).Ledger; len(l) != 1 || len(l[0].Names) != 12 {
		t.Fatalf("ledger %+v", l)
	}
	data, err := os.ReadFile(tr.path("public/current/" + zoneA.File()))
	if err != nil {
		t.Fatal(err)
	}
	tr.write("served/"+zoneA.File()+".signed", string(data))
	tr.next(twoHours)
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"27.in-addr.arpa", `, "", 1))
	tr.must(3)
	tr.acceptAll()
	tr.must(0) // another signer has it now …
	tr.write("nirzone.toml", treeConfig)
	tr.next(twoHours)
	tr.must(0, "adopt", tr.path("served"), "--json") // … and no longer
	_, rest, _ := strings.Cut(tr.out.String(), `"hash": "`)
	tr.must(0, "adopt", tr.path("served"), "--accept", rest[:12])
	g := tr.current()
	if z := g.Zone(zoneA); g.Cause != causeAdopt || len(z.Ledger) != 0 {
		t.Fatalf("%s: ledger %+v", g.Cause, z.Ledger)
	}
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 277))
	tr.must(0) // with the twelve of before it would be over the limit of a day
	tr.count(zoneA, 277+25)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 266))
	tr.must(3)
	tr.count(zoneA, 277+25)
	if h := tr.held(); len(h) != 1 || !strings.Contains(h[0].Rule, "over 24 h: 22 of 288") {
		t.Errorf("holds: %+v", h)
	}
}

// TestGlueOfAnotherSource: who changes the address answers for all that rest on it;
// what the others change goes on.
func TestGlueOfAnotherSource(t *testing.T) {
	tr := newTree(t)
	host := "ns." + owners(zoneA, 10, 1)[0]
	jpnic := func(address string) {
		records := inside(address, 0)
		for i := range records { // its own delegations have other servers, but for one
			if i > 1 && records[i].Type == zone.TypeNS && records[i].Data == zone.NSData(host) {
				records[i].Data = zone.NSData("ns1.jpnic.example.")
			}
		}
		tr.accept("JPNIC", zoneA, zone.FormatZonelet("JPNIC", zoneA, tr.now, 86400, records))
	}
	krnic := func(n int) {
		var records []zone.Record
		for _, o := range owners(zoneA, 200, n) {
			for _, target := range []zone.Name{host, "ns2.krnic.example."} {
				records = append(records, zone.Record{Name: o, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(target)})
			}
		}
		tr.accept("KRNIC", zoneA, zone.FormatZonelet("KRNIC", zoneA, tr.now, 86400, records))
	}
	jpnic("192.0.2.1")
	krnic(20)
	tr.must(0, "init", "--accept", "110")
	tr.next(twoHours)
	jpnic("192.0.2.66")
	krnic(22)
	tr.must(3)
	tr.wantHeld("JPNIC ns-replaced 21")
	tr.count(zoneA, 67)
	if now := tr.content(zoneA); !strings.Contains(now, "192.0.2.1\n") || strings.Contains(now, "192.0.2.66") {
		t.Error("the address changed")
	}
	tr.acceptAll()
	tr.must(0)
	if now := tr.content(zoneA); !strings.Contains(now, "192.0.2.66\n") {
		t.Error("the address did not change")
	}
}

// TestGlueGoesWithItsDelegation: one delegation that goes takes the address along
// that those of another source rest on; it is held for them.
func TestGlueGoesWithItsDelegation(t *testing.T) {
	tr := newTree(t)
	first := owners(zoneA, 10, 1)[0]
	host := zone.Name("ns." + string(first))
	jpnic := func(from int) {
		var records []zone.Record
		for i, o := range owners(zoneA, 10, 45)[from:] {
			target := zone.Name("ns1.jpnic.example.")
			if from == 0 && i == 0 {
				target = host
			}
			records = append(records, zone.Record{Name: o, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(target)})
		}
		if from == 0 {
			a, err := zone.ParseRecord(string(host) + " 86400 IN A 192.0.2.1")
			must(t, err)
			records = append(records, a)
		}
		tr.accept("JPNIC", zoneA, zone.FormatZonelet("JPNIC", zoneA, tr.now, 86400, records))
	}
	var records []zone.Record
	for _, o := range owners(zoneA, 200, 20) {
		for _, target := range []zone.Name{host, "ns2.krnic.example."} {
			records = append(records, zone.Record{Name: o, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(target)})
		}
	}
	jpnic(0)
	tr.accept("KRNIC", zoneA, zone.FormatZonelet("KRNIC", zoneA, tr.now, 86400, records))
	tr.must(0, "init", "--accept", strconv.Itoa(tr.planned().First))
	if !strings.Contains(tr.content(zoneA), "192.0.2.1\n") {
		t.Fatal("the address is not published")
	}
	tr.next(twoHours)
	jpnic(1)
	tr.must(3)
	tr.wantHeld("JPNIC ns-replaced 20")
	if !strings.Contains(tr.content(zoneA), "192.0.2.1\n") {
		t.Error("the address went")
	}
	tr.must(0, "accept", tr.held()[0].Hash, "--additions-only", "-m", "JPNIC looks")
	tr.next(twoHours)
	tr.must(3)
	if !strings.Contains(tr.content(zoneA), "192.0.2.1\n") {
		t.Error("the address went with additions only")
	}
}
