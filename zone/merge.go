package zone

// MergeInput is everything that decides what a parent zone becomes.
type MergeInput struct {
	Apex      Apex
	Registry  string      // name of the registry's own source: its delegations win
	Claims    *Claims     // who may speak for which ranges; the registry needs none
	Fragments []*Fragment // at most one a source, in any order
	Published *Zone       // what is published now; nil if nothing is
	// Released are the owners that staff let go although their claims moved
	// and no new manager has asserted them.
	Released map[Name]bool
}

// Merge joins what the sources say into the parent zone.
func Merge(in MergeInput) (*Zone, []Notice) { return &Zone{Apex: in.Apex}, nil }

// KeptRecords returns the records of a zone that are published state and not
// what the inputs say, in canonical order.
func (z *Zone) KeptRecords() []KeptRecord { return nil }

// ZoneFromKept returns the zone that holds exactly the kept records.
func ZoneFromKept(apex Apex, kept []KeptRecord) *Zone { return &Zone{Apex: apex} }

// A CodeDoc documents a notice code of this package.
type CodeDoc struct {
	Code     string
	Severity Severity
	Kept     bool   // whether published state may stand under this code
	Meaning  string // what happened
	Remedy   string // what to do
}

// Codes returns the documentation of every code that Merge gives, sorted.
func Codes() []CodeDoc { return nil }
