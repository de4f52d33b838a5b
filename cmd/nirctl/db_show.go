package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"nirzone/cmd/shell"
)

// A shown describes how objects of one kind are shown: a noun has one.
type shown[T any] struct {
	one, many string // in JSON: "nir", "nirs"
	id        func(T) string
	cols      []col[T]
	rpsl      func(T) string // nil: it has no RPSL form
	none      string         // to type if there are none
	below     func(T) string // a text to stand below the row of the plain table; nil for none

	lines map[string]func(T) []string // columns whose values are lists, each of a line where an object is shown alone
}

// A col is a column of a table. A name that begins with ">" is of numbers, which
// are set flush right; a wide column is not in the plain table.
type col[T any] struct {
	name string
	wide bool
	text func(T) string
}

func (c col[T]) key() string { return strings.TrimPrefix(c.name, ">") }

// showList writes objects in the form that was asked for.
func showList[T any](a *app, k *shown[T], list []T) error {
	all := len(list)
	list, err := selectRows(a, k, list)
	if err != nil {
		return err
	}
	if a.output.limit > 0 && len(list) > a.output.limit {
		end, from := "first", 0
		if a.output.last {
			end, from = "last", len(list)-a.output.limit
		}
		a.Errorf("the %s %d of %d", end, a.output.limit, len(list))
		list = list[from:][:a.output.limit]
	}
	if all > 0 && len(list) == 0 {
		a.Errorf("--filter leaves none of %d %s", all, k.many)
	}
	switch narrow := strings.Join(a.output.narrow, " "); {
	case all > 0:
	case narrow != "":
		a.Errorf("%s leaves no %s", narrow, k.many)
	default:
		hint := ""
		if k.none != "" {
			hint = " yet: " + k.none
		}
		a.Errorf("there are no %s%s", k.many, hint)
	}
	switch a.output.form {
	case "json", "yaml":
		if list == nil {
			list = []T{}
		}
		return a.structured(k.many, list)
	case "csv":
		return writeCSV(a, k, list)
	}
	return writeLines(a, k, list)
}

func writeLines[T any](a *app, k *shown[T], list []T) error {
	switch a.output.form {
	case "name":
		for _, t := range list {
			fmt.Fprintln(a.Stdout, k.id(t))
		}
		return nil
	case "rpsl":
		return writeRPSL(a, k, list)
	}
	var texts []string
	if k.below != nil && a.output.form == "table" {
		for _, t := range list {
			texts = append(texts, plain(k.below(t)))
		}
	}
	a.tableWith(tableOf(a, k, list), texts)
	return nil
}

func writeRPSL[T any](a *app, k *shown[T], list []T) error {
	if k.rpsl == nil {
		return shell.Usage(fmt.Errorf("-o rpsl: %s have no such form", k.many), "-o table, wide, json, yaml, name or csv")
	}
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		fmt.Fprint(a.Stdout, k.rpsl(t))
	}
	return nil
}

// tableOf fills a table with the columns of the form.
func tableOf[T any](a *app, k *shown[T], list []T) *shell.Table {
	t := &shell.Table{}
	for _, c := range k.cols {
		if !c.wide || a.output.form == "wide" {
			t.Header = append(t.Header, c.name)
		}
	}
	for _, row := range list {
		var cells []string
		for _, c := range k.cols {
			if !c.wide || a.output.form == "wide" {
				cells = append(cells, plain(c.text(row)))
			}
		}
		t.Add(cells...)
	}
	return t
}

// plain makes one printable line of a value: what people wrote may hold control
// characters that a terminal obeys.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

func writeCSV[T any](a *app, k *shown[T], list []T) error {
	w := csv.NewWriter(a.Stdout)
	var cells []string
	for _, c := range k.cols {
		cells = append(cells, c.key())
	}
	if !a.output.noHeaders {
		_ = w.Write(cells) // Flush and Error below
	}
	for _, row := range list {
		cells = cells[:0]
		for _, c := range k.cols {
			cells = append(cells, c.text(row))
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return w.Error()
}

// structured writes JSON or YAML: an object with the version and one more member.
func (a *app) structured(name string, v any) error {
	if a.output.form == "yaml" {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
		return writeYAML(a.Stdout, fmt.Appendf(nil, `{"version":1,%q:%s}`, name, b))
	}
	return a.encode(envelope{name, v})
}

// An envelope is {"version": 1, name: value}.
type envelope struct {
	name  string
	value any
}

// MarshalJSON writes the version first.
func (e envelope) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(e.value)
	return fmt.Appendf(nil, `{"version":1,%q:%s}`, e.name, b), err
}
