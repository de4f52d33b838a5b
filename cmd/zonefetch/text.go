package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/fetch"
)

// A textReport is the report of a run on a page.
type textReport struct{ *page }

var tones = map[zone.Outcome]shell.Tone{
	zone.OutcomeNew: shell.Good, zone.OutcomeUnchanged: shell.Quiet, zone.OutcomeRace: shell.Care,
	zone.OutcomeKept: shell.Bad, zone.OutcomeAbsent: shell.Bad,
}

func (t *textReport) write(r *fetch.Report) {
	t.sources(r)
	t.zones(r)
	t.notices(r)
	t.summary(r)
}

var outcomes = []zone.Outcome{zone.OutcomeNew, zone.OutcomeUnchanged, zone.OutcomeRace, zone.OutcomeKept, zone.OutcomeAbsent}

func (t *textReport) sources(r *fetch.Report) {
	table := shell.Table{Header: []string{"source", ">new", ">unchanged", ">race", ">kept", ">absent", ">received", ">seconds", "key until"}}
	var total [5]int
	var received int64
	for _, s := range r.Sources {
		row := []string{s.Name}
		for i, n := range counts(&s) {
			total[i] += n
			row = append(row, t.count(n, tones[outcomes[i]]))
		}
		received += s.Received
		row = append(row, octets(s.Received), strconv.FormatFloat(s.Seconds, 'f', 1, 64), day(s.KeyEnd))
		table.Add(row...)
	}
	if len(r.Sources) > 1 {
		table.Footer = []string{"total"}
		for _, n := range total {
			table.Footer = append(table.Footer, strconv.Itoa(n))
		}
		table.Footer = append(table.Footer, octets(received), "", "")
	}
	table.Render(t)
}

// counts is the number of a source's zonelets by outcome.
func counts(s *fetch.SourceReport) (n [5]int) {
	for _, z := range s.Zones {
		for i, o := range outcomes {
			if z.Outcome == o {
				n[i]++
			}
		}
	}
	return n
}

// zones lists what is not as it was.
func (t *textReport) zones(r *fetch.Report) {
	table := shell.Table{Header: []string{"file", "outcome", ">size", "verified", "why"}}
	for i := range r.Sources {
		for _, g := range t.alike(r.Sources[i].Zones) {
			z := g.first
			verified := "never"
			if !g.checked.IsZero() {
				verified = age(r.Time.Sub(g.checked))
			}
			file, size := z.File, "-"
			switch {
			case g.count == 2:
				file += ", " + g.last
			case g.count > 2:
				file = fmt.Sprintf("%s and %d more", z.File, g.count-1)
			case z.Size > 0:
				size = octets(z.Size)
			}
			why := z.Reason
			if why == "" && z.Signer != "" {
				why = "signed by " + signer(z.Signer)
			}
			table.Add(file, t.paint(tones[z.Outcome], string(z.Outcome)), size, verified, strings.ReplaceAll(why, "\n", "; "))
		}
	}
	if len(table.Rows) > 0 {
		fmt.Fprintln(t)
	}
	table.Render(t)
}

// A zoneGroup is zonelets of one source that failed alike.
type zoneGroup struct {
	first   fetch.ZoneReport
	last    string // file
	count   int
	checked time.Time // the oldest
}

// alike groups the zonelets that are not as they were: on a screen those that failed
// for the same reason are one.
func (t *textReport) alike(zones []fetch.ZoneReport) []zoneGroup {
	var out []zoneGroup
	for _, z := range zones {
		if z.Outcome == zone.OutcomeUnchanged {
			continue
		}
		i := slices.IndexFunc(out, func(g zoneGroup) bool {
			return !t.whole() && z.Reason != "" && g.first.Outcome == z.Outcome && g.first.Reason == z.Reason
		})
		if i < 0 {
			out = append(out, zoneGroup{first: z, count: 1, checked: z.Checked})
			continue
		}
		out[i].count, out[i].last = out[i].count+1, z.File
		if z.Checked.Before(out[i].checked) {
			out[i].checked = z.Checked
		}
	}
	return out
}

// notices lists what the table does not say: on a screen in one line what is the
// same of several zonelets.
func (t *textReport) notices(r *fetch.Report) {
	told := map[zone.Notice]int{}
	alike := func(n zone.Notice) zone.Notice { return zone.Notice{Source: n.Source, Code: n.Code, Text: n.Text} }
	for _, n := range r.Notices {
		told[alike(n)]++
	}
	for _, n := range r.Notices {
		count := told[alike(n)]
		if n.Severity < zone.Warning || count == 0 || n.Code == "kept" || n.Code == "absent" || n.Code == "mismatch" {
			continue
		}
		if n.Code == "unreached" && !t.whole() && explained(r, n.Source) {
			continue
		}
		where := n.Source
		if n.Zone != "" {
			where += " " + n.Zone.File()
		}
		if !t.whole() {
			told[alike(n)] = 0
			if count > 1 {
				where += fmt.Sprintf(" and %d more", count-1)
			}
		}
		fmt.Fprintf(t, "%s: %s: %s: %s\n", where, t.severity(n), n.Code, n.Text)
	}
}

// explained reports whether the table says why a source was not reached: a zonelet
// of it has the reason.
func explained(r *fetch.Report, source string) bool {
	i := slices.IndexFunc(r.Sources, func(s fetch.SourceReport) bool { return s.Name == source })
	return i >= 0 && slices.ContainsFunc(r.Sources[i].Zones, func(z fetch.ZoneReport) bool {
		return z.Outcome != zone.OutcomeUnchanged && strings.Contains(z.Reason, r.Sources[i].Reason)
	})
}

func (t *textReport) summary(r *fetch.Report) {
	what := t.outcome(ending{r.Run, r.Error, r.DryRun, r.Cancelled})
	if r.Pruned > 0 {
		what += fmt.Sprintf(", %d objects pruned", r.Pruned)
	}
	if r.PruneSkipped != "" {
		what += ", not pruned: " + r.PruneSkipped
	}
	if t.Len() > 0 {
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "%s, %.1f s\n", what, r.Seconds)
}

// signer shortens the fingerprint before a user id to the key id; the whole one is in
// the manifest.
func signer(s string) string {
	fingerprint, uid, _ := strings.Cut(s, " ")
	if len(fingerprint) > 16 {
		fingerprint = fingerprint[len(fingerprint)-16:]
	}
	return strings.TrimSpace(fingerprint + " " + uid)
}

// octets is a number of octets in the unit that fits.
func octets(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	}
	return fmt.Sprintf("%dd ago", d/(24*time.Hour))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}
