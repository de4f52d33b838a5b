package zone

// A Delta is the difference between two versions of a zone: one Change an
// owner, in canonical order.
type Delta struct {
	Zone    Name     `json:"zone"`
	Apex    []string `json:"apex,omitempty"` // "- …" and "+ …" lines: name servers and SOA without serial
	Changes []Change `json:"changes"`
}

// A ChangeKind is one way in which an owner changed.
type ChangeKind string

// The kinds of change. An owner that is added or removed has no other kind.
const (
	ChangeAdded     ChangeKind = "added"
	ChangeRemoved   ChangeKind = "removed"
	ChangeNS        ChangeKind = "ns"
	ChangeDSAdded   ChangeKind = "ds-added"
	ChangeDSChanged ChangeKind = "ds-changed"
	ChangeDSRemoved ChangeKind = "ds-removed"
	ChangeGlue      ChangeKind = "glue"
	ChangeCNAME     ChangeKind = "cname"
	ChangeTTL       ChangeKind = "ttl"
	ChangeSource    ChangeKind = "source" // same records, another source
)

// A Change is what happened to one owner. Before and After name the sources it
// was and is published from; Removed and Added are the records without TTL, in
// canonical order; Kept is the code if published state stands now.
type Change struct {
	Name    Name         `json:"name"`
	Kinds   []ChangeKind `json:"kinds"`
	Before  string       `json:"before,omitempty"`
	After   string       `json:"after,omitempty"`
	Removed []string     `json:"removed,omitempty"`
	Added   []string     `json:"added,omitempty"`
	Kept    string       `json:"kept,omitempty"`
}

// Diff compares two versions of a zone; either may be nil.
func Diff(prev, next *Zone) Delta { return Delta{} }

// Empty reports whether nothing changed.
func (d Delta) Empty() bool { return len(d.Apex) == 0 && len(d.Changes) == 0 }

// Text renders the difference for people, grouped by source, with at most limit
// lines a source; 0 is no limit. It ends with a newline unless it is empty.
func (d Delta) Text(limit int) string { return "" }
