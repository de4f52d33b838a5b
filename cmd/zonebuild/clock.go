package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// Signatures and serials are of the time that a run takes itself to be in. A
// generation of the wrong time cannot be called back: with signatures of the past
// or future it is bogus, and a serial of the future is one for good (RFC 1982). So
// a run that would publish compares its time with what it can know of the time
// without asking anybody: with what is published, and with what was observed.

// maxAhead is how far a run's time may lie ahead of the newest observation.
const maxAhead = 24 * time.Hour

// A clockView is what a run knows of the time.
type clockView struct {
	now   time.Time // that it would build by
	named bool      // a person named it with --now
	wall  time.Time // the machine's clock
	prev  time.Time // of the published generation, zero without
	seen  time.Time // the newest observation, zero without
}

// doubt says what speaks against the time, and what a person may type who knows
// better; nil if nothing does. A time that lies behind what is published is taken
// if it was named. One that lies a day ahead of the newest observation is taken
// if it was named and the machine's clock is not far behind it: then what is
// missing is observations.
func (v clockView) doubt() error {
	const hint = "set the clock right, or run zonefetch; if the time is right as it is: zonebuild --clock-is-right"
	switch {
	case !v.named && v.now.Before(v.prev):
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("the clock says %s, but what is published was built at %s: signatures would go back in time", stamp(v.now), stamp(v.prev)),
			Hint: "set the clock right; if the time is right as it is: zonebuild --clock-is-right, or name it: zonebuild --now " + stamp(v.now),
		}
	case v.seen.IsZero() || v.now.Sub(v.seen) <= maxAhead:
		return nil
	case !v.named:
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("the clock says %s, but the newest that was fetched or observed is of %s, over a day before: serials and signatures might be of the future", stamp(v.now), stamp(v.seen)),
			Hint: hint,
		}
	case v.now.Sub(v.wall) > maxAhead:
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("--now %s lies over a day ahead of the clock and of all that was fetched or observed: its serial and signatures would be served today", stamp(v.now)),
			Hint: "to look without publishing: zonebuild plan --now " + stamp(v.now) + "; to publish all the same: --clock-is-right",
		}
	}
	return nil
}

// checkClock refuses to build by a time that cannot be right, unless a person
// says that it is.
func (a *app) checkClock() error {
	if a.clockRight {
		return nil
	}
	v := clockView{now: a.now, named: a.nowFlag != "", wall: a.Clock(), seen: a.newestSeen()}
	if a.prev != nil {
		v.prev = a.prev.Time
	}
	return v.doubt()
}

// newestSeen returns the newest time at which something is known to have
// happened: that a source had a verified file, that a server was asked, or that a
// run of zonebuild was content with its clock. The last keeps signing
// alive on a host whose zonefetch no longer works: its clock has not jumped. Files
// that cannot be read know of no time; the run has its own words for them.
func (a *app) newestSeen() time.Time {
	seen := a.lastContent()
	later := func(t time.Time) {
		if t.After(seen) {
			seen = t
		}
	}
	if a.prev != nil {
		later(a.prev.Time)
	}
	if data, err := shell.ReadFile(filepath.Join(a.cfg.Spool, "manifest.json"), maxManifest); err == nil {
		if m, err := zone.ParseManifest("manifest.json", data); err == nil {
			later(manifestTime(m))
		}
	}
	if data, err := shell.ReadFile(filepath.Join(a.cfg.Spool, "observations.json"), maxManifest); err == nil {
		var o struct{ Time time.Time }
		if json.Unmarshal(data, &o) == nil {
			later(o.Time)
		}
	}
	return seen
}

// manifestTime returns when a source last had a verified file for us. That zonefetch
// tried says nothing: it has the same clock.
func manifestTime(m *zone.Manifest) time.Time {
	var seen time.Time
	for _, s := range m.Sources {
		for _, z := range s.Zones {
			if z.Accepted != nil && z.Accepted.LastChecked.After(seen) {
				seen = z.Accepted.LastChecked
			}
		}
	}
	return seen
}

// lastContent returns the time of the last run that went past the check of the
// clock; zero if it is not known. Every report carries it on, so that one run that
// fails does not lose it.
func (a *app) lastContent() time.Time {
	data, err := shell.ReadFile(filepath.Join(a.cfg.State, "report.json"), maxManifest)
	if err != nil {
		return time.Time{}
	}
	var r struct {
		ClockGood time.Time `json:"clock_good"`
	}
	if json.Unmarshal(data, &r) != nil {
		return time.Time{}
	}
	return r.ClockGood
}
