package zone

import "time"

// A Hold is a change of one source in one zone that passed a limit and waits
// for a person. Losses are the owners that would no longer be delegated, sorted
// canonically. Before and After count the source's delegations in the zone, or
// over all zones for the rule "total".
type Hold struct {
	Hash   string `json:"hash"` // see ComputeHash
	Source string `json:"source"`
	Zone   Name   `json:"zone"`
	Kind   string `json:"kind"` // "removed"
	Rule   string `json:"rule"` // which limit, in words
	Before int    `json:"before"`
	After  int    `json:"after"`
	Losses []Name `json:"losses"`
}

// A SourceChange counts the delegations (owners with NS) that a source has in a
// zone before and after. Removed are the owners that were published from it and
// that nobody delegates any more, sorted canonically.
type SourceChange struct {
	Source  string `json:"source"`
	Zone    Name   `json:"zone"`
	Before  int    `json:"before"`
	After   int    `json:"after"`
	Removed []Name `json:"removed,omitempty"`
}

// SourceChanges compares two versions of a zone, source by source, sorted. An
// owner that another source or the registry took over is no loss.
func SourceChanges(prev, next *Zone) []SourceChange { return nil }

// Gate returns the changes, of all zones together, that pass a limit.
// accepted returns the owners whose loss a person has agreed to; it may be nil.
func Gate(changes []SourceChange, lim Limits, accepted func(source string, zone Name) map[Name]bool) []Hold {
	return nil
}

// ComputeHash returns the hex SHA-256 that names the hold.
func (h Hold) ComputeHash() string { return "" }

// AcceptVersion is the version of state/accepts/<hash>.json that this program
// writes. It reads this one and the one before.
const AcceptVersion = 1

// An Accept is state/accepts/<hash>.json: a person's agreement to the loss of
// exactly these owners of one source in one zone, until it expires.
type Accept struct {
	Version int       `json:"version"`
	Hash    string    `json:"hash"`
	Source  string    `json:"source"`
	Zone    Name      `json:"zone"`
	Removes int       `json:"removes"` // number of losses, as the person named it
	Losses  []Name    `json:"losses"`
	Message string    `json:"message"`
	By      string    `json:"by"`
	Time    time.Time `json:"time"`
	Expires time.Time `json:"expires"`
}

// ParseAccept reads an accept file.
func ParseAccept(file string, data []byte) (*Accept, error) { return nil, nil }

// Encode returns the file's bytes.
func (a *Accept) Encode() []byte { return encodeJSON(a) }

// AcceptedLosses returns the argument for [Gate] that the accepts amount to at a
// time.
func AcceptedLosses(accepts []*Accept, now time.Time) func(source string, zone Name) map[Name]bool {
	return nil
}
