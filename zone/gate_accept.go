package zone

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// AcceptVersion is the version of state/accepts/<hash>.json that this program
// writes. It reads this one and the one before.
const AcceptVersion = 2

// An Accept is state/accepts/<hash>.json: a person's agreement to the loss of
// exactly these owners of one source in one zone, until it expires. With
// AdditionsOnly it is the contrary: these owners stay as they are published
// while the rest of the feed passes.
type Accept struct {
	Version int       `json:"version"`
	Hash    string    `json:"hash"` // of the hold, see [Hold.ComputeHash]
	Source  string    `json:"source"`
	Zone    Name      `json:"zone,omitempty"` // empty for KindClaims
	Kind    string    `json:"kind"`
	Removes int       `json:"removes"` // [Hold.Count], as the person named it; 0 with AdditionsOnly
	Losses  []Name    `json:"losses"`
	Sets    []HeldSet `json:"sets,omitempty"`
	Message string    `json:"message"`
	By      string    `json:"by"`
	Time    time.Time `json:"time"`
	Expires time.Time `json:"expires"`

	AdditionsOnly bool `json:"additions_only,omitempty"`
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
	names := slices.Clone(a.Losses)
	if a.Kind != KindClaims {
		names = append(names, a.Zone)
	}
	for _, n := range names {
		if c, err := ParseName(string(n)); err != nil || c != n {
			return fmt.Errorf("%.80q is not a canonical name", n)
		}
	}
	h := a.hold()
	if n := h.Count(); len(a.Losses)+len(a.Sets) == 0 || a.Removes != n && !a.AdditionsOnly {
		return fmt.Errorf("it says %s and lists %d", plural(a.Removes, "loss", "losses"), n)
	}
	if len(a.Losses) > 0 && len(a.Sets) > 0 && len(a.Losses) != len(a.Sets) {
		return fmt.Errorf("it lists %d losses and %d sets", len(a.Losses), len(a.Sets))
	}
	if want := h.ComputeHash(); a.Hash != want {
		return fmt.Errorf("hash %.64q is not that of its losses, %s", a.Hash, want)
	}
	if a.Time.IsZero() || !a.Expires.After(a.Time) {
		return fmt.Errorf("it expires at %v, not after %v", a.Expires, a.Time)
	}
	return nil
}

// hold returns what of the hold its hash covers.
func (a *Accept) hold() Hold {
	h := Hold{Source: a.Source, Zone: a.Zone, Kind: a.Kind, Losses: a.Losses, Sets: a.Sets}
	if a.Kind == KindZoneDropped {
		h.Before = a.Removes
	}
	return h
}

// Encode returns the file's bytes.
func (a *Accept) Encode() []byte { return encodeJSON(a) }

// Text is what those sign whose approval the accept needs: a few lines that say
// what was decided, by whom, why and until when. The hash stands for the losses.
func (a *Accept) Text() []byte {
	var b bytes.Buffer
	decision := fmt.Sprintf("accept, removes %d", a.Removes)
	if a.AdditionsOnly {
		decision = "additions only"
	}
	fmt.Fprintf(&b, "nirzone accept 1\nhash: %s\nsource: %s\nzone: %s\nkind: %s\ndecision: %s\nreason: %q\nby: %q\ntime: %s\nexpires: %s\n",
		a.Hash, a.Source, a.Zone, a.Kind, decision, a.Message, a.By, a.Time.Format(time.RFC3339Nano), a.Expires.Format(time.RFC3339Nano))
	return b.Bytes()
}

// NewAccept agrees to a hold from now until the limit's time is over.
func NewAccept(h Hold, lim Limits, message, by string, now time.Time) *Accept {
	now = now.UTC()
	return &Accept{
		Version: AcceptVersion, Hash: h.ComputeHash(), Source: h.Source, Zone: h.Zone, Kind: h.Kind, Removes: h.Count(),
		Losses: slices.Clone(h.Losses), Sets: slices.Clone(h.Sets),
		Message: message, By: by, Time: now, Expires: now.Add(lim.Expires),
	}
}

// NewAdditionsOnly lets the rest of the feed pass while the owners of the hold
// stay as they are published.
func NewAdditionsOnly(h Hold, lim Limits, message, by string, now time.Time) *Accept {
	a := NewAccept(h, lim, message, by, now)
	a.AdditionsOnly, a.Removes = true, 0
	return a
}

// Valid reports whether the accept counts at a time. Its first moment counts,
// that of its expiry does not.
func (a *Accept) Valid(now time.Time) bool { return !now.Before(a.Time) && now.Before(a.Expires) }

// Stands returns the owners that an agreement to additions only keeps as they
// are published, for [MergeInput]; nil for any other accept.
func (a *Accept) Stands(now time.Time) map[Name]Stand {
	if !a.AdditionsOnly || !a.Valid(now) {
		return nil
	}
	stands := map[Name]Stand{}
	for _, n := range a.Losses {
		stands[n] = Stand{Source: a.Source, Over: a.Kind == KindShadowed}
	}
	return stands
}

// Accepts are the decisions that count in a run.
type Accepts []*Accept

// Agreed reports whether a person has agreed to a hold as it is.
func (as Accepts) Agreed(h Hold, now time.Time) bool {
	return slices.ContainsFunc(as, func(a *Accept) bool { return a.Hash == h.Hash && !a.AdditionsOnly && a.Valid(now) })
}

// An agreement is what people agreed to of one source in one zone, by kind.
type agreement map[string]map[Name]HeldSet

func (as Accepts) agreed(source string, zone Name, now time.Time) agreement {
	var g agreement
	for _, a := range as {
		if a.Source != source || a.Zone != zone || a.AdditionsOnly || !a.Valid(now) {
			continue
		}
		if g == nil {
			g = agreement{}
		}
		if g[a.Kind] == nil {
			g[a.Kind] = map[Name]HeldSet{}
		}
		for i, n := range a.Losses {
			var s HeldSet
			if i < len(a.Sets) {
				s = a.Sets[i]
			}
			g[a.Kind][n] = s
		}
	}
	return g
}

// covers reports whether a loss was agreed to: the same owner and kind, and where
// sets are replaced the same sets before and after. Who agreed that a delegation
// goes because the claims moved has agreed to its going.
func (g agreement) covers(x Loss) bool {
	if _, ok := g[KindClaimsMoved][x.Name]; ok && (x.Kind == KindRemoved || x.Kind == KindShadowed && !x.Over) {
		return true
	}
	s, ok := g[x.Kind][x.Name]
	return ok && sameText(s.Was, x.Was) && sameText(s.Is, x.Is)
}

func sameText(a, b []string) bool { return slices.Equal(a, b) }

// Happened reports whether a version of the zone is as the accept lets it be:
// what was to go is gone, what was to be replaced is.
func (a *Accept) Happened(next *Zone) bool {
	want := map[Name]HeldSet{}
	for i, n := range a.Losses {
		want[n] = HeldSet{}
		if i < len(a.Sets) {
			want[n] = a.Sets[i]
		}
	}
	glue, done := glueOf(next), true
	walk(nil, next, func(_, now []Entry) {
		if s, ok := want[now[0].Name]; ok && !a.happened(s, now, glue) {
			done = false
		}
	})
	return done
}

func (a *Accept) happened(s HeldSet, now []Entry, glue glueTable) bool {
	_, delegated, _ := gatedSource(&Zone{}, now)
	switch {
	case !delegated:
		return true
	case a.Kind == KindNS:
		return sameText(s.Is, nsTexts(now, glue))
	case a.Kind == KindShadowed && len(s.Is) > 0:
		return sameText(s.Is, allTexts(now, glue))
	case a.Kind == KindDSAdded || a.Kind == KindDSChanged || a.Kind == KindDSRemoved:
		return sameText(s.Is, dsTexts(now))
	}
	return false
}
