package main

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"nirzone/zone"
)

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
