package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// TestDoctorHost: what cron's programs left, one thing at a time.
func TestDoctorHost(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	good := zone.Attempt{Time: at.Add(-time.Hour), Outcome: zone.OutcomeNew}
	kept := zone.Attempt{Time: at.Add(-time.Hour), Outcome: zone.OutcomeKept, Reason: "its sum is wrong"}
	whois := &zone.Source{Name: "JPNIC", Whois: "https://h/jpnic.db.gz", StaleAfter: 4 * time.Hour}
	both := &zone.Source{Name: "JPNIC", URL: "https://h/{zone}", Whois: whois.Whois}
	of := func(a zone.Attempt) *zone.Manifest {
		return &zone.Manifest{Dumps: []zone.DumpEntry{{Source: "JPNIC", Last: a}}}
	}
	fetched := func(s *zone.Source, m *zone.Manifest) func(*doctor) {
		return func(d *doctor) { d.source(s, m); d.dump(s, m) }
	}
	for name, c := range map[string]struct {
		look func(*doctor)
		want string // what of each finding
	}{
		"whois alone":          {fetched(whois, of(good)), ""},
		"whois alone, untried": {fetched(whois, &zone.Manifest{}), "look fetch of JPNIC/whois: it was never tried"},
		"whois alone, kept":    {fetched(whois, of(kept)), "bad fetch of JPNIC/whois: its sum is wrong"},
		"whois alone, stale":   {fetched(whois, of(zone.Attempt{Time: at.Add(-5 * time.Hour)})), "bad fetch of JPNIC/whois: it was last tried at 2026-11-21 07:00, 5h0m0s ago: does cron run zonefetch?"},
		"both, zonelets new":   {fetched(both, of(good)), "look fetch of JPNIC: it was never tried"},
		"probation":            {func(d *doctor) { d.held([]zone.Hold{{Kind: zone.KindProbation, Source: "JPNIC"}}) }, ""},
		"held": {func(d *doctor) {
			d.held([]zone.Hold{{Kind: zone.KindRemoved, Source: "JPNIC", Zone: "202.in-addr.arpa."}})
		}, "look build: a change of JPNIC in 202.in-addr.arpa is held"},
		"built in time":        {func(d *doctor) { d.ran(at.Add(-5*time.Hour), at.Add(-time.Hour)) }, ""},
		"built late":           {func(d *doctor) { d.ran(at.Add(-6*time.Hour), at.Add(-time.Hour)) }, "bad build: zonefetch ran at 2026-11-21 11:00, and zonebuild last at 2026-11-21 06:00: does cron run it?"},
		"never fetched":        {func(d *doctor) { d.ran(at, time.Time{}) }, ""},
		"not known when built": {func(d *doctor) { d.ran(time.Time{}, at) }, ""},
	} {
		d := &doctor{at: at}
		c.look(d)
		var got []string
		for _, f := range d.list {
			got = append(got, f.State+" "+f.What+": "+f.Text)
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	cfg := &zone.Config{State: t.TempDir()}
	if ran := lastRun(cfg); !ran.IsZero() {
		t.Errorf("nobody knows, and it was at %s", ran)
	}
	if err := os.WriteFile(filepath.Join(cfg.State, "report.json"), []byte(`{"version":1,"time":"2026-11-21T11:30:00Z","clock_good":"2026-11-21T11:00:00Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if ran := lastRun(cfg); !ran.Equal(at.Add(-time.Hour)) {
		t.Errorf("%s", ran)
	}
}
