package zone

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Hold is a change of one source in one zone that passed a limit and waits
// for a person. Losses are the owners concerned that nobody has accepted, sorted
// canonically; Sets, if not nil, says of each of them what it was and would be.
// Before and After count the source's delegations in the zone.
type Hold struct {
	Hash   string    `json:"hash"` // see ComputeHash
	Source string    `json:"source"`
	Zone   Name      `json:"zone,omitempty"` // empty for KindClaims
	Kind   string    `json:"kind"`           // one of the Kind constants
	Rule   string    `json:"rule"`           // which limits, in words, with the figures
	Before int       `json:"before"`
	After  int       `json:"after"`
	Losses []Name    `json:"losses"`
	Sets   []HeldSet `json:"sets,omitempty"`
	Since  time.Time `json:"since,omitzero"` // of the run that first held it
	// Until is when the decision expires by which the rest of the feed passes
	// and only these losses are held; zero without such a decision.
	Until time.Time `json:"until,omitzero"`
}

// A HeldSet is what a person has to know of one loss beside its name: the
// records or ranges that were and those that would be, in presentation form,
// and for a shadowed delegation what hides it.
type HeldSet struct {
	Was []string `json:"was,omitempty"`
	Is  []string `json:"is,omitempty"`
	By  string   `json:"by,omitempty"`
}

// The kinds of change that are held. Those of [LossKinds] are found by
// comparing zones and have limits; the others are held whatever their number.
const (
	KindRemoved   = "removed"     // a delegation that is in the zone no more
	KindShadowed  = "shadowed"    // … because one above it, or another source's, counts
	KindNS        = "ns-replaced" // a delegation with other name servers
	KindDSAdded   = "ds-added"    // … with its first DS
	KindDSChanged = "ds-changed"
	KindDSRemoved = "ds-removed"

	KindClaimsMoved = "claims-moved"   // delegations that stand although the claims moved
	KindZoneDropped = "zone-dropped"   // a published zone that is configured no more
	KindApex        = "apex-changed"   // NS or SOA of the zone itself, by configuration
	KindClaims      = "claims-reduced" // ranges that a source's claims would lose
)

// LossKinds are the kinds of change that have limits, in the order in which
// they are held and shown.
var LossKinds = []string{KindRemoved, KindShadowed, KindNS, KindDSAdded, KindDSChanged, KindDSRemoved}

// holdVersion is part of every hash, so that a later form cannot be mistaken
// for this one.
const holdVersion = "nirzone hold 1"

// Count returns the number that accepting the hold has to name: of the owners
// concerned, of the delegations of a dropped zone, of the name servers that an
// apex loses, of the ranges that claims lose.
func (h Hold) Count() int {
	switch {
	case h.Kind == KindZoneDropped:
		return h.Before
	case (h.Kind == KindApex || h.Kind == KindClaims) && len(h.Sets) == 1:
		return lost(h.Sets[0], h.Kind)
	}
	return len(h.Losses)
}

// lost counts the name servers or ranges that were and would be no more.
func lost(s HeldSet, kind string) int {
	n := 0
	for _, line := range s.Was {
		if kind == KindClaims || strings.HasPrefix(line, "NS ") {
			n++
		}
	}
	return n
}

// ComputeHash returns the hex SHA-256 that names the hold. It covers the
// source, the zone, the kind and the losses, with the old and new values of
// sets that are replaced, and nothing else: the rest of the feed may change
// while a person thinks about it.
func (h Hold) ComputeHash() string {
	order := make([]int, len(h.Losses))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return strings.Compare(string(h.Losses[x]), string(h.Losses[y])) })
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%q\n%q\n%q\n", holdVersion, h.Source, h.Zone, h.Kind)
	if h.Kind == KindZoneDropped {
		fmt.Fprintf(&b, "%d\n", h.Before)
	}
	for _, i := range order {
		fmt.Fprintf(&b, "%q\n", h.Losses[i])
		if i < len(h.Sets) {
			h.Sets[i].hashTo(&b)
		}
	}
	if len(h.Losses) == 0 {
		for _, s := range h.Sets {
			s.hashTo(&b)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

func (s HeldSet) hashTo(b *strings.Builder) {
	for _, was := range s.Was {
		fmt.Fprintf(b, "- %q\n", was)
	}
	for _, is := range s.Is {
		fmt.Fprintf(b, "+ %q\n", is)
	}
}

// Text says in words what the hold is about: "120 delegations would be removed".
func (h Hold) Text() string {
	switch h.Kind {
	case KindRemoved:
		return h.owners() + " would be removed"
	case KindShadowed:
		return h.owners() + " would be hidden or overridden"
	case KindNS:
		return h.owners() + " would get other name servers"
	case KindDSAdded:
		return h.owners() + " would get a first DS"
	case KindDSChanged:
		return h.owners() + " would get another DS"
	case KindDSRemoved:
		return h.owners() + " would lose the DS"
	case KindApex:
		return "the apex would change and lose " + plural(h.Count(), "name server", "name servers")
	case KindClaims:
		return "the claims would lose " + plural(h.Count(), "range", "ranges")
	case KindProbation:
		return h.probationText()
	}
	return h.owners() + " would be lost"
}

// owners counts what Count does, in words: aliases of single addresses (RFC 2317)
// for themselves, as the limits take those of a /24 for one delegation.
func (h Hold) owners() string {
	n, single := h.Count(), 0
	for _, name := range h.Losses {
		if unitOf(name) != name {
			single++
		}
	}
	switch {
	case single == 0:
		return plural(n, "delegation", "delegations")
	case single == n:
		return plural(n, "single address", "single addresses")
	}
	return plural(n-single, "delegation", "delegations") + " and " + plural(single, "single address", "single addresses")
}
