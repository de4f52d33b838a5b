package main

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
	"nirzone/zone/sign"
)

// emergencies are rolls of zone A, with what its keys are after the command.
var emergencies = []struct{ command, shape string }{
	{"keys roll " + fileA + " --zsk --emergency", "KSK pra, ZSK p, ZSK prai"},
	{"keys roll " + fileA + " --ksk --emergency", "KSK pa, KSK pra, ZSK pra"},
	{"keys roll " + fileA + " --ksk --zsk --emergency", "KSK pa, KSK pra, ZSK p, ZSK prai"},
}

// TestPowerLossEmergency loses power everywhere in an emergency roll: the command
// given again finishes the one that was begun, and makes no second key.
func TestPowerLossEmergency(t *testing.T) {
	for _, c := range emergencies {
		t.Run(c.command, func(t *testing.T) {
			tr := published(t)
			tr.later(30 * days)
			tr.seen()
			tr.must(0)
			tr.later(2 * hours)
			tr.wrecks, tr.store = t.TempDir(), t.TempDir()
			rec, err := crashfs.Record(tr.dir)
			must(t, err)
			tr.fs = rec
			first := len(rec.Log())
			tr.must(0, strings.Fields(c.command)...)
			want, _, _ := strings.Cut(tr.shape(), " | ")
			if want != c.shape {
				t.Fatalf("the keys are %s, not %s", want, c.shape)
			}
			approvals := len(tr.approvals())
			again, seen := 0, map[string]bool{}
			for steps := first; steps <= len(rec.Log()); steps++ {
				for _, mode := range []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed} {
					log := rec.Log()[:steps]
					print := must2(crashfs.Fingerprint(log, mode))
					if seen[print] {
						continue
					}
					seen[print] = true
					again++
					w := tr.replay(log, mode, tr.now.Add(cycle))
					w.what = fmt.Sprintf("a crash after step %d of %d, %s", steps, len(rec.Log()), mode)
					w.must(0, strings.Fields(c.command)...)
					if got, _, _ := strings.Cut(w.shape(), " | "); got != want {
						w.fail("the keys are %s, not %s", got, want)
					}
					if got := len(w.approvals()); got != approvals {
						w.fail("%d approvals, not %d", got, approvals)
					}
					os.RemoveAll(w.dir)
				}
			}
			t.Logf("%d steps, %d states", len(rec.Log())-first, again)
			if again < 8 {
				t.Error("too few to mean anything")
			}
		})
	}
}

// approvals are the steps of zone A that people agreed to.
func (tr *tree) approvals() []string {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("state/keys/" + fileA + ".json"))
	must(tr.t, err)
	return must2(zone.ParseKeyBook("book", zoneA, data)).Approved()
}

// TestEmergencyAgain: given again while the old key is there, an emergency roll goes
// on; once it is gone, or when a person says so, another one begins.
func TestEmergencyAgain(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	roll := []string{"keys", "roll", fileA, "--zsk", "--emergency"}
	tr.must(0, append(roll, "--dry-run")...)
	tr.must(0, roll...)
	tr.must(0, roll...)
	tr.says("goes on", "--again", "there is nothing to roll")
	tr.keysAt(start, 12*hours, "KSK active, ZSK active, ZSK retired")
	tr.must(0, roll...)
	tr.keysAt(start, 14*hours, "KSK active, ZSK active, ZSK retired")
	tr.must(2, "keys", "roll", fileA, "--zsk", "--again")
	tr.must(0, append(slices.Clone(roll), "--again")...)
	tr.keysAt(start, 16*hours, "KSK active, ZSK published, ZSK retired, ZSK retired")
	tr.keysAt(start, 5*days, "KSK active, ZSK active")
	tr.must(0, roll...)
	tr.says("make ZSK")
	tr.keysAt(start, 5*days+2*hours, "KSK active, ZSK published, ZSK retired")
}

// TestDeleteStands: a zone that asks its parent for no DS goes on asking when its
// key book is torn or lost (RFC 8078, section 4).
func TestDeleteStands(t *testing.T) {
	tr := published(t)
	tr.must(0, "keys", "cds", fileA, "--delete", "-m", "test")
	size := 5
	next := func(code int) {
		t.Helper()
		size++
		tr.later(2 * hours)
		tr.seen()
		tr.registry(zoneA, owners(zoneA, 250, size)) // so that it is built
		tr.must(code)
		data := must2(os.ReadFile(tr.path("public/current/" + fileA)))
		if !strings.Contains(string(data), "\tCDS\t0 0 0 00\n") {
			t.Error("the DELETE is gone from CDS")
		}
	}
	next(0)
	if g := tr.current(); !g.Zone(zoneA).DeleteDS || g.Zone(zoneB).DeleteDS {
		t.Error("generation.json does not say so")
	}
	book := "state/keys/" + fileA + ".json"
	tr.write(book, `{"version": 1, "zone": "27.in-`)
	next(3)
	next(3)
	must(t, os.Remove(tr.path(book)))
	next(0)
	tr.must(0, "keys", "roll", fileA, "--zsk") // writes another book
	next(0)
	tr.must(0, "keys", "cds", fileA)
	tr.says("CDS 0 0 0 00", "key book that is lost")
	tr.must(0, "keys", "cds", fileA, "--restore")
	tr.later(2 * hours)
	tr.seen()
	tr.must(0)
	if g := tr.current(); g.Zone(zoneA).DeleteDS {
		t.Error("it is not taken back")
	}
}

// TestKeysInitUnderLock: what is published is read only when no other run can
// publish. A run that publishes while keys init waits for its turn is not overlooked.
func TestKeysInitUnderLock(t *testing.T) {
	tr := published(t)
	keys := must2(sign.LoadKeys(tr.path("keys"), zoneA))
	for _, k := range keys {
		must(t, os.Remove(tr.path("keys/"+fileA+"/"+k.ID+".key")))
		must(t, os.Remove(tr.path("keys/"+fileA+"/"+k.ID+".private")))
	}
	current := must2(os.Readlink(tr.path("public/current")))
	must(t, os.Remove(tr.path("public/current"))) // not published yet …
	tr.fs = lockWatcher{tr.fs, func() {           // … until the lock is taken
		_ = os.Symlink(current, tr.path("public/current"))
	}}
	tr.must(1, "keys", "init", fileA)
	tr.says("is published with key")
}

// A lockWatcher does something when the state folder is swept, which whoever has
// just taken the lock does first.
type lockWatcher struct {
	publish.FS
	swept func()
}

func (l lockWatcher) ReadDir(dir string) ([]fs.DirEntry, error) {
	l.swept()
	return l.FS.ReadDir(dir)
}
