package resolver

import (
	"fmt"
	"time"
)

// A State is what a resolver may hold that does not validate.
type State struct {
	From, Until time.Time // when it may; a zero Until is for ever
	DS, DNSKEY  Set
	Data        *Set   // nil if the DNSKEY set itself is not trusted
	Why         string // with the RFC's section
}

// String returns the state as one sentence without a full stop.
func (s State) String() string {
	until := "on"
	if !s.Until.IsZero() {
		until = "to " + stamp(s.Until)
	}
	text := fmt.Sprintf("from %s %s: a resolver with the DS set of %s %s, the DNSKEY set of %s %s, signed by %s",
		stamp(s.From), until, list(s.DS.Keys), s.DS.published(), list(s.DNSKEY.Keys), s.DNSKEY.published(), list(s.DNSKEY.Signers))
	if s.Data != nil {
		text += fmt.Sprintf(", and data with signatures by %s %s", list(s.Data.Signers), s.Data.published())
	}
	return text + ": " + s.Why
}

// published says when, in brackets.
func (s *Set) published() string {
	switch {
	case s.From.IsZero() && s.Until.IsZero():
		return "(published all the time)"
	case s.From.IsZero():
		return "(published to " + stamp(s.Until) + ")"
	case s.Until.IsZero():
		return "(published since " + stamp(s.From) + ")"
	}
	return fmt.Sprintf("(published %s to %s)", stamp(s.From), stamp(s.Until))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// identity tells states apart that differ in more than time.
func (s *State) identity() string {
	text := identity(s.DS.Keys) + "|" + identity(s.DNSKEY.Keys) + "|" + identity(s.DNSKEY.Signers)
	if s.Data != nil {
		text += "|" + identity(s.Data.Signers)
	}
	return text + "|" + s.Why
}

// Covers reports whether s is the same combination as o and may be held at all
// times at which o may.
func (s *State) Covers(o *State) bool {
	return s.identity() == o.identity() && !s.From.After(o.From) && !end(s.Until).Before(end(o.Until))
}

// add notes a bogus state, or that one that is known is there for longer.
func (f *finder) add(w window, ds, keys, data *Set, why string) {
	s := State{From: w.from, Until: w.until, DS: *ds, DNSKEY: *keys, Why: why}
	if !w.until.Before(never) {
		s.Until = time.Time{}
	}
	if data != nil {
		d := *data
		s.Data = &d
	}
	id := s.identity()
	if i, ok := f.seen[id]; ok {
		f.found[i].extend(&s)
		return
	}
	f.seen[id] = len(f.found)
	f.found = append(f.found, s)
}

// extend lets s hold whenever o does. The sets are those of the earlier one.
func (s *State) extend(o *State) {
	until := later(end(s.Until), end(o.Until))
	if o.From.Before(s.From) {
		*s = *o
	}
	s.Until = until
	if !until.Before(never) {
		s.Until = time.Time{}
	}
}
