package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/fetch"
)

// A textReport is the report for people. Colours are those of what it is written to
// in the end.
type textReport struct {
	bytes.Buffer
	to io.Writer
}

var tones = map[zone.Outcome]shell.Tone{
	zone.OutcomeNew: shell.Good, zone.OutcomeUnchanged: shell.Quiet, zone.OutcomeRace: shell.Care,
	zone.OutcomeKept: shell.Bad, zone.OutcomeAbsent: shell.Bad,
}

func (t *textReport) paint(tone shell.Tone, s string) string {
	if t.to == nil {
		return s
	}
	return shell.Paint(t.to, tone, s)
}

func (t *textReport) write(r *fetch.Report) {
	t.sources(r)
	t.zones(r)
	for _, n := range r.Notices {
		if n.Severity < zone.Warning || n.Code == "kept" || n.Code == "absent" || n.Code == "mismatch" {
			continue // these stand in the table
		}
		tone := shell.Care
		if n.Severity >= zone.Error {
			tone = shell.Bad
		}
		where := n.Source
		if n.Zone != "" {
			where += " " + n.Zone.File()
		}
		fmt.Fprintf(t, "%s: %s: %s: %s\n", where, t.paint(tone, n.Severity.String()), n.Code, n.Text)
	}
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

func (t *textReport) count(n int, tone shell.Tone) string {
	if n == 0 {
		return "-"
	}
	return t.paint(tone, strconv.Itoa(n))
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
	for _, s := range r.Sources {
		for _, z := range s.Zones {
			if z.Outcome == zone.OutcomeUnchanged {
				continue
			}
			verified := "never"
			if !z.Checked.IsZero() {
				verified = age(r.Time.Sub(z.Checked))
			}
			size := "-"
			if z.Size > 0 {
				size = octets(z.Size)
			}
			why := z.Reason
			if why == "" && z.Signer != "" {
				why = "signed by " + signer(z.Signer)
			}
			table.Add(z.File, t.paint(tones[z.Outcome], string(z.Outcome)), size, verified, strings.ReplaceAll(why, "\n", "; "))
		}
	}
	if len(table.Rows) > 0 {
		fmt.Fprintln(t)
	}
	table.Render(t)
}

func (t *textReport) summary(r *fetch.Report) {
	what := fmt.Sprintf("run %d", r.Run)
	switch {
	case r.Error != "":
		what = "nothing recorded: " + r.Error
	case r.DryRun:
		what = "dry run: nothing recorded"
	case r.Cancelled:
		what += ": interrupted"
	}
	if r.Pruned > 0 {
		what += fmt.Sprintf(", %d objects pruned", r.Pruned)
	}
	if r.PruneSkipped != "" {
		what += ", not pruned: " + r.PruneSkipped
	}
	fmt.Fprintf(t, "\n%s, %.1f s\n", what, r.Seconds)
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
