package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

const (
	twoHours = 2 * time.Hour
	day      = 24 * time.Hour
)

// A delegation is one of a feed, with its name servers and key tag; 0 is no DS.
type delegation struct {
	name zone.Name
	ns   string
	tag  byte
}

func plainFeed(z zone.Name, second, n int) []delegation {
	var out []delegation
	for _, name := range owners(z, second, n) {
		out = append(out, delegation{name, "jpnic", 0})
	}
	return out
}

// feedOf is a zonelet of JPNIC that zonefetch accepted.
func (tr *tree) feedOf(source string, z zone.Name, list []delegation) {
	var records []zone.Record
	for _, d := range list {
		for _, host := range []zone.Name{"ns1.", "ns2."} {
			records = append(records, zone.Record{Name: d.name, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(host + zone.Name(d.ns) + ".example.")})
		}
		if d.tag != 0 {
			records = append(records, zone.Record{Name: d.name, Type: zone.TypeDS, TTL: 86400, Data: zone.Data("\x00" + string([]byte{d.tag}) + "\x0d\x02" + strings.Repeat("k", 32))})
		}
	}
	tr.accept(source, z, zone.FormatZonelet(source, z, tr.now, 86400, records))
}

// wide is a tree in which JPNIC has 300 delegations in zone A and 700 in zone B.
func wide(t *testing.T) *tree {
	t.Helper()
	tr := newTree(t)
	tr.feed("JPNIC", zoneA, many(zoneA, 300))
	tr.feed("JPNIC", zoneB, many(zoneB, 700))
	tr.must(0, "init", "--accept", "1030")
	return tr
}

func many(z zone.Name, n int) []zone.Name {
	var names []zone.Name
	for i := 0; len(names) < n; i++ {
		names = append(names, owners(z, 10+i, min(250, n-len(names)))...)
	}
	return names
}

func (tr *tree) next(d time.Duration) {
	tr.later(d)
	tr.seen()
}

// kindsHeld returns what is held, as "SOURCE kind count".
func (tr *tree) kindsHeld() []string {
	tr.t.Helper()
	var out []string
	for _, h := range tr.held() {
		out = append(out, fmt.Sprintf("%s %s %d", h.Source, h.Kind, h.Count()))
	}
	return out
}

func (tr *tree) wantHeld(want ...string) {
	tr.t.Helper()
	if got := tr.kindsHeld(); !slices.Equal(got, want) {
		tr.t.Errorf("held: %v, want %v\n%s%s", got, want, tr.out.String(), tr.err.String())
	}
}

// TestDriftHeldOnTheFirstDay: 4 % a run pass no limit of a run, and are held by
// the second.
func TestDriftHeldOnTheFirstDay(t *testing.T) {
	tr := wide(t)
	left := 300
	for run := 1; run <= 12; run++ {
		tr.next(twoHours)
		left -= 12
		tr.feed("JPNIC", zoneA, many(zoneA, left))
		if want := map[bool]int{true: 0, false: 3}[run == 1]; tr.run() != want {
			t.Fatalf("run %d: %s%s", run, tr.out.String(), tr.err.String())
		}
	}
	tr.count(zoneA, 288+25)
	if h := tr.held(); len(h) != 1 || h[0].Kind != zone.KindRemoved || !strings.Contains(h[0].Rule, "over 24 h") {
		t.Errorf("holds: %+v", h)
	}
}

// TestSlowDriftHeldInAWeek: a few a day pass the limit of a day.
func TestSlowDriftHeldInAWeek(t *testing.T) {
	tr := wide(t)
	for d := 1; d <= 6; d++ {
		tr.next(day)
		tr.feed("JPNIC", zoneA, many(zoneA, 300-3*d))
		if want := map[bool]int{true: 0, false: 3}[d < 6]; tr.run() != want {
			t.Fatalf("day %d: %s%s", d, tr.out.String(), tr.err.String())
		}
	}
	tr.count(zoneA, 285+25)
	if h := tr.held(); len(h) != 1 || !strings.HasPrefix(h[0].Rule, "share over 7 d: 18 of 300") {
		t.Errorf("holds: %+v", h)
	}
}

// TestAcceptMakesBaseline: after an accept the count begins anew.
func TestAcceptMakesBaseline(t *testing.T) {
	tr := wide(t)
	for i, left := range []int{288, 276} {
		tr.next(twoHours)
		tr.feed("JPNIC", zoneA, many(zoneA, left))
		tr.must(i * 3)
	}
	tr.acceptAll()
	tr.next(twoHours)
	tr.must(0)
	tr.count(zoneA, 276+25)
	if l := tr.current().Zone(zoneA).Ledger; len(l) != 0 {
		t.Errorf("ledger: %+v", l)
	}
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 265))
	tr.must(0)
	tr.count(zoneA, 265+25)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 254))
	tr.must(3)
	tr.count(zoneA, 265+25)
}

// TestLossThatCameBack does not count.
func TestLossThatCameBack(t *testing.T) {
	tr := wide(t)
	for _, left := range []int{288, 300, 288, 300, 287} {
		tr.next(twoHours)
		tr.feed("JPNIC", zoneA, many(zoneA, left))
		tr.must(0)
		tr.count(zoneA, left+25)
	}
}

// TestLedgerMakesNoGeneration: that something leaves a window changes nothing.
func TestLedgerMakesNoGeneration(t *testing.T) {
	tr := wide(t)
	tr.next(cycle)
	tr.feed("JPNIC", zoneA, many(zoneA, 290))
	tr.must(0)
	before := tr.current()
	if len(before.Zone(zoneA).Ledger) != 1 {
		t.Fatalf("ledger: %+v", before.Zone(zoneA).Ledger)
	}
	tr.must(0, "--now", tr.now.Add(time.Minute).Format(time.RFC3339))
	if g := tr.current(); g.Number != before.Number {
		t.Errorf("generation %d", g.Number)
	}
	tr.next(8 * day)
	tr.feed("JPNIC", zoneA, many(zoneA, 289))
	tr.must(0)
	if l := tr.current().Zone(zoneA).Ledger; len(l) != 1 || len(l[0].Names) != 1 {
		t.Errorf("after a week: %+v", l)
	}
}

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

// TestHashCoversReplacedSets: the feed may change around a held loss, and a loss
// that becomes another needs another accept.
func TestHashCoversReplacedSets(t *testing.T) {
	tr := published(t)
	feed := func(ns string, more int) {
		list := plainFeed(zoneA, 10, 40+more)
		for i := range 15 {
			list[i].ns = ns
		}
		tr.next(twoHours)
		tr.feedOf("JPNIC", zoneA, list)
	}
	feed("one", 0)
	tr.must(3)
	first := tr.held()[0].Hash
	feed("one", 5)
	tr.must(3)
	if h := tr.held(); len(h) != 1 || h[0].Hash != first {
		t.Errorf("the hash moved: %+v", h)
	}
	tr.must(0, "accept", first, "--removes", "15", "-m", "to one")
	feed("two", 5)
	tr.must(3)
	if h := tr.held(); len(h) != 1 || h[0].Hash == first {
		t.Errorf("the hash stayed: %+v", h)
	}
	if strings.Contains(tr.content(zoneA), "two.example") {
		t.Error("another loss than the accepted one happened")
	}
	feed("one", 5)
	tr.must(0)
	tr.count(zoneA, 70)
}

// TestAdditionsOnly: the rest of the feed passes, what it would lose stands until
// the decision expires, and then the source is held whole.
func TestAdditionsOnly(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 3)...))
	tr.must(3)
	tr.count(zoneA, 65)
	hash := tr.held()[0].Hash
	tr.must(2, "accept", hash, "--additions-only", "--removes", "15", "-m", "both")
	tr.must(2, "accept", hash, "--additions-only")
	tr.must(0, "accept", hash, "--additions-only", "-m", "JPNIC mends its script")
	decided := tr.now
	tr.next(twoHours)
	tr.must(3)
	tr.says("additions-only", "additions only until")
	tr.count(zoneA, 68)
	if h := tr.held(); len(h) != 1 || h[0].Hash != hash || !h[0].Until.Equal(decided.Add(7*day)) || !h[0].Since.Equal(decided) {
		t.Errorf("holds: %+v", h)
	}
	tr.must(0, "pins")
	tr.says("JPNIC", "as published (removed)", "--removes 15")
	tr.next(day)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 8)...))
	tr.must(3)
	tr.count(zoneA, 73)

	// It expires: the 15 stand still, and the feed is held whole.
	tr.next(7 * day)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 9)...))
	tr.must(3)
	tr.count(zoneA, 73)
	if h := tr.held(); len(h) != 1 || h[0].Hash != hash || !h[0].Until.IsZero() {
		t.Errorf("holds: %+v", h)
	}
	tr.must(0, "pins")
	tr.says("nothing is pinned")
	tr.must(0, "accept", hash, "--removes", "15", "-m", "gone for good")
	tr.next(twoHours)
	tr.must(0)
	tr.count(zoneA, 65-15+9)
}

// TestAdditionsOnlyThenAccept: what stands by a decision can be accepted before it
// expires, and a loss beyond it is judged by itself.
func TestAdditionsOnlyThenAccept(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--additions-only", "-m", "wait")
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 10), owners(zoneA, 11, 2)...)) // fifteen more
	tr.must(3)
	tr.wantHeld("JPNIC removed 15", "JPNIC removed 15")
	tr.count(zoneA, 65)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.must(0, "accept", hash, "--removes", "15", "-m", "gone")
	tr.next(twoHours)
	tr.must(0)
	tr.count(zoneA, 50)
	tr.wantHeld()
}

// TestAdditionsOnlyMended: the feed has the owners again, and nothing is left of
// the decision.
func TestAdditionsOnlyMended(t *testing.T) {
	tr := published(t)
	before := tr.content(zoneA)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.must(0, "accept", tr.held()[0].Hash, "--additions-only", "-m", "wait")
	tr.next(twoHours)
	tr.must(3)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40))
	tr.must(0)
	tr.wantHeld()
	if tr.content(zoneA) != before {
		t.Error("the zone changed")
	}
	tr.must(0, "pins")
	tr.says("nothing is pinned")
	if g := tr.current(); len(g.Zone(zoneA).Kept) != 0 {
		t.Errorf("kept: %+v", g.Zone(zoneA).Kept)
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

// TestFortyDaysHeld: what was last accepted is signed again for as long as ingest
// is held, refused or failing.
func TestFortyDaysHeld(t *testing.T) {
	tr := published(t)
	a, b := tr.content(zoneA), tr.content(zoneB)
	tr.feed("JPNIC", zoneA, nil)
	for run := range 80 {
		tr.later(12 * time.Hour)
		switch run % 4 {
		case 0:
			tr.accept("KRNIC", zoneA, []byte("no zonelet"))
		case 1:
			tr.feed("JPNIC", zoneB, owners(zoneB, 10, run%20))
		case 2:
			tr.registry(zoneB, nil)
		}
		tr.must(3)
		for _, z := range tr.current().Zones {
			if left := z.Expires.Sub(tr.now); left < 9*day {
				t.Fatalf("run %d: %s: the first signature ends in %v", run, z.Zone, left)
			}
		}
	}
	if tr.content(zoneA) != a || tr.content(zoneB) != b {
		t.Error("the zones changed")
	}
	tr.must(0, "held")
	tr.says("for 39 d")
}

// TestReleasePassesGates: feeds change while zones are pinned; what they lost is
// held when the pins go, and counts from there.
func TestReleasePassesGates(t *testing.T) {
	tr := wide(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, many(zoneA, 301))
	tr.must(0)
	tr.must(3, "rollback", "1")
	since := tr.now
	for i := range 5 {
		tr.next(twoHours)
		tr.feed("JPNIC", zoneA, many(zoneA, 290-10*i))
		tr.must(3)
		tr.count(zoneA, 325)
	}
	tr.must(0, "pins")
	tr.says("stands", "as in generation 1", stamp(since)+", for 10 h", "a person releases it", "zonebuild rollback --release --zone 27.in-addr.arpa")
	if z := tr.current().Zone(zoneA); !z.PinnedSince.Equal(since) || len(z.Ledger) != 0 {
		t.Errorf("%+v", z)
	}
	tr.must(3, "rollback", "--release")
	tr.count(zoneA, 325)
	tr.wantHeld("JPNIC removed 50")
	tr.must(0, "pins")
	tr.says("nothing is pinned")
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 275)
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

// TestDecisionsDryRun: nothing is decided, and everything can be read as JSON.
func TestDecisionsDryRun(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	before := tr.snapshot()
	for _, args := range [][]string{{"pins"}, {"accept", hash, "--additions-only", "-m", "x", "--dry-run"}, {"held"}, {"held", "show", hash}} {
		tr.must(0, append(args, "--json")...)
		if !json.Valid(tr.out.Bytes()) {
			t.Errorf("%v: %s", args, tr.out.String())
		}
	}
	if after := tr.snapshot(); !maps.Equal(before, after) {
		t.Error("something changed")
	}
	tr.must(0, "accept", hash, "--additions-only", "-m", "x")
	tr.must(3)
	tr.must(0, "pins", "--json")
	var list struct{ Pins []pin }
	if err := json.Unmarshal(tr.out.Bytes(), &list); err != nil || len(list.Pins) != 1 || list.Pins[0].Owners != 15 || list.Pins[0].Source != "JPNIC" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestAdditionsOnlyShadowed: what stands against being hidden does so no longer
// than somebody would hide it.
func TestAdditionsOnlyShadowed(t *testing.T) {
	tr := published(t)
	above, _ := zone.ParseName("10.27.in-addr.arpa")
	tr.next(twoHours)
	tr.registry(zoneA, append(owners(zoneA, 250, 5), above))
	tr.must(3)
	tr.must(0, "accept", tr.held()[0].Hash, "--additions-only", "-m", "the registry mends its export")
	tr.next(twoHours)
	tr.registry(zoneA, append(owners(zoneA, 250, 7), above))
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(3)
	tr.wantHeld("JPNIC shadowed 40")
	tr.count(zoneA, 68)
	tr.next(twoHours)
	tr.registry(zoneA, owners(zoneA, 250, 7))
	tr.must(0)
	tr.wantHeld()
	tr.count(zoneA, 68)
	if g := tr.current(); len(g.Zone(zoneA).Kept) != 0 {
		t.Errorf("kept: %+v", g.Zone(zoneA).Kept)
	}
}
