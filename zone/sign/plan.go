package sign

import (
	"fmt"
	"time"

	"nirzone/zone"
)

// An Action is what a step does to a key.
type Action string

// The actions.
const (
	ActionMake     Action = "make"     // a new key pair, at once in the DNSKEY set and active
	ActionComplete Action = "complete" // write the .key of a pair that a crash left half written
)

// A Step is one thing to do to the keys of a zone. Steps are planned by [Plan]
// and performed in order.
type Step struct {
	Zone      zone.Name `json:"zone"`
	Action    Action    `json:"action"`
	Flags     uint16    `json:"flags"`
	Algorithm uint8     `json:"algorithm"`
	Key       string    `json:"key,omitempty"` // ID of the key that the step made or is about
	Why       string    `json:"why"`
}

// String returns the step as a sentence without a full stop.
func (s Step) String() string {
	text := fmt.Sprintf("%s: %s %s", s.Zone, s.Action, roleName(s.Flags))
	if s.Key != "" {
		text += " " + s.Key
	}
	return fmt.Sprintf("%s, algorithm %d: %s", text, s.Algorithm, s.Why)
}

// Plan returns the steps that the policy asks for at now, in the order in which
// they must be taken; none if the zone's keys are as they should be.
func Plan(keys []Key, p zone.SigningConfig, name zone.Name, now time.Time) []Step {
	var steps []Step
	for _, flags := range [...]uint16{FlagsKSK, FlagsZSK} {
		if !hasRole(keys, flags, now) {
			steps = append(steps, Step{
				Zone: name, Action: ActionMake, Flags: flags, Algorithm: p.Algorithm,
				Why: "the zone has no " + roleName(flags) + " that is in use or will be",
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
