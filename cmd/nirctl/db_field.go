package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// A field is a flag that sets a field of an object.
type field[T any] struct {
	flag, usage string
	at          func(*T) *string
}

// bind makes the flags of the fields.
func bind[T any](c *cobra.Command, fields []field[T], into *T) {
	for _, f := range fields {
		c.Flags().StringVar(f.at(into), f.flag, "", f.usage)
	}
}

// assign copies the fields whose flags were given.
func assign[T any](c *cobra.Command, fields []field[T], from, to *T) {
	for _, f := range fields {
		if c.Flags().Changed(f.flag) {
			*f.at(to) = *f.at(from)
		}
	}
}

// edits refuses an edit that says nothing.
func edits(c *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if c.Flags().Changed(f) {
			return nil
		}
	}
	return shell.Usage(errors.New("nothing to change: give a flag for what is to be different"), c.CommandPath()+" --help")
}

func flagNames[T any](fields []field[T]) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.flag)
	}
	return names
}

// showOne writes an object: for people a line for each of its fields that says
// anything, then more.
func showOne[T any](a *app, k *shown[T], t T, more func()) error {
	switch a.output.form {
	case "json", "yaml":
		return a.structured(k.one, t)
	case "csv", "name", "rpsl":
		return showList(a, k, []T{t})
	}
	width := 0
	for _, c := range k.cols {
		width = max(width, len(c.key()))
	}
	for _, c := range k.cols {
		if s := plain(c.text(t)); s != "" && s != "-" {
			label := c.key()
			for _, line := range k.linesOf(c.key(), s, t) {
				a.say("%-*s  %s\n", width, label, line)
				label = ""
			}
		}
	}
	if more != nil {
		more()
	}
	return nil
}

// linesOf returns the value of a column as an object alone shows it: a line for each
// of what a table has in one.
func (k *shown[T]) linesOf(column, value string, t T) []string {
	of, ok := k.lines[column]
	if !ok {
		return []string{value}
	}
	list := of(t)
	for i := range list {
		list[i] = plain(list[i])
	}
	return list
}

// historyCommand is the verb that shows the life of an object: find returns its
// table and identifier.
func (a *app) historyCommand(use, example string, find func(*opened, *nir.View, []string) (table, id string, err error), args cobra.PositionalArgs) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: "Show who changed it when, and why",
		Long:    "History shows every event that changed the object, the oldest first: when, who,\nwhy, and what became of it. -o json has the object as it was after each.",
		Example: example, Args: arguments(args, example),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			table, id, err := find(o, v, args)
			if err != nil {
				return err
			}
			steps, err := v.History(table, id)
			if err != nil {
				return err
			}
			if a.output.form == "table" {
				return a.writeSteps(steps)
			}
			return showList(a, &stepColumns, steps)
		})
	}
	return a.listing(c)
}

// writeSteps shows each step as a row with what changed below: too long for a
// column.
func (a *app) writeSteps(steps []nir.Step) error {
	steps, err := selectRows(a, &stepColumns, steps)
	if err != nil {
		return err
	}
	t := shell.Table{Header: []string{">event", "at", "by", "reason"}}
	for _, s := range steps {
		t.Add(fmt.Sprint(s.Event), stamp(s.At), s.Actor, plain(s.Reason))
	}
	fit(&t, maxWidth)
	var rows strings.Builder
	t.Render(&rows)
	for i, row := range strings.Split(strings.TrimRight(rows.String(), "\n"), "\n") {
		if i > 0 || !a.output.noHeaders {
			fmt.Fprintln(a.Stdout, row)
		}
		if i > 0 {
			a.say("    %s\n", plain(steps[i-1].Change))
		}
	}
	return nil
}

var stepColumns = shown[nir.Step]{
	one: "step", many: "history",
	id: func(s nir.Step) string { return fmt.Sprint(s.Event) },
	cols: []col[nir.Step]{
		{">event", false, func(s nir.Step) string { return fmt.Sprint(s.Event) }},
		{"at", false, func(s nir.Step) string { return stamp(s.At) }},
		{"by", false, func(s nir.Step) string { return s.Actor }},
		{"change", false, func(s nir.Step) string { return s.Change }},
		{"reason", false, func(s nir.Step) string { return s.Reason }},
		{"act", true, func(s nir.Step) string { return s.Act }},
	},
}
