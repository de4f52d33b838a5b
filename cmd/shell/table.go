package shell

import (
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A Tone is what a colour means: the same thing in every command.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good       // green: done, as wished
	Quiet      // grey: nothing happened
	Care       // yellow: look at it some day
	Bad        // red: not done, or a person has to act
)

var tones = map[Tone]text.Colors{
	Good: {text.FgGreen}, Quiet: {text.FgHiBlack}, Care: {text.FgYellow}, Bad: {text.FgRed, text.Bold},
}

// Paint returns s in the tone's colour if w shows colours.
func Paint(w io.Writer, t Tone, s string) string {
	if c, ok := tones[t]; ok && Colours(w) {
		text.EnableColors()
		return c.Sprint(s)
	}
	return s
}

// A Table is aligned text in columns. Columns whose header begins with ">" are
// set flush right.
type Table struct {
	Header []string
	Rows   [][]string
	Footer []string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Render writes the table: no frame, two spaces between columns, nothing at all
// without rows.
func (t *Table) Render(w io.Writer) {
	if len(t.Rows) == 0 {
		return
	}
	tw := table.NewWriter()
	tw.SetOutputMirror(w)
	style := table.StyleDefault
	style.Options = table.Options{}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	tw.SetStyle(style)
	tw.SuppressTrailingSpaces()
	var configs []table.ColumnConfig
	header := make([]string, len(t.Header))
	for i, h := range t.Header {
		header[i] = h
		if len(h) > 0 && h[0] == '>' {
			header[i] = h[1:]
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
		}
	}
	tw.SetColumnConfigs(configs)
	tw.AppendHeader(row(header))
	for _, r := range t.Rows {
		tw.AppendRow(row(r))
	}
	if t.Footer != nil {
		tw.AppendFooter(row(t.Footer))
	}
	tw.Render()
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = c
	}
	return r
}
