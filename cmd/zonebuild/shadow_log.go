package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone/publish"
)

// A shadowLog is state/shadow.json: how the days of shadow runs went. A day (UTC)
// is clean if no run of it found a difference and one at least compared every zone
// of the configuration. A day in which nothing was found and never the whole
// compared is neither clean nor not, like one without runs.
type shadowLog struct {
	Version   int         `json:"version"`
	Since     time.Time   `json:"since"`
	Runs      int         `json:"runs"`
	CleanDays int         `json:"clean_days"` // in a row, up to the last
	Days      []shadowDay `json:"days"`       // the newest last
}

// A shadowDay sums up the runs of a day. Differences is the most that one run
// found, Zones the fewest that one compared.
type shadowDay struct {
	Day         string    `json:"day"`
	Runs        int       `json:"runs"`
	Whole       int       `json:"whole"`   // runs that compared every zone
	Unclean     int       `json:"unclean"` // runs with differences
	Differences int       `json:"differences"`
	Zones       int       `json:"zones"`
	Last        time.Time `json:"last"`
}

const (
	shadowVersion = 1
	maxShadowDays = 400
)

func (a *app) shadowPath() string { return filepath.Join(a.cfg.State, "shadow.json") }

func (a *app) readShadowLog() (*shadowLog, error) {
	l := &shadowLog{Version: shadowVersion}
	data, err := shell.ReadFile(a.shadowPath(), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(data, l)
	}
	if err == nil && l.Version > shadowVersion {
		err = fmt.Errorf("version %d is newer than this program's, %d", l.Version, shadowVersion)
	}
	if err != nil {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("reading shadow.json: %w", err), Hint: "move it away to begin counting again: mv " + shell.Quote(a.shadowPath()) + " /tmp"}
	}
	return l, nil
}

// clean reports whether the day shows that nothing differs.
func (d *shadowDay) clean() bool { return d.Unclean == 0 && d.Whole > 0 }

// add notes a run that compared zones of all that are configured.
func (l *shadowLog) add(now time.Time, differences, zones, all int) {
	if l.Runs == 0 {
		l.Since = now
	}
	l.Runs++
	day := now.UTC().Format(time.DateOnly)
	if n := len(l.Days); n == 0 || l.Days[n-1].Day != day {
		l.Days = append(l.Days, shadowDay{Day: day, Zones: zones})
	}
	d := &l.Days[len(l.Days)-1]
	d.Runs, d.Last = d.Runs+1, now
	d.Differences, d.Zones = max(d.Differences, differences), min(d.Zones, zones)
	if differences > 0 {
		d.Unclean++
	}
	if zones == all {
		d.Whole++
	}
	if n := len(l.Days); n > maxShadowDays {
		l.Days = l.Days[n-maxShadowDays:]
	}
	l.CleanDays = 0
	for i := len(l.Days) - 1; i >= 0 && l.Days[i].Unclean == 0; i-- {
		if l.Days[i].clean() {
			l.CleanDays++
		}
	}
}

// keepShadow writes the log and the metrics.
func (a *app) keepShadow(l *shadowLog, r *shadowReport) error {
	if err := publish.WriteFile(a.fs, a.shadowPath(), encode(l), 0o600); err != nil {
		return fmt.Errorf("writing shadow.json: %w", err)
	}
	m := shell.NewMetrics("zonebuild_shadow")
	code := 0
	if r.Differences > 0 {
		code = 3
	}
	m.Finish(code, a.now, a.Clock().Sub(a.started))
	m.Set("clean_days", "Days in a row without a difference from what is served.", float64(r.CleanDays))
	for i := range r.Zones {
		if z := &r.Zones[i]; !z.Absent {
			m.Set("differences", "Sets that differ from what is served.", float64(z.count()), "zone", z.Zone.File())
		}
	}
	return m.Write(a.cfg.Metrics)
}

func (r *shadowReport) write(w io.Writer) {
	t := shell.Table{Header: []string{"zone", ">served", ">delegations", ">differences", "kinds"}}
	absent := 0
	for i := range r.Zones {
		z := &r.Zones[i]
		if z.Absent {
			absent++
			continue
		}
		kinds := ""
		for _, d := range z.Differences {
			kinds += fmt.Sprintf("%s %d  ", d.Kind, d.Count)
		}
		if z.Failed != "" {
			kinds = shell.Paint(w, shell.Bad, z.Failed)
		}
		t.Add(z.Zone.File(), fmt.Sprint(z.Serial), itoa(z.Delegations), itoa(z.count()), kinds)
	}
	t.Footer = []string{"total", "", "", itoa(r.Differences)}
	t.Render(w)
	for i := range r.Zones {
		r.Zones[i].writeDifferences(w)
	}
	if absent > 0 {
		fmt.Fprintf(w, "\n%s %d of %s no file to compare with; only a run that compares all of them counts for a clean day\n",
			shell.Paint(w, shell.Care, "not whole:"), absent, countOf(len(r.Zones), "1 zone of the configuration has", "%d zones of the configuration have"))
	}
	fmt.Fprintf(w, "\nnot compared: %s\n", strings.Join(r.NotCompared, "; "))
	tone, verdict := shell.Good, "no difference"
	if r.Differences > 0 {
		tone, verdict = shell.Care, countOf(r.Differences, "1 difference", "%d differences")
	}
	fmt.Fprintf(w, "%s; %s in a row, %s since %s\n", shell.Paint(w, tone, verdict), countOf(r.CleanDays, "1 clean day", "%d clean days"), countOf(r.Runs, "1 run", "%d runs"), r.Since)
}

// writeDifferences shows examples: "-" is served and not ours.
func (z *shadowZone) writeDifferences(w io.Writer) {
	for _, d := range z.Differences {
		fmt.Fprintf(w, "\n%s, %s: %d\n", z.Zone.File(), shell.Paint(w, shell.Care, d.Kind), d.Count)
		writeSome(w, d.Lines)
	}
}
