package shell

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFinish(t *testing.T) {
	tests := map[string]struct {
		err  error
		code int
		text string
	}{
		"nil":   {nil, 0, ""},
		"plain": {errors.New("reading x: gone"), 1, "zonebuild: error: reading x: gone\n"},
		"exit":  {&Exit{Code: 3, Err: errors.New("two\nlines"), Hint: "zonebuild held"}, 3, "zonebuild: error: two\nzonebuild: lines\nzonebuild: hint: zonebuild held\n"},
		"full": {
			fmt.Errorf("writing x: %w", &fs.PathError{Op: "write", Path: "public/x", Err: syscall.ENOSPC}), 1,
			"zonebuild: error: writing x: write public/x: no space left on device\nzonebuild: hint: make room in the file system of public, then run it again: df -h public; df -i public\n",
		},
		"silent": {&Exit{Code: 5}, 5, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := Shell{Name: "zonebuild", Stderr: &out}
			if code := s.Finish(tt.err); code != tt.code || out.String() != tt.text {
				t.Errorf("code %d, text %q", code, out.String())
			}
		})
	}
}

func TestNow(t *testing.T) {
	s := Shell{Clock: func() time.Time { return time.Date(2026, 11, 21, 18, 0, 0, 999, time.FixedZone("", 3600)) }}
	for in, want := range map[string]string{
		"":                       "2026-11-21T17:00:00Z",
		"2026-01-02":             "2026-01-02T00:00:00Z",
		"2026-01-02T03:04:05Z":   "2026-01-02T03:04:05Z",
		"@0":                     "1970-01-01T00:00:00Z",
		"2026-01-02T03:04:05.6Z": "2026-01-02T03:04:05Z",
	} {
		got, err := s.Now(in)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("Now(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	var e *Exit
	for _, bad := range []string{"tomorrow", "@", "@12x", "@1.5"} {
		if _, err := s.Now(bad); !errors.As(err, &e) || e.Code != 2 || e.Hint == "" {
			t.Errorf("Now(%s): %v", bad, err)
		}
	}
}

func TestFindConfigOrder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("NIRZONE_CONFIG", "")
	if err := os.WriteFile("nirzone.toml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(flag, want string) {
		t.Helper()
		if got, err := FindConfig(flag); err != nil || got != want {
			t.Errorf("FindConfig(%q) = %q, %v; want %q", flag, got, err, want)
		}
	}
	check("", "nirzone.toml")
	t.Setenv("NIRZONE_CONFIG", "/elsewhere.toml")
	check("", "/elsewhere.toml")
	check("given.toml", "given.toml")
}

func TestReadFileLimit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(name, 4); err == nil || !strings.Contains(err.Error(), "over 4 octets") {
		t.Errorf("over the limit: %v", err)
	}
	if b, err := ReadFile(name, 5); err != nil || len(b) != 5 {
		t.Errorf("at the limit: %q, %v", b, err)
	}
}

func TestTableAligns(t *testing.T) {
	var out bytes.Buffer
	table := Table{Header: []string{"zone", ">count"}, Footer: []string{"total", "1003"}}
	table.Add("1.in-addr.arpa", "3")
	table.Add("x", "1000")
	table.Render(&out)
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	end := len(lines[0])
	for _, l := range lines {
		if len(l) != end || strings.HasSuffix(l, " ") {
			t.Errorf("the right column does not end at %d: %q", end, l)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a/b-1.key": "a/b-1.key", "my key": "'my key'", "it's": `'it'\''s'`, "": "''"} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
