package sign

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// A fileCourse is a course of keys whose steps are taken on files.
type fileCourse struct {
	*course
	dir string
	fs  publish.FS
}

func (f *fileCourse) work() *Work {
	return &Work{FS: f.fs, Dir: f.dir, Zone: testName, Policy: f.p, Random: f.random}
}

// run advances the files, and publishes.
func (f *fileCourse) run() {
	f.t.Helper()
	f.ev.Parent = f.parent(f.course)
	keys, _, err := f.work().Advance(f.ev, f.now)
	if err != nil {
		f.t.Fatalf("%s: %v", f.day(), err)
	}
	f.keys = keys
	f.publish()
}

// moment is what there was before an Advance.
type moment struct {
	from, to int // steps of the log that the Advance made
	now      time.Time
	ev       Evidence
	want     string // the keys after it
}

// keyTimes describes keys without their tags, which the next attempt draws anew.
func keyTimes(keys []Key) string {
	var list []string
	for _, k := range keys {
		list = append(list, fmt.Sprintf("%s %d %+v", k.Role(), k.Algorithm, k.Timing))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// TestStepCrash lets the machine lose power at every file operation of rolls of
// every kind. The run after it ends with the keys that the one that crashed would
// have left, and no half pair, temporary file or loose permission.
func TestStepCrash(t *testing.T) {
	for name, r := range map[string]Request{"csk": {CSK: true}, "algorithm": {Algorithm: algECDSA}, "zsk": {ZSK: true}} {
		t.Run(name, func(t *testing.T) { stepCrash(t, r) })
	}
}

func stepCrash(t *testing.T, r Request) {
	root := t.TempDir()
	dir := filepath.Join(root, "keys")
	must(t, os.Mkdir(dir, 0o700))
	rec, err := crashfs.Record(root)
	must(t, err)
	f := &fileCourse{course: newCourse(t), dir: dir, fs: rec}
	f.off, f.parent, f.p.ZSKLifetime = true, follows(day), 0
	f.every = 6 * hour
	var moments []moment
	f.run()
	for ; f.now.Before(f.start.Add(30 * day)); f.now = f.now.Add(f.every) {
		if f.now.Equal(f.start.Add(2 * day)) {
			steps, err := Roll(f.keys, f.p, f.ev, testName, f.now, r)
			must(t, err)
			for _, s := range steps {
				_, f.keys, err = f.work().Perform(f.keys, s)
				must(t, err)
			}
		}
		f.approve()
		m := moment{from: len(rec.Log()), now: f.now, ev: f.ev}
		m.ev.Parent, m.ev.Approved = f.parent(f.course), slices.Clone(f.ev.Approved)
		f.run()
		if m.to, m.want = len(rec.Log()), keyTimes(f.keys); m.to > m.from {
			moments = append(moments, m)
		}
	}
	if len(moments) < 3 {
		t.Fatalf("only %d runs took a step", len(moments))
	}
	modes := []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed}
	for _, m := range moments {
		for n := m.from; n <= m.to; n++ {
			f.crash(rec.Log()[:n], modes[n%len(modes)], m)
		}
	}
}

// crash replays the log, and runs again.
func (f *fileCourse) crash(log []crashfs.Step, mode crashfs.Mode, m moment) {
	f.t.Helper()
	root := filepath.Join(f.t.TempDir(), "root")
	must(f.t, crashfs.Replay(log, root, mode))
	w := &Work{FS: crashfs.NoSync(publish.OS), Dir: filepath.Join(root, "keys"), Zone: testName, Policy: f.p, Random: crashRandom(len(log))}
	keys, _, err := w.Advance(m.ev, m.now)
	if err != nil {
		f.t.Errorf("%v, after %d operations: %v", m.now, len(log), err)
		return
	}
	if got := keyTimes(keys); got != m.want {
		f.t.Errorf("%v, after %d operations, mode %v: keys\n%s\ninstead of\n%s", m.now, len(log), mode, got, m.want)
	}
	f.tidy(w.Dir)
	again, err := LoadKeys(w.Dir, testName)
	if err != nil || keyTimes(again) != keyTimes(keys) {
		f.t.Errorf("the files say other than the run: %v", err)
	}
	for _, k := range again {
		if k.stale {
			f.t.Errorf("after %d operations the files of %s differ in their times", len(log), k.ID)
		}
	}
}

func crashRandom(n int) io.Reader {
	return rand.NewChaCha8(sha256.Sum256([]byte(fmt.Sprint("crash", n))))
}

// tidy fails the test if a file is one that nobody made, or one that others may
// read. A state file without its key may be there: it says nothing.
func (f *fileCourse) tidy(dir string) {
	f.t.Helper()
	must(f.t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && (info.Mode().Perm() != keyFilePerm || !strings.HasPrefix(d.Name(), "K")) {
			f.t.Errorf("%s is there with mode %o", path, info.Mode().Perm())
		}
		return err
	}))
}
