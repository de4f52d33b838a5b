package sign

import (
	"fmt"
	"strings"
	"time"

	"nirzone/zone"
)

// An Action is what a step does to a key.
type Action string

// The actions, in about the order in which a key meets them.
const (
	ActionMake     Action = "make"     // a new key pair, with the timing of the step
	ActionComplete Action = "complete" // write the .key of a pair that a crash left half written
	ActionUnplan   Action = "unplan"   // forget times in the future that another program set
	ActionSign     Action = "sign"     // sign the zone ahead of the DNSKEY set: a new algorithm
	ActionPublish  Action = "publish"  // into the DNSKEY set
	ActionReady    Action = "ready"    // a KSK or CSK: into CDS and CDNSKEY, ask the parent for its DS
	ActionUnsync   Action = "unsync"   // out of CDS and CDNSKEY
	ActionActivate Action = "activate" // sign new slots of the zone
	ActionRetire   Action = "retire"   // sign no new slots
	ActionDSSeen   Action = "ds-seen"  // note that the parent has its DS
	ActionRemove   Action = "remove"   // out of the DNSKEY set
)

// A Step is one thing to do to one key of a zone. It says everything that is
// needed to take it, so that it can be shown, proved and taken by three different
// functions. Steps are planned by [Plan].
type Step struct {
	Zone      zone.Name `json:"zone"`
	Action    Action    `json:"action"`
	Flags     uint16    `json:"flags"`
	CSK       bool      `json:"csk,omitempty"`
	Algorithm uint8     `json:"algorithm"`
	Key       string    `json:"key,omitempty"` // ID of the key; empty for one that is to be made
	Timing    Timing    `json:"timing"`        // of the key after the step
	// Also are the other keys that change with it, for what must not be seen
	// half done.
	Also []Change `json:"also,omitempty"`
	Why  string   `json:"why"`

	// At is when the step can be taken, as far as is known; zero if that depends
	// on others.
	At    time.Time `json:"at,omitzero"`
	Waits []string  `json:"waits,omitempty"` // what it waits for; nothing: it is due
	// Hash names a step that needs a person's approval, given or not.
	Hash string `json:"hash,omitempty"`
	// Succeeds is the ID of the key whose successor the step brings.
	Succeeds string `json:"succeeds,omitempty"`
	Stake    string `json:"stake,omitempty"` // what goes wrong if it is taken wrongly

	// New is the key pair of a step that makes one, once it is drawn.
	New *Key `json:"-"`
}

// A Change is the timing that a key has after a step.
type Change struct {
	Key    string `json:"key"`
	Timing Timing `json:"timing"`
}

// Due reports whether the step may be taken.
func (s Step) Due() bool { return len(s.Waits) == 0 }

// Role returns "KSK", "ZSK" or "CSK".
func (s Step) Role() string { return Key{Flags: s.Flags, CSK: s.CSK}.Role() }

// String returns the step as a sentence without a full stop.
func (s Step) String() string {
	text := fmt.Sprintf("%s: %s %s", s.Zone, s.Action, s.Role())
	if s.Key != "" {
		text += " " + s.Key
	}
	text = fmt.Sprintf("%s, algorithm %d: %s", text, s.Algorithm, s.Why)
	if len(s.Waits) > 0 {
		text += "; waits for " + strings.Join(s.Waits, "; ")
	}
	return text
}

// Apply returns the key as it is after the step; a key that the step is not
// about stays as it is. Nothing but its timing changes, so the same step can be
// applied again.
func (s Step) Apply(k Key) Key {
	if k.ID == s.Key {
		k.Timing = s.Timing
	}
	for _, c := range s.Also {
		if k.ID == c.Key {
			k.Timing = c.Timing
		}
	}
	return k
}

// Take returns the keys of the zone after the step, sorted as before; a key that
// is made comes last. Before its pair is drawn, that key has no tag, no public
// and no private half.
func Take(keys []Key, s Step) []Key {
	out := append([]Key{}, keys...)
	for i := range out {
		out[i] = s.Apply(out[i])
	}
	if s.Action != ActionMake {
		return out
	}
	k := Key{Zone: s.Zone, Algorithm: s.Algorithm, Flags: s.Flags, CSK: s.CSK, owner: -1}
	if s.New != nil {
		k = *s.New
	}
	k.Timing = s.Timing
	return append(out, k)
}
