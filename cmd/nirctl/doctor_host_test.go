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
	both := &zone.Source{Name: "JPNIC", URL: "https://h/{zone}", Whois: whois.Whois, StaleAfter: 4 * time.Hour}
	of := func(a zone.Attempt) *zone.Manifest {
		return &zone.Manifest{Dumps: []zone.DumpEntry{{Source: "JPNIC", Last: a}}}
	}
	fetched := func(s *zone.Source, m *zone.Manifest) func(*doctor) {
		return func(d *doctor) { d.source(s, m); d.dump(s, m) }
	}
	with := func(source, zonelet zone.Attempt) *zone.Manifest {
		m := of(good)
		m.Sources = []zone.SourceEntry{{Name: "JPNIC", Last: source, Zones: []zone.ZoneEntry{{Zone: "202.in-addr.arpa.", Last: zonelet}}}}
		return m
	}
	built := func(spoil func(*zone.GenerationZone)) func(*doctor) {
		z := zone.GenerationZone{Zone: "202.in-addr.arpa.", Due: at.Add(-time.Hour), Expires: at.AddDate(0, 0, 7)}
		spoil(&z)
		return func(d *doctor) { d.zones([]zone.GenerationZone{z}) }
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
		"both, zonelet kept":   {fetched(both, with(good, kept)), "bad fetch of JPNIC: 202.in-addr.arpa: its sum is wrong"},
		"both, all kept":       {fetched(both, with(kept, kept)), "bad fetch of JPNIC: its sum is wrong"},
		"both, stale":          {fetched(both, with(zone.Attempt{Time: at.Add(-5 * time.Hour)}, kept)), "bad fetch of JPNIC: it was last tried at 2026-11-21 07:00, 5h0m0s ago: does cron run zonefetch?"},
		"fetched in time":      {func(d *doctor) { d.behind("fetch", at) }, ""},
		"fetched tomorrow":     {func(d *doctor) { d.behind("fetch", at.AddDate(0, 0, 1)) }, "bad clock: this host says 2026-11-21 12:00, and the last fetch is of 2026-11-22 12:00"},
		"signed":               {built(func(*zone.GenerationZone) {}), ""},
		"carried":              {built(func(z *zone.GenerationZone) { z.Carried = "its input is lost" }), "bad build: 202.in-addr.arpa was not built: its input is lost"},
		"pinned":               {built(func(z *zone.GenerationZone) { z.Pinned = 7 }), "look build: 202.in-addr.arpa is pinned to generation 7"},
		"expired":              {built(func(z *zone.GenerationZone) { z.Expires = at.Add(-time.Minute) }), "bad build: the signatures of 202.in-addr.arpa ended at 2026-11-21 11:59"},
		"not renewed":          {built(func(z *zone.GenerationZone) { z.Due = at.Add(-5 * time.Hour) }), "bad build: the signatures of 202.in-addr.arpa were to be renewed at 2026-11-21 07:00: does cron run zonebuild?"},
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
