package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"nirzone/zone/fetch"
)

// screen is what a terminal shows after the bytes: it knows the two sequences that
// bars use.
func screen(t *testing.T, out string) []string {
	t.Helper()
	var lines []string
	for part := range strings.SplitSeq(out, "\x1b[") {
		if i := strings.Index(part, "A\r"); i == 1 {
			lines = lines[:len(lines)-int(part[0]-'0')]
			continue
		}
		part = strings.TrimPrefix(part, "J")
		for l := range strings.Lines(part) {
			if !strings.HasSuffix(l, "\n") || strings.Contains(l, "\r") {
				t.Errorf("not one whole line: %q", l)
			}
			lines = append(lines, strings.TrimSuffix(l, "\n"))
		}
	}
	return lines
}

func TestBars(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	var out bytes.Buffer
	b := newBars(&out)
	for _, e := range []fetch.Event{
		{Source: "JPNIC", Stage: fetch.StageConnect},
		{Source: "KRNIC", Stage: fetch.StageConnect},
		{Source: "JPNIC", Stage: fetch.StageTransfer, Total: 4, Done: 1, Bytes: 123456},
		{Source: "KRNIC", Stage: fetch.StageRetry, Err: errors.New("reset")},
	} {
		b.event(e)
	}
	got := screen(t, out.String())
	if len(got) != 2 || !strings.HasPrefix(got[0], "JPNIC") || !strings.Contains(got[0], "25%") || !strings.HasSuffix(got[0], "123 kB") || got[1] != "KRNIC  retrying" {
		t.Errorf("the screen is %q", got)
	}
	b.event(fetch.Event{Source: "KRNIC", Stage: fetch.StageDone, Err: errors.New("reset")})
	b.event(fetch.Event{Source: "JPNIC", Stage: fetch.StageDone, Total: 4, Done: 4, Bytes: 200})
	b.close()
	if got := screen(t, out.String()); len(got) != 2 || got[0] != "KRNIC  failed  0 B" || got[1] != "JPNIC  done  200 B" {
		t.Errorf("at the end the screen is %q", got)
	}
}

func TestBarsFitTheTerminal(t *testing.T) {
	var out bytes.Buffer
	b := newBars(&out)
	b.event(fetch.Event{Source: strings.Repeat("X", 100), Stage: fetch.StageConnect})
	for _, l := range screen(t, out.String()) {
		if len(l) >= 80 {
			t.Errorf("%d columns", len(l))
		}
	}
}
