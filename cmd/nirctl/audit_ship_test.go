package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// testShip: the audit goes to another host by a command, in pieces, also after a
// break, and is proved there; a host that lost some of it is noticed.
func testShip(t *testing.T, w *dbWorld) {
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "archive.jsonl")
	config, err := os.ReadFile(filepath.Join(dir, "nirzone.toml"))
	if err != nil {
		t.Fatal(err)
	}
	by := func(argv ...string) {
		text := strings.Replace(string(config), "[nirctl]\n", fmt.Sprintf("[nirctl]\narchive_command = [\"%s\"]\n", strings.Join(argv, `", "`)), 1)
		if err := os.WriteFile(filepath.Join(dir, "nirzone.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nirctl := func(code int, want string, args ...string) {
		t.Helper()
		out, errs, got := inProcess(dir, args...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Fatalf("nirctl %v: exit %d, want %d and %q\n%s%s", args, got, code, want, out, errs)
		}
	}
	by("sh", "-c", "echo '0 '; cat > /dev/null; echo '0 '")
	nirctl(1, "the other host confirms event 0, not ", "audit", "ship")
	by("nirctl", "audit", "receive", archive)
	nirctl(0, "the other host has the audit up to event", "audit", "ship")
	first, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	nirctl(0, "done", "--now", "2026-06-01", "window", "set", "JPNIC", "ipv4", "/19", "-m", "review", "--yes")
	// The line broke in the middle of an event.
	if err := os.WriteFile(archive, append(first, `{"version":1,"ha`...), 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(0, "the other host has the audit up to event", "audit", "ship")
	whole, err := os.ReadFile(archive)
	if err != nil || len(whole) <= len(first) || string(whole[:len(first)]) != string(first) {
		t.Fatalf("%d octets before, %d after: %v", len(first), len(whole), err)
	}
	nirctl(0, "hash", "audit", "verify", "--file", archive)
	by("false")
	nirctl(1, "hearing what the other host has", "audit", "ship")
	by("echo", "0 ")
	nirctl(3, "it has lost some", "audit", "ship")
	by("nirctl", "audit", "receive", archive)
	if err := os.WriteFile(archive, first, 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(3, "it has lost some", "audit", "ship")
	spoilt := strings.Replace(string(whole), "window.set", "window.sit", 1)
	if err := os.WriteFile(archive, []byte(spoilt), 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(3, "was altered", "audit", "verify", "--file", archive)
	if err := os.WriteFile(archive, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(0, "the other host has the audit up to event", "audit", "ship")
	state := filepath.Join(dir, "registry-shipped.json")
	noted, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	other := regexp.MustCompile(`"hash": *"[0-9a-f]{4}`).ReplaceAll(noted, []byte(`"hash":"0000`))
	if err := os.WriteFile(state, other, 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(3, "the audit here was altered", "audit", "ship")
	notes := filepath.Join(dir, "notes")
	if err := os.WriteFile(notes, []byte("one line of mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	nirctl(6, "it is no archive of an audit", "audit", "ship", notes)
	if err := (&app{Shell: &shell.Shell{Stdout: io.Discard}}).receive(t.Context(), notes, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "no archive") {
		t.Errorf("received: %v", err)
	}
	if left, err := os.ReadFile(notes); err != nil || string(left) != "one line of mine" {
		t.Errorf("what is no archive is now %q, %v", left, err)
	}
	testRestoreInterrupted(t, dir)
}

// testRestoreInterrupted: Ctrl-C ends what waits for standard input.
func testRestoreInterrupted(t *testing.T, dir string) {
	silent, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func(f *os.File) { os.Stdin = f }(os.Stdin)
	os.Stdin = silent
	defer time.AfterFunc(20*time.Second, func() { _ = w.Close() }).Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var errs strings.Builder
	sh := shell.Shell{Name: "nirctl", Stdout: io.Discard, Stderr: &errs, Clock: time.Now}
	if code := run(ctx, []string{"--config", filepath.Join(dir, "nirzone.toml"), "restore", "-"}, &sh); code != 1 || !strings.Contains(errs.String(), "cancelled") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

// TestReceiveInterrupted: Ctrl-C ends what waits for another host that says nothing,
// and what was proved before it stays.
func TestReceiveInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	silent, w := io.Pipe()
	defer time.AfterFunc(20*time.Second, func() { _ = w.Close() }).Stop() // who hears no Ctrl-C does not wait for ever
	out := presser{word: "0 ", press: cancel}
	a := &app{Shell: &shell.Shell{Stdout: &out}}
	if err := a.receive(ctx, filepath.Join(t.TempDir(), "archive"), silent); !errors.Is(err, errCancelled) {
		t.Errorf("%v", err)
	}
}

// TestListen: what is listened to comes whole and in order, whatever the sizes of the
// readings are.
func TestListen(t *testing.T) {
	text := strings.Repeat("0123456789\n", 20000)
	if err := iotest.TestReader(listen(t.Context(), strings.NewReader(text)), []byte(text)); err != nil {
		t.Error(err)
	}
	got, err := io.ReadAll(listen(t.Context(), iotest.DataErrReader(strings.NewReader(text))))
	if err != nil || string(got) != text {
		t.Errorf("%d octets of %d: %v", len(got), len(text), err)
	}
}

// TestParseMark: a mark is read back, and nothing else is one.
func TestParseMark(t *testing.T) {
	m := nir.Mark{Seq: 7, Hash: strings.Repeat("ab", 32)}
	for _, want := range []nir.Mark{m, {}} {
		if got, err := nir.ParseMark(want.String() + "\n"); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, line := range []string{"", "7", "-1 ab", "7 ab", "0 " + m.Hash, "x " + m.Hash, "7 " + m.Hash + " "} {
		if got, err := nir.ParseMark(line); err == nil {
			t.Errorf("%q is %+v", line, got)
		}
	}
}
