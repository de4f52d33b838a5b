package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish/crashfs"
)

// decided returns what "held" lists of decisions.
func (tr *tree) decided() []decision {
	tr.t.Helper()
	tr.must(0, "held", "--json")
	var list struct {
		Version   int
		Holds     []zone.Hold
		Decisions []decision
	}
	if err := json.Unmarshal(tr.out.Bytes(), &list); err != nil || list.Version != 1 || list.Decisions == nil {
		tr.t.Fatalf("%v: %s", err, tr.out.String())
	}
	return list.Decisions
}

// TestWithdrawAccept: an accepted loss that has not happened is listed, and taken
// back it does not happen.
func TestWithdrawAccept(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	if d := tr.decided(); len(d) != 0 {
		t.Errorf("%+v", d)
	}
	tr.must(1, "accept", hash, "--withdraw")
	tr.says("no decision begins with", "there is none at all")
	tr.must(0, "accept", hash, "--removes", "15", "-m", "a slip")
	if d := tr.decided(); len(d) != 1 || d[0].Hash != hash || d[0].Owners != 15 || d[0].AdditionsOnly || !d[0].Held || d[0].Message != "a slip" || d[0].Withdraw != "zonebuild accept --withdraw "+hash[:12] {
		t.Errorf("%+v", d)
	}
	tr.must(0, "held")
	tr.says("accepted, for the next run", "a slip", "take back with zonebuild accept --withdraw")
	for _, wrong := range [][]string{{"--removes", "15"}, {"--additions-only"}, {"-m", "x"}} {
		tr.must(2, append([]string{"accept", hash, "--withdraw"}, wrong...)...)
	}
	before := tr.snapshot()
	tr.must(0, "accept", hash, "--withdraw", "--dry-run", "--json")
	if after := tr.snapshot(); !maps.Equal(before, after) {
		t.Error("something changed")
	}
	tr.must(0, "accept", hash[:8], hash, "--withdraw", "--json")
	var done withdrawn
	if err := json.Unmarshal(tr.out.Bytes(), &done); err != nil || done.Version != 1 || len(done.Withdrawn) != 1 || done.Withdrawn[0].Hash != hash {
		t.Errorf("%v: %s", err, tr.out.String())
	}
	if d := tr.decided(); len(d) != 0 {
		t.Errorf("%+v", d)
	}
	tr.next(twoHours)
	tr.must(3)
	tr.wantHeld("JPNIC removed 15")
	tr.count(zoneA, 65)
}

// TestWithdrawAdditionsOnly: without the decision the source is held whole again;
// what came in meanwhile stays published.
func TestWithdrawAdditionsOnly(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 3)...))
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--additions-only", "-m", "wait")
	tr.next(twoHours)
	tr.must(3)
	tr.count(zoneA, 68)
	if d := tr.decided(); len(d) != 1 || !d[0].AdditionsOnly || d[0].Owners != 15 || !d[0].Held {
		t.Errorf("%+v", d)
	}
	tr.must(0, "held")
	tr.says("additions only", "wait")
	tr.must(0, "accept", hash[:9], "--withdraw")
	tr.says("withdrew additions only of "+hash[:12], "held whole")
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 25), owners(zoneA, 11, 9)...))
	tr.must(3)
	tr.count(zoneA, 68)
	if h := tr.held(); len(h) != 1 || !h[0].Until.IsZero() {
		t.Errorf("%+v", h)
	}
}

// TestDecisionsListed: one whose change is not held any more, one that cannot be
// read, and one that is over.
func TestDecisionsListed(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--removes", "15", "-m", "x")
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40))
	tr.must(0)
	tr.must(0, "held")
	tr.says("nothing is held", "accepted, and not held now")
	bad := strings.Repeat("ab", 32)
	tr.write("state/accepts/"+bad+".json", "{")
	tr.must(0, "held")
	tr.says(bad[:12], "does not count: accepts/")
	tr.must(0, "accept", bad[:12], "--withdraw")
	if d := tr.decided(); len(d) != 1 || d[0].Held || d[0].Hash != hash {
		t.Errorf("%+v", d)
	}
	tr.later(8 * day)
	if d := tr.decided(); len(d) != 0 {
		t.Errorf("%+v", d)
	}
}

// TestPick: how many hashes begin with what was typed, and what to type.
func TestPick(t *testing.T) {
	hash := func(head string) string { return head + strings.Repeat("0", 64-len(head)) }
	list := []string{hash("3fa94c01"), hash("3fb00000001"), hash("3fb00000002"), hash("77")}
	for _, tt := range []struct {
		typed string
		index int // -1: refused
		want  string
	}{
		{"3fa94c01", 0, ""},
		{"3fb00000002", 2, ""},
		{"3fa", -1, `1 held change begins with "3fa", and at least 8 digits have to name it: type 3fa94c01`},
		{"3f", -1, `3 held changes begin with "3f": type 3fa94c01000, 3fb00000001 or 3fb00000002`},
		{"3fb00000", -1, `2 held changes begin with "3fb00000": type 3fb00000001 or 3fb00000002`},
		{"12345678", -1, `no held change begins with "12345678"; there are 4 others`},
		{"", -1, "4 held changes begin with"},
	} {
		i, err := pick(tt.typed, list, "held change", "held changes")
		var e *shell.Exit
		if tt.index >= 0 && (err != nil || i != tt.index) || tt.index < 0 && (!errors.As(err, &e) || e.Code != 1 || e.Hint != "zonebuild held" || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %d, %v", tt.typed, i, err)
		}
	}
	var many []string
	for i := range 9 {
		many = append(many, hash(fmt.Sprintf("ab%d", i)))
	}
	if _, err := pick("ab", many, "a", "as"); err == nil || !strings.Contains(err.Error(), "ab400000 or one of 4 more") {
		t.Errorf("%v", err)
	}
	if _, err := pick("ab", nil, "a", "as"); err == nil || !strings.Contains(err.Error(), "none at all") {
		t.Errorf("%v", err)
	}
}

// TestFlagsThatAreNoNumbers: what a flag takes is said in our words.
func TestFlagsThatAreNoNumbers(t *testing.T) {
	tr := published(t)
	for want, args := range map[string][]string{
		`invalid argument "abc" for "--removes" flag: it takes a whole number`: {"accept", "3fa94c01", "--removes", "abc", "-m", "x"},
		`invalid argument "x" for "--accept" flag: it takes a whole number`:    {"init", "--accept", "x"},
		`flag: it takes true or false`:                                         {"held", "--json=maybe"},
		`--removes -5 is no number of losses`:                                  {"accept", "3fa94c01", "--removes", "-5", "-m", "x"},
		`accept needs -m REASON and either`:                                    {"accept", "3fa94c01", "--removes", "1"},
	} {
		tr.must(2, args...)
		tr.says(want)
		if strings.Contains(tr.out.String()+tr.err.String(), "strconv") {
			t.Errorf("%v: %s", args, tr.err.String())
		}
	}
}

// TestHeldShowRecords: of what would go, the records are shown: of removed
// delegations, of those that would be hidden, and of a whole zone.
func TestHeldShowRecords(t *testing.T) {
	tr := newTree(t)
	list := plainFeed(zoneA, 10, 40)
	list[39].tag = 7
	tr.feedOf("JPNIC", zoneA, list)
	tr.must(0, "init", "--accept", "110")
	tr.next(twoHours)
	tr.feedOf("JPNIC", zoneA, list[:25])
	tr.write("nirzone.toml", strings.Replace(treeConfig, `, "42.in-addr.arpa"]`, "]", 1))
	tr.must(3)
	tr.wantHeld("JPNIC removed 15", "APNIC zone-dropped 45")
	show := func(h zone.Hold) (out struct {
		Version int
		Hash    string
		Lost    []lostOwner
	},
	) {
		t.Helper()
		tr.must(0, "held", "show", h.Hash, "--json")
		if err := json.Unmarshal(tr.out.Bytes(), &out); err != nil || out.Version != 1 || out.Hash != h.Hash {
			t.Fatalf("%v: %s", err, tr.out.String())
		}
		return out
	}
	for _, h := range tr.held() {
		got := show(h)
		if len(got.Lost) != h.Count() {
			t.Errorf("%s: %d owners, %d counted", h.Kind, len(got.Lost), h.Count())
		}
		for _, l := range got.Lost {
			if !slices.ContainsFunc(l.Records, func(r string) bool { return strings.HasPrefix(r, "NS ns1.") }) {
				t.Errorf("%s: %+v", h.Kind, l)
			}
		}
		tr.must(0, "held", "show", h.Hash)
		if h.Kind == zone.KindRemoved {
			tr.says("- 39.10.27.in-addr.arpa. 27.10.39.0/24\n    - NS ns1.jpnic.example.\n    - NS ns2.jpnic.example.\n    - DS 7 13 2 ")
		} else {
			tr.says("- 3.10.42.in-addr.arpa. 42.10.3.0/24\n    - NS ns1.jpnic.example.")
		}
	}
	data, err := os.ReadFile(tr.path("public/current/" + zoneA.File()))
	if err != nil {
		t.Fatal(err)
	}
	tr.write("public/current/"+zoneA.File(), string(data)+"\n")
	for _, h := range tr.held() {
		if h.Kind == zone.KindRemoved {
			tr.must(0, "held", "show", h.Hash)
			tr.says("warning: the records of what would be lost are not shown", "- 39.10.27.in-addr.arpa.")
		}
	}
}

// TestListsHaveVersions: every list is an object that says its version.
func TestListsHaveVersions(t *testing.T) {
	tr := published(t)
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	for _, tt := range []struct {
		args []string
		keys []string
	}{
		{[]string{"held"}, []string{"holds", "decisions"}},
		{[]string{"held", "show", hash}, []string{"hash", "losses", "lost"}},
		{[]string{"pins"}, []string{"pins"}},
		{[]string{"history"}, []string{"generations"}},
		{[]string{"accept", hash, "--removes", "15", "-m", "x"}, []string{"hashes", "removes", "expires"}},
		{[]string{"accept", hash, "--withdraw"}, []string{"withdrawn"}},
	} {
		tr.must(0, append(tt.args, "--json")...)
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(tr.out.Bytes(), &answer); err != nil || string(answer["version"]) != "1" {
			t.Errorf("%v: %v, %s", tt.args, err, tr.out.String())
		}
		for _, k := range tt.keys {
			if len(answer[k]) == 0 || string(answer[k]) == "null" {
				t.Errorf("%v: no %s in %s", tt.args, k, tr.out.String())
			}
		}
	}
}

// TestWithdrawDurable: a decision that was taken back does not come back with the
// power.
func TestWithdrawDurable(t *testing.T) {
	tr := published(t)
	tr.wrecks, tr.store = t.TempDir(), t.TempDir()
	tr.next(twoHours)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--removes", "15", "-m", "x")
	rec, err := crashfs.Record(tr.dir)
	if err != nil {
		t.Fatal(err)
	}
	start := len(rec.Log())
	tr.fs = rec
	tr.must(0, "accept", hash, "--withdraw")
	log := rec.Log()
	for steps := start; steps <= len(log); steps++ {
		for _, mode := range crashModes(steps) {
			w := tr.replay(log[:steps], mode, tr.now)
			_, err := os.Stat(w.path("state/accepts/" + hash + ".json"))
			if steps == start && err != nil || steps == len(log) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after step %d of %d, %s: %v", steps, len(log), mode, err)
			}
			w.decided()
		}
	}
}
