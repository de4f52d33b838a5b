package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/zone/publish"
)

// A failingFS fails the nth call that changes something.
type failingFS struct {
	publish.FS
	left int
}

var errDisk = errors.New("disk on fire")

func (f *failingFS) fail() error {
	if f.left--; f.left == 0 {
		return errDisk
	}
	return nil
}

func (f *failingFS) Rename(from, to string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *failingFS) Create(name string, perm os.FileMode) (publish.Handle, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.FS.Create(name, perm)
}

func (f *failingFS) SyncDir(dir string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

// Wherever the disk fails, the zonelet is not newer than its seals, nothing is
// left over, and making it again mends it.
func TestReplaceNeverAheadOfSeals(t *testing.T) {
	names := []string{"z.asc", "z.md5", "z"}
	list := func(dir, text string) []madeFile {
		var files []madeFile
		for _, n := range names {
			files = append(files, madeFile{path: filepath.Join(dir, n), data: []byte(text)})
		}
		return files
	}
	whole := false
	for n := 1; !whole; n++ {
		dir := t.TempDir()
		if err := replace(t.Context(), publish.OS, list(dir, "old")); err != nil {
			t.Fatal(err)
		}
		err := replace(t.Context(), &failingFS{publish.OS, n}, list(dir, "new"))
		var got []string
		for _, name := range names {
			data, rerr := os.ReadFile(filepath.Join(dir, name))
			if rerr != nil {
				t.Fatal(rerr)
			}
			got = append(got, string(data))
		}
		state := strings.Join(got, " ")
		if whole = err == nil; whole != (state == "new new new") && !(errors.Is(err, errDisk) && strings.HasPrefix(state, "new new")) {
			t.Errorf("failure %d: %s, %v", n, state, err)
		}
		if strings.Contains(state, "old new") {
			t.Errorf("failure %d: something newer than its seals: %s", n, state)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Errorf("failure %d: left over: %q", n, left)
		}
		if err := replace(t.Context(), publish.OS, list(dir, "new")); err != nil {
			t.Errorf("failure %d: again: %v", n, err)
		}
		if n > 30 {
			t.Fatal("it never succeeds")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := replace(ctx, publish.OS, list(dir, "new")); err != errCancelled || isFile(filepath.Join(dir, "z.asc")) {
		t.Errorf("cancelled: %v", err)
	}
}

// The limit on a source's total is looked at when all of its zonelets are, and
// only then.
func TestTotalNeedsAllZonelets(t *testing.T) {
	d := newDesk(t)
	if err := os.Mkdir(d.path("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := func(octet, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d.1.%d.in-addr.arpa. NS a.example.\n%[1]d.1.%[2]d.in-addr.arpa. NS b.example.\n", i, octet)
		}
		fmt.Fprintf(&b, "JPNIC.%d.in-addr.arpa. TXT \"Generated at 2026-11-21T00:00:00Z with %d NS records.\"\n", octet, 2*n)
		return b.String()
	}
	d.write("old/202.in-addr.arpa-JPNIC", 0o644, file(202, 100))
	d.write("old/041-JPNIC", 0o644, file(41, 20))
	d.write("old/041-KRNIC", 0o644, "")
	d.write("202.in-addr.arpa-JPNIC", 0o644, file(202, 97))
	d.write("41-JPNIC", 0o644, file(41, 20))
	old := []string{"zone", "check", "--previous", d.path("old"), d.path("202.in-addr.arpa-JPNIC")}
	d.must(0, old, "not checked: whether the source's total")
	d.must(3, append(old, d.path("41-JPNIC")), "would be held: the loss of 3 of 100 delegations: total: 3 of 120")
	if strings.Contains(d.out.String(), "not checked: whether the source's total") {
		t.Error("the total was checked, and said not to be")
	}
}
