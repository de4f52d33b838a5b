package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// A page is a report for people. Colours are those of what it is written to in the
// end; nil is a file, which has none.
//
// Shown to a person, a page tells one failure once: what failed alike is one line,
// and what standard error says is not said again. The file has all of it.
type page struct {
	bytes.Buffer
	to io.Writer
}

func (p *page) whole() bool { return p.to == nil }

func (p *page) paint(tone shell.Tone, s string) string {
	if p.to == nil {
		return s
	}
	return shell.Paint(p.to, tone, s)
}

func (p *page) count(n int, tone shell.Tone) string {
	if n == 0 {
		return "-"
	}
	return p.paint(tone, strconv.Itoa(n))
}

// severity is the word of a notice.
func (p *page) severity(n zone.Notice) string {
	tone := shell.Care
	if n.Severity >= zone.Error {
		tone = shell.Bad
	}
	return p.paint(tone, n.Severity.String())
}

// An ending is what both commands say of a run.
type ending struct {
	number            uint64
	failure           string // why nothing was recorded
	dryRun, cancelled bool
}

// outcome is how a run ended.
func (p *page) outcome(r ending) string {
	what := fmt.Sprintf("run %d", r.number)
	switch {
	case r.failure != "" && p.whole():
		return "nothing recorded: " + r.failure
	case r.failure != "":
		return "nothing recorded" // standard error says why
	case r.dryRun:
		return "dry run: nothing recorded"
	case r.cancelled:
		return what + ": interrupted"
	}
	return what
}

// An outlet is a report in all its forms.
type outlet struct {
	spool, name string // of the files, without ending
	json        []byte
	text        func(*page)
	metrics     func(code int) error
	quietly     bool // nobody has to look, if the run did not fail
}

// deliver writes a report to the spool and the terminal, and the metrics. That one
// of these cannot be written does not change how the run ended. A run that found
// the lock taken leaves the files to the run that has it.
func (a *app) deliver(o outlet, exit error) {
	code := codeOf(exit)
	warn := func(err error) {
		if err != nil {
			a.Errorf("warning: writing the report: %v", err)
		}
	}
	nothing := code == exitLocked || code == exitUsage
	if !a.dryRun && !nothing {
		var file page
		o.text(&file)
		warn(publish.WriteFile(a.fs, filepath.Join(o.spool, o.name+".json"), o.json, 0o644))
		warn(publish.WriteFile(a.fs, filepath.Join(o.spool, o.name+".txt"), file.Bytes(), 0o644))
		warn(o.metrics(code))
	}
	switch {
	case a.json:
		_, _ = a.Stdout.Write(o.json)
	case !nothing && (!a.quiet || code != 0 || !o.quietly):
		shown := page{to: a.Stdout}
		o.text(&shown)
		_, _ = a.Stdout.Write(shown.Bytes())
	}
	warn(a.OutputError()) // it stands in the spool too
}

// codeOf is the exit code of a run that ends so.
func codeOf(exit error) int {
	var e *shell.Exit
	if errors.As(exit, &e) {
		return e.Code
	}
	return 0
}

// exitOf is how a command ends; nil is 0. unknown is what its package calls a name
// that is not configured.
func exitOf(err, unknown error, hint string, cancelled, look bool) error {
	switch {
	case errors.Is(err, publish.ErrLocked):
		return &shell.Exit{Code: exitLocked, Err: err, Hint: "wait until the other run has ended; the lock ends with its process"}
	case errors.Is(err, unknown):
		return shell.Usage(err, hint)
	case err != nil:
		return &shell.Exit{Code: exitFailed, Err: err}
	case cancelled:
		return &shell.Exit{Code: exitFailed, Err: errors.New("interrupted; what was finished before is recorded")}
	case look:
		return &shell.Exit{Code: exitPartial}
	}
	return nil
}
