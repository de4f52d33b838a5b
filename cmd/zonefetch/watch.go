package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"nirzone/cmd/shell"
	"nirzone/zone/fetch"
)

// A watcher is told of every step; calls do not overlap.
type watcher interface {
	event(fetch.Event)
	close()
}

// A logWatcher writes one line when a source is done, and with level debug one a
// stage. With reasons, it says why something failed, and each time.
type logWatcher struct {
	log     *slog.Logger
	reasons bool
}

func (w *logWatcher) event(e fetch.Event) {
	args := []any{"source", e.Source, "stage", e.Stage, "done", e.Done, "total", e.Total, "bytes", e.Bytes}
	if e.Err != nil && w.reasons {
		args = append(args, "reason", e.Err)
	}
	switch {
	case e.Err != nil && e.Stage == fetch.StageDone:
		w.log.Error("source failed", args...)
	case e.Err != nil && w.reasons:
		w.log.Warn("retrying", args...)
	case e.Err != nil: // the report counts the tries
	case e.Stage == fetch.StageDone:
		w.log.Info("source done", args...)
	default:
		w.log.Debug("source", args...)
	}
}

func (w *logWatcher) close() {}

// bars draws one line a source that is being fetched, below a line for each that is
// done.
type bars struct {
	w      io.Writer
	order  []string
	lines  map[string]string
	bars   map[string]*progressbar.ProgressBar
	drawn  int
	width  int
	nameTo int
}

const barWidth = 24

func newBars(w io.Writer) *bars {
	b := &bars{w: w, lines: map[string]string{}, bars: map[string]*progressbar.ProgressBar{}, width: 80}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 20 {
			b.width = n
		}
	}
	return b
}

func (b *bars) event(e fetch.Event) {
	b.nameTo = max(b.nameTo, len(e.Source))
	if e.Stage == fetch.StageDone {
		b.finished(e)
		return
	}
	if _, ok := b.lines[e.Source]; !ok {
		b.order = append(b.order, e.Source)
	}
	b.lines[e.Source] = b.clip(fmt.Sprintf("%-*s  %s", b.nameTo, e.Source, b.state(e)))
	b.draw("")
}

// state is the bar of a source whose zonelets are counted, else its stage.
func (b *bars) state(e fetch.Event) string {
	if e.Total == 0 || e.Stage == fetch.StageRetry {
		return string(e.Stage)
	}
	bar := b.bars[e.Source]
	if bar == nil {
		bar = progressbar.NewOptions(e.Total, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.ThemeASCII))
		b.bars[e.Source] = bar
	}
	_ = bar.Set(min(e.Done, e.Total)) // it writes to nowhere
	return strings.TrimLeft(bar.String(), "\r ") + "  " + octets(e.Bytes)
}

func (b *bars) finished(e fetch.Event) {
	delete(b.lines, e.Source)
	for i, name := range b.order {
		if name == e.Source {
			b.order = append(b.order[:i], b.order[i+1:]...)
			break
		}
	}
	word, tone := "done", shell.Good
	if e.Err != nil {
		word, tone = "failed", shell.Bad
	}
	b.draw(b.clip(fmt.Sprintf("%-*s  ", b.nameTo, e.Source)) + shell.Paint(b.w, tone, word) + "  " + octets(e.Bytes))
}

// draw replaces the moving lines; above them it leaves a line for good.
func (b *bars) draw(above string) {
	out := ""
	if b.drawn > 0 {
		out = fmt.Sprintf("\x1b[%dA\r\x1b[J", b.drawn)
	}
	if above != "" {
		out += above + "\n"
	}
	for _, name := range b.order {
		out += b.lines[name] + "\n"
	}
	b.drawn = len(b.order)
	fmt.Fprint(b.w, out)
}

// clip keeps a line from wrapping, which would spoil the count of lines.
func (b *bars) clip(s string) string {
	r := []rune(s)
	if len(r) >= b.width {
		return string(r[:b.width-1])
	}
	return s
}

func (b *bars) close() {
	b.order, b.lines = nil, map[string]string{}
	b.draw("")
}
