package main

import (
	"time"

	"nirzone/zone"
)

// What a name is in a published zone.
const (
	isDelegated = "delegated" // it has NS records
	isAlias     = "alias"     // a CNAME of RFC 2317
	isGlue      = "glue"      // the address of a name server
	isBelow     = "below"     // a name above it is delegated
	isAbove     = "above"     // names below it are delegated
	isApex      = "apex"      // a parent zone itself
	isAbsent    = "absent"
)

// What became of something said, beside the codes of notices.
const (
	fatePublished  = "published"
	fateDuplicate  = "duplicate"  // published, from another line of the file
	fateOverridden = "overridden" // the code of the merge
	fateIgnored    = "ignored"    // no notice says why
)

// An answer is the result of "why". docs/nirctl.md has its JSON.
type answer struct {
	Version    int         `json:"version"`
	Name       zone.Name   `json:"name"`
	Prefix     string      `json:"prefix,omitempty"`
	Status     string      `json:"status"` // one of the constants above
	Zone       zone.Name   `json:"zone"`
	Generation uint64      `json:"generation"`
	Serial     zone.Serial `json:"serial"`
	Built      time.Time   `json:"built"`
	Pinned     uint64      `json:"pinned,omitempty"`
	Carried    string      `json:"carried,omitempty"`

	Apex       *apexFacts  `json:"apex,omitempty"`
	Published  []statement `json:"published"`            // what is in the zone at the name
	Above      []statement `json:"above,omitempty"`      // at a name above it
	Below      []zone.Name `json:"below,omitempty"`      // delegations below it, the first ones
	BelowCount int         `json:"below_count,omitzero"` // how many there are
	Said       []statement `json:"said"`                 // what the accepted files say of the name and those above it

	Claims  []claim           `json:"claims"`
	Notices []zone.OpenNotice `json:"notices"` // open, about the name, those above it, and the files involved
	Holds   []hold            `json:"holds,omitempty"`
	Waiting []waiting         `json:"waiting,omitempty"` // newer files that are not published

	Registry *registryPart `json:"registry,omitempty"` // not for a parent zone
}

// reached reports whether a resolver that asks for the name finds something.
func (a *answer) reached() bool {
	return len(a.Published) > 0 || len(a.Above) > 0 || a.Status == isApex
}

// An apexFacts is what is known of a parent zone as a whole.
type apexFacts struct {
	NS          []zone.Name          `json:"ns"`
	Delegations int                  `json:"delegations"`
	Counts      []zone.SourceCount   `json:"counts"`
	Inputs      []zone.Input         `json:"inputs"`
	Keys        []zone.GenerationKey `json:"keys"`
	Expires     time.Time            `json:"expires"`
}

// A statement is one record with where it was read and what became of it.
type statement struct {
	Name   zone.Name `json:"name"`
	Record string    `json:"record"`
	Source string    `json:"source"`
	File   string    `json:"file"`
	Line   int       `json:"line"`
	SHA256 string    `json:"sha256"`
	Signer string    `json:"signer,omitempty"`
	Seen   time.Time `json:"seen,omitzero"` // when these bytes were first fetched
	// Kept is the code of the notice because of which a published record stands.
	Kept string `json:"kept,omitempty"`
	// Fate is what became of something said: published, duplicate, or the code
	// of the notice that says why it is not published.
	Fate string `json:"fate,omitempty"`

	rec zone.Record
}

type claim struct {
	Source string `json:"source"`
	Prefix string `json:"prefix"`
}

// A hold is a loss that waits for a person.
type hold struct {
	Hash      string `json:"hash"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Rule      string `json:"rule"`
	Removes   int    `json:"removes"`
	LosesName bool   `json:"loses_name"` // whether the name is among the losses
}

// A waiting is a newer file than the one that the zone was made of.
type waiting struct {
	Source    string      `json:"source"`
	File      string      `json:"file"`
	SHA256    string      `json:"sha256"`
	Signer    string      `json:"signer,omitempty"`
	Seen      time.Time   `json:"seen,omitzero"`
	Held      string      `json:"held,omitempty"`      // hash of the hold that keeps it back
	Probation bool        `json:"probation,omitempty"` // no build takes it: its source is in probation
	Error     string      `json:"error,omitempty"`     // why it cannot be read
	Says      []statement `json:"says"`                // of the name
}
