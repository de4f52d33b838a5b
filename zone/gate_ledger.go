package zone

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// The windows over which losses are counted, beside the single run. Losses below
// the limits of a run would otherwise add up: 5 % a run, every two hours, is
// 46 % a day.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// A Ledger is what sources lost in a zone without being held, oldest first:
// since the last loss that a person accepted, and for a week at most. What came
// back is struck out. It is as small as the limits are: what passes them is held
// and not in it.
type Ledger []Lapse

// A Lapse is what one source lost in one run, of one kind. Before is what the
// limits in per cent are of: the source's delegations in the zone before that
// run, for KindDSChanged and KindDSRemoved those with DS. Was names the records
// that each owner had when it was first entered, with "over:" before the name if
// another source took it over: an owner that comes back with others has not come
// back, or whole zones could be replaced by removing and adding a few at a time.
type Lapse struct {
	Source string    `json:"source"`
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	Before int       `json:"before"`
	Names  []Name    `json:"names"`
	Was    []string  `json:"was,omitempty"`
}

// of returns what one source lost.
func (l Ledger) of(source string) Ledger {
	var out Ledger
	for _, p := range l {
		if p.Source == source {
			out = append(out, p)
		}
	}
	return out
}

// Of returns the lapses of one source.
func (l Ledger) Of(source string) Ledger { return l.of(source) }

// filter keeps the names that keep reports true for. It returns l itself if
// nothing goes.
func (l Ledger) filter(keep func(p *Lapse, i int) bool) Ledger {
	out, same := Ledger{}, true
	for n := range l {
		p := &l[n]
		q := Lapse{Source: p.Source, Kind: p.Kind, Time: p.Time, Before: p.Before}
		for i, name := range p.Names {
			if !keep(p, i) {
				same = false
				continue
			}
			q.Names = append(q.Names, name)
			if i < len(p.Was) {
				q.Was = append(q.Was, p.Was[i])
			}
		}
		if len(q.Names) > 0 {
			out = append(out, q)
		}
	}
	if same {
		return l
	}
	return out
}

// was returns the name of the set that an owner had, "" if there is none.
func (p *Lapse) was(i int) string {
	if i < len(p.Was) {
		return p.Was[i]
	}
	return ""
}

// Standing returns the ledger without what a version of the zone gives back: a
// loss that came back cancels out.
func (l Ledger) Standing(next *Zone) Ledger {
	if len(l) == 0 || next == nil {
		return l
	}
	now := map[Name][]Entry{}
	for _, p := range l {
		for _, n := range p.Names {
			now[n] = nil
		}
	}
	glue := glueOf(next)
	walk(nil, next, func(_, es []Entry) {
		if _, ok := now[es[0].Name]; ok {
			now[es[0].Name] = es
		}
	})
	return l.filter(func(p *Lapse, i int) bool { return !restored(p.Kind, p.was(i), now[p.Names[i]], glue) })
}

// restored reports whether an owner has again what it had lost.
func restored(kind, was string, now []Entry, glue glueTable) bool {
	_, delegated, _ := gatedSource(&Zone{}, now)
	switch kind {
	case KindRemoved, KindShadowed:
		had := strings.TrimPrefix(was, overPrefix)
		return delegated && (had == "" || had == setName(allTexts(now, glue)))
	case KindNS:
		return delegated && was == setName(nsTexts(now, glue))
	}
	return was == setName(dsTexts(now))
}

// overPrefix marks what another source took over.
const overPrefix = "over:"

// setName is a short name for a set of records: enough to tell it from others
// that the same owner may have.
func setName(texts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// since returns the lapses within a window that ends now; all of them for one
// without end.
func (l Ledger) since(kind string, window time.Duration, now time.Time) Ledger {
	var out Ledger
	for _, p := range l {
		if p.Kind == kind && now.Sub(p.Time) < window {
			out = append(out, p)
		}
	}
	return out
}

// Advance enters what the sources lose in a run that is published now. Losses
// that a person accepted are not entered, and reset says for which source and
// kind such an acceptance makes a new baseline. What is older than a week goes
// when something else changes: until then it does no harm, and an unchanged zone
// has an unchanged ledger.
func (l Ledger) Advance(changes []SourceChange, accepts Accepts, reset func(source, kind string) bool, now time.Time) Ledger {
	next := l.filter(func(p *Lapse, _ int) bool { return !reset(p.Source, p.Kind) })
	changed := len(next) != len(l)
	for _, c := range changes {
		for _, kind := range LossKinds {
			if p := c.lapse(kind, accepts, now); len(p.Names) > 0 && !reset(c.Source, kind) {
				next, changed = next.enter(p), true
			}
		}
	}
	if !changed {
		return l
	}
	next = slices.DeleteFunc(slices.Clone(next), func(p Lapse) bool { return now.Sub(p.Time) >= Week })
	return next
}

// enter adds a lapse. An owner that is in the ledger already moves to the new
// one and keeps the set it had first.
func (l Ledger) enter(p Lapse) Ledger {
	first, again := map[Name]string{}, map[Name]bool{}
	for _, n := range p.Names {
		again[n] = true
	}
	l = l.filter(func(q *Lapse, i int) bool {
		if q.Source != p.Source || q.Kind != p.Kind || !again[q.Names[i]] {
			return true
		}
		first[q.Names[i]] = q.was(i)
		return false
	})
	for i, n := range p.Names {
		if was := first[n]; was != "" && i < len(p.Was) {
			p.Was[i] = was
		}
	}
	return append(slices.Clone(l), p)
}

// lapse returns what a source loses of one kind that nobody accepted.
func (c SourceChange) lapse(kind string, accepts Accepts, now time.Time) Lapse {
	p := Lapse{Source: c.Source, Kind: kind, Time: now.UTC(), Before: c.base(kind)}
	agreed := accepts.agreed(c.Source, c.Zone, now)
	for _, x := range c.Losses {
		if x.Kind != kind || agreed.covers(x) {
			continue
		}
		p.Names = append(p.Names, x.Name)
		p.Was = append(p.Was, x.setName())
	}
	if !slices.ContainsFunc(p.Was, func(s string) bool { return s != "" }) {
		p.Was = nil
	}
	return p
}

// setName names what the owner had.
func (x Loss) setName() string {
	switch {
	case x.Over:
		return overPrefix + setName(x.Was)
	case x.Kind == KindRemoved || x.Kind == KindShadowed:
		return x.had
	}
	return setName(x.Was)
}

// base returns what a limit in per cent is of.
func (c SourceChange) base(kind string) int {
	if kind == KindDSChanged || kind == KindDSRemoved {
		return c.Signed
	}
	return c.Before
}
