package zone

import "time"

// A Limit is on the number of owners that one kind of change concerns within a
// window; the window of a single run is 0.
type Limit struct {
	Kind    string
	Window  time.Duration
	Percent float64
	Least   int
	Most    int
}

// Of returns the limit for a kind and a window.
func (lim Limits) Of(kind string, window time.Duration) Limit {
	for _, l := range lim.Special {
		if l.Kind == kind && l.Window == window {
			return Limit{Percent: l.Percent, Least: l.Least, Most: l.Most}
		}
	}
	return Limit{Percent: lim.Percent, Least: lim.Least, Most: lim.Most}
}

// Total returns the limit in per cent on the fall of a source's total within a
// window.
func (lim Limits) Total(window time.Duration) float64 {
	for _, l := range lim.Totals {
		if l.Window == window {
			return l.Percent
		}
	}
	return lim.TotalPercent
}
