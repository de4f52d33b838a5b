package publish_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	ok(t, err)
	return string(data)
}

func TestWriteFile(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	name := filepath.Join(dir, "generation.json")
	for _, c := range []struct {
		body string
		perm os.FileMode
	}{{"first", 0o644}, {"", 0o600}, {strings.Repeat("long ", 1e5), 0o640}} {
		ok(t, publish.WriteFile(publish.OS, name, []byte(c.body), c.perm))
		info, err := os.Stat(name)
		ok(t, err)
		if got := read(t, name); got != c.body || info.Mode().Perm() != c.perm {
			t.Errorf("%d bytes with %v, want %d with %v", len(got), info.Mode(), len(c.body), c.perm)
		}
	}
	ok(t, noLeftovers(dir))
}

// The writer's own error is returned and nothing is replaced.
func TestWriteToError(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	ok(t, publish.WriteFile(publish.OS, name, []byte("old"), 0o644))
	mine := errors.New("mine")
	err := publish.WriteTo(publish.OS, name, 0o644, func(w io.Writer) error {
		fmt.Fprint(w, strings.Repeat("half", 1e5))
		return mine
	})
	if !errors.Is(err, mine) || read(t, name) != "old" {
		t.Errorf("error %v, the file holds %.10q", err, read(t, name))
	}
	ok(t, noLeftovers(dir))
	if err := publish.WriteFile(publish.OS, filepath.Join(dir, "none", "f"), nil, 0o644); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("writing into no folder: %v", err)
	}
}

// An object is named when its bytes are known, and looked at before it is named.
func TestTemp(t *testing.T) {
	dir := t.TempDir()
	temp, err := publish.CreateTemp(publish.OS, dir, 0o600)
	ok(t, err)
	fmt.Fprint(temp, "content")
	ok(t, temp.Finish())
	if got := read(t, temp.Name()); got != "content" {
		t.Errorf("the temporary file holds %q", got)
	}
	ok(t, temp.Commit("object"))
	ok(t, temp.Discard())
	if got := read(t, filepath.Join(dir, "object")); got != "content" {
		t.Errorf("the object holds %q", got)
	}
	if err := temp.Commit("again"); err == nil {
		t.Error("committed twice")
	}
	for _, base := range []string{"", ".", "..", "a/b", "../x", ".tmp-1"} {
		temp, err := publish.CreateTemp(publish.OS, dir, 0o600)
		ok(t, err)
		if temp.Commit(base) == nil {
			t.Errorf("committed as %q", base)
		}
	}
	temp, err = publish.CreateTemp(publish.OS, dir, 0o600)
	ok(t, err)
	fmt.Fprint(temp, "half")
	ok(t, temp.Discard())
	ok(t, temp.Discard())
	if temp.Finish() == nil || temp.Commit("object") == nil {
		t.Error("a discarded file was committed")
	}
	if got := read(t, filepath.Join(dir, "object")); got != "content" {
		t.Errorf("the object holds %q", got)
	}
	ok(t, noLeftovers(dir))
}

// The package comment shows what strace does: in this order, no step missing.
func TestWriteFileSteps(t *testing.T) {
	root := t.TempDir()
	rec, err := crashfs.Record(root)
	ok(t, err)
	base := len(rec.Log())
	ok(t, publish.WriteFile(rec, filepath.Join(root, "f"), []byte("x"), 0o644))
	wantOps(t, rec.Log()[base:], "create write fsync rename syncdir")
}

func TestCommitSteps(t *testing.T) {
	tree := newTree(t, 0)
	rec, err := crashfs.Record(filepath.Dir(tree.Root))
	ok(t, err)
	tree.FS = rec
	d, err := tree.Begin()
	ok(t, err)
	base := len(rec.Log())
	ok(t, d.Add(publish.Zone(verified{"1.in-addr.arpa", "x"})))
	_, err = d.Commit(t.Context(), publish.Note("generation.json", []byte("{}")))
	ok(t, err)
	log := rec.Log()[base:]
	wantOps(t, log, "create write fsync create write fsync syncdir rename syncdir symlink rename syncdir")
	if s := log[len(log)-2]; s.To != "public/current" {
		t.Errorf("the commit was %s", s)
	}
}

func wantOps(t *testing.T, log []crashfs.Step, want string) {
	t.Helper()
	var got []string
	for _, s := range log {
		got = append(got, string(s.Op))
	}
	if strings.Join(got, " ") != want {
		t.Errorf("steps\n%s, want\n%s", strings.Join(got, " "), want)
	}
}

func TestSweepTemp(t *testing.T) {
	dir := t.TempDir()
	// A crashed process of our pid left the names that we shall come upon.
	next := tempNumber(t)
	for i := range 300 {
		ok(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf(".tmp-%d-%d", os.Getpid(), next+i)), nil, 0o600))
	}
	ok(t, os.WriteFile(filepath.Join(dir, "manifest.json"), nil, 0o600))
	ok(t, os.Mkdir(filepath.Join(dir, ".tmp-folder"), 0o700))
	ok(t, publish.WriteFile(publish.OS, filepath.Join(dir, "f"), []byte("x"), 0o600))
	removed, err := publish.SweepTemp(publish.OS, dir)
	ok(t, err)
	if len(removed) != 300 || !slices.IsSorted(removed) {
		t.Errorf("%d names were swept", len(removed))
	}
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) != 3 {
		t.Errorf("left: %v", entries)
	}
	if removed, err = publish.SweepTemp(publish.OS, filepath.Join(dir, "none")); removed != nil || err != nil {
		t.Errorf("a missing folder: %v, %v", removed, err)
	}
}

// tempNumber is the number of the next temporary file.
func tempNumber(t *testing.T) (n int) {
	t.Helper()
	root := t.TempDir()
	rec, err := crashfs.Record(root)
	ok(t, err)
	base := len(rec.Log())
	ok(t, publish.WriteFile(rec, filepath.Join(root, "f"), nil, 0o600))
	if _, err := fmt.Sscanf(rec.Log()[base].Path, fmt.Sprintf(".tmp-%d-%%d", os.Getpid()), &n); err != nil {
		t.Fatal(err)
	}
	return n + 1
}

func TestMkdirAll(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	ok(t, publish.MkdirAll(publish.OS, filepath.Join(dir, "a", "b"), 0o755))
	ok(t, publish.MkdirAll(publish.OS, filepath.Join(dir, "a", "b"), 0o700))
	for _, name := range []string{"a", "a/b"} {
		info, err := os.Stat(filepath.Join(dir, name))
		ok(t, err)
		if info.Mode().Perm() != 0o755 {
			t.Errorf("%s has %v", name, info.Mode())
		}
	}
	ok(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
	for _, name := range []string{"f", "f/b"} {
		if err := publish.MkdirAll(publish.OS, filepath.Join(dir, name), 0o755); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RemoveAll does not follow symbolic links.
func TestRemoveAll(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	ok(t, os.MkdirAll(filepath.Join(dir, "x", "y"), 0o755))
	ok(t, os.WriteFile(outside, nil, 0o644))
	ok(t, os.WriteFile(filepath.Join(dir, "x", "y", "f"), nil, 0o644))
	ok(t, os.Symlink(dir, filepath.Join(dir, "x", "y", "up")))
	ok(t, publish.RemoveAll(publish.OS, filepath.Join(dir, "x")))
	ok(t, publish.RemoveAll(publish.OS, filepath.Join(dir, "x")))
	if _, err := os.Stat(filepath.Join(dir, "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("x is still there: %v", err)
	}
	_, err := os.Stat(outside)
	ok(t, err)
}
