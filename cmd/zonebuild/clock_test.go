package main

import (
	"os"
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
		"behind, named":                   {clockView{now: at(-1), wall: at(-1), named: true, prev: at(0), seen: at(0)}, true},
		"a day ahead":                     {clockView{now: at(24), wall: at(24), prev: at(0), seen: at(0)}, true},
		"over a day ahead":                {clockView{now: at(25), wall: at(25), prev: at(0), seen: at(0)}, false},
		"ahead of all, the clock behind":  {clockView{now: at(25), wall: at(0), named: true, seen: at(0)}, false},
		"the year 2099":                   {clockView{now: at(24 * 365 * 73), wall: at(0), named: true, seen: at(0)}, false},
		"named, as the clock says":        {clockView{now: at(99), wall: at(99), named: true, seen: at(0)}, true},
		"named, observed by another host": {clockView{now: at(99), wall: at(0), named: true, seen: at(98)}, true},
		"named, of the past":              {clockView{now: at(-99), wall: at(0), named: true, seen: at(0)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.view.doubt()
			if (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
			if err != nil && shell.HintOf(err) == "" {
				t.Error("no hint")
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
