package sign

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"nirzone/zone"
	"nirzone/zone/resolver"
)

// A Refusal says that a key step would break validation.
type Refusal struct {
	Zone   zone.Name
	Step   Step
	States []resolver.State // what a resolver could hold, the earliest first
	Err    error            // instead of states: the zone could not be signed
}

// Error returns the first state as a sentence without a full stop.
func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: step %s %s %s", r.Zone, r.Step.Action, r.Step.Role(), r.Step.Key)
	if r.Err != nil {
		fmt.Fprintf(&b, " would end its signing: %v", r.Err)
		return b.String()
	}
	fmt.Fprintf(&b, " could be bogus %s", r.States[0])
	if more := len(r.States) - 1; more > 0 {
		fmt.Fprintf(&b, "; and %d more such combinations", more)
	}
	return b.String()
}

// Unwrap returns why the zone could not be signed.
func (r *Refusal) Unwrap() error { return r.Err }

// Prove runs the model of package resolver on the zone's own keys, TTLs, slots,
// record and parent, from now until nothing that was published before is cached
// any more, and refuses a step, by a [*Refusal], after which a resolver could
// hold answers that do not validate together. What could be held without the
// step, and as long, is not the step's fault: a step that mends is not refused.
// It takes microseconds.
func Prove(keys []Key, s Step, p Policy, ev Evidence, now time.Time) error {
	o := newOutlook(s.Zone, p, ev, now)
	o.ds = o.parent(keys, Take(keys, s), ev.Parent)
	t, err := o.timeline(keys, Take(keys, s))
	if err == nil && len(t.Bogus(now, time.Time{})) == 0 {
		return nil
	}
	r := &Refusal{Zone: s.Zone, Step: s, Err: err}
	without := *o
	without.ds = o.parent(keys, keys, ev.Parent)
	u, before := without.timeline(keys, keys)
	if err != nil {
		if later(before, err) {
			return nil
		}
		return r
	}
	if r.States = fresh(t.Bogus(now, time.Time{}), u.Bogus(now, time.Time{})); len(r.States) == 0 {
		return nil
	}
	return r
}

func newOutlook(name zone.Name, p Policy, ev Evidence, now time.Time) *outlook {
	return &outlook{origin: name, p: p, published: ev.Published, now: now.UTC().Truncate(time.Second)}
}

// later reports whether a zone that cannot be signed any more from some time on
// would have come to that as early without a step.
func later(without, with error) bool {
	var a, b unsignable
	return errors.As(without, &a) && errors.As(with, &b) && !b.from.Before(a.from)
}

// fresh returns the states that are in no way covered by those of before.
func fresh(states, before []resolver.State) []resolver.State {
	var list []resolver.State
next:
	for i := range states {
		for j := range before {
			if before[j].Covers(&states[i]) {
				continue next
			}
		}
		list = append(list, states[i])
	}
	return list
}
