package zone

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity says how much a notice matters.
type Severity uint8

// The severities, in rising order. Info and Warning leave a run's exit code at
// 0; Error means that something a source said was not done; Alarm means that a
// person has to act.
const (
	Info Severity = iota
	Warning
	Error
	Alarm
)

var severityNames = [...]string{"info", "warning", "error", "alarm"}

// String returns the lower-case word for the severity.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// MarshalText writes the severity as its word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word that MarshalText writes.
func (s *Severity) UnmarshalText(b []byte) error {
	i := slices.Index(severityNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("severity %.20q: not one of %s", b, strings.Join(severityNames[:], ", "))
	}
	*s = Severity(i)
	return nil
}

// A Pos is a place in an input file. Line and Column count from 1; 0 means not
// known. File is the base name as published, never a local path.
type Pos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column with the parts that are known.
func (p Pos) String() string {
	switch {
	case p.File == "":
		return "-"
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Notice is something that a source, or the registry's staff, should know: a
// decision of the merge, a file that was refused, a key about to expire. It is
// a value, never an error. Code is a stable word such as "outside-claims"; Text
// says what happened and what to do, with the policy or RFC section.
type Notice struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Source   string   `json:"source"`
	Zone     Name     `json:"zone,omitempty"`
	Name     Name     `json:"name,omitempty"`
	Pos      Pos      `json:"pos,omitzero"`
	Text     string   `json:"text"`
}

// Key identifies what the notice is about from run to run. Position and text
// may move without it being another notice.
func (n Notice) Key() string {
	return strings.Join([]string{n.Source, string(n.Zone), n.Code, string(n.Name)}, "|")
}

// String returns the notice on one line, position first so that editors jump.
func (n Notice) String() string {
	s := fmt.Sprintf("%s: %s: %s: %s", n.Pos, n.Severity, n.Code, n.Text)
	if n.Pos.File == "" {
		s = fmt.Sprintf("%s: %s: %s: %s", cmp.Or(n.Source, string(n.Zone), "-"), n.Severity, n.Code, n.Text)
	}
	return s
}

// SortNotices puts notices into the one order in which they are stored and
// shown: by source, zone, line, code, name and text.
func SortNotices(ns []Notice) { slices.SortStableFunc(ns, compareNotices) }

func compareNotices(a, b Notice) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Zone, b.Zone),
		cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Text, b.Text))
}
