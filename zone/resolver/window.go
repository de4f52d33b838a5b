package resolver

import "time"

// never is later than any time that means something.
var never = time.Unix(1<<40, 0).UTC()

// A window is a time from one instant to another, the latter not in it.
type window struct{ from, until time.Time }

func (w window) empty() bool { return !w.from.Before(w.until) }

// and returns what is in both.
func (w window) and(o window) window { return window{later(w.from, o.from), earlier(w.until, o.until)} }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// end returns the time, or never if it is zero.
func end(t time.Time) time.Time {
	if t.IsZero() {
		return never
	}
	return t
}

// held returns when some cache may have the set.
func (s *Set) held(delay time.Duration) window {
	return window{s.From, end(s.Until).Add(delay + s.TTL)}
}

// early returns when the set is held although its signatures are not valid yet,
// by a clock that is slow by skew.
func (s *Set) early(skew time.Duration) window {
	if s.Inception.IsZero() {
		return window{}
	}
	return window{s.From, s.Inception.Add(skew)}
}

// late returns when the set is served although its signatures have expired, by a
// clock that is fast by skew.
func (s *Set) late(delay, skew time.Duration) window {
	if s.Expires.IsZero() {
		return window{}
	}
	last := end(s.Until)
	if !s.Leaves.IsZero() {
		last = earlier(last, s.Leaves)
	}
	return window{later(s.From, s.Expires.Add(-skew)), last.Add(delay)}
}
