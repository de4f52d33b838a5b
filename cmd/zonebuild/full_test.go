package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// TestLeftAloneIsFull: two trees in which the same things happen, one of which
// builds every zone in every run, publish the same bytes, say the same in
// generation.json and lay out the same for people.
func TestLeftAloneIsFull(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewSource(int64(seed)))
			one, two := published(t), twin(t)
			two.copyOf(one)
			left := 0
			for range 30 {
				step := rng.Int63()
				a, b := one.happens(step), two.happens(step, "--full")
				if a != b {
					t.Fatalf("exit %d, built in full %d\n%s%s", a, b, one.out.String(), two.out.String())
				}
				compareTrees(t, one, two)
				left += one.left()
			}
			if left < 3 {
				t.Errorf("only %d zones were ever left alone: this proves nothing", left)
			}
		})
	}
}

// twin returns a tree without anything in it.
func twin(t *testing.T) *tree { return newTree(t) }

// copyOf makes the tree a copy of another one.
func (tr *tree) copyOf(from *tree) {
	tr.t.Helper()
	tr.dir, tr.now, tr.manifest = filepath.Join(tr.t.TempDir(), "copy"), from.now, from.manifest
	err := filepath.WalkDir(from.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from.dir, path)
		to := filepath.Join(tr.dir, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.Mkdir(to, info.Mode().Perm())
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode().Perm())
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.manifest.Sources = slices.Clone(from.manifest.Sources)
	for i := range tr.manifest.Sources {
		s := &tr.manifest.Sources[i]
		s.Zones = slices.Clone(s.Zones)
		for k := range s.Zones {
			if s.Zones[k].Accepted != nil {
				accepted := *s.Zones[k].Accepted
				s.Zones[k].Accepted = &accepted
			}
		}
	}
}

// happens lets one thing happen that the seed chooses, and builds.
func (tr *tree) happens(seed int64, args ...string) int {
	rng := rand.New(rand.NewSource(seed))
	z := []zone.Name{zoneA, zoneB}[rng.Intn(2)]
	source := []string{"JPNIC", "JPNIC", "KRNIC"}[rng.Intn(3)]
	second := map[string]int{"JPNIC": 10, "KRNIC": 200}[source]
	tr.later(time.Duration(1+rng.Intn(40)) * 3 * time.Minute)
	if rng.Intn(3) == 0 {
		tr.seen()
	}
	switch rng.Intn(15) {
	case 0, 1:
		tr.feed(source, z, owners(z, second, 30+rng.Intn(20)))
	case 2:
		tr.accept(source, z, []byte("nonsense\n"))
	case 3: // impossible sets, and some above the registry's names
		tr.accept(source, z, odd(source, z, tr.now, owners(z, second, 35+rng.Intn(9)), rng))
	case 4:
		tr.registry(z, append(owners(z, 250, 3+rng.Intn(4)), owners(z, 10, rng.Intn(3))...))
	case 5:
		tr.write("registry/claims", "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n"+[]string{"", "KRNIC\t42.10.0.0/18\n", "ZNIC\t27.10.0.0/20\n"}[rng.Intn(3)])
	case 6:
		tr.write("nirzone.toml", treeConfig+[]string{"", "# a comment\n", "[gates]\npercent = 4\n"}[rng.Intn(3)])
	case 7:
		tr.must(0, "held", "--json")
		var list struct{ Holds []zone.Hold }
		if err := json.Unmarshal(tr.out.Bytes(), &list); err == nil && len(list.Holds) > 0 && list.Holds[0].Kind != zone.KindProbation {
			h := list.Holds[0]
			tr.must(0, "accept", h.Hash, "--removes", fmt.Sprint(len(h.Losses)), "-m", "a test")
		}
	case 8:
		tr.spoilPublished(z, true)
	case 9:
		tr.later(5 * 24 * time.Hour)
		tr.seen()
	case 10:
		tr.run(append([]string{"rollback", "--zone", z.File()}, args...)...)
	case 11:
		tr.run(append([]string{"rollback", "--release"}, args...)...)
	case 14:
		tr.write("registry/probation", []string{"KRNIC\n", "JPNIC\n", "# none\n"}[rng.Intn(3)])
	}
	return tr.run(append([]string{"--verbose", "--clock-is-right"}, args...)...)
}

// odd is a zonelet with sets that cannot be.
func odd(source string, z zone.Name, at time.Time, names []zone.Name, rng *rand.Rand) []byte {
	text := string(zonelet(source, z, at, names))
	bad := string(names[rng.Intn(len(names))])
	return []byte(strings.Replace(text, bad+"\tNS\tns1."+strings.ToLower(source)+".example.", bad+"\tNS\t192.0.2.1.", 1))
}

var seconds = regexp.MustCompile(`"seconds": [0-9.e-]+`)

// compareTrees compares all that two trees show to the world and to people.
func compareTrees(t *testing.T, one, two *tree) {
	t.Helper()
	a, b := one.shown(), two.shown()
	for name, text := range a {
		if b[name] != text {
			t.Fatalf("%s differs:\n%s\nbuilt in full:\n%s\n%s%s", name, text, b[name], one.out.String(), one.err.String())
		}
	}
	if len(a) != len(b) {
		t.Fatalf("%d files and %d", len(a), len(b))
	}
}

// shown returns the files that other programs and people look at.
func (tr *tree) shown() map[string]string {
	tr.t.Helper()
	files := map[string]string{}
	for _, dir := range []string{"public/current/", "state/held", "state/notices", "state/inputs", "state/accepts"} {
		entries, err := os.ReadDir(tr.path(dir))
		if err != nil && !os.IsNotExist(err) {
			tr.t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(tr.path(dir), e.Name()))
			if err != nil {
				tr.t.Fatal(err)
			}
			files[dir+"/"+e.Name()] = string(data)
		}
	}
	data, err := os.ReadFile(tr.path("state/report.json"))
	if err != nil {
		tr.t.Fatal(err)
	}
	files["report"] = seconds.ReplaceAllString(string(data), "")
	return files
}

// TestNotFinal: a set that is impossible stands as published, in the run in which
// something above hides it for the first time; in the next one it is not there
// any more. What is said of it changes without new input.
func TestNotFinal(t *testing.T) {
	tr := published(t)
	inside, above := owners(zoneA, 11, 1), []zone.Name{"11.27.in-addr.arpa."}
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 40), inside...))
	tr.must(0)
	tr.cycle()
	data := string(zonelet("JPNIC", zoneA, tr.now, append(owners(zoneA, 10, 40), inside...)))
	tr.accept("JPNIC", zoneA, []byte(strings.Replace(data, string(inside[0])+"\tNS\tns1.jpnic.example.", string(inside[0])+"\tNS\t192.0.2.1.", 1)))
	tr.registry(zoneA, append(owners(zoneA, 250, 5), above...))
	tr.must(0)
	if n := tr.notice("bad-ns"); !strings.Contains(n, "stands as published") {
		t.Errorf("at first: %q", n)
	}
	tr.must(0)
	if n := tr.notice("bad-ns"); !strings.Contains(n, "not published") {
		t.Errorf("then: %q", n)
	}
	tr.must(0, "--verbose")
	if n := tr.left(); n != 2 {
		t.Errorf("%d zones are left alone in the end", n)
	}
}

// notice returns the text of an open notice.
func (tr *tree) notice(code string) string {
	for _, n := range tr.current().Notices {
		if n.Code == code {
			return n.Text
		}
	}
	return ""
}

// TestSilentCorruption: what changes in a published file without any trace in
// the file system is found and mended within two days of runs.
func TestSilentCorruption(t *testing.T) {
	tr := published(t)
	tr.rest()
	tr.spoilPublished(zoneA, true)
	forget(tr, "public:"+zoneA.File(), tr.path("public/current/"+zoneA.File()))
	for run := range sightShare + 2 {
		tr.must(0)
		if strings.Contains(tr.out.String(), "mended") {
			if run == 0 {
				t.Error("the traces were not forged: this proves nothing")
			}
			tr.current()
			return
		}
	}
	t.Error("nobody noticed")
}

// forget makes the sight believe that a file is as it was seen.
func forget(tr *tree, name, path string) {
	tr.t.Helper()
	s := openSight(tr.fs, tr.path("state/sight.json"), false)
	info, err := os.Stat(path)
	if err != nil {
		tr.t.Fatal(err)
	}
	k, ok := s.known[name]
	if !ok {
		tr.t.Fatalf("%s was never seen", name)
	}
	k.trace, _ = traceOf(info)
	k.Round = s.round // it is not its turn to be read again
	s.known[name], s.again = k, nil
	for { // until the file system's clock has moved on
		if err := s.save(); err != nil {
			tr.t.Fatal(err)
		}
		if info, err := os.Stat(s.file); err != nil || info.ModTime().UnixNano() > k.Changed {
			return
		}
	}
}

// TestRunwayAlarmAtRest: a run that leaves every zone alone still sees how long
// the signatures last. Policy has it that they last long enough until they are
// due; here generation.json says that they do not.
func TestRunwayAlarmAtRest(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", strings.Replace(treeConfig, "rir =", "metrics = \"metrics\"\nrir =", 1))
	tr.must(0)
	g := tr.current()
	for i := range g.Zones {
		g.Zones[i].Expires = tr.now.Add(8 * 24 * time.Hour)
	}
	tr.write("public/current/generation.json", string(g.Encode()))
	tr.must(3, "--verbose")
	if n := tr.left(); n != 2 {
		t.Errorf("%d zones were left alone", n)
	}
	if n := tr.notice("runway"); !strings.Contains(n, "ends on 2026-11-29T06:00:00Z") {
		t.Errorf("no alarm: %q", n)
	}
	for _, want := range []string{`nirzone_zonebuild_zone_expires_timestamp_seconds{zone="27.in-addr.arpa"} 1.7959`, "nirzone_zonebuild_alarms 2\n"} {
		if m := tr.metrics(); !strings.Contains(m, want) {
			t.Errorf("%s is not in\n%s", want, m)
		}
	}
	tr.must(3)
	tr.says("nothing to do")
}

// TestNoDraft: a run with nothing to do touches nothing below public.
func TestNoDraft(t *testing.T) {
	tr := published(t)
	tr.rest()
	before, err := os.Stat(tr.path("public/generations"))
	if err != nil {
		t.Fatal(err)
	}
	tr.later(time.Minute)
	tr.must(0)
	after, err := os.Stat(tr.path("public/generations"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("something was made in it: %v", err)
	}
	draft := tr.path("public/generations/.draft-2")
	if err := os.Mkdir(draft, 0o755); err != nil { // a crash left it
		t.Fatal(err)
	}
	tr.must(0)
	if _, err := os.Stat(draft); !os.IsNotExist(err) {
		t.Errorf("the draft of a crash stands: %v", err)
	}
	if g := tr.current(); g.Number != 1 {
		t.Errorf("generation %d", g.Number)
	}
}

// TestLaidOutAgain: what people look at is put back by a run with nothing else to
// do.
func TestLaidOutAgain(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 5))
	tr.must(3)
	tr.must(3)
	want := tr.shown()
	held, err := filepath.Glob(tr.path("state/held/*"))
	if err != nil || len(held) != 1 {
		t.Fatalf("%v, %v", held, err)
	}
	for _, do := range []func(){
		func() { _ = os.Remove(held[0]) },
		func() { spoil(t, tr.path("state/notices/KRNIC.txt"), true) },
		func() { tr.write("state/notices/OLD.txt", "x") },
		func() { tr.write("state/settled.json", "{") },
		func() { tr.write("state/sight.json", `{"version": 1, "files": {"x"`) },
		func() { tr.write("state/inputs/"+strings.Repeat("0", 64), "x") },
	} {
		do()
		tr.must(3)
		got := tr.shown()
		for name, text := range want {
			if name != "report" && got[name] != text {
				t.Errorf("%s is %q, not %q", name, got[name], text)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d files, not %d", len(got), len(want))
		}
	}
}
