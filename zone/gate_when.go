package zone

import "time"

// GateDue returns the earliest time at which the outcome of a zone could be
// another although its inputs, its configuration and people's decisions are the
// same; the zero time if there is none.
//
// A zone in which nothing is held depends on time in no way: what its ledger
// counts for matters only with a new loss. One in which something is held does
// at any time: losses leave the windows, decisions expire, and the limit on a
// source's total depends on what the source does elsewhere. So it is to be
// merged in every run, as is one for which a decision waits.
func (g *Generation) GateDue(zone Name, accepts Accepts) time.Time {
	for _, h := range g.Holds {
		if h.Zone == zone || h.Zone == "" {
			return g.Time
		}
	}
	for _, a := range accepts {
		if a.Zone == zone || a.Zone == "" {
			return g.Time
		}
	}
	return time.Time{}
}
