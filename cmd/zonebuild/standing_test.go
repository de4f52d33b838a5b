package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// rich adds to the registry's zonelet what a zone can hold beside NS: DS, glue
// and an alias of RFC 2317.
func (tr *tree) rich() {
	text := string(zonelet("APNIC", zoneA, tr.now, owners(zoneA, 250, 5)))
	i := strings.Index(text, "APNIC.27.")
	if i < 0 {
		i = strings.Index(text, "apnic.27.")
	}
	more := `1.251.27.in-addr.arpa. 86400 IN NS ns.1.251.27.in-addr.arpa.
1.251.27.in-addr.arpa. 86400 IN DS 4711 13 2 ` + strings.Repeat("ab", 32) + `
ns.1.251.27.in-addr.arpa. 86400 IN A 192.0.2.1
ns.1.251.27.in-addr.arpa. 86400 IN AAAA 2001:db8::1
5.2.251.27.in-addr.arpa. 86400 IN CNAME 5.0-127.2.251.27.in-addr.arpa.
0-127.2.251.27.in-addr.arpa. 86400 IN NS ns1.member.example.
`
	text = text[:i] + more + text[i:]
	text = strings.Replace(text, "with 10 NS", "with 12 NS", 1)
	tr.write("registry/27.in-addr.arpa-APNIC", strings.Replace(text, "with 0 DS", "with 1 DS", 1))
}

// content returns a published file without what signing adds.
func (tr *tree) content(z zone.Name) string {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("public/current/" + z.File()))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(delegations(z, data))
}

// TestSpoolLostSignsOn: without the inputs a zone stands as published, and its
// signatures are renewed all the same.
func TestSpoolLostSignsOn(t *testing.T) {
	tr := newTree(t)
	tr.rich()
	tr.must(0, "init", "--accept", "112")
	before, first := tr.content(zoneA), tr.current()
	for _, want := range []string{" AAAA ", " CNAME ", " DS "} {
		if !strings.Contains(strings.Join(strings.Fields(before), " "), want) {
			t.Fatalf("%q is not in\n%s", want, before)
		}
	}
	if err := os.Rename(tr.path("spool/objects"), tr.path("objects-away")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		tr.later(12 * 24 * time.Hour)
		tr.seen()
		tr.must(3)
		tr.says("carried")
	}
	g := tr.current()
	z := g.Zone(zoneA)
	if left := z.Expires.Sub(tr.now); left < 9*24*time.Hour {
		t.Errorf("the first signature ends in %v", left)
	}
	if after := tr.content(zoneA); after != before {
		t.Errorf("the delegations changed:\n%s\n%s", before, after)
	}
	old := first.Zone(zoneA)
	if z.Carried == "" || len(z.Inputs) != len(old.Inputs) || z.Delegations != old.Delegations || z.Claims != old.Claims || z.Serial <= old.Serial {
		t.Errorf("%+v", z)
	}
	if err := os.Rename(tr.path("objects-away"), tr.path("spool/objects")); err != nil {
		t.Fatal(err)
	}
	tr.must(0)
	if z := tr.current().Zone(zoneA); z.Carried != "" || tr.content(zoneA) != before {
		t.Errorf("%+v", z)
	}
}

// TestClaimsLost: neither the registry's claims nor their copies can be read.
func TestClaimsLost(t *testing.T) {
	tr := published(t)
	if err := os.RemoveAll(tr.path("state/inputs")); err != nil {
		t.Fatal(err)
	}
	tr.write("registry/claims", "garbage")
	tr.later(12 * 24 * time.Hour)
	tr.seen()
	tr.feed("JPNIC", zoneA, nil)
	tr.must(3)
	tr.says("registry-unreadable", "carried")
	tr.count(zoneA, 65)
	for _, z := range tr.current().Zones {
		if z.Expires.Sub(tr.now) < 9*24*time.Hour {
			t.Errorf("%s is not signed again: %v", z.Zone, z.Expires)
		}
	}
	tr.must(1, "rollback")
}

// TestStandingFileTampered: what is not the file that was verified is not
// signed again.
func TestStandingFileTampered(t *testing.T) {
	tr := published(t)
	if err := os.RemoveAll(tr.path("spool/objects")); err != nil {
		t.Fatal(err)
	}
	name := tr.path("public/current/" + zoneA.File())
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(data), "ns1.jpnic.example.", "ns1.other.example.", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	tr.later(12 * 24 * time.Hour)
	tr.seen()
	tr.must(3)
	tr.says("the published file is not the one that was written")
	data, err = os.ReadFile(tr.path("public/current/generation.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := zone.ParseGeneration("generation.json", data)
	if err != nil {
		t.Fatal(err)
	}
	if z := g.Zone(zoneA); z.Expires.After(g.Zone(zoneB).Expires) || z.Serial != 2026112100 {
		t.Errorf("%+v", z)
	}
}
