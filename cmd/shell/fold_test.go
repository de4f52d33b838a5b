package shell

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// A screen is a terminal of some columns.
type screen struct {
	bytes.Buffer
	columns int
}

func (s *screen) Columns() int { return s.columns }

// TestFold folds lines for a terminal, under what they say, and for nothing else.
func TestFold(t *testing.T) {
	const effect = "  registry      create request JPNIC/R-1: act allocation, kind ipv4"
	for _, c := range []struct {
		name, text, want string
		columns          int
	}{
		{"no terminal", effect, effect, 0},
		{"short", "  a b\n", "  a b\n", 60},
		{"under the text", effect + "\n", "  registry      create request JPNIC/R-1:\n                  act allocation, kind\n                  ipv4\n", 42},
		{"a sentence", "one two three four five six seven eight nine ten eleven\n", "one two three four five six seven eight\n  nine ten eleven\n", 40},
		{"a narrow terminal has the limit", strings.Repeat("a ", 40) + "b", strings.Repeat("a ", 29) + "a\n  " + strings.Repeat("a ", 10) + "b", 10},
		{"a word that is too long", "x " + strings.Repeat("y", 70) + " z\n", "x\n  " + strings.Repeat("y", 70) + "\n  z\n", 60},
		{"wide letters", strings.Repeat("日本 ", 12) + "\n", strings.TrimSuffix(strings.Repeat("日本 ", 8), " ") + "\n  日本 日本 日本 日本\n", 40},
		{"several lines", "a\n" + effect + "\nb\n", "a\n  registry      create request JPNIC/R-1: act allocation,\n                  kind ipv4\nb\n", 60},
	} {
		w := &screen{columns: c.columns}
		if got := Fold(w, 60, c.text); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		fmt.Fprint(Folded(w, 60), c.text+"\n")
		if got := w.String(); strings.TrimRight(got, "\n") != strings.TrimRight(c.want, "\n") {
			t.Errorf("%s, written:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	coloured := "\x1b[32m" + strings.Repeat("word ", 9) + "end\x1b[0m"
	if got := Fold(&screen{columns: 50}, 50, coloured); got != coloured {
		t.Errorf("colours count: %q", got)
	}
}

// TestFoldedKeepsColours hands on what was said of colours.
func TestFoldedKeepsColours(t *testing.T) {
	sh := Shell{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	sh.SetColours(true)
	if !Colours(Folded(sh.Stdout, 60)) {
		t.Error("colours are lost")
	}
}
