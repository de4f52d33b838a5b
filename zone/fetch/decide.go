package fetch

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"nirzone/zone"
	"nirzone/zone/seal"
)

// An observation is what one attempt at a zonelet came to: accepted, verified at
// this time, or err.
type observation struct {
	accepted *zone.Accepted
	err      error
	notices  []zone.Notice // of the verification
	moved    int64         // bytes of files that had to be transferred
}

// mismatch reports whether an error may be the race between a file and its seals:
// each is in order, but they are not of the same moment, or a seal is not there
// yet.
func mismatch(err error) bool {
	var s *seal.Error
	var late sealMissing
	return errors.As(err, &s) && s.Mismatch() || errors.As(err, &late)
}

// sealMissing is a file without a seal that its source requires.
type sealMissing struct{ file string }

// Error says what is missing and whose part it is.
func (e sealMissing) Error() string {
	return fmt.Sprintf("%s is not there although the source requires it", e.file)
}

// decide says what becomes of a zone's entry. It reads no clock and no disk.
func decide(s *zone.Source, prev zone.ZoneEntry, obs observation, run uint64, now time.Time) (zone.ZoneEntry, []zone.Notice) {
	next := zone.ZoneEntry{Zone: prev.Zone, Accepted: prev.Accepted, Last: zone.Attempt{Time: now}}
	notices := obs.notices
	if obs.err != nil {
		n := failed(s, prev, &next, obs.err, now)
		return next, append(notices, n)
	}
	a := *obs.accepted
	a.FirstSeen, a.LastChecked, a.Run = now, now, run
	next.Last.Outcome = zone.OutcomeNew
	if p := prev.Accepted; p != nil && p.SHA256 == a.SHA256 {
		a.FirstSeen, a.Run = p.FirstSeen, p.Run
		next.Last.Outcome = zone.OutcomeUnchanged
	}
	next.Accepted = &a
	return next, notices
}

// ownEnd is our end of a connection in an error of package net.
var ownEnd = regexp.MustCompile(`\S+:\d+->`)

// reasonOf is the text of an error without what differs from run to run although
// nothing else does, such as the port that the system chose: a reason that stays the
// same is no news.
func reasonOf(err error) string { return ownEnd.ReplaceAllString(err.Error(), "") }

// failed fills in the attempt of an entry whose accepted version stays. The start
// of a mismatch is kept over other failures: only verified bytes end it, so that a
// source cannot stay in a race for ever by failing in between.
func failed(s *zone.Source, prev zone.ZoneEntry, next *zone.ZoneEntry, err error, now time.Time) zone.Notice {
	next.Last.Reason = reasonOf(err)
	next.Last.MismatchSince = prev.Last.MismatchSince
	n := zone.Notice{Code: "kept", Severity: zone.Error, Source: s.Name, Zone: prev.Zone, Pos: zone.Pos{File: s.FileName(prev.Zone)}}
	next.Last.Outcome = zone.OutcomeKept
	stands := "the last good version stands"
	if prev.Accepted == nil {
		next.Last.Outcome, n.Code, stands = zone.OutcomeAbsent, "absent", "there is no earlier version"
	}
	if mismatch(err) {
		if next.Last.MismatchSince.IsZero() {
			next.Last.MismatchSince = now
		}
		n.Code = "mismatch"
		lasts := now.Sub(next.Last.MismatchSince)
		if lasts <= s.RaceDeadline {
			next.Last.Outcome, n.Severity = zone.OutcomeRace, zone.Info
			n.Text = fmt.Sprintf("%s; taken for a publication in progress until it has lasted %v; %s", next.Last.Reason, s.RaceDeadline, stands)
			return n
		}
		next.Last.Reason = fmt.Sprintf("%s (since %s, race_deadline is %v)", next.Last.Reason, next.Last.MismatchSince.UTC().Format(time.RFC3339), s.RaceDeadline)
	}
	n.Text = fmt.Sprintf("%s; %s", next.Last.Reason, stands)
	return n
}

// ages gives the notices of one entry that was not checked for too long.
func ages(s *zone.Source, e zone.ZoneEntry, now time.Time) []zone.Notice {
	if e.Accepted == nil {
		return nil
	}
	age := now.Sub(e.Accepted.LastChecked)
	n := zone.Notice{Source: s.Name, Zone: e.Zone, Pos: zone.Pos{File: e.Accepted.File}}
	switch {
	case age > s.AlarmAfter:
		n.Code, n.Severity = "stale-alarm", zone.Alarm
	case age > s.StaleAfter:
		n.Code, n.Severity = "stale", zone.Warning
	default:
		return nil
	}
	n.Text = fmt.Sprintf("last seen and verified %v ago, at %s; call the source", age.Round(time.Minute), e.Accepted.LastChecked.UTC().Format(time.RFC3339)) // the outcome has the reason
	return []zone.Notice{n}
}

// outcomeOf sums up the zones of a source that was reached.
func outcomeOf(zones []zone.ZoneEntry) zone.Outcome {
	for _, z := range zones {
		if z.Last.Outcome == zone.OutcomeNew {
			return zone.OutcomeNew
		}
	}
	return zone.OutcomeUnchanged
}
