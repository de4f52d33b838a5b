package zone

import (
	"reflect"
	"testing"
	"time"
)

// TestTTLPeriods: what a cache may hold is kept as long as it may.
func TestTTLPeriods(t *testing.T) {
	start := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	l := TTLPeriods{{Keys: 7200, Data: 172800}} // taken over
	for i, step := range []struct {
		hour       int
		keys, data uint32
		want       TTLPeriods
	}{
		{0, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 86400, at(0), time.Time{}}}},
		{2, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 86400, at(0), time.Time{}}}},
		{4, 3600, 3600, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 86400, at(0), at(4)}, {3600, 3600, at(4), time.Time{}}}},
		{6, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 3600, at(4), at(6)}, {3600, 86400, at(0), time.Time{}}}},
		{12, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 3600, at(4), at(6)}, {3600, 86400, at(0), time.Time{}}}},
		{13, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 86400, at(0), time.Time{}}}},
		{53, 3600, 86400, TTLPeriods{{7200, 172800, time.Time{}, at(0)}, {3600, 86400, at(0), time.Time{}}}},
		{54, 3600, 86400, TTLPeriods{{3600, 86400, at(0), time.Time{}}}},
	} {
		l = l.Next(step.keys, step.data, 6*time.Hour, at(step.hour))
		if !reflect.DeepEqual(l, step.want) {
			t.Errorf("%d: after %d h %v, not %v", i, step.hour, l, step.want)
		}
		if err := l.check(); err != nil {
			t.Error(err)
		}
	}
}

// TestTTLPeriodsTold: what the servers were not told of has not happened.
func TestTTLPeriodsTold(t *testing.T) {
	start := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	second := start.Add(2 * time.Hour)
	l := TTLPeriods{}.Next(3600, 172800, time.Hour, start).Told(time.Time{}, start)
	l = l.Next(3600, 86400, time.Hour, second)
	if u := l.Untold(second); u[0].Open() == false || !l[0].Until.Equal(second) {
		t.Errorf("untold %v, of %v", u, l)
	}
	if now, ok := l.Now(); !ok || now.Data != 86400 {
		t.Errorf("now %v", now)
	}
	later := second.Add(6 * time.Hour)
	l = l.Told(start, later)
	if !l[0].Since.Equal(start) || !l[0].Until.Equal(later) || !l[1].Since.Equal(later) {
		t.Errorf("told later: %v", l)
	}
	// The note is to the second, and rounded up: the next run may come before it.
	if again := l.Next(3600, 86400, time.Hour, later.Add(-time.Second)); !reflect.DeepEqual(again, l) {
		t.Errorf("in the second of the note: %v, not %v", again, l)
	}
}

func TestTTLPeriodsCheck(t *testing.T) {
	end := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	for name, l := range map[string]TTLPeriods{
		"two open": {{Keys: 1, Data: 1}, {Keys: 2, Data: 2}}, "none open": {{Keys: 1, Data: 1, Until: end}},
		"no TTL": {{Keys: 1 << 31, Data: 1}},
	} {
		if l.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
