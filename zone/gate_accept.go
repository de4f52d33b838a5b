package zone

import (
	"fmt"
	"slices"
	"time"
)

// AcceptVersion is the version of state/accepts/<hash>.json that this program
// writes. It reads this one and the one before.
const AcceptVersion = 1

// An Accept is state/accepts/<hash>.json: a person's agreement to the loss of
// exactly these owners of one source in one zone, until it expires.
type Accept struct {
	Version int       `json:"version"`
	Hash    string    `json:"hash"` // of the hold, see [Hold.ComputeHash]
	Source  string    `json:"source"`
	Zone    Name      `json:"zone"`
	Kind    string    `json:"kind"`
	Removes int       `json:"removes"` // number of losses, as the person named it
	Losses  []Name    `json:"losses"`
	Message string    `json:"message"`
	By      string    `json:"by"`
	Time    time.Time `json:"time"`
	Expires time.Time `json:"expires"`
}

// ParseAccept reads an accept file. It refuses unknown keys, a newer version, a
// count that is not that of the losses, and a hash that is not theirs: a file
// that was edited by hand agrees to nothing.
func ParseAccept(file string, data []byte) (*Accept, error) {
	var a Accept
	if err := decodeVersioned(file, data, AcceptVersion, &a); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("%s: %w; make it again with zonebuild accept", file, err)
	}
	return &a, nil
}

func (a *Accept) check() error {
	for _, n := range append(slices.Clone(a.Losses), a.Zone) {
		if c, err := ParseName(string(n)); err != nil || c != n {
			return fmt.Errorf("%.80q is not a canonical name", n)
		}
	}
	if len(a.Losses) == 0 || a.Removes != len(a.Losses) {
		return fmt.Errorf("it says %d losses and lists %d", a.Removes, len(a.Losses))
	}
	if want := (Hold{Source: a.Source, Zone: a.Zone, Kind: a.Kind, Losses: a.Losses}).ComputeHash(); a.Hash != want {
		return fmt.Errorf("hash %.64q is not that of its losses, %s", a.Hash, want)
	}
	if a.Time.IsZero() || !a.Expires.After(a.Time) {
		return fmt.Errorf("it expires at %v, not after %v", a.Expires, a.Time)
	}
	return nil
}

// Encode returns the file's bytes.
func (a *Accept) Encode() []byte { return encodeJSON(a) }

// NewAccept agrees to a hold from now until the limit's time is over.
func NewAccept(h Hold, lim Limits, message, by string, now time.Time) *Accept {
	losses := slices.Clone(h.Losses)
	sortNames(losses)
	now = now.UTC()
	return &Accept{
		Version: AcceptVersion, Hash: h.ComputeHash(), Source: h.Source, Zone: h.Zone, Kind: h.Kind, Removes: len(losses), Losses: losses,
		Message: message, By: by, Time: now, Expires: now.Add(lim.Expires),
	}
}

// Valid reports whether the accept counts at a time. Its first moment counts,
// that of its expiry does not.
func (a *Accept) Valid(now time.Time) bool { return !now.Before(a.Time) && now.Before(a.Expires) }

// AcceptedLosses returns the argument for [Gate] that the accepts amount to at
// a time.
func AcceptedLosses(accepts []*Accept, now time.Time) func(source string, zone Name) map[Name]bool {
	type key struct {
		source string
		zone   Name
	}
	agreed := map[key]map[Name]bool{}
	for _, a := range accepts {
		if !a.Valid(now) {
			continue
		}
		k := key{a.Source, a.Zone}
		if agreed[k] == nil {
			agreed[k] = map[Name]bool{}
		}
		for _, n := range a.Losses {
			agreed[k][n] = true
		}
	}
	return func(source string, zone Name) map[Name]bool { return agreed[key{source, zone}] }
}
