package zone

// A Hold is a change of one source in one zone that passed a limit and waits
// for a person. Losses are the owners that would no longer be delegated, sorted
// canonically. Before and After count the source's delegations in the zone, or
// over all zones for the rule "total".
type Hold struct {
	Hash   string `json:"hash"` // see HoldHash
	Source string `json:"source"`
	Zone   Name   `json:"zone"`
	Kind   string `json:"kind"` // "removed"
	Rule   string `json:"rule"` // which limit, in words
	Before int    `json:"before"`
	After  int    `json:"after"`
	Losses []Name `json:"losses"`
}
