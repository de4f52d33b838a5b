package shell

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// leastWidth is the narrowest terminal for which lines are folded: on a narrower
// one nothing would be left beside the indent.
const leastWidth = 40

// Columns returns how wide the terminal is that w writes to, 0 if it is none or
// does not say.
func Columns(w io.Writer) int {
	for {
		if c, ok := w.(interface{ Columns() int }); ok {
			return c.Columns()
		}
		u, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return 1 << 10 // a terminal that does not know its width
	}
	return n
}

// Fold folds the lines of a text for people: if w is a terminal, no line is wider
// than limit and the terminal, as far as there are spaces. What follows a fold is
// indented a little more than what it belongs to. Anything but a terminal gets the
// text as it is, a line of it in one line: programs read that.
func Fold(w io.Writer, limit int, s string) string {
	n := Columns(w)
	if n == 0 {
		return s
	}
	if n >= leastWidth {
		limit = min(limit, n)
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		foldLine(&b, line, limit)
	}
	return b.String()
}

// aside is what stands before the text of a line: spaces, and a label with two
// spaces behind it.
var aside = regexp.MustCompile(`^ *(\S+( \S+)*  +)?`)

// widestAside is the widest label below which folded text is set.
const widestAside = 24

func foldLine(b *strings.Builder, line string, limit int) {
	if text.StringWidthWithoutEscSequences(line) <= limit {
		b.WriteString(line)
		return
	}
	indent := text.StringWidthWithoutEscSequences(aside.FindString(line))
	if indent > widestAside {
		indent = len(line) - len(strings.TrimLeft(line, " "))
	}
	line, end := strings.CutSuffix(line, "\n")
	at, begin, spaces := 0, indent, ""
	for _, word := range strings.SplitAfter(line, " ") {
		bare := strings.TrimRight(word, " ")
		n := text.StringWidthWithoutEscSequences(bare)
		if n > 0 && at > begin && at+n > limit {
			begin, spaces = indent+2, "\n"+strings.Repeat(" ", indent+2)
			at = begin
		}
		if n > 0 {
			b.WriteString(spaces + bare)
			spaces = ""
		}
		spaces += word[len(bare):]
		at += n + len(word) - len(bare)
	}
	if end {
		b.WriteByte('\n')
	}
}

// Folded returns a writer that folds what is written to w, as [Fold] does. What is
// written has to end with the end of a line.
func Folded(w io.Writer, limit int) io.Writer { return &folded{w: w, limit: limit} }

type folded struct {
	w     io.Writer
	limit int
	rest  []byte // a line that has no end yet
}

// Write passes on whole lines.
func (f *folded) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	i := bytes.LastIndexByte(f.rest, '\n') + 1
	if i == 0 {
		return len(p), nil
	}
	_, err := io.WriteString(f.w, Fold(f.w, f.limit, string(f.rest[:i])))
	f.rest = append(f.rest[:0], f.rest[i:]...)
	return len(p), err
}

// Unwrap returns what it writes to, which may be a terminal.
func (f *folded) Unwrap() io.Writer { return f.w }

func (f *folded) hue() *bool {
	if h, ok := f.w.(interface{ hue() *bool }); ok {
		return h.hue()
	}
	return nil
}
