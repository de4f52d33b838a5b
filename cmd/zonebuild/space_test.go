package main

import (
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// TestNoSpaceLeft has the disk full from the n-th operation on that needs room:
// before the commit nothing is published, after it everything is, and it is said
// which; the next run with room does what is left.
func TestNoSpaceLeft(t *testing.T) {
	tr := published(t)
	old, failed, late := 65, 0, 0
	for at := 1; ; at += 2 {
		tr.later(cycle)
		tr.seen()
		n := 41 + at%4/2 // 41, 42, 41 …
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, n))
		full := &crashfs.Fail{FS: crashfs.NoSync(publish.OS), At: at, Err: syscall.ENOSPC, Only: crashfs.NeedsSpace, Sticky: true, Short: true}
		tr.fs = full
		switch code := tr.run(); {
		case full.Hit() == "":
			if code != 0 || failed < 3 || late == 0 {
				t.Errorf("exit %d; %d runs failed, %d after the commit", code, failed, late)
			}
			return
		case code == 1:
			failed++
			tr.says("no space left on device", "hint: make room in the file system of")
			tr.count(zoneA, old)
		case code == 3 || code == 0 && full.Hit() != "": // 0: only the report was not written
			late++
			tr.count(zoneA, 25+n)
		default:
			t.Fatalf("full at %s: exit %d\n%s%s", full.Hit(), code, tr.out.String(), tr.err.String())
		}
		tr.fs = crashfs.NoSync(publish.OS)
		tr.must(0)
		old = 25 + n
		tr.count(zoneA, old)
	}
}
