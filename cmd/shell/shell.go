// Package shell is what nirzone's three commands share where they meet a
// person or cron: how the configuration is found, how the time is given, how
// errors and hints read, and how tables look.
//
// The voice: data goes to standard output, everything else to standard error
// with the program's name in front, in lower case, without a full stop. A hint
// is something the reader can type. Colours and progress bars appear only on a
// terminal, and never when NO_COLOR is set.
package shell

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"nirzone/zone"
)

// A Shell is where a command runs: its streams and its clock. Tests hand in
// their own.
type Shell struct {
	Name   string // of the program, the prefix of its messages
	Stdout io.Writer
	Stderr io.Writer
	Clock  func() time.Time
}

// An Exit is an error that ends a command with a code of its own. Hint, if not
// empty, is something the reader can type. An Exit without Err is silent: what
// there was to say has been said.
type Exit struct {
	Code int
	Err  error
	Hint string
}

// Error returns the text of the cause.
func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Exit) Unwrap() error { return e.Err }

// Usage returns an Exit with code 2 for a mistake in flags or configuration.
func Usage(err error, hint string) error { return &Exit{Code: 2, Err: err, Hint: hint} }

// HintOf returns the hint of an [Exit], "" if it has none.
func HintOf(err error) string {
	var e *Exit
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// Finish reports err as the program's last words and returns the exit code: 0
// for nil, an Exit's own code, 1 for anything else. A command that had nothing
// to complain of but whose output could not be written ends with 1 too.
func (s *Shell) Finish(err error) int {
	if err == nil {
		if err = s.OutputError(); err == nil {
			return 0
		}
		err = fmt.Errorf("writing the output: %w", err)
	}
	code, hint := 1, ""
	var e *Exit
	if errors.As(err, &e) {
		code, hint = e.Code, e.Hint
		if e.Err == nil {
			return code
		}
	}
	s.Errorf("error: %v", err)
	if hint == "" {
		hint = cmp.Or(diskHint(err), permissionHint(err))
	}
	if hint != "" {
		s.Errorf("hint: %s", hint)
	}
	return code
}

// diskHint says where there is no room, if that is what is wrong: on a full disk
// or at a quota nothing is lost, and with room the next run succeeds.
func diskHint(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return ""
	}
	dir := filepath.Dir(path.Path)
	return fmt.Sprintf("make room in the file system of %s, then run it again: df -h %s; df -i %s", dir, dir, dir)
}

// permissionHint says whose folder it is that this user may not use.
func permissionHint(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	hint := "run it as the user that owns it: ls -ld " + Quote(filepath.Dir(path.Path))
	if _, err := os.Lstat(path.Path); errors.Is(err, fs.ErrNotExist) {
		return hint // what was to be made there is not
	}
	return hint + " " + Quote(path.Path)
}

// Quote returns s as a person types it at a shell: as it is, or in single quotes
// if it holds anything that a shell would read otherwise.
func Quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Errorf writes one message to standard error, each line with the program's
// name in front.
func (s *Shell) Errorf(format string, args ...any) {
	for line := range strings.SplitSeq(strings.TrimRight(fmt.Sprintf(format, args...), "\n"), "\n") {
		fmt.Fprintf(s.Stderr, "%s: %s\n", s.Name, line)
	}
}

// Now returns the time that --now gives, or the clock's. It takes RFC 3339, a
// date, or seconds since 1970 behind an @, and whole seconds of it.
func (s *Shell) Now(flag string) (time.Time, error) {
	if flag == "" {
		return s.Clock().UTC().Truncate(time.Second), nil
	}
	if t, ok := parseTime(flag); ok {
		return t, nil
	}
	return time.Time{}, Usage(fmt.Errorf("--now %q is no time", flag), "--now 2026-11-21T18:00:00Z, --now 2026-11-21 or --now @1795284000")
}

// parseTime reads a time from 1970 to 9999: JSON has no other.
func parseTime(s string) (time.Time, bool) {
	if digits, ok := strings.CutPrefix(s, "@"); ok {
		sec, err := strconv.ParseInt(digits, 10, 64)
		t := time.Unix(sec, 0).UTC()
		return t, err == nil && sec >= 0 && sec < 1<<40 && t.Year() <= 9999
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC().Truncate(time.Second)
			return t, t.Unix() >= 0 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// FindConfig returns the configuration file's path: flag, else $NIRZONE_CONFIG,
// else ./nirzone.toml, else /etc/nirzone/nirzone.toml.
func FindConfig(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if env := os.Getenv("NIRZONE_CONFIG"); env != "" {
		return env, nil
	}
	for _, p := range []string{"nirzone.toml", "/etc/nirzone/nirzone.toml"} {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", Usage(errors.New("no configuration: neither ./nirzone.toml nor /etc/nirzone/nirzone.toml is there"),
		"--config FILE, or export NIRZONE_CONFIG=FILE; nirzone.example.toml documents every key")
}

// maxConfig bounds the configuration file.
const maxConfig = 4 << 20

// LoadConfig finds and reads the configuration. Every error is an Exit with
// code 2.
func LoadConfig(flag string) (*zone.Config, error) {
	file, err := FindConfig(flag)
	if err != nil {
		return nil, err
	}
	data, err := ReadFile(file, maxConfig)
	if err != nil {
		return nil, Usage(fmt.Errorf("reading configuration: %w", err), "")
	}
	c, err := zone.ParseConfig(file, data)
	if err != nil {
		hint := "nirzone.example.toml documents every key"
		if strings.Contains(err.Error(), "nirzone.example.toml") {
			hint = "" // the error says so
		}
		return nil, Usage(err, hint)
	}
	return c, nil
}

// RawPath reads a top-level path from a configuration that does not parse as a
// whole: what the first line that sets it says, else fallback, from the file's
// folder unless it is empty.
func RawPath(file, key, fallback string) string {
	text, _ := ReadFile(file, maxConfig) // unreadable is as if it set nothing
	p := fallback
	if m := regexp.MustCompile(`(?m)^\s*` + key + `\s*=\s*["']([^"'\n]+)["']`).FindSubmatch(text); m != nil {
		p = string(m[1])
	}
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(filepath.Dir(file), p)
}

// ReadFile reads a file of at most limit octets.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: over %d octets", filepath.Base(name), limit)
	}
	return data, nil
}

// Terminal reports whether w is a terminal on which people look at colours and
// moving bars.
func Terminal(w io.Writer) bool {
	for {
		u, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Colours reports whether output to w may be coloured: as [Shell.SetColours] said,
// else on a terminal unless NO_COLOR is set (no-color.org).
func Colours(w io.Writer) bool {
	if h, ok := w.(interface{ hue() *bool }); ok && h.hue() != nil {
		return *h.hue()
	}
	return os.Getenv("NO_COLOR") == "" && Terminal(w)
}
