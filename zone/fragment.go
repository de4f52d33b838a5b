package zone

import (
	"fmt"
	"strings"
	"time"
)

// A Fragment is one zonelet after parsing: what one source says of one parent
// zone. Records are in file order, duplicates included; trailers are not among
// them. File is the base name as published and SHA256 the hex digest of the
// bytes, so a record's place can be found again years later.
type Fragment struct {
	Source  string
	Zone    Name
	File    string
	SHA256  string
	Size    int64 // of the file in octets, for Input
	Records []Located
	Trailer Trailer
}

// A Located is a record with the line of the file it starts on.
type Located struct {
	Record
	Line uint32
}

// Pos returns where in the fragment's file a record stands.
func (f *Fragment) Pos(l Located) Pos { return Pos{File: f.File, Line: int(l.Line)} }

// A Trailer is the last statement of a zonelet, one or two TXT records:
// "Generated at TIME with N NS records from NIR." (policy APNIC-103, appendix).
// The counts are of raw lines, duplicates included. It is the time of the last
// change of content, not of publication. The zero value means no trailer.
type Trailer struct {
	Generated time.Time
	NS, DS    int
	Lines     int
}

// A SyntaxError is one mistake in a file. Its text begins with file:line:column
// and says what to do.
type SyntaxError struct {
	Pos Pos
	Msg string
}

// Error returns "file:line:column: message".
func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Msg }

// A SyntaxErrors holds every mistake found in one file, in file order. More is
// the number of further mistakes that were counted but not kept.
type SyntaxErrors struct {
	Errors []*SyntaxError
	More   int
}

// Error returns one line a mistake.
func (e *SyntaxErrors) Error() string {
	var b strings.Builder
	for i, s := range e.Errors {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n%s: %d more mistakes are not shown", e.Errors[0].Pos.File, e.More)
	}
	return b.String()
}
