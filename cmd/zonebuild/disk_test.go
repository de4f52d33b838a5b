package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// TestRealDiskFull has public/ on a real disk, which is filled up to some pages
// before each run, and emptied after it.
func TestRealDiskFull(t *testing.T) {
	disk := peers.SmallDisk(t, "size=512k")
	tr := crashTree(t)
	tr.fs = publish.OS
	tr.write("nirzone.toml", "public = \""+disk+"/public\"\n"+strings.Replace(treeConfig, "keep = 5", "keep = 2", 1)+crashConfig)
	if err := os.Symlink(filepath.Join(disk, "public"), tr.path("public")); err != nil {
		t.Fatal(err)
	}
	tr.must(0, "keys", "init")
	tr.must(0, "init", "--accept", "50")
	full, fits := 0, 0
	for free := range 16 {
		before := tr.current()
		tr.later(cycle)
		for _, z := range []zone.Name{zoneA, zoneB} {
			tr.feed("JPNIC", z, owners(z, 10, 25+free))
		}
		filler := peers.FillDisk(t, disk, int64(free*os.Getpagesize()))
		code := tr.run()
		after := tr.current()
		switch {
		case code == 1 && after.Number == before.Number:
			tr.says("no space left on device")
			full++
		case after.Number > before.Number && (code == 0 || code == 3):
			fits++
		default:
			t.Fatalf("%d pages free: exit %d, generation %d after %d\n%s%s", free, code, after.Number, before.Number, tr.out.String(), tr.err.String())
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		tr.must(0)
		(&wreck{tree: tr, what: "after a full disk"}).recovered(after)
	}
	t.Logf("full %d times, with room enough %d times", full, fits)
	if full < 3 || fits == 0 {
		t.Error("the disk was not full often enough, or never had room")
	}
}
