package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone/sign"
)

// writeSteps lists steps that were taken, or are due.
func writeSteps(w io.Writer, title string, steps []sign.Step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", shell.Paint(w, shell.Care, title))
	for i, s := range steps {
		if i == maxLines {
			fmt.Fprintf(w, "  and %d more\n", len(steps)-i)
			break
		}
		fmt.Fprintln(w, " ", s)
	}
}

// writeDueSteps lists those of the steps that the next run takes.
func writeDueSteps(w io.Writer, steps []sign.Step) {
	var due []sign.Step
	for _, s := range steps {
		if s.Due() {
			due = append(due, s)
		}
	}
	writeSteps(w, "key steps of the next run", due)
}

// when is a time as a table shows it: the day, and the hour if it is near.
func when(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case !t.After(now):
		return "now"
	case t.Sub(now) < 10*24*time.Hour:
		return t.UTC().Add(time.Minute - time.Second).Truncate(time.Minute).Format("2006-01-02 15:04") // the next, as in what a step waits for
	}
	return t.UTC().Format("2006-01-02")
}

// wrapped breaks a text at spaces into lines of at most width columns.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
