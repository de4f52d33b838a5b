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

// plainPause is how long it may be since the newest observation or run without a
// word: two runs of cron that were missed.
const plainPause = 6 * time.Hour

// A clockView is what a run knows of the time.
type clockView struct {
	now       time.Time     // that it would build by
	named     bool          // a person named it with --now
	wall      time.Time     // the machine's clock
	prev      time.Time     // of the published generation, zero without
	last      time.Time     // of the last run that was content with its clock, zero if not known
	seen      time.Time     // the newest of these and of what was fetched or observed
	inception time.Duration // how long before its slot a signature is valid
}

// doubt says what speaks against the time, and what a person may type who knows
// better; nil if nothing does. That a time was named is no reason to take one that
// lies behind what is published or behind the last run: signatures of the past and
// key steps with waits that are too short come of it all the same. One that lies
// ahead of the newest observation is taken if it was named and the machine's clock
// is not far behind it: then what is missing is observations.
func (v clockView) doubt() error {
	switch {
	case v.now.Before(v.prev):
		return v.behind(fmt.Sprintf("what is published was built at %s: signatures would go back in time", stamp(v.prev)))
	case v.now.Before(v.last):
		return v.behind(fmt.Sprintf("the last run was at %s: what rests on it would be waited for too short", stamp(v.last)))
	case v.named:
		return v.namedAhead()
	case v.seen.IsZero() || v.now.Sub(v.seen) <= maxAhead:
		return nil
	}
	return &shell.Exit{
		Code: 1, Err: fmt.Errorf("the clock says %s, but the newest that was fetched or observed is of %s, over a day before: serials and signatures might be of the future", stamp(v.now), stamp(v.seen)),
		Hint: "set the clock right, or run zonefetch; if the time is right as it is: zonebuild --clock-is-right",
	}
}

// behind is the doubt about a time that lies behind what was done already.
func (v clockView) behind(why string) error {
	e := &shell.Exit{Code: 1, Err: fmt.Errorf("the clock says %s, but %s", stamp(v.now), why), Hint: "set the clock right; if the time is right as it is: --clock-is-right"}
	if v.named {
		e.Err = fmt.Errorf("--now is %s, but %s", stamp(v.now), why)
		e.Hint = "to look without publishing: zonebuild plan --now " + stamp(v.now) + "; to publish all the same: --clock-is-right"
	}
	return e
}

// namedAhead is the doubt about a time that a person named and that nobody has
// reached yet. It may lie ahead by as much as signatures allow for.
func (v clockView) namedAhead() error {
	limit := min(max(v.inception, plainPause), maxAhead)
	if v.seen.IsZero() || v.now.Sub(v.seen) <= limit || v.now.Sub(v.wall) <= limit {
		return nil
	}
	return &shell.Exit{
		Code: 1, Err: fmt.Errorf("--now %s lies over %s ahead of the clock and of all that was fetched or observed: its serial and signatures would be served today", stamp(v.now), span(limit)),
		Hint: "to look without publishing: zonebuild plan --now " + stamp(v.now) + "; to publish all the same: --clock-is-right",
	}
}

// pause says that the time is ahead of all that is known by more than signatures
// allow for: it is taken, because signing has to go on where nothing can be
// fetched, but somebody has to look at the clock. It is empty if there is nothing
// to say.
func (v clockView) pause() string {
	gap := v.now.Sub(v.seen)
	if v.named || v.seen.IsZero() || gap <= max(v.inception, plainPause) {
		return ""
	}
	return fmt.Sprintf("nothing was fetched or observed, and nothing was built, between %s and %s: if the clock is ahead by more than %s (signing.inception), signatures made now are not valid yet, and waits of key steps end too early; look at the clock, and at zonefetch",
		stamp(v.seen), stamp(v.now), span(v.inception))
}

// jump says that the clock went on by hours in which no run was: a host that was
// off looks the same, and what was fetched since has the times of the same clock.
func (v clockView) jump() string {
	if v.named || v.last.IsZero() || v.now.Sub(v.last) <= max(v.inception, plainPause) {
		return ""
	}
	return fmt.Sprintf("the last run was at %s, %s ago; if this host was not off for so long, its clock has jumped", stamp(v.last), span(v.now.Sub(v.last)))
}

// span is a duration as people say it.
func span(d time.Duration) string {
	if d >= 2*time.Hour {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}

// clockView returns what this run knows of the time.
func (a *app) clockView() clockView {
	v := clockView{now: a.now, named: a.nowFlag != "", wall: a.Clock(), last: a.lastContent(), seen: a.newestSeen(), inception: a.cfg.Signing.Inception}
	if a.prev != nil {
		v.prev = a.prev.Time
	}
	return v
}

// checkClock refuses to build by a time that cannot be right, unless a person
// says that it is, and notes what makes it doubtful.
func (a *app) checkClock(rep *report) error {
	if a.clockRight {
		return nil
	}
	v := a.clockView()
	if err := v.doubt(); err != nil {
		return err
	}
	if why := v.pause(); why != "" {
		rep.note("%s", why)
	} else if why := v.jump(); why != "" {
		a.Errorf("warning: %s", why)
	}
	return nil
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
