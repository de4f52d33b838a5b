package publish_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nirzone/fixtures/peers"
	"nirzone/zone/publish"
)

// A real disk is full at different points of a run; then it is not full any more.
func TestRealDiskFull(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		fill          func(t *testing.T, disk string, free int)
	}{
		{"pages", "size=256k", fillPages},
		{"inodes", "size=1m,nr_inodes=80", fillInodes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := peers.SmallDisk(t, tt.options)
			tree := publish.Tree{Root: filepath.Join(disk, "public"), Keep: 2}
			committed, pruned := cycle(tree, 1)
			ok(t, errors.Join(committed, pruned))
			version, full := 1, 0
			for free := range 12 {
				tt.fill(t, disk, free)
				err := publishOnce(tree, version+1)
				if err == nil {
					version++
				} else if full++; !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("with %d %s free: %v", free, tt.name, err)
				}
				if got, err := verifyTree(tree.Root); err != nil || got != version {
					t.Fatalf("with %d %s free: version %d, want %d: %v", free, tt.name, got, version, err)
				}
				t.Logf("%d %s free: %v", free, tt.name, err)
				ok(t, os.RemoveAll(filepath.Join(disk, "filler")))
				version++
				ok(t, recovered(tree.Root, version))
			}
			if full == 0 || full == 12 {
				t.Errorf("the disk was full %d times of 12", full)
			}
		})
	}
}

// fillPages leaves that many pages of the disk free.
func fillPages(t *testing.T, disk string, free int) {
	t.Helper()
	peers.FillDisk(t, disk, int64(free*os.Getpagesize()))
}

// fillInodes leaves that many names of the disk free.
func fillInodes(t *testing.T, disk string, free int) {
	t.Helper()
	dir := filepath.Join(disk, "filler")
	ok(t, os.Mkdir(dir, 0o755))
	n := 0
	var err error
	for ; err == nil; n++ {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), nil, 0o600)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for i := range free {
		ok(t, os.Remove(filepath.Join(dir, fmt.Sprint(i))))
	}
}

// A zone too large for the disk, and a file.
func TestRealDiskTooSmall(t *testing.T) {
	disk := peers.SmallDisk(t, "size=256k")
	tree := publish.Tree{Root: filepath.Join(disk, "public"), Keep: 2}
	ok(t, publishOnce(tree, 1))
	name := filepath.Join(disk, "manifest.json")
	ok(t, publish.WriteFile(publish.OS, name, []byte("old"), 0o600))

	large := strings.Repeat("x", 1<<20)
	if err := publish.WriteFile(publish.OS, name, []byte(large), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing 1 MiB: %v", err)
	}
	if got := read(t, name); got != "old" {
		t.Errorf("the file holds %.20q", got)
	}
	d, err := tree.Begin()
	ok(t, err)
	if err := d.Add(publish.Zone(verified{testZones[0], large})); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("adding 1 MiB: %v", err)
	}
	if _, err := d.Commit(t.Context(), publish.Note("generation.json", nil)); err == nil {
		t.Error("the draft was committed without its zone")
	}
	ok(t, d.Discard())
	ok(t, noLeftovers(disk))
	// What failed gave its space back.
	for v := 2; v < 20; v++ {
		committed, pruned := cycle(tree, v)
		if err := errors.Join(committed, pruned); err != nil {
			t.Fatal(fmt.Errorf("version %d: %w", v, err))
		}
	}
}
