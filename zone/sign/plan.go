package sign

import (
	"time"

	"nirzone/zone"
)

// Plan returns the steps that the policy and the evidence ask for at now, in the
// order in which they must be taken: first those that are due, then those that
// wait for something. It is pure: what was done before is known from the keys'
// times alone. Take the first step that is due, and plan again.
func Plan(keys []Key, p Policy, ev Evidence, name zone.Name, now time.Time) []Step {
	var steps []Step
	t := now.UTC().Truncate(time.Second)
	for _, flags := range [...]uint16{FlagsKSK, FlagsZSK} {
		if !hasRole(keys, flags, now) {
			steps = append(steps, Step{
				Zone: name, Action: ActionMake, Flags: flags, Algorithm: p.Algorithm,
				Timing: Timing{Created: t, Publish: t, Ready: t, Active: t},
				Why:    "the zone has no " + roleName(flags) + " that is in use or will be",
			})
		}
	}
	return steps
}

// hasRole reports whether a key with the flags signs now or is on its way to.
func hasRole(keys []Key, flags uint16, now time.Time) bool {
	for _, k := range keys {
		if k.Flags == flags && k.State(now) < StateRetired {
			return true
		}
	}
	return false
}
