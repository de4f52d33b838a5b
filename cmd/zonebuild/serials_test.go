package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"nirzone/zone"
)

// lose takes files or folders of the tree away.
func (tr *tree) lose(names ...string) {
	tr.t.Helper()
	for _, n := range names {
		if err := os.RemoveAll(tr.path(n)); err != nil {
			tr.t.Fatal(err)
		}
	}
}

// TestInitAgain: when public/ is lost, what state/ knows of it keeps the serials
// from beginning anew; the way back is an adoption.
func TestInitAgain(t *testing.T) {
	tr := published(t)
	for n := range 3 {
		tr.cycle()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41+n))
		tr.must(0)
	}
	last := tr.current().Zone(zoneA).Serial
	if last != 2026112103 {
		t.Fatalf("serial %d", last)
	}
	data, err := os.ReadFile(tr.path("public/current/27.in-addr.arpa"))
	if err != nil {
		t.Fatal(err)
	}
	tr.write("served/27.in-addr.arpa", string(data))
	tr.lose("public")
	tr.cycle()
	tr.must(1) // and it does not forget by it
	tr.says("27.in-addr.arpa is not new", "docs/recovery.md")
	for _, args := range [][]string{
		{"init", "--accept", "113"},
		{"init", "--accept", "68", "27.in-addr.arpa"},
		{"init", "--accept", "113", "--clock-is-right"},
		{"init", "--accept", "113", "--dry-run"},
	} {
		tr.must(1, args...)
		tr.says("its last serial is 2026112103, of generation 4 of 2026-11-21T06:03:00Z", "zonebuild adopt", "docs/recovery.md")
		if _, err := os.Lstat(tr.path("public/current")); err == nil {
			t.Fatal("something was published")
		}
	}
	tr.must(0, "plan")
	tr.says("27.in-addr.arpa is not new")
	if strings.Contains(tr.out.String(), "zonebuild init") {
		t.Error("the plan recommends to begin anew")
	}
	tr.adoptServed(3)
	tr.says("42.in-addr.arpa is not below", "any more; take the zones over from a secondary")
	if z := tr.current().Zone(zoneA); z.Serial != last+1 {
		t.Errorf("serial %d", z.Serial)
	}
	tr.must(1, "init", "--accept", "45") // zone B is not new either
	tr.says("42.in-addr.arpa is not new")
}

func (tr *tree) adoptServed(code int) {
	tr.t.Helper()
	tr.must(0, "adopt", tr.path("served"), "--json")
	var r adoptReport
	if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil {
		tr.t.Fatal(err)
	}
	tr.must(code, "adopt", tr.path("served"), "--accept", r.Hash)
}

// TestAdoptOldTransfer: the secondary is behind what was published here; the
// serial is not.
func TestAdoptOldTransfer(t *testing.T) {
	tr := published(t)
	for _, z := range []zone.Name{zoneA, zoneB} {
		data, err := os.ReadFile(tr.path("public/current/" + z.File()))
		if err != nil {
			t.Fatal(err)
		}
		tr.write("served/"+z.File(), string(data))
	}
	for n := range 5 {
		tr.cycle()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41+n))
		tr.must(0)
	}
	last := tr.current().Zone(zoneA).Serial
	tr.lose("public")
	tr.cycle()
	tr.must(0, "adopt", tr.path("served"))
	tr.says("serial 2026112105 was published here", "the file is older")
	tr.adoptServed(0)
	if g := tr.current(); g.Zone(zoneA).Serial != last+1 || g.Zone(zoneB).Serial != 2026112101 {
		t.Errorf("serials %d, %d", g.Zone(zoneA).Serial, g.Zone(zoneB).Serial)
	}
}

// TestSerialsBroken: a book that cannot be read is no licence to begin anew, and
// is mended while there is a generation.
func TestSerialsBroken(t *testing.T) {
	tr := published(t)
	tr.write("state/serials.json", "{")
	tr.cycle()
	tr.must(0)
	book, err := os.ReadFile(tr.path("state/serials.json"))
	if err != nil || !strings.Contains(string(book), "2026112100") {
		t.Fatalf("%s, %v", book, err)
	}
	tr.lose("public")
	tr.write("state/serials.json", `{"version": 9}`)
	tr.must(1, "init", "--accept", "110")
	tr.says("version 9 is newer", "docs/recovery.md")
	tr.lose("state/serials.json") // nobody knows of it
	tr.must(0, "init", "--accept", "110")
}

// TestBrokenNote: whoever finds generation.json broken is told where to go on.
func TestBrokenNote(t *testing.T) {
	tr := published(t)
	good, err := os.ReadFile(tr.path("public/current/generation.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", string(good[:len(good)/2]), `{"version": 99}`} {
		tr.write("public/generations/1/generation.json", bad)
		for _, args := range [][]string{{}, {"plan"}, {"history"}, {"rollback"}, {"adopt", tr.path("registry")}} {
			tr.must(1, args...)
			tr.says("generation.json", "backup", "docs/recovery.md")
		}
	}
	tr.lose("public/generations/1/generation.json")
	tr.must(1)
	tr.says("generation.json", "docs/recovery.md")
	tr.write("public/generations/1/generation.json", string(good))
	tr.must(0)
}

// TestOldPublicPutBack: a backup of public/ that is older than what was published
// does not take serials back, whether something is to be built or not.
func TestOldPublicPutBack(t *testing.T) {
	tr := published(t)
	must(t, os.CopyFS(tr.path("backup"), os.DirFS(tr.path("public/generations"))))
	for n := range 3 {
		tr.cycle()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41+n))
		tr.must(0)
	}
	last, other := tr.current().Zone(zoneA).Serial, tr.current().Zone(zoneB).Serial
	tr.lose("public")
	must(t, os.CopyFS(tr.path("public/generations"), os.DirFS(tr.path("backup"))))
	must(t, os.Symlink("generations/1", tr.path("public/current")))
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40)) // as it was then
	tr.cycle()
	if p := tr.planned(); p.Nothing || p.Changing != 1 {
		t.Errorf("planned: %+v", p)
	}
	tr.must(0)
	tr.says("27.in-addr.arpa is published with the serial 2026112100, and was with 2026112103")
	g := tr.current()
	if now := g.Zone(zoneA).Serial; now != last+1 || g.Zone(zoneB).Serial != other {
		t.Errorf("serials %d, %d after %d, %d", now, g.Zone(zoneB).Serial, last, other)
	}
	tr.cycle()
	tr.must(0)
	tr.notSays("goes on from there")
}

// TestAdoptSerialsBroken: a book that cannot be read ends neither the way back, nor
// is one of a newer program replaced.
func TestAdoptSerialsBroken(t *testing.T) {
	tr := published(t)
	for _, z := range []zone.Name{zoneA, zoneB} {
		tr.write("served/"+z.File(), string(must2(os.ReadFile(tr.path("public/current/"+z.File())))))
	}
	tr.lose("public")
	tr.write("state/serials.json", `{"version": 9}`)
	tr.cycle()
	tr.must(0, "adopt", tr.path("served"))
	tr.says("is not known", "version 9 is newer")
	tr.adoptServed(3) // it cannot be noted
	tr.says("version 9 is newer")
	if book := string(must2(os.ReadFile(tr.path("state/serials.json")))); book != `{"version": 9}` {
		t.Errorf("the book is now %s", book)
	}
	tr.write("state/serials.json", "{")
	tr.cycle()
	tr.must(0)
}
