package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

func (tr *tree) shadow(code int) shadowReport {
	tr.t.Helper()
	tr.must(code, "--shadow", tr.path("served"), "--json")
	var r shadowReport
	if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil {
		tr.t.Fatal(err)
	}
	return r
}

// TestShadowDays: a week of runs, one of which finds something.
func TestShadowDays(t *testing.T) {
	tr := live(t)
	for day := 1; day <= 3; day++ {
		for range 3 {
			if r := tr.shadow(0); r.CleanDays != day || r.Differences != 0 || len(r.NotCompared) == 0 {
				t.Fatalf("day %d: %+v", day, r)
			}
			tr.later(2 * time.Hour)
		}
		tr.later(18 * time.Hour)
	}
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 39))
	r := tr.shadow(3)
	if r.CleanDays != 0 || r.Differences != 1 || r.Zones[0].Differences[0].Kind != zone.DiffMissing || r.Zones[0].Differences[0].Lines[0] != "- 39.10.27.in-addr.arpa. NS ns1.jpnic.example., NS ns2.jpnic.example." {
		t.Errorf("%+v", r)
	}
	tr.must(3, "--shadow", tr.path("served"))
	tr.says("missing", "- 39.10.27.in-addr.arpa.", "0 clean days in a row")
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40))
	if r := tr.shadow(0); r.CleanDays != 0 {
		t.Errorf("the day was not clean: %+v", r)
	}
	tr.later(48 * time.Hour) // a day without a run is neither
	if r := tr.shadow(0); r.CleanDays != 1 || r.Runs != 13 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Lstat(tr.path("public")); err == nil {
		t.Error("something was published")
	}
	if _, err := os.Lstat(tr.path("keys")); err == nil {
		t.Error("keys were made")
	}
}

// TestShadowParts: a run that leaves zones out makes no day a clean one, but what
// it finds makes one unclean.
func TestShadowParts(t *testing.T) {
	tr := live(t)
	part := func(code int, files ...string) shadowReport {
		t.Helper()
		var args []string
		for _, f := range files {
			args = append(args, "--shadow", tr.path("served/"+f+".signed"))
		}
		tr.must(code, append(args, "--json")...)
		var r shadowReport
		if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 3 {
		if r := part(0, "42.in-addr.arpa"); r.CleanDays != 0 || r.Whole {
			t.Fatalf("one zone of two: %+v", r)
		}
		tr.later(24 * time.Hour)
	}
	tr.must(0, "--shadow", tr.path("served/42.in-addr.arpa.signed"))
	tr.says("1 of 2 zones of the configuration have no file", "0 clean days in a row")
	if r := part(0, "42.in-addr.arpa", "27.in-addr.arpa"); r.CleanDays != 1 || !r.Whole {
		t.Fatalf("both zones: %+v", r)
	}
	tr.later(24 * time.Hour)
	if r := part(0, "27.in-addr.arpa"); r.CleanDays != 1 { // yesterday
		t.Errorf("a part after a clean day: %+v", r)
	}
	tr.later(24 * time.Hour)
	if r := tr.shadow(0); r.CleanDays != 2 {
		t.Errorf("two whole days: %+v", r)
	}
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 39))
	if r := part(3, "27.in-addr.arpa"); r.CleanDays != 0 {
		t.Errorf("a part that differs: %+v", r)
	}
}

// TestShadowIgnores: what another signer does otherwise is no difference.
func TestShadowIgnores(t *testing.T) {
	tr := live(t)
	tr.edit(zoneA, func(s string) string {
		var b strings.Builder
		for line := range strings.Lines(s) {
			if f := strings.Fields(line); f[3] != "RRSIG" && f[3] != "ZONEMD" {
				b.WriteString(line)
			}
		}
		return b.String() + "27.in-addr.arpa.\t0\tIN\tTYPE65534\t\\# 5 0d37390001\n27.in-addr.arpa.\t0\tIN\tNSEC3PARAM\t1 0 10 abcd\n"
	})
	tr.shadow(0)
	tr.edit(zoneA, func(s string) string { return s + "27.in-addr.arpa.\t0\tIN\tTXT\t\"seen\"\n" })
	if r := tr.shadow(3); r.Zones[0].Differences[0].Kind != zone.DiffApex {
		t.Errorf("%+v", r)
	}
}

// TestShadowFails: a zone that cannot be compared is no clean one.
func TestShadowFails(t *testing.T) {
	tr := live(t)
	before := tr.snapshot()
	tr.must(0, "--shadow", tr.path("served"), "--dry-run")
	if after := tr.snapshot(); len(before) != len(after) {
		t.Error("a dry run wrote something")
	}
	tr.write("served/27.in-addr.arpa.signed", "; Transfer failed.\n")
	r := tr.shadow(3)
	if r.Differences != 1 || r.CleanDays != 0 || !strings.Contains(r.Zones[0].Failed, "cut short") {
		t.Errorf("%+v", r)
	}
	if err := os.Remove(tr.path("served/27.in-addr.arpa.signed")); err != nil {
		t.Fatal(err)
	}
	if r := tr.shadow(0); !r.Zones[0].Absent || r.Zones[1].Absent {
		t.Errorf("%+v", r)
	}
	tr.must(0, "--shadow", tr.path("served/42.in-addr.arpa.signed"))
	tr.must(1, "--shadow", tr.path("registry"))
	tr.write("state/shadow.json", "{")
	tr.must(1, "--shadow", tr.path("served"))
	tr.says("move it away")
}
