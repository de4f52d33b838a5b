package main

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"nirzone/zone/publish"
)

// planned is what "plan --json" says.
func (tr *tree) planned(args ...string) planReport {
	tr.t.Helper()
	tr.must(0, append([]string{"plan", "--json"}, args...)...)
	var p planReport
	must(tr.t, json.Unmarshal(tr.out.Bytes(), &p))
	return p
}

// TestPlanTotals: the total is of all zones, and what would change of how many.
func TestPlanTotals(t *testing.T) {
	tr := newTree(t)
	tr.must(0, "plan")
	tr.says("2 of 2 zones would change: 2 new")
	tr = published(t)
	tr.later(cycle)
	tr.seen()
	all := tr.current()
	want := all.Zones[0].Delegations + all.Zones[1].Delegations
	tr.must(0, "plan")
	tr.says("nothing would change: generation 1 stands", "total")
	if p := tr.planned(); !p.Nothing || p.Changing != 0 || p.Delegations != want || p.Current != 1 || p.Zones[0].Change != changeNone {
		t.Errorf("of %d delegations: %+v", want, p)
	}
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0, "plan")
	tr.says("1 of 2 zones would change: 1 in their delegations")
	tr.notSays("nothing would change")
	p := tr.planned()
	if p.Nothing || p.Changing != 1 || p.Delegations != want+1 || p.Zones[0].Change != changeContent || p.Zones[1].Change != changeNone {
		t.Errorf("of %d delegations: %+v", want+1, p)
	}
	tr.must(0)
	if after := tr.current(); after.Zones[0].SHA256 == all.Zones[0].SHA256 || after.Zones[1].SHA256 != all.Zones[1].SHA256 {
		t.Error("the run did something else")
	}
}

// TestPlanForesees: over a slot of days, with feeds that say the same in another
// file now and then, what the plan says of each file is what the run does to it.
func TestPlanForesees(t *testing.T) {
	tr := published(t)
	seen := map[string]int{}
	for i := range 40 {
		tr.later(8 * hours)
		tr.seen()
		if i%7 == 3 {
			tr.feed("JPNIC", zoneB, owners(zoneB, 10, 40)) // of another time
		}
		if i%11 == 5 {
			tr.feed("KRNIC", zoneA, owners(zoneA, 200, 20+i/11))
		}
		p, before := tr.planned(), tr.current()
		tr.must(0)
		after := tr.current()
		if p.Nothing != (after.Number == before.Number) {
			t.Errorf("run %d: nothing to publish is %v in the plan; generation %d after %d", i, p.Nothing, after.Number, before.Number)
		}
		for _, z := range p.Zones {
			seen[z.Change]++
			if same := after.Zone(z.Zone).SHA256 == before.Zone(z.Zone).SHA256; same != (z.Change == changeNone) {
				t.Errorf("run %d: %s is %q in the plan", i, z.Zone, z.Change)
			}
		}
	}
	for _, c := range []string{changeNone, changeSigned, changeContent} {
		if seen[c] == 0 {
			t.Errorf("no file was %q: %v", c, seen)
		}
	}
}

// TestPlanShowsBegunKeys: what "keys roll" began is in the plan until it is
// published.
func TestPlanShowsBegunKeys(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.must(0, "keys", "roll", fileA, "--ksk")
	tr.must(0, "plan")
	tr.says("keys changed since, which the next run publishes", fileA+": KSK K", "comes into the DNSKEY set", "1 of 2 zones would change: 1 in keys")
	p := tr.planned()
	if len(p.Begun) != 1 || p.Begun[0].Zone != zoneA || p.Changing != 1 || p.Zones[0].Change != changeSigned {
		t.Errorf("%+v", p)
	}
	tr.must(0, "keys", "cds", fileB, "--delete", "-m", "test")
	tr.must(0, "plan")
	tr.says(fileB+": CDS and CDNSKEY ask for no DS", "2 of 2 zones")
	tr.must(0)
	tr.later(cycle)
	tr.seen()
	if p := tr.planned(); len(p.Begun) != 0 || !p.Nothing {
		t.Errorf("%+v", p)
	}
	tr.later(90 * days)
	tr.seen()
	tr.must(0, "plan")
	tr.says("key steps of the next run", "make ZSK")
	if strings.Contains(tr.out.String(), "nothing would change") {
		t.Error(tr.out.String())
	}
}

// TestPlanUnreadable: somebody who may not read the keys or the state is told so,
// and not that the zones are lost.
func TestPlanUnreadable(t *testing.T) {
	for _, dir := range []string{"keys", "state", "state/accepts"} {
		tr := published(t)
		tr.fs = closedFolder{tr.fs, tr.path(dir)}
		tr.must(1, "plan")
		tr.says("permission denied", "hint: run it as the user that owns it: ls -ld "+tr.path(""))
		tr.notSays("cannot be built", "adopt")
	}
}

// A closedFolder is a file system with a folder that this user may not read.
type closedFolder struct {
	publish.FS
	dir string
}

func (c closedFolder) ReadDir(dir string) ([]fs.DirEntry, error) {
	if dir == c.dir {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
	}
	return c.FS.ReadDir(dir)
}
