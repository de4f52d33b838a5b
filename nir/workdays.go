package nir

import (
	"slices"
	"time"
)

// due returns when an answer is due that is to come within a number of working
// days of an economy (APNIC-103, section 3.6): at the same time of the day, so
// many working days later. What comes on a day off counts from the beginning of
// the next working day.
func (r Rules) due(from time.Time, days int, economy string) time.Time {
	at := from.In(r.location())
	if !r.works(at, economy) {
		y, m, d := at.Date()
		at = time.Date(y, m, d, 0, 0, 0, 0, at.Location())
		at = r.nextWorkday(at, economy)
	}
	for range days {
		at = r.nextWorkday(at, economy)
	}
	return at.UTC()
}

func (r Rules) nextWorkday(at time.Time, economy string) time.Time {
	for range 366 { // a calendar that holds no working day at all ends it
		if at = at.AddDate(0, 0, 1); r.works(at, economy) {
			break
		}
	}
	return at
}

// works reports whether a day is a working day at the registry and in the economy.
func (r Rules) works(at time.Time, economy string) bool {
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	day := at.Format(time.DateOnly)
	return !slices.Contains(r.Holidays[r.RIR], day) && !slices.Contains(r.Holidays[economy], day)
}

func (r Rules) location() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// worked returns how much working time lies between two times: a working day has
// all the hours of its date.
func (r Rules) worked(from, to time.Time, economy string) time.Duration {
	var sum time.Duration
	for at := from.In(r.location()); at.Before(to); {
		next := midnight(at)
		if next.After(to) {
			next = to.In(r.location())
		}
		if r.works(at, economy) {
			sum += next.Sub(at)
		}
		at = next
	}
	return sum
}

// after returns when so much working time will have passed.
func (r Rules) after(from time.Time, left time.Duration, economy string) time.Time {
	at := from.In(r.location())
	for range maxDays {
		next := midnight(at)
		if r.works(at, economy) {
			if day := next.Sub(at); left > day {
				left -= day
			} else {
				return at.Add(left).UTC()
			}
		} else if left <= 0 {
			break
		}
		at = next
	}
	return at.UTC()
}

// maxDays bounds a walk over days, if a calendar holds no working day at all.
const maxDays = 4000

// midnight returns when the next day begins.
func midnight(at time.Time) time.Time {
	y, m, d := at.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, at.Location())
}
