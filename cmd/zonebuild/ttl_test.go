package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// TestLoweredTTLByRuns: a new ZSK waits until no cache has the DNSKEY set that was
// published before it, as long as that set's own TTL says.
func TestLoweredTTLByRuns(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.write("nirzone.toml", treeConfig+"[signing]\ndnskey_ttl = 86400\n")
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	tr.keysAt(start, 4*hours, "KSK active, ZSK active")
	tr.write("nirzone.toml", treeConfig+"[signing]\ndnskey_ttl = 3600\n")
	tr.must(0, "keys", "roll", fileA, "--zsk")
	tr.keysAt(start, 6*hours, "KSK active, ZSK active, ZSK published") // this run publishes the key and the TTL
	if ttls := tr.current().Zone(zoneA).TTLs; len(ttls) < 2 || ttls[len(ttls)-1].Keys != 3600 || ttls[len(ttls)-2].Keys != 86400 {
		t.Errorf("TTLs %v", ttls)
	}
	tr.keysAt(start, 14*hours, "KSK active, ZSK active, ZSK published") // not after 1 h and propagation
	tr.keysAt(start, 34*hours, "KSK active, ZSK active, ZSK published")
	tr.keysAt(start, 36*hours, "KSK active, ZSK active, ZSK retired")
}

// TestTTLsOfOlderGeneration: one that does not say its TTLs has those of the
// configuration by which it was made.
func TestTTLsOfOlderGeneration(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.write("nirzone.toml", treeConfig+"[signing]\ndnskey_ttl = 86400\n")
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	g := tr.current()
	for i := range g.Zones {
		g.Zones[i].TTLs = nil // as an earlier release wrote it
	}
	tr.write("public/current/generation.json", string(g.Encode()))
	tr.write("nirzone.toml", treeConfig+"[signing]\ndnskey_ttl = 3600\n")
	tr.keysAt(start, 4*hours, "KSK active, ZSK active")
	if ttls := tr.current().Zone(zoneA).TTLs; len(ttls) != 2 || ttls[0].Keys != 86400 || ttls[0].Until.IsZero() {
		t.Errorf("TTLs %v", ttls)
	}
}

// TestForgottenTTLsAreNoNews: that caches have forgotten a TTL makes no generation.
func TestForgottenTTLsAreNoNews(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.write("nirzone.toml", treeConfig+"[signing]\ndnskey_ttl = 86400\n")
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	g := tr.current()
	a := *g
	a.Zones = append([]zone.GenerationZone{}, g.Zones...)
	a.Zones[0].TTLs = a.Zones[0].TTLs[len(a.Zones[0].TTLs)-1:]
	if len(g.Zones[0].TTLs) < 2 || string(essence(g)) != string(essence(&a)) {
		t.Errorf("TTLs %v", g.Zones[0].TTLs)
	}
}

// TestToldAfterReload: what the servers were told counts from the end of the
// reload, not from the run's start.
func TestToldAfterReload(t *testing.T) {
	tr := published(t)
	tr.later(2 * hours)
	tr.must(0, "keys", "roll", fileA, "--zsk")
	done := tr.path("reloaded")
	tr.write("nirzone.toml", treeConfig+`reload = [["/bin/touch", "`+done+`"]]`+"\n")
	clock := func() time.Time {
		if _, err := os.Stat(done); err == nil {
			return tr.now.Add(90*time.Second + time.Millisecond)
		}
		return tr.now
	}
	sh := shell.Shell{Name: "zonebuild", Stdout: &tr.out, Stderr: &tr.err, Clock: clock}
	if code := run(context.Background(), []string{"--config", tr.path("nirzone.toml")}, &sh, tr.fs); code != 0 {
		t.Fatalf("exit %d: %s", code, tr.err.String())
	}
	g := tr.current()
	want := tr.now.Add(91 * time.Second)
	if told := g.Zone(zoneA).Told; !g.Time.Equal(tr.now) || !told.Equal(want) {
		t.Errorf("the generation of %s was told at %s, not %s", stamp(g.Time), stamp(told), stamp(want))
	}
	fresh := 0
	for _, r := range g.Zone(zoneA).KeyRecords {
		if r.Since.Equal(want) {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d keys count as published since the reload, not 1: %+v", fresh, g.Zone(zoneA).KeyRecords)
	}
}

// TestAdoptedTTL: caches hold what the other signer served for as long as it said.
func TestAdoptedTTL(t *testing.T) {
	tr := live(t)
	tr.edit(zoneA, func(s string) string {
		return strings.ReplaceAll(s, "\t3600\tIN\tDNSKEY", "\t90000\tIN\tDNSKEY")
	})
	tr.adopt(0)
	start := tr.now
	ttls := tr.current().Zone(zoneA).TTLs
	want := zone.TTLPeriods{{Keys: 90000, Data: 86400, Until: start}, {Keys: 3600, Data: 86400, Since: start}}
	if len(ttls) != 2 || ttls[0] != want[0] || ttls[1] != want[1] {
		t.Errorf("TTLs %v, not %v", ttls, want)
	}
	if got := tr.current().Zone(zoneB).TTLs; len(got) != 1 || !got[0].Since.IsZero() {
		t.Errorf("zone B has the TTLs %v, although nothing of them changed", got)
	}
	tr.must(0, "keys", "roll", fileA, "--zsk")
	tr.keysAt(start, 2*hours, "KSK active, ZSK active, ZSK published")
	tr.keysAt(start, 28*hours, "KSK active, ZSK active, ZSK published") // 25 h and propagation from the adoption
	tr.keysAt(start, 32*hours, "KSK active, ZSK active, ZSK retired")
}
