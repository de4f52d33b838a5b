package main

import (
	"fmt"
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
