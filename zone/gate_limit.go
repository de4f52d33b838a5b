package zone

import "time"

// Limits are the gates: how much one source may change in one zone before a
// person has to agree, in one run and over [Day] and [Week]. Percentages are of
// the source's delegations in the zone before; for DS that change or go, of
// those with DS.
type Limits struct {
	Percent       float64       // more than this share, and at least Least, is held
	Least         int           // … owners
	Most          int           // this many owners are always held
	Last          bool          // hold the loss of a source's last delegation
	Wide4         int           // hold the loss of an IPv4 owner of this prefix length or shorter
	Wide6         int           // … IPv6
	TotalPercent  float64       // hold if a source's total over all zones falls by more
	ClaimsPercent float64       // hold the claims if they lose more of a source's IPv4 or IPv6 space
	Expires       time.Duration // how long an accept counts
	// Special are limits of one kind and window that differ from Percent, Least
	// and Most, and Totals those of a window that differ from TotalPercent.
	Special []Limit
	Totals  []Limit
}

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
