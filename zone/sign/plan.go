package sign

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"nirzone/zone"
)

// Plan returns the steps that the policy and the evidence ask for at now, in the
// order in which they must be taken: first those that are due, then those that
// wait for something. It is pure: what was done before is known from the keys'
// times alone, and these are facts: a time is set when its step is taken, so a
// run that did not happen delays and breaks nothing. Take the first step that is
// due, and plan again; that ends.
func Plan(keys []Key, p Policy, ev Evidence, name zone.Name, now time.Time) []Step {
	l := &planner{keys: keys, p: &p, ev: &ev, zone: name, now: now.UTC().Truncate(time.Second)}
	l.unplan()
	roll := l.algorithmRoll()
	switch {
	case len(l.steps) > 0: // plan again with that forgotten
	case ev.Published == nil:
		l.first()
	case roll != nil:
		l.rollAlgorithm(roll)
	default:
		l.zoneKeys()
		l.parentKeys()
	}
	return l.held()
}

// A planner is one call of Plan.
type planner struct {
	keys  []Key
	p     *Policy
	ev    *Evidence
	zone  zone.Name
	now   time.Time
	steps []Step
	// urgent are the steps that no freeze and no manual mode holds up: without
	// them the zone cannot be signed, or a key that is known to others stays.
	urgent map[int]bool
}

func (l *planner) reached(t time.Time) bool { return reached(t, l.now) }

// in reports whether the key belongs into the DNSKEY set now.
func (l *planner) in(k *Key) bool { return k.published(l.now) }

// step returns a step about a key as it is; the caller changes its timing.
func (l *planner) step(a Action, k *Key, why string, args ...any) Step {
	return Step{
		Zone: l.zone, Action: a, Flags: k.Flags, CSK: k.CSK, Algorithm: k.Algorithm,
		Key: k.ID, Timing: k.Timing, Why: fmt.Sprintf(why, args...),
	}
}

func (l *planner) add(s Step) { l.steps = append(l.steps, s) }

func (l *planner) addUrgent(s Step) {
	if l.urgent == nil {
		l.urgent = map[int]bool{}
	}
	l.urgent[len(l.steps)] = true
	l.add(s)
}

// waitFor lets a step wait until d after the event at from; ok says whether that
// has happened.
func (l *planner) waitFor(s *Step, what string, from time.Time, ok bool, d time.Duration) {
	until := from.Add(d)
	switch {
	case !ok:
		s.wait(what, time.Time{})
	case l.now.Before(until):
		s.wait(what+" until "+minute(until), until)
	}
}

// wait adds something that the step waits for, until a time that is known or
// zero. The step's own time is known only if all of them are.
func (s *Step) wait(what string, until time.Time) {
	if len(s.Waits) > 0 && s.At.IsZero() || until.IsZero() {
		s.At = time.Time{}
	} else if s.At.Before(until) {
		s.At = until
	}
	s.Waits = append(s.Waits, what)
}

// minute is how a time is shown: to the next minute, UTC.
func minute(t time.Time) string {
	return t.UTC().Add(time.Minute - time.Second).Truncate(time.Minute).Format("2006-01-02 15:04")
}

// record returns what the published generation says of a key, nil if nothing.
func (l *planner) record(k *Key) *zone.KeyRecord {
	if l.ev.Published == nil {
		return nil
	}
	return findRecord(l.ev.Published.Keys, k)
}

// since returns when a key came into the published DNSKEY set, if servers know.
func (l *planner) since(k *Key) (time.Time, bool) {
	r := l.record(k)
	if r == nil || l.ev.Published.Untold || !r.Gone.IsZero() {
		return time.Time{}, false
	}
	return r.Since, !r.Since.IsZero()
}

// idle returns when the last signature by a key left the published zone.
func (l *planner) idle(k *Key) (time.Time, bool) {
	r := l.record(k)
	if r == nil || l.ev.Published.Untold {
		return time.Time{}, false
	}
	return r.Idle, !r.Idle.IsZero() || r.Signs.IsZero() // or never signed
}

// unplan forgets what another program planned for the future: from here on Plan
// decides, when the time has come. That an old algorithm still signs for a while
// after it left the DNSKEY set is a plan of its own.
func (l *planner) unplan() {
	for i := range l.keys {
		k := &l.keys[i]
		t := k.Timing
		forget := []*time.Time{&t.Publish, &t.Ready, &t.Active, &t.Remove, &t.DSSeen, &t.Unsync}
		if !l.reached(t.Remove) {
			forget = append(forget, &t.Retire)
		}
		for _, f := range forget {
			if f.After(l.now) {
				*f = time.Time{}
			}
		}
		if t != k.Timing {
			s := l.step(ActionUnplan, k, "its times in the future were set by another program; its next step is planned when it is due")
			s.Timing = t
			l.addUrgent(s)
		}
	}
}

// held lets steps wait for what holds up all of them, and puts those that are
// due first.
func (l *planner) held() []Step {
	for i := range l.steps {
		s := &l.steps[i]
		if l.ev.Published != nil && l.now.Before(l.ev.Published.Time) {
			s.wait("a clock that is not behind the published generation", time.Time{})
		}
		if l.urgent[i] || s.Action == ActionDSSeen {
			continue
		}
		if f := l.p.Frozen(l.now); f != nil {
			text := "the freeze until " + f.Until.Format("2006-01-02")
			if f.Reason != "" {
				text += " (" + f.Reason + ")"
			}
			s.wait(text, f.Until)
		}
		if l.p.ManualKeys && s.Due() {
			s.wait("a person: zonebuild keys step "+l.zone.File(), time.Time{})
		}
	}
	for i := range l.steps {
		if s := &l.steps[i]; s.Due() && s.At.IsZero() {
			s.At = l.now
		}
	}
	slices.SortStableFunc(l.steps, func(a, b Step) int { return cmp.Compare(min(len(a.Waits), 1), min(len(b.Waits), 1)) })
	return l.steps
}

// approve lets a step wait until a person has agreed to it.
func (l *planner) approve(s *Step, parts ...string) {
	h := sha256.New()
	fmt.Fprintf(h, "nirzone key step 1\n%s\n%s\n%s\n", s.Zone, s.Action, s.Key)
	for _, part := range parts {
		fmt.Fprintln(h, part)
	}
	s.Hash = hex.EncodeToString(h.Sum(nil))
	if !slices.Contains(l.ev.Approved, s.Hash) {
		s.wait("approval: zonebuild keys approve "+s.Hash[:12], time.Time{})
	}
}
