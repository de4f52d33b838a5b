package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestGeneratorBugHeld is incident 1: a generator publishes wrong zonelets for 22
// hours. Nothing is lost, and when it is mended nobody has to accept anything.
func TestGeneratorBugHeld(t *testing.T) {
	tr := published(t)
	good := tr.content(zoneA)
	for run := range 11 {
		tr.next(twoHours)
		wrong := plainFeed(zoneA, 10, 3*run)
		for i := range wrong {
			wrong[i].ns = fmt.Sprintf("wrong%d", run)
		}
		tr.feedOf("JPNIC", zoneA, wrong)
		tr.must(3)
		if tr.content(zoneA) != good {
			t.Fatalf("run %d: the zone changed", run)
		}
		if left := tr.current().Zone(zoneA).Expires.Sub(tr.now); left < 9*day {
			t.Errorf("run %d: the first signature ends in %v", run, left)
		}
	}
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40))
	tr.must(0)
	tr.wantHeld()
	if tr.content(zoneA) != good {
		t.Error("the zone changed")
	}
}

// TestTestSystemHeld is incident 3: the tiny, well-formed zonelets of a test
// system, trailer and all.
func TestTestSystemHeld(t *testing.T) {
	tr := published(t)
	a, b := tr.content(zoneA), tr.content(zoneB)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 99, 2))
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 2))
	tr.must(3)
	tr.wantHeld("JPNIC removed 40", "JPNIC removed 38")
	if tr.content(zoneA) != a || tr.content(zoneB) != b {
		t.Error("the zones changed")
	}
}

// TestRegistryFileShrinks: the registry's own files pass the same gates.
func TestRegistryFileShrinks(t *testing.T) {
	tr := newTree(t)
	tr.registry(zoneA, owners(zoneA, 250, 100))
	tr.must(0, "init", "--accept", fmt.Sprint(110+95))
	tr.next(twoHours)
	tr.registry(zoneA, owners(zoneA, 250, 89))
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(3)
	tr.wantHeld("APNIC removed 11")
	tr.count(zoneA, 161)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 150)
}

// TestClaimsShrink: claims that take much of a source's space are not applied at
// all; the zones follow the feeds by the earlier ones.
func TestClaimsShrink(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.write("registry/claims", "JPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(3)
	tr.wantHeld("JPNIC claims-reduced 1")
	tr.count(zoneA, 66)
	for _, n := range tr.current().Notices {
		if n.Code == "outside-claims" {
			t.Errorf("a source is told of claims that are not in force: %v", n)
		}
	}
	tr.next(12 * day)
	tr.must(3)
	if left := tr.current().Zone(zoneA).Expires.Sub(tr.now); left < 9*day {
		t.Errorf("the first signature ends in %v", left)
	}
	h := tr.held()[0]
	tr.must(0, "held", "show", h.Hash)
	tr.says("- 27.0.0.0/9", "--removes 1")
	tr.must(1, "accept", h.Hash, "--removes", "2", "-m", "no")
	tr.must(1, "accept", h.Hash, "--additions-only", "-m", "no")
	tr.must(0, "accept", h.Hash, "--removes", "1", "-m", "given back")
	tr.next(twoHours)
	tr.must(3)
	tr.wantHeld("JPNIC claims-moved 41") // each of them stands
	tr.count(zoneA, 66)
	if left, _ := os.ReadDir(tr.path("state/accepts")); len(left) != 0 {
		t.Errorf("%d accepts are left", len(left))
	}
}

// TestClaimsComeBack: an export that was wrong is mended, and nobody has to accept
// anything.
func TestClaimsComeBack(t *testing.T) {
	tr := published(t)
	good, err := os.ReadFile(tr.path("registry/claims"))
	if err != nil {
		t.Fatal(err)
	}
	tr.next(twoHours)
	tr.write("registry/claims", "KRNIC\t27.128.0.0/9\n")
	tr.must(3)
	tr.wantHeld("JPNIC claims-reduced 2", "KRNIC claims-reduced 1")
	tr.next(twoHours)
	tr.write("registry/claims", string(good))
	tr.must(0)
	tr.count(zoneA, 65)
	tr.wantHeld()
}

// TestEveryKindHeld: each kind is held, shown with what was and would be, accepted
// by its exact count, and then happens.
func TestEveryKindHeld(t *testing.T) {
	signed := func(tag byte) []delegation {
		list := plainFeed(zoneA, 10, 40)
		for i := range 15 {
			list[i].tag = tag
		}
		return list
	}
	moved := plainFeed(zoneA, 10, 40)
	for i := range 15 {
		moved[i].ns = "other"
	}
	above, _ := zone.ParseName("10.27.in-addr.arpa")
	for _, tt := range []struct {
		kind          string
		before, after []delegation
		count         int
		shows         []string
		left          int
	}{
		{zone.KindRemoved, plainFeed(zoneA, 10, 40), plainFeed(zoneA, 10, 25), 15, []string{"- 39.10.27.in-addr.arpa."}, 50},
		{zone.KindNS, plainFeed(zoneA, 10, 40), moved, 15, []string{"- NS ns1.jpnic.example.", "+ NS ns1.other.example."}, 65},
		{zone.KindDSAdded, plainFeed(zoneA, 10, 40), signed(7), 15, []string{"+ DS 7 13 2 "}, 65},
		{zone.KindDSChanged, signed(7), signed(8), 15, []string{"- DS 7 13 2 ", "+ DS 8 13 2 "}, 65},
		{zone.KindDSRemoved, signed(7), plainFeed(zoneA, 10, 40), 15, []string{"- DS 7 13 2 "}, 65},
		{zone.KindShadowed, plainFeed(zoneA, 10, 40), append(plainFeed(zoneA, 10, 40), delegation{above, "jpnic", 0}), 40, []string{"- 0.10.27.in-addr.arpa. 27.10.0.0/24 hidden by 10.27.in-addr.arpa. of JPNIC"}, 26},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			tr := newTree(t)
			tr.feedOf("JPNIC", zoneA, tt.before)
			tr.must(0, "init", "--accept", "110")
			before := tr.content(zoneA)
			tr.next(twoHours)
			tr.feedOf("JPNIC", zoneA, tt.after)
			tr.must(3)
			tr.wantHeld(fmt.Sprintf("JPNIC %s %d", tt.kind, tt.count))
			if tr.content(zoneA) != before {
				t.Error("the zone changed")
			}
			hash := tr.held()[0].Hash
			tr.must(0, "held", "show", hash)
			tr.says(append(tt.shows, fmt.Sprintf("--removes %d", tt.count))...)
			tr.must(1, "accept", hash, "--removes", fmt.Sprint(tt.count-1), "-m", "no")
			tr.must(1, "accept", hash, "--removes", fmt.Sprint(tt.count+1), "-m", "no")
			tr.must(0, "accept", hash, "--removes", fmt.Sprint(tt.count), "-m", "yes")
			tr.next(twoHours)
			tr.must(0)
			tr.wantHeld()
			tr.count(zoneA, tt.left)
			if tr.content(zoneA) == before {
				t.Error("the zone did not change")
			}
			if left, _ := os.ReadDir(tr.path("state/accepts")); len(left) != 0 {
				t.Errorf("%d accepts are left", len(left))
			}
		})
	}
}

// TestApexHeld: a change of the zone's own name servers or SOA waits for a person,
// who names the name servers it loses; everything else goes on.
func TestApexHeld(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"ns1.registry.example", "ns2.registry.example"`, `"ns1.registry.example", "ns3.registry.example"`, 1))
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	for range 2 {
		tr.must(3)
		tr.wantHeld("APNIC apex-changed 1", "APNIC apex-changed 1")
		tr.count(zoneA, 66)
		if text := tr.file(zoneA); strings.Contains(text, "ns3.registry") || !strings.Contains(text, "ns2.registry") {
			t.Error("the apex changed")
		}
		tr.next(twoHours)
	}
	h := tr.held()
	tr.must(0, "held", "show", h[0].Hash)
	tr.says("- NS ns2.registry.example.", "+ NS ns3.registry.example.", "--removes 1")
	tr.must(1, "accept", h[0].Hash, "--removes", "0", "-m", "no")
	tr.must(0, "accept", h[0].Hash, "--removes", "1", "-m", "moved")
	tr.must(3)
	if !strings.Contains(tr.file(zoneA), "ns3.registry") || strings.Contains(tr.file(zoneB), "ns3.registry") {
		t.Error("not zone A alone changed")
	}
	tr.acceptAll()
	tr.must(0)
	tr.next(twoHours)
	tr.write("nirzone.toml", strings.Replace(tr.configText(), "hostmaster.registry", "dns.registry", 1))
	tr.must(3)
	tr.wantHeld("APNIC apex-changed 0", "APNIC apex-changed 0")
	tr.acceptAll()
	tr.must(0)
	if !strings.Contains(tr.file(zoneB), "dns.registry") {
		t.Error("the SOA did not change")
	}
}

func (tr *tree) file(z zone.Name) string {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("public/current/" + z.File()))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(data)
}

func (tr *tree) configText() string {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("nirzone.toml"))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(data)
}

// TestOverrideHeld: the registry's own objects that would take over much of what a
// source delegates, with other records, are held; the rest goes on.
func TestOverrideHeld(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.registry(zoneA, append(owners(zoneA, 250, 6), owners(zoneA, 10, 15)...))
	tr.must(3)
	tr.wantHeld("JPNIC shadowed 15")
	tr.count(zoneA, 66)
	if strings.Contains(tr.content(zoneA), "0.10.27.in-addr.arpa.\t86400\tIN\tNS\tns1.apnic") {
		t.Error("the override happened")
	}
	tr.must(0, "held", "show", tr.held()[0].Hash)
	tr.says("overridden by APNIC", "- NS ns1.jpnic.example.", "+ NS ns1.apnic.example.")
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 66)
	if z := tr.current().Zone(zoneA); z.Counts[0].Delegations != 21 {
		t.Errorf("%+v", z.Counts)
	}
}

// TestTotalCountsUnmergedZones: a zone that cannot be merged counts towards a
// source's total as it is published.
func TestTotalCountsUnmergedZones(t *testing.T) {
	tr := wide(t)
	sum := tr.current().Zone(zoneB).Inputs[0].SHA256
	if err := os.Remove(tr.path("state/inputs/" + sum)); err != nil {
		t.Fatal(err)
	}
	tr.next(twoHours)
	tr.registry(zoneB, owners(zoneB, 250, 6))
	tr.feed("JPNIC", zoneA, many(zoneA, 288)) // 4 % of the zone, 1.2 % of all
	tr.must(3)
	tr.says("carried")
	tr.count(zoneA, 288+25)
}
