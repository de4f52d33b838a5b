package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// cycle is short, so that no signature comes due between two runs.
const cycle = time.Minute

func TestFirstPublication(t *testing.T) {
	tr := newTree(t)
	tr.must(1)
	tr.says("nothing is published yet", "zonebuild init --accept COUNT")
	tr.must(0, "plan")
	tr.says("zonebuild init --accept 110")
	tr.must(1, "init", "--accept", "111")
	tr.says("hold 110 delegations, not 111", "zonebuild init --accept 110")
	if _, err := os.Lstat(tr.path("public/current")); err == nil {
		t.Fatal("something was published")
	}
	tr.must(0, "init", "--accept", "110")
	g := tr.current()
	if g.Number != 1 || g.Cause != "init" || len(g.Zones) != 2 || g.Zones[0].Serial != 2026112100 {
		t.Errorf("generation: %+v", g)
	}
	tr.must(1, "init", "--accept", "110")
	tr.says("published already")
}

func TestNothingToDo(t *testing.T) {
	tr := published(t)
	tr.must(0)
	tr.says("nothing to do")
	if g := tr.current(); g.Number != 1 {
		t.Errorf("generation %d", g.Number)
	}
}

func TestOneChange(t *testing.T) {
	tr := published(t)
	before := tr.current()
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	tr.count(zoneA, 66)
	g := tr.current()
	if a, b := g.Zone(zoneA), g.Zone(zoneB); a.Serial != before.Zone(zoneA).Serial+1 || b.Serial != before.Zone(zoneB).Serial {
		t.Errorf("serials %d and %d", a.Serial, b.Serial)
	}
	one, err1 := os.Stat(tr.path("public/generations/1/" + zoneB.File()))
	two, err2 := os.Stat(tr.path("public/generations/2/" + zoneB.File()))
	if err1 != nil || err2 != nil || !os.SameFile(one, two) {
		t.Errorf("the unchanged zone is no hard link: %v, %v", err1, err2)
	}
}

func TestHeldAcceptedReleased(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25)) // 15 of 40 gone
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(3)
	tr.says("JPNIC", "held")
	tr.count(zoneA, 66) // KRNIC's addition went through
	holds := tr.held()
	if len(holds) != 1 || holds[0].Source != "JPNIC" || len(holds[0].Losses) != 15 {
		t.Fatalf("holds: %+v", holds)
	}
	hash := holds[0].Hash
	if _, err := os.Stat(tr.path("state/held/" + hash + ".json")); err != nil {
		t.Error(err)
	}
	tr.must(0, "held", "show", hash[:8])
	tr.says("- 39.10.27.in-addr.arpa.", "--removes 15")
	tr.must(1, "accept", hash, "--removes", "14", "-m", "no")
	tr.must(2, "accept", hash, "--removes", "15")
	tr.must(1, "accept", "00000000", "--removes", "15", "-m", "no")

	// The feed changes around the losses; the hash stays.
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 3)...))
	tr.must(3)
	if again := tr.held(); len(again) != 1 || again[0].Hash != hash {
		t.Errorf("the hash moved: %+v", again)
	}
	tr.must(0, "accept", hash[:12], "--removes", "15", "-m", "ticket 4711")
	tr.later(cycle)
	tr.seen()
	tr.must(0)
	tr.count(zoneA, 66-15+3)
	if len(tr.held()) != 0 {
		t.Error("still held")
	}
	if _, err := os.Stat(tr.path("state/held/" + hash + ".json")); err == nil {
		t.Error("the held file is still there")
	}
}

func TestAcceptExpires(t *testing.T) {
	tr := published(t)
	tr.feed("JPNIC", zoneA, nil)
	tr.must(3)
	tr.must(0, "accept", tr.held()[0].Hash, "--removes", "40", "-m", "yes")
	tr.later(7 * 24 * time.Hour)
	tr.seen()
	tr.must(3)
	tr.count(zoneA, 65)
	if _, err := os.ReadDir(tr.path("state/accepts")); err != nil {
		t.Error(err)
	}
}

func TestRefusedFile(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	good := zonelet("JPNIC", zoneA, tr.now, owners(zoneA, 10, 40))
	tr.accept("JPNIC", zoneA, append(good[:len(good)/2:len(good)/2], "\ngarbage here (\n"...))
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	tr.must(3)
	tr.says("27.in-addr.arpa-JPNIC:", "refused", "the last good version stands")
	tr.count(zoneA, 65)
	tr.count(zoneB, 46) // every other zone is published
	tr.later(cycle)
	tr.must(3)
	tr.count(zoneA, 65)
}

func TestFileNeverAccepted(t *testing.T) {
	tr := newTree(t)
	tr.accept("KRNIC", zoneA, []byte("garbage"))
	tr.must(3, "init", "--accept", "90")
	tr.says("there is no earlier version")
	tr.count(zoneA, 45)
}

func TestSpoolLost(t *testing.T) {
	tr := published(t)
	if err := os.RemoveAll(tr.path("spool/objects")); err != nil {
		t.Fatal(err)
	}
	tr.must(3)
	tr.says("carried", "restore the spool")
	tr.count(zoneA, 65)
}

func TestManifestUnreadable(t *testing.T) {
	tr := published(t)
	tr.write("spool/manifest.json", "{")
	tr.must(3)
	tr.says("manifest-unreadable")
	tr.count(zoneA, 65)
}

func TestClaimsUnreadable(t *testing.T) {
	tr := published(t)
	tr.write("registry/claims", "JPNIC 27.0.0.0/9\n")
	tr.must(3)
	tr.says("registry-unreadable", "claims:1")
	tr.count(zoneA, 65)
	tr.count(zoneB, 45)
}

func TestConfigUnreadable(t *testing.T) {
	tr := published(t)
	tr.later(12 * 24 * time.Hour) // signatures are due
	tr.seen()
	tr.write("nirzone.toml", treeConfig+"\nspoool = \"x\"\n")
	tr.must(3)
	tr.says("config-unreadable", "spoool")
	if g := tr.current(); g.Number != 2 || g.Zone(zoneA).Expires.Sub(tr.now) < 9*24*time.Hour {
		t.Errorf("signatures were not renewed: generation %d", g.Number)
	}
	tr.must(2, "keys", "init", "--no-such-flag")
}

func TestConfigUnreadableAtFirst(t *testing.T) {
	tr := newTree(t)
	tr.write("nirzone.toml", "version = 7\n")
	tr.must(2)
	tr.says("version 7")
}

func TestExportHalfDone(t *testing.T) {
	tr := published(t)
	m := zone.RegistryManifest{Version: 1, Files: []zone.RegistryFile{{File: "claims", SHA256: digest([]byte("other"))}}}
	tr.write("registry/manifest.json", string(m.Encode()))
	tr.must(3)
	tr.says("half done")
	tr.count(zoneA, 65)
}

func TestKeyReadableByOthers(t *testing.T) {
	tr := published(t)
	entries, err := os.ReadDir(tr.path("keys/" + zoneA.File()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Chmod(tr.path("keys/"+zoneA.File()+"/"+e.Name()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	tr.must(3)
	tr.says("carried", "chmod 600")
	tr.count(zoneA, 65)
	tr.count(zoneB, 46)
}

func TestRunwayAlarm(t *testing.T) {
	tr := published(t)
	if err := os.RemoveAll(tr.path("keys/" + zoneA.File())); err != nil {
		t.Fatal(err)
	}
	tr.later(13 * 24 * time.Hour)
	tr.seen()
	tr.must(3)
	tr.says("runway", "27.in-addr.arpa ends on")
}

func TestNewZoneWaitsForInit(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"42.in-addr.arpa"`, `"42.in-addr.arpa", "43.in-addr.arpa"`, 1))
	tr.must(0, "keys", "init")
	zoneC := zone.Name("43.in-addr.arpa.")
	tr.registry(zoneC, owners(zoneC, 1, 7))
	tr.must(3)
	tr.says("43.in-addr.arpa was never published")
	tr.must(0, "init", "--accept", "7", "43.in-addr.arpa")
	tr.count(zoneC, 7)
	tr.count(zoneA, 65)
}

func TestZoneDropped(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.write("nirzone.toml", strings.Replace(treeConfig, `, "42.in-addr.arpa"`, "", 1))
	tr.must(3)
	tr.says("zone-dropped")
	tr.count(zoneB, 45)
	h := tr.held()
	tr.must(1, "accept", h[0].Hash, "--removes", "1", "-m", "one zone")
	tr.must(0, "accept", h[0].Hash, "--removes", "45", "-m", "moved away")
	tr.must(0)
	if g := tr.current(); len(g.Zones) != 1 {
		t.Errorf("%d zones", len(g.Zones))
	}
}

func TestSourceDropped(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	i := strings.Index(treeConfig, "[[source]]\nname = \"KRNIC\"")
	j := strings.Index(treeConfig, "[[zones]]")
	tr.write("nirzone.toml", treeConfig[:i]+treeConfig[j:])
	tr.must(3)
	tr.count(zoneA, 65)
	h := tr.held()
	if len(h) != 1 || h[0].Source != "KRNIC" {
		t.Fatalf("holds: %+v", h)
	}
	tr.must(0, "accept", h[0].Hash, "--removes", "20", "-m", "closed")
	tr.must(0)
	tr.count(zoneA, 45)
}

func TestClaimsMoved(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", laxClaims)
	tr.later(cycle)
	tr.seen()
	tr.write("registry/claims", "JPNIC\t27.0.0.0/16\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	tr.must(3)
	tr.count(zoneA, 65)
	h := tr.held()
	if len(h) != 1 || h[0].Kind != "claims-moved" || len(h[0].Losses) != 40 {
		t.Fatalf("holds: %+v", h)
	}
	tr.later(cycle)
	tr.seen()
	tr.must(3) // it stands, run after run
	tr.count(zoneA, 65)
	tr.must(0, "accept", h[0].Hash, "--removes", "40", "-m", "given back")
	tr.must(0)
	tr.count(zoneA, 25)
}

func TestRollbackAndRelease(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	serial := tr.current().Zone(zoneA).Serial
	tr.must(3, "rollback")
	tr.count(zoneA, 65)
	g := tr.current()
	if z := g.Zone(zoneA); z.Serial != serial+1 || z.Pinned != 1 || g.Cause != "rollback" {
		t.Errorf("after rollback: %+v", z)
	}
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 44))
	tr.must(3) // reminds of it
	tr.says("pinned to 1", "rollback --release")
	tr.count(zoneA, 65)
	tr.must(0, "plan")
	tr.says("pinned to generation 1")
	tr.must(0, "rollback", "--release")
	tr.count(zoneA, 69)
	if z := tr.current().Zone(zoneA); z.Pinned != 0 {
		t.Errorf("still pinned: %+v", z)
	}
	tr.must(1, "rollback", "--release")
	tr.must(1, "rollback", "99")
	tr.must(2, "rollback", "x")
}

func TestReload(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", treeConfig+`reload = [["/bin/sh", "-c", "test ! -e `+tr.path("stop")+` && echo $1 >>`+tr.path("told")+`", "reload", "{zone}"]]`)
	tr.write("stop", "")
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(5)
	if g := tr.current(); !slices.Equal(g.Reload, []zone.Name{zoneA, zoneB}) && !slices.Equal(g.Reload, []zone.Name{zoneA}) {
		t.Errorf("pending: %v", g.Reload)
	}
	tr.must(5) // tried again by the next run
	if err := os.Remove(tr.path("stop")); err != nil {
		t.Fatal(err)
	}
	tr.must(0, "reload")
	told, err := os.ReadFile(tr.path("told"))
	if err != nil || !strings.Contains(string(told), zoneA.File()) {
		t.Errorf("told: %q, %v", told, err)
	}
	if g := tr.current(); len(g.Reload) != 0 {
		t.Errorf("still pending: %v", g.Reload)
	}
}

func TestNoReload(t *testing.T) {
	tr := newTree(t)
	tr.write("nirzone.toml", treeConfig+`reload = [["/bin/touch", "`+tr.path("told-{zone}")+`"]]`)
	tr.must(0, "init", "--accept", "110", "--no-reload")
	if _, err := os.Stat(tr.path("told-" + zoneA.File())); err == nil {
		t.Error("reloaded in spite of --no-reload")
	}
	tr.must(0, "reload")
	if _, err := os.Stat(tr.path("told-" + zoneA.File())); err != nil {
		t.Error(err)
	}
}

func TestLocked(t *testing.T) {
	tr := published(t)
	release, err := publish.Lock(tr.path("state/lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	tr.must(4)
}

func TestClockBehind(t *testing.T) {
	tr := published(t)
	tr.later(2 * cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	tr.later(-cycle)
	tr.must(1)
	tr.says("the clock says", "--clock-is-right")
	tr.must(1, "--now", tr.now.Format(time.RFC3339)) // naming it says nothing new
	tr.must(0, "--clock-is-right")
}

func TestTamperedFileIsMended(t *testing.T) {
	tr := published(t)
	name := tr.path("public/current/" + zoneA.File())
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data[:len(data)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	tr.must(0)
	tr.current() // checks the digests
}

func TestStaleSource(t *testing.T) {
	tr := published(t)
	tr.later(4 * 24 * time.Hour)
	tr.tried()
	tr.must(0, "--clock-is-right")
	tr.says("stale")
	tr.later(4 * 24 * time.Hour)
	tr.tried()
	tr.must(3, "--clock-is-right")
	tr.says("overdue", "no verified copy was seen since 2026-11-21T06:00:00Z")
	tr.count(zoneA, 65)
}

func TestSameInputsSameBytes(t *testing.T) {
	one := published(t)
	two := newTree(t)
	for _, z := range []zone.Name{zoneA, zoneB} {
		if err := os.RemoveAll(two.path("keys/" + z.File())); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(two.path("keys-copy"), os.DirFS(one.path("keys"))); err != nil {
		t.Fatal(err)
	}
	for _, z := range []zone.Name{zoneA, zoneB} {
		entries, _ := os.ReadDir(two.path("keys-copy/" + z.File()))
		for _, e := range entries {
			if err := os.Chmod(two.path("keys-copy/"+z.File()+"/"+e.Name()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	two.must(0, "keys") // there are none
	if err := os.RemoveAll(two.path("keys")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(two.path("keys-copy"), two.path("keys")); err != nil {
		t.Fatal(err)
	}
	two.must(0, "init", "--accept", "110")
	for _, name := range []string{zoneA.File(), zoneB.File(), "generation.json"} {
		a, err1 := os.ReadFile(one.path("public/current/" + name))
		b, err2 := os.ReadFile(two.path("public/current/" + name))
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s differs: %v, %v", name, err1, err2)
		}
	}
}

func TestPlanChangesNothing(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	for _, args := range [][]string{{"plan"}, {"--dry-run"}, {"plan", "--json"}} {
		tr.must(0, args...)
		tr.says("40.10.27.in-addr.arpa.")
	}
	if g := tr.current(); g.Number != 1 {
		t.Errorf("generation %d", g.Number)
	}
}

func TestUsage(t *testing.T) {
	tr := newTree(t)
	tr.must(2, "frobnicate")
	tr.must(2, "--now", "tomorrow")
	tr.must(2, "init")
	tr.must(0, "--help")
	tr.says("Exit codes: 0 published")
}

func TestLostKeysAreNotReplaced(t *testing.T) {
	tr := published(t)
	if err := os.RemoveAll(tr.path("keys/" + zoneA.File())); err != nil {
		t.Fatal(err)
	}
	tr.must(1, "keys", "init")
	tr.says("27.in-addr.arpa is published with key", "restore", "keys init --lost -m REASON 27.in-addr.arpa")
	tr.must(0, "keys", "init", "--lost", "-m", "test", "27.in-addr.arpa")
	tr.must(3) // key-lost
	tr.current()
}

func TestHistory(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	tr.must(0, "history")
	lines := strings.Split(strings.TrimSpace(tr.out.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], "build") || !strings.HasSuffix(lines[1], "current") || !strings.Contains(lines[2], "init") {
		t.Errorf("history:\n%s", tr.out.String())
	}
	tr.must(0, "history", "--json")
	tr.says(`"changed": [`, `"27.in-addr.arpa."`)
}

func TestRollbackPassesGenerationsOfNotices(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	tr.later(4 * 24 * time.Hour) // a notice of age makes a generation
	tr.tried()
	tr.must(0, "--clock-is-right")
	if n := tr.current().Number; n != 3 {
		t.Fatalf("generation %d", n)
	}
	tr.must(3, "rollback")
	tr.count(zoneA, 65)
	tr.must(2, "rollback", "0")
}

func TestNeverFetched(t *testing.T) {
	tr := newTree(t)
	tr.write("nirzone.toml", strings.Replace(treeConfig, "[[zones]]", "[[source]]\nname = \"TWNIC\"\nurl = \"https://127.0.0.1/{zone}-{name}\"\nzones = \"listed\"\nrequire = [\"md5\"]\n[[zones]]", 1))
	tr.must(0, "plan")
	tr.says("never-fetched", "zonefetch --source TWNIC")
	tr.must(3, "init", "--accept", "110")
}
