package publish_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/zone/publish"
)

// sh is a command that runs a real script.
func sh(t *testing.T, script string, args ...string) []string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "script")
	ok(t, os.WriteFile(name, []byte(script), 0o600))
	return append([]string{"/bin/sh", name}, args...)
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	zones := []string{"2.in-addr.arpa", "1.in-addr.arpa"}
	commands := [][]string{
		sh(t, `echo "$1 $PWD $SECRET"; echo again >&2`, "zone={zone}/{zone}"),
		sh(t, `echo once $#`),
		sh(t, `echo before failing; exit 7`, "{zone}"),
		{filepath.Join(dir, "none"), "{zone}"},
		{},
		{""},
	}
	results := publish.Reload(t.Context(), commands, zones, publish.ReloadOptions{Dir: dir, Env: []string{"SECRET=x"}})
	var got []string
	for _, r := range results {
		got = append(got, fmt.Sprintf("%s|%d|%q|%v", r.Zone, r.ExitCode, r.Output, r.Err))
	}
	none := "fork/exec " + filepath.Join(dir, "none") + ": no such file or directory"
	want := []string{
		fmt.Sprintf(`2.in-addr.arpa|0|%q|<nil>`, "zone=2.in-addr.arpa/2.in-addr.arpa "+dir+" x\nagain\n"),
		fmt.Sprintf(`1.in-addr.arpa|0|%q|<nil>`, "zone=1.in-addr.arpa/1.in-addr.arpa "+dir+" x\nagain\n"),
		`|0|"once 0\n"|<nil>`,
		`2.in-addr.arpa|7|"before failing\n"|exit status 7`,
		`1.in-addr.arpa|7|"before failing\n"|exit status 7`,
		`2.in-addr.arpa|-1|""|` + none,
		`1.in-addr.arpa|-1|""|` + none,
		`|-1|""|the command is empty`,
		`|-1|""|the command is empty`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("results\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := results[0].Argv; got[2] != "zone=2.in-addr.arpa/2.in-addr.arpa" || commands[0][2] != "zone={zone}/{zone}" {
		t.Errorf("argv %q of command %q", got, commands[0])
	}
}

func TestReloadNothing(t *testing.T) {
	commands := [][]string{{"/bin/false"}, {"/bin/false", "{zone}"}}
	if got := publish.Reload(t.Context(), commands, nil, publish.ReloadOptions{}); got != nil {
		t.Errorf("no zones: %+v", got)
	}
	if got := publish.Reload(t.Context(), nil, testZones, publish.ReloadOptions{}); got != nil {
		t.Errorf("no commands: %+v", got)
	}
}

// A name is never an option, a path or a piece of shell.
func TestReloadNames(t *testing.T) {
	for _, name := range []string{"", "-rf", "../../etc/passwd", "$(reboot).arpa", "a b.arpa", "1.in-addr.arpa\n"} {
		got := publish.Reload(t.Context(), [][]string{{"/bin/echo", "{zone}"}}, []string{name}, publish.ReloadOptions{})
		if len(got) != 1 || got[0].Err == nil || got[0].Output != "" || got[0].ExitCode != -1 {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

func TestReloadFlood(t *testing.T) {
	flood := sh(t, `head -c 3000000 /dev/zero; printf 'the end\377\n'`)
	got := publish.Reload(t.Context(), [][]string{flood}, testZones, publish.ReloadOptions{})[0]
	ok(t, got.Err)
	if !strings.HasPrefix(got.Output, "…\x00") || !strings.HasSuffix(got.Output, "\x00the end�\n") || len(got.Output) > publish.MaxOutput+8 {
		t.Errorf("%d bytes of output: %.20q", len(got.Output), got.Output)
	}
	exact := sh(t, `head -c 4096 /dev/zero | tr '\0' x`)
	got = publish.Reload(t.Context(), [][]string{exact}, testZones, publish.ReloadOptions{})[0]
	if got.Output != strings.Repeat("x", publish.MaxOutput) {
		t.Errorf("%d bytes of output: %.20q", len(got.Output), got.Output)
	}
}

func TestReloadTimeout(t *testing.T) {
	hang := sh(t, `echo started; sleep 1000 & sleep 1000`)
	got := publish.Reload(t.Context(), [][]string{hang, {"/bin/true"}}, testZones, publish.ReloadOptions{Timeout: 300 * time.Millisecond})
	if !errors.Is(got[0].Err, publish.ErrTimeout) || got[0].ExitCode != -1 {
		t.Errorf("hanging: %+v", got[0])
	}
	ok(t, got[1].Err)
}

// Cancelling kills what a command started, too: the pipe ends only when the last
// process that has it open is dead.
func TestReloadCancelKillsGroup(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	ok(t, syscall.Mkfifo(fifo, 0o600))
	spawn := sh(t, `(echo started; exec sleep 1000) > "$1" & wait`, fifo)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan []publish.ReloadResult)
	go func() {
		done <- publish.Reload(ctx, [][]string{spawn, {"/bin/true"}}, testZones, publish.ReloadOptions{Timeout: time.Hour})
	}()
	f, err := os.Open(fifo)
	ok(t, err)
	defer f.Close()
	r := bufio.NewReader(f)
	if line, err := r.ReadString('\n'); line != "started\n" {
		t.Fatalf("read %q, %v", line, err)
	}
	cancel()
	ok(t, f.SetReadDeadline(time.Now().Add(30*time.Second))) // for a test that fails rather than hangs
	_, err = io.Copy(io.Discard, r)
	ok(t, err)
	got := <-done
	if !errors.Is(got[0].Err, context.Canceled) || got[0].ExitCode != -1 {
		t.Errorf("cancelled: %+v", got[0])
	}
	if !errors.Is(got[1].Err, context.Canceled) || got[1].ExitCode != -1 {
		t.Errorf("the command after it: %+v", got[1])
	}
}

// A daemon that a command leaves behind is not waited for, and not killed.
func TestReloadDaemon(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	ok(t, syscall.Mkfifo(fifo, 0o600))
	daemon := sh(t, `(read line < "$1") & echo "$!"`, fifo)
	got := publish.Reload(t.Context(), [][]string{daemon}, testZones, publish.ReloadOptions{})[0]
	if got.Err != nil || got.ExitCode != 0 || got.Output == "" {
		t.Errorf("%+v", got)
	}
	// Opening for writing succeeds once the daemon reads: it lives.
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	ok(t, err)
	ok(t, f.Close())
}

// Two zones' commands that wait for each other end only side by side.
func TestReloadParallel(t *testing.T) {
	dir := t.TempDir()
	for _, z := range testZones {
		ok(t, syscall.Mkfifo(filepath.Join(dir, z), 0o600))
	}
	meet := sh(t, `if [ "$1" = "$2" ]; then for z in "$3" "$4"; do echo hello > $z; done; else read x < "$1"; echo $x; fi`,
		"{zone}", testZones[0], testZones[1], testZones[2])
	got := publish.Reload(t.Context(), [][]string{meet}, testZones, publish.ReloadOptions{Parallel: 3, Dir: dir})
	for i, r := range got {
		if r.Err != nil || r.Zone != testZones[i] || (i > 0) != (r.Output == "hello\n") {
			t.Errorf("%+v", r)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d results", len(got))
	}
}
