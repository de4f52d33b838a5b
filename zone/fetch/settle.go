package fetch

import (
	"context"
	"fmt"
	"slices"

	"nirzone/zone"
)

// settle decides on a zone and keeps the result. It always returns true.
func (w *worker) settle(j job, obs observation) bool {
	obs.err = said(obs.err)
	entry, notices := decide(w.plan.source, j.prev, obs, w.r.report.Run, w.now)
	w.result.entry.Zones = append(w.result.entry.Zones, entry)
	w.result.notices = append(w.result.notices, notices...)
	w.result.zones = append(w.result.zones, zoneReport(j, entry, obs))
	w.done++
	return true
}

// finish completes the entry: a source that was not reached keeps what it had, and
// zones that this run did not get to keep their entries untouched.
func (w *worker) finish(ctx context.Context, err error) {
	w.result.received, w.result.sent = w.traffic()
	e := &w.result.entry
	switch {
	case ctx.Err() != nil:
		w.cancelled()
	case err != nil:
		rest := err
		if w.done > 0 { // it speaks of another file than these
			rest = fmt.Errorf("the source was given up: %w", err)
		}
		for _, j := range w.plan.jobs {
			if j.prev.Accepted != nil || !w.plan.source.Listed {
				w.settleQuietly(j, rest)
			}
		}
		w.unreached(err)
	default:
		e.Last.Outcome = outcomeOf(e.Zones)
	}
	slices.SortFunc(e.Zones, func(a, b zone.ZoneEntry) int { return a.Zone.Compare(b.Zone) })
	slices.SortFunc(w.result.zones, func(a, b ZoneReport) int { return a.Zone.Compare(b.Zone) })
	for _, z := range e.Zones {
		w.result.notices = append(w.result.notices, ages(w.plan.source, z, w.now)...)
	}
	zone.SortNotices(w.result.notices)
}

// settleQuietly is settle without a notice for each zone: one for the source says
// it all.
func (w *worker) settleQuietly(j job, err error) {
	if w.result.entry.Zone(j.zone) != nil {
		return
	}
	n := len(w.result.notices)
	w.settle(j, observation{err: err})
	w.result.notices = w.result.notices[:n]
}

// unreached is the entry of a source that could not be worked with at all.
func (w *worker) unreached(err error) {
	e := &w.result.entry
	e.Last.Outcome, e.Last.Reason = zone.OutcomeAbsent, reasonOf(err)
	for _, z := range e.Zones {
		if z.Accepted != nil {
			e.Last.Outcome = zone.OutcomeKept
		}
	}
	w.result.notices = append(w.result.notices, zone.Notice{
		Code: "unreached", Severity: zone.Error, Source: w.plan.source.Name, Text: reasonOf(err) + "; what was accepted before stands, and the next run tries again",
	})
}

// cancelled restores the entries of what was being worked on: that somebody stopped
// the run says nothing about the source.
func (w *worker) cancelled() {
	e := &w.result.entry
	w.result.cancelled = true
	finished := func(z zone.ZoneEntry) bool {
		return z.Last.Outcome == zone.OutcomeNew || z.Last.Outcome == zone.OutcomeUnchanged
	}
	var zones []zone.ZoneEntry
	for _, j := range w.plan.jobs {
		if now := e.Zone(j.zone); now != nil && finished(*now) {
			zones = append(zones, *now)
		} else if w.plan.prev.Zone(j.zone) != nil {
			zones = append(zones, j.prev)
		}
	}
	e.Zones, e.Last = zones, w.plan.prev.Last
	if e.Last.Outcome == "" {
		e.Last = zone.Attempt{Time: w.now, Outcome: zone.OutcomeAbsent, Reason: "the first run was cancelled"}
	}
	w.result.notices = slices.DeleteFunc(w.result.notices, func(n zone.Notice) bool { return n.Code == "kept" || n.Code == "absent" || n.Code == "mismatch" })
	w.result.zones = slices.DeleteFunc(w.result.zones, func(z ZoneReport) bool {
		return z.Outcome != zone.OutcomeNew && z.Outcome != zone.OutcomeUnchanged
	})
}
