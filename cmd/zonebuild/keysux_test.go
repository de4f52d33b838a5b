package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/sign"
)

// notSays fails the test if the last run printed any of the texts.
func (tr *tree) notSays(texts ...string) {
	tr.t.Helper()
	all := tr.out.String() + tr.err.String()
	for _, x := range texts {
		if strings.Contains(all, x) {
			tr.t.Errorf("%q is in\n%s", x, all)
		}
	}
}

// TestLostKeys: new keys in the place of lost ones are a decision with a reason,
// which is kept, told of, and told of no more when the parent has followed.
func TestLostKeys(t *testing.T) {
	var have []zone.Data
	fakeParent(t, &have)
	tr := published(t)
	have = tr.wanted()
	must(t, os.RemoveAll(tr.path("keys/"+fileA)))
	tr.must(1, "keys", "init")
	tr.says("--lost -m REASON " + fileA)
	tr.must(1, "keys", "init", "--dry-run") // refuses what it refuses
	tr.must(2, "keys", "init", "--lost", fileA)
	tr.must(2, "keys", "init", "-m", "test") // nothing would keep it
	tr.must(0, "keys", "init", "--lost", "-m", "the disk died", "--dry-run")
	tr.says("would: ", "would decide: "+fileA)
	if keys, _ := sign.LoadKeys(tr.path("keys"), zoneA); len(keys) != 0 {
		t.Fatalf("a dry run made %d keys", len(keys))
	}
	tr.later(hours)
	tr.must(0, "keys", "init", "--lost", "-m", "the disk died")
	tr.says("decided: "+fileA, "is given up")
	tr.notSays(fileB)
	book, err := os.ReadFile(tr.path("state/keys/" + fileA + ".json"))
	must(t, err)
	if n := strings.Count(string(book), "the disk died"); n != 2 { // the loss, and the set
		t.Errorf("the reason is %d times in\n%s", n, book)
	}
	tr.later(hours)
	tr.seen()
	tr.must(3)
	tr.says("key-lost", "the disk died")
	tr.later(2 * hours)
	tr.seen()
	tr.must(3) // it stays open
	have = tr.wanted()
	tr.later(2 * hours)
	tr.seen()
	tr.must(0)
	if strings.Contains(tr.codes(), "key-lost") {
		t.Errorf("open: %s", tr.codes())
	}
}

// TestLostKeysAgain: a crash between the new keys and the decision leaves keys that
// nobody trusts; the same command goes on.
func TestLostKeysAgain(t *testing.T) {
	tr := published(t)
	must(t, os.RemoveAll(tr.path("keys/"+fileA)))
	tr.must(0, "keys", "init", "--lost", "-m", "first", fileA)
	book := must2(tr.app().readBook(zoneA))
	book.Trust, book.Lost = nil, nil
	must(t, os.WriteFile(tr.path("state/keys/"+fileA+".json"), book.Encode(), 0o600))
	tr.must(0, "keys", "init", "--lost", "-m", "again", fileA)
	tr.notSays("make KSK")
	tr.later(2 * hours)
	tr.seen()
	tr.must(3)
	if z := tr.current().Zone(zoneA); z.Carried != "" {
		t.Errorf("the new set is refused: %s", z.Carried)
	}
}

// TestKeysInitSparesLiveKeys: init does nothing to the keys of a published zone,
// whatever time it is called with.
func TestKeysInitSparesLiveKeys(t *testing.T) {
	tr := published(t)
	tr.later(2 * hours)
	tr.seen()
	tr.must(0, "keys", "roll", fileA, "--zsk")
	live := must2(filepath.Glob(tr.path("keys/" + fileB + "/*.private")))[0] // BIND planned for it
	must(t, os.WriteFile(live, append(must2(os.ReadFile(live)), "Inactive: 20991231000000\n"...), 0o600))
	before := tr.keyFiles()
	past := stamp(tr.now.Add(-30 * days))
	for _, args := range [][]string{
		{"init", "--lost", "-m", "test"},
		{"init"},
		{"roll", fileA, "--ksk"},
		{"roll", fileA, "--ksk", "--emergency"},
		{"step", fileA},
		{"cds", fileA, "--delete", "-m", "test"},
		{"trust", fileA, "--keys", "1", "-m", "test"},
	} {
		tr.must(1, append(append([]string{"keys"}, args...), "--now", past)...)
		tr.says("what is published was built at", "no key is changed by a time before that")
	}
	tr.must(1, "keys", "roll", fileA, "--ksk", "--now", stamp(tr.now.Add(30*days)))
	tr.says("a time that has not come")
	tr.must(0, "keys", "init", "--lost", "-m", "test")
	tr.says("every zone has its keys")
	tr.must(0, "keys", "init")
	if after := tr.keyFiles(); after != before {
		t.Errorf("the keys were\n%s\nand are\n%s", before, after)
	}
	tr.must(0, "keys", "--now", past) // to look is free
}

// keyFiles is what all private files hold.
func (tr *tree) keyFiles() string {
	var b strings.Builder
	for _, f := range must2(filepath.Glob(tr.path("keys/*/*.private"))) {
		b.WriteString(filepath.Base(f) + "\n" + string(must2(os.ReadFile(f))))
	}
	return b.String()
}

// TestKeysShowsProblems: a zone without its keys, and one whose key file is garbled,
// are shown as such, and the others as ever.
func TestKeysShowsProblems(t *testing.T) {
	tr := published(t)
	tr.must(0, "keys")
	must(t, os.Rename(tr.path("keys/"+fileB), tr.path("away")))
	tr.must(3, "keys")
	tr.says(fileA, "KSK", fileB, "problem", "holds no key", "keys init --lost -m REASON "+fileB)
	tr.must(3, "keys", "ds")
	tr.says(fileA+".\t", fileB)
	tr.must(3, "keys", "--json")
	var answer keysAnswer
	must(t, json.Unmarshal(tr.out.Bytes(), &answer))
	if len(answer.Keys) != 2 || len(answer.Problems) != 1 || answer.Problems[0].Zone != fileB {
		t.Errorf("%+v", answer)
	}
	must(t, os.Rename(tr.path("away"), tr.path("keys/"+fileB)))

	garbled := must2(filepath.Glob(tr.path("keys/" + fileA + "/*.private")))[0]
	must(t, os.WriteFile(garbled, []byte("garbled"), 0o600))
	tr.must(3, "keys")
	tr.says("problem", filepath.Base(garbled), fileB, "KSK")
	tr.must(3, "keys", "ds")
	tr.says(fileB+".\t", filepath.Base(garbled))
	tr.must(3, "keys", fileA)
	tr.notSays("nothing is planned")
	tr.must(0, "keys", fileB)
	tr.must(1, "keys", "approve", "00000000", "-m", "test")
	tr.says("0 key steps begin", filepath.Base(garbled))
}

// TestKeysBeforeInit: zones that nobody made keys for are no problem yet.
func TestKeysBeforeInit(t *testing.T) {
	tr := newTree(t)
	must(t, os.RemoveAll(tr.path("keys/"+fileB)))
	tr.must(0, "keys")
	tr.says(fileB, "no keys", "zonebuild keys init")
	tr.must(0, "keys", "--json")
	tr.says(`"without"`, fileB)
}

// TestKeysJSON: every answer is an object with a version.
func TestKeysJSON(t *testing.T) {
	tr := published(t)
	tr.later(hours) // keys of one second are of no age
	tr.must(0, "keys", "roll", fileA, "--ksk")
	hash := ""
	for _, r := range tr.rows() {
		hash += r.Hash
	}
	for _, args := range [][]string{
		{},
		{fileA},
		{"ds"},
		{"cds", fileA},
		{"cds", fileA, "--restore"},
		{"cds", fileA, "--delete", "-m", "test", "--dry-run"},
		{"init"},
		{"roll", fileA, "--zsk", "--dry-run"},
		{"roll", fileA, "--zsk"},
		{"step", fileA},
		{"approve", hash, "-m", "test"},
		{"export", fileA, tr.path("out"), "--dry-run"},
		{"export", fileA, tr.path("out")},
		{"import", fileA, tr.path("out")},
	} {
		tr.must(0, append(append([]string{"keys"}, args...), "--json")...)
		var answer struct {
			Version int
			DryRun  bool `json:"dry_run"`
		}
		if err := json.Unmarshal(tr.out.Bytes(), &answer); err != nil || answer.Version != 1 {
			t.Errorf("keys %v: %v: %s", args, err, tr.out.String())
		}
		if answer.DryRun != (len(args) > 0 && args[len(args)-1] == "--dry-run") {
			t.Errorf("keys %v: dry_run is %v", args, answer.DryRun)
		}
	}
}

// TestDecisionsDry: a dry run of a decision says what would be decided, and decides
// nothing.
func TestDecisionsDry(t *testing.T) {
	tr := published(t)
	book := func() string { return string(must2(os.ReadFile(tr.path("state/keys/" + fileA + ".json")))) }
	before := book()
	var tags []int
	for _, k := range must2(sign.LoadKeys(tr.path("keys"), zoneA)) {
		tags = append(tags, int(k.Tag))
	}
	set := join(tags)
	if tags[0] > tags[1] {
		set = join([]int{tags[1], tags[0]})
	}
	for _, args := range [][]string{{"cds", fileA, "--delete"}, {"trust", fileA, "--keys", set}} {
		args = append(append([]string{"keys"}, args...), "-m", "test")
		tr.must(0, append(args, "--dry-run")...)
		tr.says("would decide: " + fileA)
		tr.notSays("there is nothing to do", "next run publishes it")
		if book() != before {
			t.Errorf("%v wrote the book", args)
		}
		tr.must(0, args...)
		tr.says("decided: "+fileA, "the next run publishes it")
		tr.notSays("would", "there is nothing to do")
		if after := book(); after == before {
			t.Errorf("%v decided nothing", args)
		} else {
			before = after
		}
	}
	tr.must(0, "keys", "ds", fileA)
	tr.says("should have no DS")
	if tr.out.Len() > 0 {
		t.Errorf("a DS for a parent that is asked for none: %s", tr.out.String())
	}
	tr.must(0, "keys", "cds", fileA, "--restore")
	tr.says("decided: ")
	tr.must(0, "keys", "cds", fileA, "--restore")
	tr.says("name the keys already")
}

// TestRollUsage: what no zone could follow is a usage error, in the words of the
// flags.
func TestRollUsage(t *testing.T) {
	tr := published(t)
	tr.later(hours)
	for _, args := range [][]string{{fileA}, {fileA, "--csk", "--ksk"}, {fileA, "--emergency"}, {"--ksk"}, {"1.in-addr.arpa", "--ksk"}, {fileA, "--algorithm", "x"}} {
		tr.must(2, append([]string{"keys", "roll"}, args...)...)
	}
	tr.must(2, "keys", "roll", fileA)
	tr.says("--ksk", "--zsk", "--csk", "--algorithm")
	tr.must(0, "keys", "roll", fileA, "--ksk")
	tr.must(1, "keys", "roll", fileA, "--ksk")
	tr.says("--emergency")
}

// TestImportSays: an import is called one, and what comes next is said.
func TestImportSays(t *testing.T) {
	tr := published(t)
	other := newTree(t)
	from := other.path("keys/" + fileA)
	tr.must(0, "keys", "import", fileA, from, "--dry-run")
	tr.says("would: "+fileA, "import KSK", "import ZSK")
	tr.must(0, "keys", "import", fileA, from)
	tr.says("import KSK", "as a spare key", "zonebuild keys roll "+fileA)
	tr.notSays("make", "next run publishes")
	tr.must(0, "keys", "import", fileA, from)
	tr.says("here already")
	must(t, os.RemoveAll(other.path("keys")))
	must(t, os.RemoveAll(other.path("state/keys")))
	other.must(0, "keys", "import", fileA, tr.path("keys/"+fileA))
	other.says("with its times", "zonebuild keys init "+fileA)
	tr.must(0, "keys", "export", fileA, tr.path("out"), "--dry-run")
	tr.says("would be written")
}

// TestKeysHelp: every command of keys has an example, and each of them is one that
// the command takes.
func TestKeysHelp(t *testing.T) {
	tr := newTree(t)
	keys, _, err := command(tr.app()).Find([]string{"keys"})
	must(t, err)
	for _, c := range append(keys.Commands(), keys) {
		if c.Example == "" || c.Long == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			words := strings.Fields(line)
			if words[0] != "zonebuild" || !strings.HasPrefix(strings.TrimSpace(line), c.CommandPath()) {
				t.Errorf("%s: example %q", c.CommandPath(), line)
			}
			for _, w := range words {
				if name, ok := strings.CutPrefix(w, "--"); ok && c.Flag(name) == nil {
					t.Errorf("%s has no flag %s", c.CommandPath(), w)
				}
			}
		}
	}
}

// app is a zonebuild that has read its configuration.
func (tr *tree) app() *app {
	tr.t.Helper()
	sh := &shell.Shell{Name: "zonebuild", Stdout: &tr.out, Stderr: &tr.err, Clock: func() time.Time { return tr.now }}
	a := &app{Shell: sh, fs: tr.fs, config: tr.path("nirzone.toml")}
	must(tr.t, a.open())
	return a
}

// TestRollInYoungZone: docs/keys.md says that a roll in a zone younger than a slot
// makes most signatures anew when the new key takes over, and no others.
func TestRollInYoungZone(t *testing.T) {
	tr := published(t)
	tr.later(2 * hours)
	tr.seen()
	tr.must(0)
	tr.must(0, "keys", "roll", fileA, "--zsk")
	made := 0
	for range 30 {
		tr.later(2 * hours)
		tr.seen()
		tr.must(0)
		var r report
		must(t, json.Unmarshal(must2(os.ReadFile(tr.path("state/report.json"))), &r))
		if made = r.Zones[0].Signatures; strings.Contains(tr.states(), "retired") {
			break
		}
		if made > 20 { // a day's share, and the apex
			t.Errorf("%d signatures before the new key is active", made)
		}
	}
	if made < 40 { // of some 75
		t.Errorf("%d signatures in the run in which the new key took over", made)
	}
}

// TestKeysByTheTimeOfRuns: no key is changed by a time before the last run, which
// published nothing, nor by a clock that is over a day ahead of all that was seen.
func TestKeysByTheTimeOfRuns(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.later(4 * hours)
	tr.seen()
	tr.must(0) // there is nothing to publish
	if g := tr.current(); g.Time.After(start) {
		t.Fatalf("generation %d is of %s", g.Number, g.Time)
	}
	before := tr.keyFiles()
	last := tr.now
	tr.now = start.Add(2 * hours)
	tr.must(1, "keys", "roll", fileA, "--zsk")
	tr.says("the last run was at "+stamp(last), "no key is changed by a time before that")
	tr.now = last.Add(25 * hours)
	tr.must(1, "keys", "roll", fileA, "--zsk")
	tr.says("over a day before", "zonefetch", "--clock-is-right")
	tr.must(0, "keys", "roll", fileA, "--zsk", "--dry-run")
	if after := tr.keyFiles(); after != before {
		t.Errorf("the keys were\n%s\nand are\n%s", before, after)
	}
	tr.must(0, "keys", "roll", fileA, "--zsk", "--clock-is-right")
}

// TestKeysDSBookLost: a zone that is published with the request for no DS asks for
// none, also while the book that says who decided it cannot be read.
func TestKeysDSBookLost(t *testing.T) {
	tr := published(t)
	tr.later(2 * hours)
	tr.seen()
	tr.must(0, "keys", "cds", fileA, "--delete", "-m", "test")
	tr.must(0)
	tr.write("state/keys/"+fileA+".json", "{")
	tr.must(0, "keys", "ds", fileA)
	tr.says("should have no DS")
	if tr.out.Len() > 0 {
		t.Errorf("a DS for a parent that is asked for none: %s", tr.out.String())
	}
}
