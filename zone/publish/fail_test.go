package publish_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// Every operation of a run fails once; afterwards the whole tree is verified.
func TestFailEveryStep(t *testing.T) {
	onlyWrites := func(op crashfs.Op) bool { return op == crashfs.OpWrite }
	cases := []struct {
		name   string
		before int // generations there already
		least  int // operations that must have failed
		fail   *crashfs.Fail
	}{
		{"first once", 0, 30, &crashfs.Fail{Err: syscall.EIO}},
		{"once", 2, 35, &crashfs.Fail{Err: syscall.EIO}},
		{"for good", 2, 35, &crashfs.Fail{Err: syscall.EIO, Sticky: true}},
		{"disk full", 2, 8, &crashfs.Fail{Err: syscall.ENOSPC, Sticky: true, Only: crashfs.NeedsSpace}},
		{"short write", 2, 2, &crashfs.Fail{Err: syscall.ENOSPC, Short: true, Only: onlyWrites}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			steps := 0
			for k := 1; failAt(t, c.fail, c.before, k); k++ {
				steps = k
			}
			if steps < c.least {
				t.Fatalf("only %d operations failed", steps)
			}
		})
	}
}

// failAt runs one cycle whose k-th operation fails, and returns whether there
// was one.
func failAt(t *testing.T, how *crashfs.Fail, before, k int) bool {
	t.Helper()
	tree := newTree(t, before)
	root := tree.Root
	fail := &crashfs.Fail{FS: tree.FS, At: k, Err: how.Err, Short: how.Short, Sticky: how.Sticky, Only: how.Only}
	tree.FS = fail
	committed, pruned := cycle(tree, before+1)
	if fail.Hit() == "" {
		ok(t, committed)
		ok(t, pruned)
		return false
	}
	at := fmt.Sprintf("operation %d, %s", k, fail.Hit())
	if err := errors.Join(committed, pruned); err != nil && !errors.Is(err, how.Err) {
		t.Errorf("%s: the error hides its cause: %v", at, err)
	}
	want := before
	if committed == nil || errors.Is(committed, publish.ErrMoved) {
		want = before + 1
	}
	if got, err := verifyTree(root); err != nil || got != want {
		t.Fatalf("%s: current is version %d, want %d: %v\nthe run: %v", at, got, want, err, committed)
	}
	if err := recovered(root, before+2); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return true
}

// ErrMoved needs the last sync to fail and the way back too.
func TestErrMoved(t *testing.T) {
	seen := 0
	for _, before := range []int{0, 2} {
		for k := 1; ; k++ {
			tree := newTree(t, before)
			fail := &crashfs.Fail{FS: tree.FS, At: k, Err: syscall.EIO, Sticky: true, Only: crashfs.Changes}
			tree.FS = fail
			err := publishOnce(tree, before+1)
			if fail.Hit() == "" {
				break
			}
			if !errors.Is(err, publish.ErrMoved) {
				continue
			}
			seen++
			if fail.Hit() != "syncdir "+tree.Root {
				t.Errorf("%s made it ErrMoved", fail.Hit())
			}
		}
	}
	if seen != 2 {
		t.Errorf("ErrMoved came %d times, want once for each tree", seen)
	}
}

// A failing write leaves the old file, whole.
func TestWriteFileFailing(t *testing.T) {
	for _, short := range []bool{false, true} {
		for k := 1; ; k++ {
			dir := t.TempDir()
			name := filepath.Join(dir, "manifest.json")
			ok(t, publish.WriteFile(crashfs.NoSync(publish.OS), name, []byte("old"), 0o600))
			fail := &crashfs.Fail{FS: crashfs.NoSync(publish.OS), At: k, Err: syscall.ENOSPC, Short: short}
			err := publish.WriteFile(fail, name, []byte("new and longer"), 0o600)
			if fail.Hit() == "" {
				ok(t, err)
				break
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s: error %v", fail.Hit(), err)
			}
			want := "old"
			if fail.Hit() == "syncdir "+dir {
				want = "new and longer"
			}
			if got := read(t, name); got != want {
				t.Errorf("%s: the file holds %q", fail.Hit(), got)
			}
			ok(t, noLeftovers(dir))
		}
	}
}
