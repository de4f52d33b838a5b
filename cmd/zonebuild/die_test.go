package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// A scene is a command on a tree in a known state, to be tried again and again.
type scene struct {
	name, command string
	held          bool // before the command, a loss is held
	act           func(*tree)
}

var scenes = []scene{
	{"keys", "keys init", false, nil},
	{"first", "init --accept 50", false, nil},
	{"change", "", false, func(tr *tree) {
		tr.registry(zoneA, owners(zoneA, 250, 2))
		tr.feed("JPNIC", zoneB, owners(zoneB, 10, 25))
	}},
	{"hold", "", false, func(tr *tree) { tr.feed("JPNIC", zoneA, owners(zoneA, 10, 12)) }},
	{"accept", "accept HASH --removes 12 -m crash", true, nil},
	{"accepted", "", true, nil},
	{"additions", "accept HASH --additions-only -m crash", true, nil},
	{"decided", "", true, nil},
	{"rollback", "rollback", false, nil},
}

// set makes the state before the scene's command: two generations, except before
// the first, and what the command works on.
func (sc scene) set(t *testing.T) (*tree, string) {
	t.Helper()
	tr := crashTree(t)
	if sc.name == "keys" {
		return tr, sc.command
	}
	tr.must(0, "keys", "init")
	if sc.name != "first" {
		tr.must(0, "init", "--accept", "50")
		tr.later(cycle)
		tr.feed("JPNIC", zoneB, owners(zoneB, 10, 26))
		tr.must(0)
		tr.later(cycle)
	}
	command := sc.command
	if sc.held {
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 12))
		tr.must(3)
		hash := tr.held()[0].Hash
		command = strings.ReplaceAll(command, "HASH", hash)
		if sc.name == "decided" {
			tr.must(0, "accept", hash, "--additions-only", "-m", "crash")
		} else if sc.command == "" {
			tr.must(0, "accept", hash, "--removes", "12", "-m", "crash")
		}
		tr.later(cycle)
	}
	if sc.act != nil {
		sc.act(tr)
	}
	return tr, command
}

var errDead = errors.New("the process is dead")

// TestKilledThenPowerLoss has a process die at its k-th change of the disk, and its
// successor work on what the page cache still holds; then the power goes. What the
// successor found and what it relies on must be on disk when it has returned.
func TestKilledThenPowerLoss(t *testing.T) {
	deaths, states := 0, 0
	for _, sc := range scenes {
		tr, command := sc.set(t)
		base := snapshot(t, tr.dir)
		told := tr.heard()
		step := 9 // samples
		if sc.name == "keys" || sc.name == "change" {
			step = 1
		}
		for k := 1; ; k += step {
			w := tr.replay(base, crashfs.Killed, tr.now)
			w.what = fmt.Sprintf("%s killed at change %d", sc.name, k)
			w.listen(told)
			if !w.dies(k, command) {
				break
			}
			deaths++
			states += w.succeeds(k)
			os.RemoveAll(w.dir)
		}
	}
	t.Logf("%d deaths, %d power losses after them", deaths, states)
	if deaths < 100 || states < 100 {
		t.Errorf("too few to mean anything")
	}
}

// snapshot is the log of making a folder as it is now.
func snapshot(t *testing.T, dir string) []crashfs.Step {
	t.Helper()
	rec, err := crashfs.Record(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Log()
}

// dies runs the command in a process that dies at its k-th change, and reports
// whether there were so many. From then on w records.
func (w *wreck) dies(k int, command string) bool {
	w.t.Helper()
	rec, err := crashfs.Record(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	told := os.Getenv("CRASH_TOLD")
	fail := &crashfs.Fail{FS: rec, At: k, Err: errDead, Sticky: true, Only: crashfs.Changes, Trip: func() {
		os.Setenv("CRASH_TOLD", os.DevNull) // the dead tell nothing
	}}
	w.fs = fail
	w.run(strings.Fields(command)...)
	os.Setenv("CRASH_TOLD", told)
	w.fs = rec
	return fail.Hit() != ""
}

// succeeds runs the successor, takes the power away at points of its run and after
// it, and returns how often.
func (w *wreck) succeeds(k int) int {
	w.t.Helper()
	rec := w.fs.(*crashfs.Recorder)
	found := w.check()
	start := len(rec.Log())
	w.recover(w.heard())
	log, told := rec.Log(), w.heard()
	n := 0
	for _, steps := range []int{start + (1+k%3)*(len(log)-start)/4, len(log)} {
		loss := w.replay(log[:steps], crashfs.DropUnsynced, w.now.Add(cycle))
		loss.what = fmt.Sprintf("%s, power loss after step %d of %d", w.what, steps, len(log))
		g := loss.check()
		if steps == len(log) {
			if now := w.check(); g == nil || !maps.Equal(versions(g), versions(now)) || g.Number != now.Number {
				loss.fail("generation %d was current, %+v is on disk", now.Number, g)
			}
			loss.recover(told)
		} else if g == nil && found != nil && found.Number > 1 {
			loss.fail("nothing is published any more")
		}
		os.RemoveAll(loss.dir)
		n++
	}
	return n
}

// TestDiskFull has the disk be full from each operation on that needs space, or
// for that one alone. What is published stays whole. If the new generation was not
// published the exit code is 1, or 3 or a warning if only what follows from it
// could not be written. When there is space again the next run succeeds.
func TestDiskFull(t *testing.T) {
	tries := 0
	for _, sc := range scenes {
		tr, command := sc.set(t)
		base := snapshot(t, tr.dir)
		told := tr.heard()
		step := 3 // samples
		if sc.name == "change" {
			step = 1
		}
		for k := 1; ; k += step {
			full := &crashfs.Fail{FS: crashfs.NoSync(publish.OS), At: k, Err: syscall.ENOSPC, Only: crashfs.NeedsSpace, Short: true, Sticky: k%4 != 0}
			w := tr.replay(base, crashfs.Killed, tr.now)
			w.listen(told)
			w.fs = full
			w.fillUp(full, command)
			os.RemoveAll(w.dir)
			if full.Hit() == "" {
				break
			}
			tries++
		}
	}
	t.Logf("the disk was full at %d operations", tries)
	if tries < 50 {
		t.Errorf("too few to mean anything")
	}
}

// fillUp runs the command on a disk that gets full, and then the next one on a
// disk that is not.
func (w *wreck) fillUp(full *crashfs.Fail, command string) {
	w.t.Helper()
	before := w.check()
	code := w.run(strings.Fields(command)...)
	after := w.check()
	moved := after != nil && (before == nil || after.Number != before.Number)
	w.what = fmt.Sprintf("%q, disk full at %s", command, full.Hit())
	if full.Hit() == "" {
		return
	}
	said := strings.Contains(w.out.String()+w.err.String(), "no space left on device")
	switch {
	case !said:
		w.fail("exit %d, and nothing is said of the disk", code)
	case moved && code != 3 && code != 5 && !(code == 0 && strings.Contains(w.err.String(), "writing the report")):
		w.fail("exit %d although generation %d is published", code, after.Number)
	case !moved && code != 1 && !(code == 3 || code == 0) || !moved && code == 0 && !strings.Contains(w.err.String(), "writing the report"):
		w.fail("exit %d although nothing was published", code)
	}
	w.fs = crashfs.NoSync(publish.OS)
	w.now = w.now.Add(cycle)
	w.recover(w.heard())
}
