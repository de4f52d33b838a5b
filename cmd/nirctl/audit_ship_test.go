package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
