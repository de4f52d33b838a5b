package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"go.yaml.in/yaml/v3"

	"nirzone/cmd/shell"
)

// maxWidth is how wide a table is at most, in columns of a terminal; -o wide and
// -o csv show all.
const maxWidth = 100

// table writes a table that fits.
func (a *app) table(t *shell.Table) {
	a.tableWith(t, nil)
}

// tableWith writes a table that fits, and below each row its text, if it has one:
// sentences are too long for a column.
func (a *app) tableWith(t *shell.Table, texts []string) {
	if a.output.form != "wide" {
		fit(t, maxWidth)
	}
	var b bytes.Buffer
	t.Render(&b)
	header, rows, _ := strings.Cut(b.String(), "\n")
	if header != "" && !a.output.noHeaders {
		fmt.Fprintln(a.Stdout, header) // Watch notes what goes wrong
	}
	i := 0
	for row := range strings.Lines(rows) {
		_, _ = io.WriteString(a.Stdout, row)
		if i < len(texts) {
			a.say("    %s\n", texts[i])
		}
		i++
	}
}

// say writes text for people to standard output: on a terminal it is folded.
func (a *app) say(format string, args ...any) {
	fmt.Fprint(a.Stdout, shell.Fold(a.Stdout, maxWidth, fmt.Sprintf(format, args...)))
}

// fit shortens the cells of the widest columns until the table is as wide as it
// may be.
func fit(t *shell.Table, limit int) {
	widths := widthsOf(t)
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for total > limit {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 8 {
			return
		}
		widths[widest]--
		total--
	}
	for _, r := range t.Rows {
		for i := range r {
			if text.StringWidthWithoutEscSequences(r[i]) > widths[i] {
				r[i] = text.Trim(r[i], widths[i]-1) + "…"
			}
		}
	}
}

func widthsOf(t *shell.Table) []int {
	widths := make([]int, len(t.Header))
	for _, r := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range r {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(cell))
		}
	}
	return widths
}

// writeYAML writes JSON as YAML, with its members in the same order.
func writeYAML(w io.Writer, data []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil { // JSON is YAML
		return fmt.Errorf("encoding YAML: %w", err)
	}
	plainStyle(&doc)
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(&doc); err != nil {
		return fmt.Errorf("encoding YAML: %w", err)
	}
	return e.Close()
}

func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plainStyle(c)
	}
}
