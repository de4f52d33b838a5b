package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// showHold writes a held change as a diff with its loss counted. lost are the
// owners of which the hold does not say what they have.
func (a *app) showHold(w io.Writer, h *zone.Hold, lost []lostOwner) {
	where := ""
	if h.Zone != "" {
		where = " in " + h.Zone.File()
	}
	fmt.Fprintf(w, "%s%s: %s\n", h.Source, where, h.Text())
	fmt.Fprintf(w, "%s; %d before, %d after, held %s\n\n", h.Rule, h.Before, h.After, age(h.Since, a.now))
	records := map[zone.Name][]string{}
	for _, l := range lost {
		records[l.Name] = l.Records
	}
	for i, n := range h.Losses {
		var s zone.HeldSet
		if i < len(h.Sets) {
			s = h.Sets[i]
		}
		showLoss(w, n, s)
		showSet(w, "    ", zone.HeldSet{Was: records[n]})
	}
	if h.Kind == zone.KindZoneDropped {
		for _, l := range lost {
			showLoss(w, l.Name, zone.HeldSet{})
			showSet(w, "    ", zone.HeldSet{Was: l.Records})
		}
	}
	if len(h.Losses) == 0 {
		for _, s := range h.Sets {
			showSet(w, "", s)
		}
	}
	if h.Kind == zone.KindProbation {
		fmt.Fprintf(w, "\nto end the probation: %s\n", endProbation(h.Source))
		return
	}
	if !h.Until.IsZero() {
		fmt.Fprintf(w, "\nthe rest of the feed passes until %s; then all of it is held\n", stamp(h.Until))
	}
	fmt.Fprintf(w, "\nto accept exactly this: zonebuild accept %s --removes %d -m \"why\"\n", h.Hash[:12], h.Count())
	if ofFeed(h.Kind) && h.Until.IsZero() {
		fmt.Fprintf(w, "to let the rest pass:   zonebuild accept %s --additions-only -m \"why\"\n", h.Hash[:12])
	}
}

// ofFeed reports whether a kind of change is one of a feed, of which the rest can
// pass.
func ofFeed(kind string) bool { return slices.Contains(zone.LossKinds, kind) }

// showLoss writes one owner: as a line if it goes, else with what it was and would
// be.
func showLoss(w io.Writer, n zone.Name, s zone.HeldSet) {
	what := ""
	if p, ok := n.Prefix(); ok {
		what = p.String()
	}
	if len(s.Was)+len(s.Is) == 0 {
		by := ""
		if s.By != "" {
			by = " hidden by " + s.By
		}
		fmt.Fprintln(w, shell.Paint(w, shell.Bad, "- "+n.String()), what+by)
		return
	}
	by := ""
	if s.By != "" {
		by = " overridden by " + s.By
	}
	fmt.Fprintf(w, "  %s %s%s\n", n, what, by)
	showSet(w, "  ", s)
}

func showSet(w io.Writer, indent string, s zone.HeldSet) {
	for _, was := range s.Was {
		mark := "- "
		if slices.Contains(s.Is, was) {
			mark = "  "
		}
		fmt.Fprintln(w, indent+shell.Paint(w, toneOf(mark), mark+was))
	}
	for _, is := range s.Is {
		if !slices.Contains(s.Was, is) {
			fmt.Fprintln(w, indent+shell.Paint(w, shell.Good, "+ "+is))
		}
	}
}

func toneOf(mark string) shell.Tone {
	if strings.TrimSpace(mark) == "" {
		return shell.Quiet
	}
	return shell.Bad
}

// age says for how long something has been so, in its two largest units.
func age(since, now time.Time) string {
	if since.IsZero() {
		return "since before this release"
	}
	d := max(now.Sub(since), 0).Truncate(time.Minute)
	days, hours := int(d/(24*time.Hour)), int(d%(24*time.Hour)/time.Hour)
	switch {
	case days > 0:
		return fmt.Sprintf("for %d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("for %d h %d min", hours, int(d%time.Hour/time.Minute))
	}
	return fmt.Sprintf("for %d min", int(d/time.Minute))
}
