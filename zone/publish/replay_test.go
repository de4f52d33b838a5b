package publish_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// mark says that from a log of this length on, current is at least this version.
type mark struct{ steps, version int }

// modes are what a power loss may do with what was not synced.
func modes(k int) []crashfs.Mode {
	return []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed, crashfs.Mixed(uint64(k))}
}

// Whatever prefix of a run's operations reached the disk, with whatever part of
// what was not synced, current is a complete generation.
func TestReplayEveryPrefix(t *testing.T) {
	for _, before := range []int{0, 2} {
		t.Run(fmt.Sprint("after ", before), func(t *testing.T) {
			t.Parallel()
			tree := newTree(t, before)
			parent := filepath.Dir(tree.Root)
			rec, err := crashfs.Record(parent)
			ok(t, err)
			tree.FS = rec
			base := len(rec.Log())
			marks := []mark{{base, before}}
			for v := before + 1; v <= 3; v++ {
				ok(t, publishOnce(tree, v))
				marks = append(marks, mark{len(rec.Log()), v})
				_, err := tree.Prune(t.Context(), nil)
				ok(t, err)
			}
			seen := outcomes{}
			seen.checkPrefixes(t, rec.Log(), base, marks, modes)
			if len(seen) < 10 {
				t.Errorf("%d steps left only %d outcomes", len(rec.Log())-base, len(seen))
			}
		})
	}
}

// outcomes are what has been checked already.
type outcomes map[outcome]bool

type outcome struct {
	state     string
	low, high int
}

// checkPrefixes replays every prefix of the log from the given length on: the
// version lies between what had been committed and what was being committed.
func (seen outcomes) checkPrefixes(t *testing.T, log []crashfs.Step, from int, marks []mark, modes func(int) []crashfs.Mode) {
	t.Helper()
	for k := from; k <= len(log); k++ {
		low, high := bounds(marks, k)
		for _, mode := range modes(k) {
			state, err := crashfs.Fingerprint(log[:k], mode)
			ok(t, err)
			if seen[outcome{state, low, high}] {
				continue
			}
			seen[outcome{state, low, high}] = true
			if err := checkPrefix(t, log[:k], mode, low, high); err != nil {
				t.Fatalf("a crash after step %d (%s), %s: %v\n%s", k, log[k-1], mode, err, tailOf(log[:k]))
			}
		}
	}
}

func bounds(marks []mark, k int) (low, high int) {
	for i, m := range marks {
		if m.steps <= k {
			low, high = m.version, marks[min(i+1, len(marks)-1)].version
		}
	}
	return low, high
}

func checkPrefix(t *testing.T, log []crashfs.Step, mode crashfs.Mode, low, high int) error {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "crash")
	ok(t, err)
	defer os.RemoveAll(dir)
	ok(t, crashfs.Replay(log, dir, mode))
	root := filepath.Join(dir, "public")
	got, err := verifyTree(root)
	if err != nil {
		return err
	}
	if got < low || got > high {
		return fmt.Errorf("current is version %d, want %d or %d", got, low, high)
	}
	return recovered(root, high+1)
}

func tailOf(log []crashfs.Step) (s string) {
	for _, step := range log[max(0, len(log)-25):] {
		s += step.String() + "\n"
	}
	return s
}

var errKilled = errors.New("killed")

// A process dies at its k-th operation, its successor works on what the page
// cache holds, and then the power goes: this is where removing something too early
// shows.
func TestReplayKilledThenPowerLoss(t *testing.T) {
	t.Parallel()
	seenStates := outcomes{}
	for k := 1; ; k++ {
		tree := newTree(t, 1)
		tree.Keep = 1
		rec, err := crashfs.Record(filepath.Dir(tree.Root))
		ok(t, err)
		fail := &crashfs.Fail{FS: rec, At: k, Err: errKilled, Sticky: true, Only: crashfs.Changes}
		tree.FS = fail
		_, _ = cycle(tree, 2)
		if fail.Hit() == "" {
			return
		}
		seen, err := verifyTree(tree.Root)
		ok(t, err)
		start := len(rec.Log())
		tree.FS = rec
		ok(t, publishOnce(tree, 3))
		marks := []mark{{start, 1}, {len(rec.Log()), 3}}
		_, err = tree.Prune(t.Context(), nil)
		ok(t, err)
		if seen == 1 {
			// The first died before its commit. The numbers of the second show whether
			// it took one that had been complete.
			checkNumber(t, tree.Root)
		}
		seenStates.checkPrefixes(t, rec.Log(), start, marks, func(k int) []crashfs.Mode {
			if k%3 != 0 {
				return []crashfs.Mode{crashfs.DropUnsynced}
			}
			return []crashfs.Mode{crashfs.DropUnsynced, crashfs.Mixed(uint64(k))}
		})
	}
}

// The same with a successor that merely prunes.
func TestReplayKilledThenPruned(t *testing.T) {
	t.Parallel()
	seenStates := outcomes{}
	for k := 1; ; k++ {
		tree := newTree(t, 1)
		rec, err := crashfs.Record(filepath.Dir(tree.Root))
		ok(t, err)
		fail := &crashfs.Fail{FS: rec, At: k, Err: errKilled, Sticky: true, Only: crashfs.Changes}
		tree.FS = fail
		_ = publishOnce(tree, 2)
		if fail.Hit() == "" {
			return
		}
		start := len(rec.Log())
		tree.FS, tree.Keep = rec, 1
		_, err = tree.Prune(t.Context(), nil)
		ok(t, err)
		seenStates.checkPrefixes(t, rec.Log(), start, []mark{{start, 1}, {len(rec.Log()) + 1, 2}}, func(k int) []crashfs.Mode {
			return []crashfs.Mode{crashfs.DropUnsynced, crashfs.Mixed(uint64(k))}
		})
	}
}

func checkNumber(t *testing.T, root string) {
	t.Helper()
	g, err := publish.Tree{Root: root}.Current()
	ok(t, err)
	if g.Number < 2 || g.Number > 3 {
		t.Errorf("generation %d came after 1", g.Number)
	}
}

// The same for a single file, in a folder that WriteFile's caller made.
func TestReplayWriteFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rec, err := crashfs.Record(root)
	ok(t, err)
	dir := filepath.Join(root, "state", "pins")
	name := filepath.Join(dir, "pin.json")
	var done []int
	ok(t, publish.MkdirAll(rec, dir, 0o700))
	for _, body := range []string{"first", "second", "third"} {
		ok(t, publish.WriteFile(rec, name, []byte(body), 0o600))
		done = append(done, len(rec.Log()))
	}
	log := rec.Log()
	for k := range len(log) + 1 {
		for _, mode := range modes(k) {
			dir := t.TempDir()
			ok(t, crashfs.Replay(log[:k], dir, mode))
			data, err := os.ReadFile(filepath.Join(dir, "state", "pins", "pin.json"))
			if !oneOf(string(data), err, k, done) {
				t.Fatalf("a crash after step %d, %s: %q, %v", k, mode, data, err)
			}
		}
	}
}

func oneOf(got string, err error, k int, done []int) bool {
	bodies := []string{"first", "second", "third"}
	low := 0
	for low < len(done) && done[low] <= k {
		low++
	}
	if low == 0 && errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return err == nil && (low > 0 && got == bodies[low-1] || low < len(bodies) && got == bodies[low])
}

// A process is killed in MkdirAll and the next one finds the folder there: it
// must not trust that its name is durable.
func TestReplayMkdirAllKilled(t *testing.T) {
	for k := 1; ; k++ {
		root := t.TempDir()
		rec, err := crashfs.Record(root)
		ok(t, err)
		dir := filepath.Join(root, "a", "b")
		fail := &crashfs.Fail{FS: rec, At: k, Err: errKilled, Sticky: true}
		killed := publish.MkdirAll(fail, dir, 0o755)
		ok(t, publish.MkdirAll(rec, dir, 0o755))
		ok(t, publish.WriteFile(rec, filepath.Join(dir, "f"), []byte("x"), 0o644))
		out := t.TempDir()
		ok(t, crashfs.Replay(rec.Log(), out, crashfs.DropUnsynced))
		if got := read(t, filepath.Join(out, "a", "b", "f")); got != "x" {
			t.Fatalf("killed at operation %d: %q", k, got)
		}
		if killed == nil {
			return
		}
	}
}
