package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// probationOf is a tree in which KRNIC has been in probation from the first day.
func probationOf(t *testing.T) *tree {
	t.Helper()
	tr := newTree(t)
	tr.write("registry/probation", "KRNIC\n")
	tr.must(0, "init", "--accept", "90")
	return tr
}

func (tr *tree) delegationsOf(source string) int {
	n := 0
	for _, z := range tr.current().Zones {
		for _, c := range z.Counts {
			if c.Source == source {
				n += c.Delegations
			}
		}
	}
	return n
}

// TestProbationShown: nothing of a source in probation is published, all of it is
// shown, and the end of the probation publishes it.
func TestProbationShown(t *testing.T) {
	tr := probationOf(t)
	if n := tr.delegationsOf("KRNIC"); n != 0 {
		t.Fatalf("%d delegations of KRNIC are published", n)
	}
	tr.wantHeld("KRNIC probation 20")
	hash := tr.held()[0].Hash
	tr.must(0, "held", "show", hash[:8])
	tr.says("20 would be added, 0 changed, 0 removed", "+ NS ns1.krnic.example.", "nirctl nir activate KRNIC, then nirctl export")
	tr.must(1, "accept", hash, "--removes", "20", "-m", "let it in")
	tr.says("nobody can accept it", "nirctl nir activate KRNIC")
	tr.must(1, "accept", hash, "--additions-only", "-m", "let it in")
	if n := tr.notice("probation"); !strings.Contains(n, "20 would be added") {
		t.Errorf("notice: %q", n)
	}
	tr.must(0)
	tr.says("nothing to do")
	tr.cycle()
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 23))
	tr.must(0)
	tr.wantHeld("KRNIC probation 23")
	if n := tr.delegationsOf("KRNIC"); n != 0 {
		t.Errorf("%d delegations of KRNIC are published", n)
	}
	tr.cycle()
	tr.write("registry/probation", "# no source is in probation\n")
	tr.must(0)
	tr.wantHeld()
	if n := tr.delegationsOf("KRNIC"); n != 23 || tr.notice("probation") != "" {
		t.Errorf("%d delegations of KRNIC after the probation, notice %q", n, tr.notice("probation"))
	}
}

// TestProbationOfPublished: what is published of a source that comes into probation
// stands as it is, whatever its feed, its claims and others do around it.
func TestProbationOfPublished(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("registry/probation", "JPNIC\n")
	tr.must(0)
	tr.wantHeld()
	before := tr.current().Zone(zoneA)
	tr.cycle()
	list := plainFeed(zoneA, 10, 41)[15:]
	list[0].ns = "other"
	tr.feedOf("JPNIC", zoneA, list)
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(0)
	tr.wantHeld("JPNIC probation 17") // 15 go, one changes, one comes
	tr.must(0, "held", "show", tr.held()[0].Hash[:8])
	tr.says("1 would be added, 1 changed, 15 removed", "- NS ns1.jpnic.example.", "+ NS ns1.other.example.")
	after := tr.current().Zone(zoneA)
	if n := tr.delegationsOf("JPNIC"); n != 80 || after.Delegations != before.Delegations+1 {
		t.Errorf("JPNIC has %d, the zone %d", n, after.Delegations)
	}
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 20))
	tr.write("registry/probation", "# none\n")
	tr.must(3) // now the gates are its own again
	tr.wantHeld("JPNIC removed 20")
	if n := tr.delegationsOf("JPNIC"); n != 80 {
		t.Errorf("JPNIC has %d", n)
	}
}

// TestProbationGrownClaims: claims that grow over what the file said before let
// nothing more of it in.
func TestProbationGrownClaims(t *testing.T) {
	claims := "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/10\n%sKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n"
	tr := newTree(t)
	tr.write("registry/claims", fmt.Sprintf(claims, ""))
	tr.feed("JPNIC", zoneB, append(owners(zoneB, 10, 40), owners(zoneB, 100, 3)...)) // outside its claims
	tr.must(0, "init", "--accept", "110")
	tr.cycle()
	tr.write("registry/probation", "JPNIC\n")
	tr.write("registry/claims", fmt.Sprintf(claims, "JPNIC\t42.64.0.0/10\n"))
	tr.must(0)
	tr.wantHeld("JPNIC probation 3")
	if n := tr.delegationsOf("JPNIC"); n != 80 {
		t.Errorf("JPNIC has %d", n)
	}
}

// TestProbationUnreadable: a list that is not the one that was exported is not
// used; that of the current generation is.
func TestProbationUnreadable(t *testing.T) {
	claims := "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n"
	manifest := func(files ...zone.RegistryFile) string {
		m := zone.RegistryManifest{Version: 1, Files: files}
		return string(m.Encode())
	}
	whole := zone.RegistryFile{File: "claims", SHA256: digest([]byte(claims))}
	for name, c := range map[string]struct{ file, manifest, says string }{
		"cut short": {"KRN", "", "no line end"},
		"unsorted":  {"KRNIC\nJPNIC\n", "", "sort the lines"},
		"registry":  {"APNIC\n", "", "the registry itself"},
		"edited":    {"JPNIC\n", manifest(whole, zone.RegistryFile{File: "probation", SHA256: digest([]byte("KRNIC\n"))}), "half done"},
		"lost":      {"", manifest(whole, zone.RegistryFile{File: "probation", SHA256: digest([]byte("KRNIC\n"))}), "registry/manifest.json names it"},
		"gone":      {"", "", "registry/probation is missing, and KRNIC was in probation; write an empty list to end it"},
		"not sent":  {"", manifest(whole), "write an empty list to end it, with \"nirctl export\""},
		"unnamed":   {"# none\n", manifest(whole), "half done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := probationOf(t)
			tr.cycle()
			tr.write("registry/probation", c.file)
			if c.file == "" {
				os.Remove(tr.path("registry/probation"))
			}
			if c.manifest != "" {
				tr.write("registry/manifest.json", c.manifest)
			}
			tr.must(3)
			tr.says("registry-unreadable", c.says)
			if g := tr.current(); tr.delegationsOf("KRNIC") != 0 || !slices.Equal(g.Probation, []string{"KRNIC"}) {
				t.Errorf("KRNIC has %d, probation %v", tr.delegationsOf("KRNIC"), g.Probation)
			}
		})
	}
}

// TestProbationLost: a list that is gone ends nothing, however often it is looked
// for; an empty one does.
func TestProbationLost(t *testing.T) {
	tr := probationOf(t)
	tr.cycle()
	os.Remove(tr.path("registry/probation"))
	tr.must(3)
	tr.must(3)
	tr.says("nothing to do")
	tr.wantHeld("KRNIC probation 20")
	if n := tr.delegationsOf("KRNIC"); n != 0 {
		t.Errorf("%d delegations of KRNIC are published", n)
	}
	tr.write("registry/probation", "")
	tr.must(0)
	if n := tr.delegationsOf("KRNIC"); n != 20 || tr.notice("registry-unreadable") != "" {
		t.Errorf("%d delegations of KRNIC after the probation", n)
	}
}

// TestProbationUnknown: a name that is no source is an alarm in a list that a person
// wrote, and a warning in an exported one.
func TestProbationUnknown(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("registry/probation", "KRNIC\nKRNIK\n")
	tr.must(3)
	if n := tr.notice("probation-unknown"); !strings.HasPrefix(n, "KRNIK: no [[source]] of that name") {
		t.Errorf("notice %q", n)
	}
	m := zone.RegistryManifest{Version: 1}
	for _, name := range []string{"claims", "probation", zoneA.File() + "-APNIC", zoneB.File() + "-APNIC"} {
		data, err := os.ReadFile(tr.path("registry/" + name))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, zone.RegistryFile{File: name, SHA256: digest(data), Size: int64(len(data))})
	}
	tr.write("registry/manifest.json", string(m.Encode()))
	tr.must(0)
	if tr.notice("probation-unknown") == "" {
		t.Error("no notice")
	}
	os.Remove(tr.path("registry/manifest.json"))
	tr.write("registry/probation", "KRNIC\n")
	tr.must(0)
	if n := tr.notice("probation-unknown"); n != "" {
		t.Errorf("notice %q", n)
	}
}

// TestProbationMistyped: a list with a mistyped name in the place of a source lets
// nothing of the source in; one without it ends the probation.
func TestProbationMistyped(t *testing.T) {
	tr := probationOf(t)
	list := func(code, published int, notice, text string) {
		t.Helper()
		tr.cycle()
		tr.write("registry/probation", text)
		tr.must(code)
		if n := tr.delegationsOf("KRNIC"); n != published {
			t.Errorf("%d delegations of KRNIC are published after %q", n, text)
		}
		for _, code := range []string{"registry-unreadable", "probation-unknown"} {
			if n := tr.notice(code); (n != "") != (code == notice) {
				t.Errorf("notice %s after %q: %q", code, text, n)
			}
		}
	}
	list(3, 0, "registry-unreadable", "KRNIK\n")
	if n := tr.notice("registry-unreadable"); !strings.Contains(n, "registry/probation names KRNIK, which is no [[source]], and not KRNIC any more") {
		t.Errorf("notice %q", n)
	}
	tr.wantHeld("KRNIC probation 20")
	list(3, 0, "probation-unknown", "KRNIC\nKRNIK\n")
	list(3, 0, "registry-unreadable", "KRNIK\n")
	list(3, 0, "probation-unknown", "KRNIC\nKRNIL\n") // what is gone is no source
	list(0, 0, "", "krnic\n")
	list(0, 20, "", "JPNIC\n")
}

// TestProbationLeftAlone: a zone in which nothing is held but what a probation shows
// is not built again, and goes on showing it.
func TestProbationLeftAlone(t *testing.T) {
	tr := probationOf(t)
	alone := func(code, zones int, held ...string) {
		t.Helper()
		tr.must(code, "--verbose")
		if n := tr.left(); n != zones {
			t.Errorf("%d zones are left alone, not %d:\n%s", n, zones, tr.err.String())
		}
		if all := tr.out.String(); len(held) > 0 && !strings.Contains(all, "in probation: shown, and not published") {
			t.Errorf("the report does not show it:\n%s", all)
		}
		tr.wantHeld(held...)
	}
	tr.must(0)
	alone(0, 2, "KRNIC probation 20")
	first := tr.held()[0].Since
	tr.cycle()
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	alone(0, 1, "KRNIC probation 20")
	if h := tr.held()[0]; tr.current().Number != 2 || !h.Since.Equal(first) || tr.notice("probation") == "" {
		t.Errorf("generation %d, %+v", tr.current().Number, h)
	}
	tr.cycle()
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 23))
	alone(0, 1, "KRNIC probation 23")
	alone(0, 2, "KRNIC probation 23")
	if list, err := os.ReadDir(tr.path("state/held")); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	tr.remove("spool/" + zone.ObjectPath(tr.manifest.Source("KRNIC").Zone(zoneA).Accepted.SHA256))
	alone(3, 1)
}

// TestProbationOfPublishedLeftAlone: so is one in which something of the source is
// published.
func TestProbationOfPublishedLeftAlone(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("registry/probation", "JPNIC\n")
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	for range 3 {
		tr.must(0)
	}
	tr.must(0, "--verbose")
	if n := tr.left(); n != 2 {
		t.Errorf("%d zones are left alone", n)
	}
	tr.wantHeld("JPNIC probation 15")
}

// TestProbationOfNonsense: a file that does not parse is told to its source and
// alarms nobody else, also in runs that leave the zone alone.
func TestProbationOfNonsense(t *testing.T) {
	tr := newTree(t)
	tr.write("registry/probation", "krnic\n") // in any case of letters
	tr.accept("KRNIC", zoneA, []byte("nonsense\n"))
	tr.must(0, "init", "--accept", "90")
	if n := tr.notice("refused"); !strings.Contains(n, "refused whole") {
		t.Errorf("notice: %q", n)
	}
	tr.must(0, "--verbose")
	if n := tr.left(); n != 2 {
		t.Errorf("%d zones are left alone", n)
	}
}

// TestProbationRolledBack: a rollback of such a zone, and its end, publish nothing
// of the source either.
func TestProbationRolledBack(t *testing.T) {
	tr := probationOf(t)
	tr.later(time.Hour)
	tr.seen()
	tr.registry(zoneA, owners(zoneA, 250, 7))
	tr.must(0)
	tr.must(3, "rollback")
	tr.must(0, "rollback", "--release")
	if n := tr.delegationsOf("KRNIC"); n != 0 {
		t.Errorf("%d delegations of KRNIC are published", n)
	}
	tr.wantHeld("KRNIC probation 20")
}

// TestNoProbation: without the list, or with an empty one, a generation and what
// decides about a zone are the same, octet for octet.
func TestNoProbation(t *testing.T) {
	one, two := published(t), newTree(t)
	two.write("registry/probation", "# no source is in probation\n")
	two.must(0, "init", "--accept", "110")
	a, b := one.current(), two.current()
	for i := range a.Zones {
		if a.Zones[i].Delegations != b.Zones[i].Delegations || len(b.Zones[i].Kept)+len(b.Holds) != 0 || a.Zones[i].Basis == "" {
			t.Errorf("%+v\n%+v", a.Zones[i], b.Zones[i])
		}
	}
	for _, g := range []*zone.Generation{a, b} {
		if strings.Contains(string(g.Encode()), "probation") {
			t.Errorf("%s", g.Encode())
		}
	}
	two.must(0)
	two.says("nothing to do")
	os.Remove(two.path("registry/probation"))
	two.must(0, "--verbose")
	if n := two.left(); n != 2 {
		t.Errorf("%d zones are left alone", n)
	}
}
