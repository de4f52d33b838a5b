package publish_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

func TestTree(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	tree := publish.Tree{Root: filepath.Join(t.TempDir(), "new", "public"), Keep: 3} // the real file system
	if _, err := tree.Current(); !errors.Is(err, publish.ErrNone) {
		t.Fatalf("an empty tree: %v", err)
	}
	if list, err := tree.List(); list != nil || err != nil {
		t.Fatalf("an empty tree: %v, %v", list, err)
	}
	for v := 1; v <= 5; v++ {
		committed, pruned := cycle(tree, v)
		ok(t, errors.Join(committed, pruned))
	}
	wantList(t, tree, 3, 4, 5)
	version, err := verifyTree(tree.Root)
	ok(t, err)
	if version != 5 {
		t.Errorf("current is version %d", version)
	}
	for _, n := range []uint64{0, 2, 6} {
		if _, err := tree.Open(n); !errors.Is(err, publish.ErrUnknown) {
			t.Errorf("opening %d: %v", n, err)
		}
	}
	target, err := os.Readlink(filepath.Join(tree.Root, "current"))
	ok(t, err)
	if target != "generations/5" {
		t.Errorf("current -> %s", target)
	}
	wantModes(t, tree.Root)
	ok(t, noLeftovers(tree.Root))
}

// wantModes: a name server of another user must be able to read it all.
func wantModes(t *testing.T, root string) {
	t.Helper()
	ok(t, filepath.WalkDir(root, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := e.Info()
		want := os.FileMode(0o644)
		if e.IsDir() {
			want = 0o755
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has %v", name, info.Mode())
		}
		return err
	}))
}

func wantList(t *testing.T, tree publish.Tree, want ...uint64) {
	t.Helper()
	list, err := tree.List()
	ok(t, err)
	if !slices.Equal(list, want) {
		t.Errorf("the generations are %v, want %v", list, want)
	}
}

func TestLinksShareInode(t *testing.T) {
	tree := newTree(t, 1)
	d, err := tree.Begin()
	ok(t, err)
	ok(t, d.Add(publish.Link(testZones[0])))
	ok(t, d.Add(publish.Zone(verified{testZones[1], "new"})))
	g, err := d.Commit(t.Context(), publish.Note("generation.json", nil))
	ok(t, err)
	for i, want := range []bool{true, false} {
		a, err := os.Stat(filepath.Join(d.Previous().Dir, testZones[i]))
		ok(t, err)
		b, err := os.Stat(filepath.Join(g.Dir, testZones[i]))
		ok(t, err)
		if os.SameFile(a, b) != want {
			t.Errorf("%s is the same file: %v", testZones[i], !want)
		}
	}
}

func TestConcurrentAdds(t *testing.T) {
	tree := newTree(t, 0)
	for range 2 {
		d, err := tree.Begin()
		ok(t, err)
		var wg sync.WaitGroup
		for i := range 65 {
			name := fmt.Sprintf("%d.in-addr.arpa", i)
			f := publish.Zone(verified{name, strings.Repeat(name+"\n", 1e4)})
			if i%2 == 0 && d.Previous().Number != 0 {
				f = publish.Link(name)
			}
			wg.Go(func() {
				if err := d.Add(f); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		g, err := d.Commit(t.Context(), publish.Note("generation.json", nil))
		ok(t, err)
		for i := range 65 {
			name := fmt.Sprintf("%d.in-addr.arpa", i)
			if read(t, filepath.Join(g.Dir, name)) != strings.Repeat(name+"\n", 1e4) {
				t.Errorf("%s is not what was added", name)
			}
		}
	}
}

// Of many goroutines adding one name one wins; the draft is still sound.
func TestConcurrentSameName(t *testing.T) {
	d, err := newTree(t, 0).Begin()
	ok(t, err)
	var wg sync.WaitGroup
	won := make(chan int, 20)
	for i := range 20 {
		wg.Go(func() {
			if d.Add(publish.Zone(verified{testZones[0], fmt.Sprint(i)})) == nil {
				won <- i
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d won", len(won))
	}
	g, err := d.Commit(t.Context(), publish.Note("generation.json", nil))
	ok(t, err)
	if got := read(t, filepath.Join(g.Dir, testZones[0])); got != fmt.Sprint(<-won) {
		t.Errorf("the file holds %q", got)
	}
}

func TestPrune(t *testing.T) {
	tests := []struct {
		name   string
		keep   int
		want   func(uint64) bool
		gone   []uint64
		remain []uint64
	}{
		{"enough kept", 9, nil, nil, []uint64{1, 2, 3, 4, 5, 6}},
		{"three", 3, nil, []uint64{1, 2, 3}, []uint64{4, 5, 6}},
		{"never current", 0, nil, []uint64{1, 2, 3, 4, 5}, []uint64{6}},
		{"one is wanted", 2, func(n uint64) bool { return n == 2 }, []uint64{1, 3, 4}, []uint64{2, 5, 6}},
		{"all are wanted", 1, func(uint64) bool { return true }, nil, []uint64{1, 2, 3, 4, 5, 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := newTree(t, 0)
			for v := 1; v <= 6; v++ {
				ok(t, publishOnce(tree, v))
			}
			tree.Keep = tt.keep
			removed, err := tree.Prune(t.Context(), tt.want)
			ok(t, err)
			if !slices.Equal(removed, tt.gone) {
				t.Errorf("removed %v, want %v", removed, tt.gone)
			}
			wantList(t, tree, tt.remain...)
			if _, err := verifyTree(tree.Root); err != nil {
				t.Error(err)
			}
			ok(t, noLeftovers(tree.Root))
		})
	}
	removed, err := newTree(t, 0).Prune(t.Context(), nil)
	if removed != nil || err != nil {
		t.Errorf("pruning nothing: %v, %v", removed, err)
	}
}

func TestCancelled(t *testing.T) {
	tree := newTree(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := tree.Begin()
	ok(t, err)
	if _, err := d.Commit(ctx, publish.Note("generation.json", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	ok(t, d.Discard())
	ok(t, noLeftovers(tree.Root))
	tree.Keep = 1
	if _, err := tree.Prune(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("prune: %v", err)
	}
	wantList(t, tree, 1, 2)
}

// An orphan is not published, not carried from, and its number is not used again.
func TestOrphan(t *testing.T) {
	tree := newTree(t, 2)
	broken := tree
	broken.FS = &crashfs.Fail{FS: tree.FS, At: 1, Err: syscall.EIO, Only: func(op crashfs.Op) bool { return op == crashfs.OpSymlink }}
	if err := publishOnce(broken, 3); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tree.Root, "generations", "3")); err != nil {
		t.Fatalf("there is no orphan: %v", err)
	}
	wantList(t, tree, 1, 2)
	if _, err := tree.Open(3); !errors.Is(err, publish.ErrUnknown) {
		t.Errorf("opening the orphan: %v", err)
	}
	// A run that gives up leaves the number used up, and the one after it too.
	for range 2 {
		d, err := tree.Begin()
		ok(t, err)
		if d.Number() != 4 || d.Previous().Number != 2 {
			t.Errorf("generation %d comes after %d", d.Number(), d.Previous().Number)
		}
		ok(t, d.Discard())
	}
	ok(t, recovered(tree.Root, 4))
	wantList(t, tree, 2, 4)
}

// A tree that lost its current is not taken for an empty one, and keeps its data.
func TestCurrentLost(t *testing.T) {
	tree := newTree(t, 2)
	current := filepath.Join(tree.Root, "current")
	ok(t, os.Remove(current))
	_, err := tree.Current()
	if err == nil || errors.Is(err, publish.ErrNone) || !strings.Contains(err.Error(), "ln -s generations/2 "+current) {
		t.Errorf("current: %v", err)
	}
	if _, err := tree.Begin(); err == nil {
		t.Error("a generation was started")
	}
	if _, err := tree.Prune(t.Context(), nil); err == nil {
		t.Error("it was pruned")
	}
	ok(t, os.Symlink("generations/2", current))
	ok(t, recovered(tree.Root, 3))
}

// With a single generation a lost current looks like a crash in the first
// commit. Its data still stays until there is a current again.
func TestOnlyGenerationLost(t *testing.T) {
	tree := newTree(t, 1)
	ok(t, os.Remove(filepath.Join(tree.Root, "current")))
	if _, err := tree.Current(); !errors.Is(err, publish.ErrNone) {
		t.Errorf("current: %v", err)
	}
	d, err := tree.Begin()
	ok(t, err)
	if d.Number() != 2 || d.Previous().Number != 0 {
		t.Errorf("generation %d comes after %d", d.Number(), d.Previous().Number)
	}
	ok(t, d.Discard())
	read(t, filepath.Join(tree.Root, "generations", ".gone-1", testZones[0]))
	ok(t, recovered(tree.Root, 2))
}

func TestCurrentWrong(t *testing.T) {
	for _, target := range []string{"generations/7", "generations/01", "generations/0", "generations/.draft-1", "../generations/1", "generations/x", "/etc", "generations/1/", "generations/file"} {
		tree := newTree(t, 1)
		current := filepath.Join(tree.Root, "current")
		ok(t, os.WriteFile(filepath.Join(tree.Root, "generations", "3"), nil, 0o600))
		ok(t, os.Remove(current))
		ok(t, os.Symlink(strings.Replace(target, "file", "3", 1), current))
		if _, err := tree.Current(); err == nil || errors.Is(err, publish.ErrNone) || !strings.Contains(err.Error(), "make it point at") {
			t.Errorf("%s: %v", target, err)
		}
		if _, err := tree.Begin(); err == nil {
			t.Errorf("%s: a generation was started", target)
		}
	}
	tree := newTree(t, 0)
	ok(t, os.MkdirAll(filepath.Join(tree.Root, "current"), 0o755))
	if _, err := tree.Current(); err == nil || errors.Is(err, publish.ErrNone) {
		t.Errorf("current is a folder: %v", err)
	}
}

// Names that are none of ours are neither counted nor touched.
func TestForeignNames(t *testing.T) {
	tree := newTree(t, 1)
	dir := filepath.Join(tree.Root, "generations")
	for _, name := range []string{"backup", "007", "18446744073709551616", ".git", ".draft-x"} {
		ok(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	ok(t, publishOnce(tree, 2))
	wantList(t, tree, 1, 2)
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) != 7 {
		t.Errorf("left: %v", entries)
	}
}

func TestAmend(t *testing.T) {
	tree := newTree(t, 2)
	g, err := tree.Current()
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(g.Dir, ".tmp-1-1"), nil, 0o600))
	ok(t, tree.Amend(publish.Note("generation.json", []byte("{}"))))
	if got := read(t, filepath.Join(g.Dir, "generation.json")); got != "{}" {
		t.Errorf("the note holds %q", got)
	}
	ok(t, noLeftovers(tree.Root))
	for _, f := range []publish.File{{}, publish.Note("../x.json", nil), publish.Zone(verified{testZones[0], "x"})} {
		if tree.Amend(f) == nil {
			t.Errorf("amended by %+v", f)
		}
	}
	if err := newTree(t, 0).Amend(publish.Note("generation.json", nil)); !errors.Is(err, publish.ErrNone) {
		t.Errorf("amending nothing: %v", err)
	}
}
