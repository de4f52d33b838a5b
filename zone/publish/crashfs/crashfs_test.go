package crashfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree is what is in the folder, a line for each name.
func tree(t *testing.T, root string) string {
	t.Helper()
	var lines []string
	ok(t, filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		line := rel + " folder"
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(name)
			line = rel + " -> " + target
		case e.Type().IsRegular():
			data, _ := os.ReadFile(name)
			info, _ := e.Info()
			line = fmt.Sprintf("%s %q %d", rel, data, info.Sys().(*syscall.Stat_t).Nlink)
		}
		lines = append(lines, line)
		return nil
	}))
	return strings.Join(lines, "\n")
}

// session records a small story: a file is written, synced or not, renamed over
// another, and the folder synced or not.
func session(t *testing.T, steps string) []crashfs.Step {
	t.Helper()
	root := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(root, "f"), []byte("old"), 0o644))
	rec, err := crashfs.Record(root)
	ok(t, err)
	at := func(name string) string { return filepath.Join(root, name) }
	h, err := rec.Create(at("temp"), 0o644)
	ok(t, err)
	defer h.Close()
	for _, s := range strings.Fields(steps) {
		switch s {
		case "write":
			_, err = h.Write([]byte("new"))
		case "fsync":
			err = h.Sync()
		case "rename":
			err = rec.Rename(at("temp"), at("f"))
		case "link":
			err = rec.Link(at("temp"), at("g"))
		case "symlink":
			err = rec.Symlink("f", at("s"))
		case "remove":
			err = rec.Remove(at("f"))
		case "mkdir":
			err = rec.Mkdir(at("d"), 0o755)
		case "move":
			err = rec.Rename(at("f"), at("d/f"))
		case "dirsync":
			err = rec.SyncDir(root)
		case "dsync":
			err = rec.SyncDir(at("d"))
		default:
			t.Fatal(s)
		}
		ok(t, err)
	}
	return rec.Log()
}

func TestReplay(t *testing.T) {
	tests := []struct {
		steps                 string
		drop, entries, killed string
	}{
		{"write", `f "old" 1`, "f \"old\" 1\ntemp \"\" 1", "f \"old\" 1\ntemp \"new\" 1"},
		{"write fsync", `f "old" 1`, "f \"old\" 1\ntemp \"new\" 1", "f \"old\" 1\ntemp \"new\" 1"},
		{"write rename", `f "old" 1`, `f "" 1`, `f "new" 1`},
		{"write rename dirsync", `f "" 1`, `f "" 1`, `f "new" 1`},
		{"write fsync rename", `f "old" 1`, `f "new" 1`, `f "new" 1`},
		{"write fsync rename dirsync", `f "new" 1`, `f "new" 1`, `f "new" 1`},
		{"write fsync write rename dirsync", `f "new" 1`, `f "new" 1`, `f "newnew" 1`},
		{"remove", `f "old" 1`, `temp "" 1`, `temp "" 1`},
		{"remove dirsync", `temp "" 1`, `temp "" 1`, `temp "" 1`},
		{"write fsync link dirsync", "f \"old\" 1\ng \"new\" 2\ntemp \"new\" 2", "f \"old\" 1\ng \"new\" 2\ntemp \"new\" 2", "f \"old\" 1\ng \"new\" 2\ntemp \"new\" 2"},
		{"symlink", `f "old" 1`, "f \"old\" 1\ns -> f\ntemp \"\" 1", "f \"old\" 1\ns -> f\ntemp \"\" 1"},
		// Between two folders the file may be in neither: the most careless disk.
		{"remove mkdir dirsync", "d folder\ntemp \"\" 1", "d folder\ntemp \"\" 1", "d folder\ntemp \"\" 1"},
		{"mkdir move dirsync", "d folder\ntemp \"\" 1", "d folder\nd/f \"old\" 1\ntemp \"\" 1", "d folder\nd/f \"old\" 1\ntemp \"\" 1"},
		{"mkdir dirsync move dsync", "d folder\nd/f \"old\" 2\nf \"old\" 2\ntemp \"\" 1", "d folder\nd/f \"old\" 1\ntemp \"\" 1", "d folder\nd/f \"old\" 1\ntemp \"\" 1"},
	}
	for _, tt := range tests {
		t.Run(tt.steps, func(t *testing.T) {
			log := session(t, tt.steps)
			for i, mode := range []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed} {
				dir := filepath.Join(t.TempDir(), "out")
				ok(t, crashfs.Replay(log, dir, mode))
				if got, want := tree(t, dir), []string{tt.drop, tt.entries, tt.killed}[i]; got != want {
					t.Errorf("%s:\n%s\nwant\n%s", mode, got, want)
				}
			}
		})
	}
}

// However the folder was changed, what a killed process leaves is the folder, and
// what was all synced survives whole in every mode.
func TestReplayIsTheFolder(t *testing.T) {
	for seed := range uint64(15) {
		root := t.TempDir()
		ok(t, os.MkdirAll(filepath.Join(root, "a", "b"), 0o755))
		ok(t, os.WriteFile(filepath.Join(root, "a", "x"), []byte("before"), 0o600))
		ok(t, os.Link(filepath.Join(root, "a", "x"), filepath.Join(root, "y")))
		ok(t, os.Symlink("a/x", filepath.Join(root, "z")))
		rec, err := crashfs.Record(root)
		ok(t, err)
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 60 {
			change(rec, root, rng)
		}
		same(t, rec.Log(), root, crashfs.Killed)
		syncAll(t, rec, root)
		for _, mode := range []crashfs.Mode{crashfs.DropUnsynced, crashfs.Mixed(seed)} {
			same(t, rec.Log(), root, mode)
		}
	}
}

func same(t *testing.T, log []crashfs.Step, root string, mode crashfs.Mode) {
	t.Helper()
	out := t.TempDir()
	ok(t, crashfs.Replay(log, out, mode))
	if got, want := tree(t, out), tree(t, root); got != want {
		t.Fatalf("%s: replayed\n%s\nthe folder\n%s\nlog %v", mode, got, want, log)
	}
	kept := t.TempDir()
	ok(t, crashfs.Store{Dir: t.TempDir()}.Replay(log, kept, mode))
	links := regexp.MustCompile(`(?m) \d+$`) // files of equal content may become one
	if got, want := links.ReplaceAllString(tree(t, kept), ""), links.ReplaceAllString(tree(t, root), ""); got != want {
		t.Fatalf("%s: replayed with a store\n%s\nthe folder\n%s", mode, got, want)
	}
}

// change does something that may well fail.
func change(fsys publish.FS, root string, rng *rand.Rand) {
	name := func() string {
		return filepath.Join(root, []string{"x", "y", "z", "a", "a/x", "a/y", "a/b", "a/b/x", "b", "b/x"}[rng.IntN(10)])
	}
	switch rng.IntN(6) {
	case 0:
		_ = fsys.Mkdir(name(), 0o755)
	case 1:
		if h, err := fsys.Create(name(), 0o644); err == nil {
			fmt.Fprint(h, rng.IntN(1000))
			_ = h.Sync()
			_ = h.Close()
		}
	case 2:
		// A rename onto the same file does nothing, in POSIX and unlike the model.
		if a, b := name(), name(); !sameFile(a, b) {
			_ = fsys.Rename(a, b)
		}
	case 3:
		_ = fsys.Link(name(), name())
	case 4:
		_ = fsys.Symlink("nowhere", name())
	case 5:
		_ = fsys.Remove(name())
	}
}

func sameFile(a, b string) bool {
	x, err := os.Lstat(a)
	y, err2 := os.Lstat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

func syncAll(t *testing.T, fsys publish.FS, root string) {
	t.Helper()
	ok(t, filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = fsys.SyncDir(name)
		}
		return err
	}))
}

// Mixed finds every outcome between the extremes, and only those.
func TestMixed(t *testing.T) {
	log := session(t, "write rename symlink")
	seen := map[string]bool{}
	for seed := range uint64(200) {
		a, err := crashfs.Fingerprint(log, crashfs.Mixed(seed))
		ok(t, err)
		b, err := crashfs.Fingerprint(log, crashfs.Mixed(seed))
		ok(t, err)
		if a != b {
			t.Fatal("a seed gave two outcomes")
		}
		seen[a] = true
	}
	// f old; and with temp, f or f and s in place of it, of 0 to 3 bytes each.
	if len(seen) != 1+3*4 {
		t.Errorf("%d outcomes", len(seen))
	}
}

func TestRecorderOutside(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	rec, err := crashfs.Record(root)
	ok(t, err)
	ok(t, rec.SyncDir(other))
	for _, err := range []error{
		rec.Mkdir(filepath.Join(other, "d"), 0o755),
		rec.Symlink("x", filepath.Join(root, "..", "s")),
		rec.Rename(root, filepath.Join(other, "d")),
		rec.Link(other, root),
	} {
		if !errors.Is(err, crashfs.ErrOutside) {
			t.Errorf("error %v", err)
		}
	}
	if log := rec.Log(); len(log) != 1 {
		t.Errorf("log %v", log)
	}
}

func TestReplayBadLog(t *testing.T) {
	for _, s := range []crashfs.Step{
		{Op: crashfs.OpWrite, Path: "x", File: 9},
		{Op: crashfs.OpRemove, Path: "x"},
		{Op: crashfs.OpMkdir, Path: "x/y"},
		{Op: crashfs.OpSyncDir, Path: "x"},
		{Op: crashfs.OpRename, Path: "x", To: "y"},
		{Op: "stat", Path: "."},
	} {
		if err := crashfs.Replay([]crashfs.Step{s}, t.TempDir(), crashfs.Killed); err == nil {
			t.Errorf("%s was replayed", s)
		}
	}
}

func TestFail(t *testing.T) {
	dir := t.TempDir()
	fail := &crashfs.Fail{FS: publish.OS, At: 2, Err: syscall.ENOSPC, Short: true, Only: crashfs.NeedsSpace}
	h, err := fail.Create(filepath.Join(dir, "f"), 0o644)
	ok(t, err)
	n, err := h.Write([]byte("123456"))
	if n != 3 || !errors.Is(err, syscall.ENOSPC) || fail.Ops() != 2 || !strings.HasPrefix(fail.Hit(), "write ") {
		t.Errorf("a short write: %d, %v, %q", n, err, fail.Hit())
	}
	_, err = h.Write([]byte("789"))
	ok(t, err)
	ok(t, h.Sync())
	ok(t, h.Close())
	data, err := os.ReadFile(filepath.Join(dir, "f"))
	ok(t, err)
	if string(data) != "123789" {
		t.Errorf("the file holds %q", data)
	}
}

// Every operation fails when it is its turn, and Trip is called once.
func TestFailSticky(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o644))
	h, err := publish.OS.Create(filepath.Join(dir, "g"), 0o644)
	ok(t, err)
	_ = h.Close()
	trips := 0
	fail := &crashfs.Fail{FS: publish.OS, At: 2, Err: syscall.EIO, Sticky: true, Trip: func() { trips++ }}
	h, err = fail.Create(filepath.Join(dir, "h"), 0o644)
	ok(t, err)
	f := filepath.Join(dir, "f")
	_, e1 := fail.ReadFile(f)
	_, e2 := fail.ReadDir(dir)
	_, e3 := fail.Readlink(f)
	_, e4 := fail.Stat(f)
	_, e5 := h.Write(nil)
	_, e6 := fail.Create(filepath.Join(dir, "i"), 0o644)
	errs := []error{
		e1, e2, e3, e4, e5, e6, h.Sync(), h.Close(), fail.Mkdir(dir+"/d", 0o755), fail.Rename(f, dir+"/j"),
		fail.Link(f, dir+"/k"), fail.Symlink(f, dir+"/l"), fail.Remove(f), fail.SyncDir(dir),
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return !errors.Is(err, syscall.EIO) }); i >= 0 {
		t.Errorf("operation %d: %v", i, errs[i])
	}
	if fail.Ops() != 15 || trips != 1 {
		t.Errorf("%d operations, %d trips", fail.Ops(), trips)
	}
	if got := tree(t, dir); got != "f \"\" 1\ng \"\" 1\nh \"\" 1" {
		t.Errorf("left:\n%s", got)
	}
}
