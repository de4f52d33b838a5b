package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// A report is what a run did. state/report.json, state/report.txt and the
// terminal show the same value.
type report struct {
	Version   int             `json:"version"`
	Time      time.Time       `json:"time"`
	Cause     string          `json:"cause"`
	Exit      int             `json:"exit"`
	Error     string          `json:"error,omitempty"`
	Hint      string          `json:"hint,omitempty"`
	Seconds   float64         `json:"seconds"`
	Published uint64          `json:"published,omitempty"` // generation; 0 if nothing was
	Current   uint64          `json:"current,omitempty"`
	Zones     []zoneReport    `json:"zones"`
	Holds     []zone.Hold     `json:"holds,omitempty"`
	Opened    []zone.Notice   `json:"opened,omitempty"`
	Closed    []zone.Notice   `json:"closed,omitempty"`
	Open      int             `json:"open"` // notices that go on
	Reloads   []reloadFailure `json:"reload_failures,omitempty"`
	Keys      []sign.Step     `json:"keys,omitempty"` // key steps that were taken
	Notes     []string        `json:"notes,omitempty"`
	ClockGood time.Time       `json:"clock_good,omitzero"` // of the last run that was content with its clock
	described bool            // Zones, Holds and alarms are of this run's decisions
	alarms    []zone.Notice
	refused   int
	unsure    error // what went wrong after the commit
}

type zoneReport struct {
	Zone        zone.Name   `json:"zone"`
	State       string      `json:"state"`
	Serial      zone.Serial `json:"serial,omitempty"`
	Delegations int         `json:"delegations"`
	Added       int         `json:"added"`
	Removed     int         `json:"removed"`
	Changed     int         `json:"changed"`
	Held        int         `json:"held"`
	Signatures  int         `json:"signatures"`
	Expires     time.Time   `json:"expires,omitzero"`
}

type reloadFailure struct {
	Zone    string `json:"zone,omitempty"`
	Command string `json:"command"`
	Error   string `json:"error"`
	Output  string `json:"output,omitempty"`
}

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// describe fills in what the run decided.
func (r *report) describe(b *batch, g *zone.Generation) {
	r.described, r.Holds = true, g.Holds
	for _, j := range b.jobs {
		r.Zones = append(r.Zones, j.report())
		r.refused += j.refused
		r.Keys = append(r.Keys, j.life.steps...)
	}
	if b.prev != nil {
		r.Current = b.prev.Number
	}
	for _, n := range g.Notices {
		if n.Severity >= zone.Alarm {
			r.alarms = append(r.alarms, n.Notice)
		}
	}
	r.Opened, r.Closed, r.Open = bare(b.opened), bare(b.closed), len(g.Notices)-len(b.opened)
}

func bare(open []zone.OpenNotice) []zone.Notice {
	var list []zone.Notice
	for _, n := range open {
		list = append(list, n.Notice)
	}
	return list
}

func (j *job) report() zoneReport {
	z := zoneReport{
		Zone: j.zone, Serial: j.result.Serial, Delegations: j.result.Delegations, Signatures: j.signed, Expires: j.result.Expires,
	}
	z.Added, z.Removed, z.Changed = countChanges(j.delta)
	for _, h := range j.holds {
		z.Held += h.Count()
	}
	switch {
	case j.skip:
		z.State = "not published"
	case j.carried != "":
		z.State = "carried"
	case j.prev == nil:
		z.State = "new"
	case j.mended:
		z.State = "mended"
	case j.pinned != 0:
		z.State = fmt.Sprintf("pinned to %d", j.pinned)
	case j.prev.SHA256 == j.result.SHA256:
		z.State = "unchanged"
	default:
		z.State = "changed"
	}
	return z
}

// countChanges counts the owners that were added, removed and otherwise changed.
func countChanges(d zone.Delta) (added, removed, changed int) {
	for _, c := range d.Changes {
		switch c.Kinds[0] {
		case zone.ChangeAdded:
			added++
		case zone.ChangeRemoved:
			removed++
		default:
			changed++
		}
	}
	return added, removed, changed
}

// attention reports whether the run ends with exit code 3: something was held,
// refused, carried forward or alarmed.
func (r *report) attention() bool {
	waiting, _ := splitHolds(r.Holds)
	return len(waiting) > 0 || len(r.alarms) > 0 || r.refused > 0
}

// finish writes the report, the metrics and the last words of a run, also of
// one that failed. It hands back err.
func (a *app) finish(r *report, err error) error {
	r.Version, r.Seconds = 1, a.Clock().Sub(a.started).Seconds()
	if r.ClockGood.IsZero() {
		r.ClockGood = a.lastContent()
	}
	a.describePublished(r)
	if r.Published != 0 {
		r.Current = r.Published
	}
	var e *shell.Exit
	switch {
	case errors.As(err, &e):
		r.Exit = e.Code
	case err != nil:
		r.Exit = 1
	}
	if err != nil && (e == nil || e.Err != nil) { // else there is nothing more to say
		r.Error, r.Hint = err.Error(), shell.HintOf(err)
	}
	var text strings.Builder
	r.write(&text)
	werr := errors.Join(
		publish.WriteFile(a.fs, filepath.Join(a.cfg.State, "report.json"), encode(r), 0o600),
		publish.WriteFile(a.fs, filepath.Join(a.cfg.State, "report.txt"), []byte(text.String()), 0o600),
		a.metrics(r))
	if werr != nil {
		a.Errorf("warning: writing the report: %v", werr)
	}
	switch {
	case a.json:
		_ = a.answer(r)
	case !a.quiet || r.Exit != 0:
		r.write(a.Stdout)
	}
	// What was published is published: that nobody could be told changes no exit code.
	if lost := a.OutputError(); lost != nil {
		a.Errorf("warning: writing the report: %v; it stands in state/report.txt too", lost)
	}
	return err
}

// describePublished fills in, for a run that decided nothing, what is published:
// a failure must not silence the alarms on signatures that end.
func (a *app) describePublished(r *report) {
	if r.Zones == nil {
		r.Zones = []zoneReport{}
	}
	if r.described || a.prev == nil {
		return
	}
	r.Current, r.Holds, r.Open = a.prev.Number, a.prev.Holds, len(a.prev.Notices)
	for _, z := range a.prev.Zones {
		state := "unchanged"
		if z.Carried != "" {
			state = "carried"
		}
		r.Zones = append(r.Zones, zoneReport{Zone: z.Zone, State: state, Serial: z.Serial, Delegations: z.Delegations, Expires: z.Expires})
	}
	for _, n := range a.prev.Notices {
		if n.Severity >= zone.Alarm {
			r.alarms = append(r.alarms, n.Notice)
		}
	}
}

func (a *app) metrics(r *report) error {
	m := shell.NewMetrics("zonebuild")
	m.Finish(r.Exit, r.Time, time.Duration(r.Seconds*float64(time.Second)))
	m.Set("generation", "Number of the current generation.", float64(r.Current))
	waiting, shown := splitHolds(r.Holds)
	m.Set("held_losses", "What is held: delegations that would be lost or changed, name servers, ranges.", float64(losses(waiting)))
	m.Set("probation_changes", "What sources in probation would add, change or remove.", float64(losses(shown)))
	m.Set("zones_pinned", "Zones that stand at an earlier generation's content.", float64(pinned(r.Zones)))
	m.Set("alarms", "Open notices that need a person.", float64(len(r.alarms)))
	m.Set("reload_failures", "Reload commands that failed.", float64(len(r.Reloads)))
	for _, z := range r.Zones {
		if z.State == "not published" {
			continue
		}
		label := []string{"zone", z.Zone.File()}
		m.Set("zone_serial", "Serial of the published zone.", float64(z.Serial), label...)
		m.Set("zone_delegations", "Delegations in the published zone.", float64(z.Delegations), label...)
		m.Set("zone_expires_timestamp_seconds", "When the zone's first signature ends.", float64(z.Expires.Unix()), label...)
		m.Set("zone_carried", "1 if the zone was carried forward.", truth(z.State == "carried"), label...)
	}
	return m.Write(a.cfg.Metrics)
}

func pinned(zones []zoneReport) int {
	n := 0
	for _, z := range zones {
		if strings.HasPrefix(z.State, "pinned") {
			n++
		}
	}
	return n
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func losses(holds []zone.Hold) int {
	n := 0
	for _, h := range holds {
		n += h.Count()
	}
	return n
}

// maxLines bounds a list in the text report; the JSON has all of it.
const maxLines = 20

// write renders the report for a person.
func (r *report) write(w io.Writer) {
	if r.described {
		r.writeZones(w)
		writeHolds(w, r.Holds, r.Time)
	}
	if n := pinned(r.Zones); n > 0 {
		fmt.Fprintf(w, "\n%s zones at an earlier generation's content, whatever is fetched: %d; end it with: zonebuild rollback --release\n", shell.Paint(w, shell.Care, "pinned:"), n)
	}
	writeSteps(w, "keys: done", r.Keys)
	r.writeNotices(w, "new notices", r.Opened)
	r.writeNotices(w, "closed notices", r.Closed)
	for _, f := range r.Reloads {
		fmt.Fprintf(w, "%s %s: %s\n%s", shell.Paint(w, shell.Bad, "reload failed:"), f.Command, f.Error, indent(f.Output))
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, shell.Paint(w, shell.Care, "note:"), n)
	}
	switch {
	case r.Published != 0:
		fmt.Fprintf(w, "%s generation %d in %.1f s; %s\n", shell.Paint(w, shell.Good, "published"), r.Published, r.Seconds, r.openNotices())
	case r.Cause == causeReload && r.Error == "":
		fmt.Fprintf(w, "%s of generation %d\n", shell.Paint(w, shell.Good, "told the servers"), r.Current)
	case r.Error == "":
		fmt.Fprintf(w, "%s: generation %d stands; %s\n", shell.Paint(w, shell.Quiet, "nothing to do"), r.Current, r.openNotices())
	}
}

func (r *report) openNotices() string {
	n := r.Open + len(r.Opened)
	switch n {
	case 0:
		return "no notice is open"
	case 1:
		return "1 notice is open: nirctl notice list"
	}
	return fmt.Sprintf("%d notices are open: nirctl notice list", n)
}

var stateTone = map[string]shell.Tone{"new": shell.Good, "changed": shell.Good, "unchanged": shell.Quiet, "carried": shell.Bad, "mended": shell.Bad, "not published": shell.Care}

func (r *report) writeZones(w io.Writer) {
	t := shell.Table{Header: []string{"zone", "state", ">serial", ">delegations", ">added", ">removed", ">changed", ">held", ">signatures"}}
	var sum zoneReport
	quiet := 0
	for _, z := range r.Zones {
		sum.Delegations += z.Delegations
		sum.Added, sum.Removed, sum.Changed = sum.Added+z.Added, sum.Removed+z.Removed, sum.Changed+z.Changed
		sum.Held, sum.Signatures = sum.Held+z.Held, sum.Signatures+z.Signatures
		if z.State == "unchanged" && z.Held == 0 && len(r.Zones) > maxLines {
			quiet++
			continue
		}
		t.Add(z.Zone.File(), shell.Paint(w, stateTone[z.State], z.State), fmt.Sprint(z.Serial), itoa(z.Delegations),
			itoa(z.Added), itoa(z.Removed), itoa(z.Changed), itoa(z.Held), itoa(z.Signatures))
	}
	if len(r.Zones) > 0 {
		if quiet > 0 {
			t.Add(fmt.Sprintf("%d more", quiet), shell.Paint(w, shell.Quiet, "unchanged"))
		}
		t.Footer = []string{"total", "", "", itoa(sum.Delegations), itoa(sum.Added), itoa(sum.Removed), itoa(sum.Changed), itoa(sum.Held), itoa(sum.Signatures)}
		t.Render(w)
	}
}

func itoa(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func writeHolds(w io.Writer, holds []zone.Hold, now time.Time) {
	if len(holds) == 0 {
		return
	}
	fmt.Fprintln(w)
	showHolds(w, holds, now)
}

// showHolds is writeHolds where nothing stands above it.
func showHolds(w io.Writer, holds []zone.Hold, now time.Time) {
	holds, shown := splitHolds(holds)
	defer showProbation(w, shown, now)
	if len(holds) == 0 {
		return
	}
	fmt.Fprintln(w, shell.Paint(w, shell.Bad, "held: look, then accept the exact loss"))
	t := shell.Table{Header: []string{"hash", "source", "zone", "kind", ">losses", "held", "rule"}}
	for _, h := range holds {
		rule := h.Rule
		if !h.Until.IsZero() {
			rule = "additions only until " + stamp(h.Until) + "; " + rule
		}
		t.Add(h.Hash[:12], h.Source, h.Zone.File(), h.Kind, strconv.Itoa(h.Count()), age(h.Since, now), rule)
	}
	t.Render(w)
}

func (r *report) writeNotices(w io.Writer, title string, list []zone.Notice) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %d\n", title, len(list))
	for i, n := range list {
		if i == maxLines {
			fmt.Fprintf(w, "  and %d more: nirctl notice list\n", len(list)-i)
			break
		}
		fmt.Fprintln(w, " ", paintNotice(w, n))
	}
}

func paintNotice(w io.Writer, n zone.Notice) string {
	tone := []shell.Tone{shell.Quiet, shell.Plain, shell.Care, shell.Bad}[min(n.Severity, zone.Alarm)]
	if n.Pos.File == "" {
		return shell.Paint(w, tone, n.String())
	}
	return shell.Paint(w, tone, n.Source) + " " + n.String()
}

func indent(s string) string {
	if s == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ") + "\n"
}
