package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
)

func TestClockDoubt(t *testing.T) {
	at := func(h int) time.Time {
		return time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC).Add(time.Duration(h) * time.Hour)
	}
	for name, tt := range map[string]struct {
		view clockView
		ok   bool
	}{
		"first run":                       {clockView{now: at(0), wall: at(0), seen: at(0)}, true},
		"nothing is known":                {clockView{now: at(9999), wall: at(9999)}, true},
		"a cycle later":                   {clockView{now: at(2), wall: at(2), prev: at(0), seen: at(1)}, true},
		"behind what is published":        {clockView{now: at(-1), wall: at(-1), prev: at(0), seen: at(0)}, false},
		"behind, named":                   {clockView{now: at(-1), wall: at(-1), named: true, prev: at(0), seen: at(0)}, false},
		"named, as what is published":     {clockView{now: at(0), wall: at(9), named: true, prev: at(0), seen: at(0)}, true},
		"behind the last run":             {clockView{now: at(5), wall: at(5), prev: at(0), last: at(6), seen: at(6)}, false},
		"behind the last run, named":      {clockView{now: at(5), wall: at(9), named: true, prev: at(0), last: at(6), seen: at(6)}, false},
		"twenty hours ahead, named":       {clockView{now: at(20), wall: at(0), named: true, seen: at(0)}, false},
		"signatures allow for it, named":  {clockView{now: at(20), wall: at(0), named: true, seen: at(0), inception: 20 * time.Hour}, true},
		"a day ahead":                     {clockView{now: at(24), wall: at(24), prev: at(0), seen: at(0)}, true},
		"over a day ahead":                {clockView{now: at(25), wall: at(25), prev: at(0), seen: at(0)}, false},
		"ahead of all, the clock behind":  {clockView{now: at(25), wall: at(0), named: true, seen: at(0)}, false},
		"the year 2099":                   {clockView{now: at(24 * 365 * 73), wall: at(0), named: true, seen: at(0)}, false},
		"named, as the clock says":        {clockView{now: at(99), wall: at(99), named: true, seen: at(0)}, true},
		"named, observed by another host": {clockView{now: at(99), wall: at(0), named: true, seen: at(98)}, true},
		"named, of the past":              {clockView{now: at(-99), wall: at(0), named: true, seen: at(0)}, true}, // nothing is published
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.view.doubt()
			if (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
			if hint := shell.HintOf(err); err != nil && (hint == "" || strings.Contains(hint, "--lost")) {
				t.Errorf("hint %q", hint)
			}
		})
	}
}

// TestClockAhead: nothing is published by a time that nobody has seen, unless a
// person says so; and a host whose zonefetch is broken goes on signing.
func TestClockAhead(t *testing.T) {
	tr := published(t)
	tr.later(25 * time.Hour)
	tr.must(1)
	tr.says("over a day before", "--clock-is-right")
	tr.must(1) // a refused run is no observation
	if g := tr.current(); g.Number != 1 {
		t.Fatalf("generation %d", g.Number)
	}
	tr.must(0, "plan")
	tr.must(0, "--clock-is-right")
	for range 4 { // nobody fetches any more, but the clock goes on
		tr.later(23 * time.Hour)
		if code := tr.run(); code != 0 && code != 3 {
			t.Fatalf("exit %d\n%s", code, tr.err.String())
		}
	}
	if g := tr.current(); g.Number < 2 || !g.Time.Equal(tr.now) {
		t.Errorf("generation %d of %v", g.Number, g.Time)
	}
}

// TestFarNow: --now in the far future publishes nothing, by any command.
func TestFarNow(t *testing.T) {
	tr := newTree(t)
	tr.must(1, "init", "--accept", "110", "--now", "2099-01-01")
	tr.says("zonebuild plan --now 2099-01-01T00:00:00Z")
	if _, err := os.Lstat(tr.path("public/current")); err == nil {
		t.Fatal("something was published")
	}
	tr.must(0, "init", "--accept", "110")
	tr.must(1, "--now", "2099-01-01")
	tr.must(1, "rollback", "--now", "2099-01-01")
	if g := tr.current(); g.Number != 1 {
		t.Errorf("generation %d", g.Number)
	}
	tr.must(0, "--dry-run", "--now", "2099-01-01")
	tr.must(3, "--now", "2099-01-01", "--clock-is-right")
	if g := tr.current(); g.Number != 2 || g.Time.Year() != 2099 {
		t.Errorf("generation %d of %v", g.Number, g.Time)
	}
}

// TestClockJump: that zonefetch was started says nothing about the time.
func TestClockJump(t *testing.T) {
	tr := published(t)
	tr.later(365 * 24 * time.Hour)
	tr.manifest.Time = tr.now // it reached nobody
	tr.write("spool/manifest.json", string(tr.manifest.Encode()))
	tr.must(1)
	tr.says("over a day before")
}

// TestClockPause: a time that nobody confirms is taken for a day, because signing
// has to go on, but it is told as soon as signatures might be of the future.
func TestClockPause(t *testing.T) {
	tr := published(t)
	for _, step := range []struct {
		after time.Duration
		fetch bool
		exit  int
		says  string
	}{
		{6 * time.Hour, false, 0, "no notice is open"},
		{7 * time.Hour, false, 3, "signatures made now are not valid yet"},
		{20 * time.Hour, false, 3, "ahead by more than 60 min (signing.inception)"},
		{2 * time.Hour, false, 0, "no notice is open"},
		{20 * time.Hour, true, 0, "its clock has jumped"}, // or there was a pause: what was fetched is of the same clock
		{2 * time.Hour, true, 0, "no notice is open"},
	} {
		tr.later(step.after)
		if step.fetch {
			tr.seen()
		}
		tr.must(step.exit)
		tr.says(step.says)
	}
	tr.write("nirzone.toml", strings.Replace(treeConfig, "[publish]", "[signing]\ninception = \"25h\"\n[publish]", 1))
	tr.later(20 * time.Hour)
	tr.must(0) // signatures are valid by any time that is taken
}

// TestNamedPast: naming a time publishes nothing of the past, by any command that
// publishes, and nobody is advised to make new keys because of it.
func TestNamedPast(t *testing.T) {
	tr := published(t)
	past := stamp(tr.now.Add(-time.Hour))
	tr.later(2 * time.Hour)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	for _, args := range [][]string{{}, {"rollback"}, {"rollback", "--release"}, {"init", "--accept", "0"}, {"--full"}} {
		tr.must(1, slices.Concat(args, []string{"--now", past})...)
		tr.says("--now is "+past, "signatures would go back in time", "zonebuild plan --now "+past, "--clock-is-right")
	}
	tr.must(0, "plan", "--now", past)
	tr.says("warning: --now is " + past)
	if all := tr.out.String() + tr.err.String(); strings.Contains(all, "--lost") {
		t.Errorf("it advises to make new keys:\n%s", all)
	}
	if g := tr.current(); g.Number != 2 {
		t.Fatalf("generation %d", g.Number)
	}
	tr.must(3, "--now", past, "--clock-is-right") // the keys are younger: the zones stand
	tr.says("set the clock right, or name a later time")
	if all := tr.out.String() + tr.err.String(); strings.Contains(all, "--lost") {
		t.Errorf("it advises to make new keys:\n%s", all)
	}
}

// TestClockBehindLastRun: a clock that is slow is seen although what is published
// is older still.
func TestClockBehindLastRun(t *testing.T) {
	tr := published(t)
	for range 3 {
		tr.later(cycle)
		tr.seen()
		tr.must(0)
	}
	if g := tr.current(); g.Number != 1 {
		t.Fatalf("generation %d", g.Number)
	}
	tr.later(-cycle)
	tr.must(1)
	tr.says("the last run was at", "--clock-is-right")
	tr.must(1) // it is not forgotten by that
	tr.must(0, "--clock-is-right")
	tr.must(0) // the time that a person said counts from here
}

// TestClockGoodCarried: what the last content run knew of the time outlives runs
// that fail, whatever they fail of.
func TestClockGoodCarried(t *testing.T) {
	for name, fail := range map[string]func(*tree){
		"refused for its clock": func(tr *tree) {
			tr.later(-3 * cycle)
			tr.must(1)
			tr.later(3 * cycle)
		},
		"broken generation.json": func(tr *tree) {
			note := fmt.Sprintf("public/generations/%d/generation.json", tr.current().Number)
			data, err := os.ReadFile(tr.path(note))
			if err != nil {
				t.Fatal(err)
			}
			tr.write(note, "{")
			tr.must(1)
			tr.write(note, string(data))
		},
		"a reload": func(tr *tree) { tr.must(0, "reload") },
	} {
		t.Run(name, func(t *testing.T) {
			tr := published(t)
			tr.later(5 * cycle)
			tr.seen()
			tr.must(0) // content, and nothing to publish: only the report knows of it
			if g := tr.current(); g.Number != 1 {
				t.Fatalf("generation %d", g.Number)
			}
			fail(tr)
			fail(tr)
			tr.later(-cycle)
			tr.must(1)
			tr.says("the last run was at 2026-11-21T06:05:00Z")
		})
	}
}
