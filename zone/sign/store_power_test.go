package sign

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// TestStorePowerLoss lets the power go at every file operation of runs that write
// the store whole, changes beside it, and the whole again. What is left gives the
// zone that a run without a store gives, and the run after it leaves a good store.
func TestStorePowerLoss(t *testing.T) {
	s := newShelf(t, algEd25519, 900)
	root := t.TempDir()
	rec, err := crashfs.Record(root)
	must(t, err)
	file := filepath.Join(root, s.z.Origin.File())
	whole, beside := 0, 0
	for _, touched := range [][2]int{{0, 0}, {0, 1}, {1, 2}, {0, 400}, {0, 1}} {
		for i := touched[0]; i < touched[1]; i++ {
			s.touch(i)
		}
		before, _ := os.ReadFile(file)
		st, err := OpenStore(rec, file, s.z.Origin, s.keys)
		must(t, err)
		v := s.with(st)
		_, err = v.Store().Save(rec, file, s.keys, s.now)
		must(t, err)
		s.serial = v.facts.Serial
		if bytes.Equal(before, read(t, file)) {
			beside++
		} else {
			whole++
		}
	}
	if whole < 2 || beside < 3 {
		t.Fatalf("%d stores and %d changes were written", whole, beside)
	}
	want := bytesOf(s.with(nil))
	log := rec.Log()
	modes := []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed, crashfs.Mixed(1), crashfs.Mixed(2)}
	step, each := 1, 2
	if raceEnabled {
		step, each = 7, 1
	}
	for n := 0; n <= len(log); n += step {
		for i := range each {
			s.loses(log[:n], modes[(n+i)%len(modes)], want)
		}
	}
}

// loses replays a log up to a loss of power, and runs twice.
func (s *shelf) loses(log []crashfs.Step, mode crashfs.Mode, want []byte) {
	s.t.Helper()
	what := fmt.Sprintf("after %d operations, mode %v", len(log), mode)
	root, err := os.MkdirTemp(s.t.TempDir(), "")
	must(s.t, err)
	defer os.RemoveAll(root)
	root = filepath.Join(root, "root")
	must(s.t, crashfs.Replay(log, root, mode))
	file := filepath.Join(root, s.z.Origin.File())
	st, _ := OpenStore(publish.OS, file, s.z.Origin, s.keys)
	v := s.with(st)
	if !bytes.Equal(bytesOf(v), want) {
		s.t.Fatalf("%s: other bytes come out", what)
	}
	_, err = v.Store().Save(publish.OS, file, s.keys, s.now)
	must(s.t, err)
	if st, err = OpenStore(publish.OS, file, s.z.Origin, s.keys); err != nil {
		s.t.Fatalf("%s, and a run: %v", what, err)
	}
	if v = s.with(st); v.facts.Made != 0 {
		s.t.Fatalf("%s, and a run: %d signatures are made again", what, v.facts.Made)
	}
}
