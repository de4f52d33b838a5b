package main

import (
	"fmt"
	"os"
	"testing"

	"nirzone/zone/publish/crashfs"
)

// TestAdoptKilled has an adoption die at each change of the disk, and done again:
// by the hash that was seen before, with what the dead left and what a power loss
// leaves of that.
func TestAdoptKilled(t *testing.T) {
	tr := live(t)
	tr.edit(zoneB, func(s string) string { return s + "7.99.42.in-addr.arpa.\t86400\tIN\tNS\tns1.forgotten.example.\n" })
	tr.wrecks, tr.store = t.TempDir(), t.TempDir()
	tr.listen("")
	hash := tr.adoptPlan().Hash[:12]
	base := snapshot(t, tr.dir)
	deaths, before, after := 0, 0, 0
	for k := 2; ; k += 7 { // samples
		w := tr.replay(base, crashfs.Killed, tr.now)
		w.what = fmt.Sprintf("adoption killed at change %d", k)
		command := func(w *wreck) string {
			return fmt.Sprintf("adopt %s --keys %s --accept %s", w.path("served"), w.path("theirs"), hash)
		}
		if !w.dies(k, command(w)) {
			break
		}
		deaths++
		log := w.fs.(*crashfs.Recorder).Log()
		loss := w
		if k%2 == 1 {
			loss = tr.replay(log, crashfs.DropUnsynced, tr.now)
		}
		loss.what = fmt.Sprintf("%s, of %d steps", w.what, len(log))
		if g := loss.check(); g == nil {
			before++
			loss.must(0, "adopt", loss.path("served"), "--keys", loss.path("theirs"))
			loss.must(3, "adopt", loss.path("served"), "--keys", loss.path("theirs"), "--accept", hash)
		} else {
			after++
		}
		g := loss.check()
		if g == nil || g.Cause != causeAdopt || g.Zone(zoneA).Serial != 2026112101 || g.Zone(zoneB).Delegations != 46 || !loss.keyed() {
			loss.fail("generation %+v", g)
		}
		loss.later(cycle)
		loss.must(3)
		loss.count(zoneB, 46)
		os.RemoveAll(loss.dir)
		os.RemoveAll(w.dir)
	}
	t.Logf("%d deaths, %d times nothing was published, %d times all", deaths, before, after)
	if deaths < 12 || before == 0 || after == 0 {
		t.Error("too few to mean anything")
	}
}
