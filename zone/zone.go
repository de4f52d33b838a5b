package zone

import "time"

// An Apex is what the registry itself says at the top of a parent zone: its
// SOA, its name servers, and the TTL of the delegations below.
type Apex struct {
	Origin Name
	NS     []Name // sorted, at least one
	SOA    SOA
	TTL    TTL
}

// A SOA is the start of authority without its serial (RFC 1035, section
// 3.3.13). Times are in seconds; TTL is the record's own. Family says how
// serials grow.
type SOA struct {
	MName, RName                    Name
	Refresh, Retry, Expire, Minimum uint32
	TTL                             uint32
	Family                          Family
}

// A TTL says which TTL the NS and DS records of delegations get, in seconds.
// If FromSource is set, the source's own is used, moved into [Min, Max];
// otherwise Fixed.
type TTL struct {
	Fixed      uint32
	FromSource bool
	Min, Max   uint32
}

// A Zone is a merged parent zone before signing: the apex and the delegations.
// Entries are in canonical order without duplicates, one TTL a set; they hold
// NS, DS, glue and the CNAMEs of RFC 2317, never the SOA and never the apex.
type Zone struct {
	Apex
	Inputs  []Input // what Entry.Input counts into
	Entries []Entry
}

// An Input is one file that a zone was made of.
type Input struct {
	Source string `json:"source"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// Signer is whose signature was verified, and Seen when these bytes were
	// first accepted. Both are empty for the registry's own files.
	Signer string    `json:"signer,omitempty"`
	Seen   time.Time `json:"seen,omitzero"`
}

// An Entry is a record of a zone with where it comes from. Kept is empty for
// what the present inputs say; otherwise it is the code of the notice because
// of which the published state stands.
type Entry struct {
	Record
	Input uint16
	Line  uint32
	Kept  string
}

// Pos returns where an entry was read.
func (z *Zone) Pos(e Entry) Pos { return Pos{File: z.Inputs[e.Input].File, Line: int(e.Line)} }

// Source returns the name of the source that an entry is from.
func (z *Zone) Source(e Entry) string { return z.Inputs[e.Input].Source }
