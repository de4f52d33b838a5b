package stats

import (
	"fmt"
	"strings"
)

// A Mistake is what is wrong in a line; Line is 0 for the whole file.
type Mistake struct {
	File string
	Line int
	Text string
}

// Error returns "file:line: text".
func (m Mistake) Error() string {
	if m.Line == 0 {
		return m.File + ": " + m.Text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Mistakes are all that is wrong in a file, in the order of its lines, up to a
// limit; More counts those beyond it.
type Mistakes struct {
	List []Mistake
	More int
}

// Error returns the mistakes, a line each.
func (m *Mistakes) Error() string {
	var b strings.Builder
	for i, e := range m.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	if m.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", m.More)
	}
	return b.String()
}

// Len returns how many mistakes there are, those beyond the limit too.
func (m *Mistakes) Len() int { return len(m.List) + m.More }

// Err returns the mistakes as an error, nil if there are none.
func (m *Mistakes) Err() error {
	if m.Len() == 0 {
		return nil
	}
	return m
}

// Add appends a mistake; beyond limit it is counted only.
func (m *Mistakes) Add(limit int, file string, line int, format string, args ...any) {
	if len(m.List) >= limit {
		m.More++
		return
	}
	m.List = append(m.List, Mistake{file, line, fmt.Sprintf(format, args...)})
}
