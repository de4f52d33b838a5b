package main

import (
	"database/sql"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nirzone/cmd/shell"
	"nirzone/fixtures/peers"
	"nirzone/zone"
)

// testTrouble: whatever is wrong with the database, a command ends with one line
// about it and a hint, and without the words of SQL.
func testTrouble(t *testing.T, w *dbWorld) {
	query := func(q string) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			db, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
	}
	content := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, change(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		spoil      func(*testing.T, string)
		code       int
		says, hint string
	}{
		"newer":     {query("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"), 1, "schema is version 99", "a newer one"},
		"no table":  {query("DROP TABLE nir"), 1, "another form", "nirctl doctor"},
		"another":   {content(func([]byte) []byte { return []byte("hello\n") }), 1, "damaged, or no registry", "nirctl restore --help"},
		"empty":     {content(func([]byte) []byte { return nil }), notFound, "is empty", "nirctl init"},
		"cut":       {content(func(b []byte) []byte { return b[:8192] }), 1, "damaged", "nirctl"},
		"scribbled": {content(func(b []byte) []byte { copy(b[5000:40000], make([]byte, 35000)); return b }), 1, "damaged", "nirctl"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := w.copy(dir); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, filepath.Join(dir, "registry.db"))
			for _, args := range [][]string{{"nir", "list"}, {"member", "create", "JPNIC/M8", "--name", "x", "--economy", "JP", "--yes"}} {
				out, errs, code := inProcess(dir, args...)
				checkTrouble(t, out, errs, code, c.code, c.says, c.hint)
			}
		})
	}
	t.Run("read-only", func(t *testing.T) { testReadOnly(t, w) })
	t.Run("locked", func(t *testing.T) { testLocked(t, w) })
	t.Run("prompt", func(t *testing.T) { testPrompt(t, w) })
	t.Run("pipe", func(t *testing.T) { testClosedPipe(t, w) })
}

func checkTrouble(t *testing.T, out, errs string, code, want int, says, hint string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	if code != want || out != "" || len(lines) != 2 || !strings.Contains(lines[0], "nirctl: error: ") || !strings.Contains(lines[0], says) || !strings.HasPrefix(lines[1], "nirctl: hint: ") || !strings.Contains(lines[1], hint) {
		t.Errorf("exit %d, want %d with %q and %q:\n%s%s", code, want, says, hint, out, errs)
	}
	for _, raw := range []string{"SELECT", "SQL logic", "goroutine", "pragma", "goose"} {
		if strings.Contains(errs, raw) {
			t.Errorf("it shows %q:\n%s", raw, errs)
		}
	}
}

// testReadOnly: on a file system that is read-only.
func testReadOnly(t *testing.T, w *dbWorld) {
	dir := peers.SmallDisk(t, "size=8m")
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, errs, code := inProcess(dir, "nir", "list")
	checkTrouble(t, out, errs, code, 1, "cannot be opened", "ls -ld")
}

// testLocked: what the driver says of a locked database is understood, also with
// other words around it.
func testLocked(t *testing.T, w *dbWorld) {
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "registry.db")
	a, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	tx, err := a.Begin()
	if err == nil {
		_, err = tx.Exec("UPDATE head SET seq = seq")
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	_, busy := b.Exec("UPDATE head SET seq = seq")
	_ = tx.Rollback()
	app := &app{Shell: &shell.Shell{Name: "nirctl", Stderr: io.Discard}}
	cfg := &zone.Config{Nirctl: zone.NirctlConfig{Database: "/r/registry.db"}}
	got := app.troubled(cfg, errors.Join(errors.New("beginning to write"), busy))
	if busy == nil || !strings.Contains(got.Error(), "another process has been writing to /r/registry.db for too long; nothing was changed") || !strings.Contains(shell.HintOf(got), "fuser -v /r/registry.db") {
		t.Errorf("%v: %v", busy, got)
	}
	if err := errors.New("file (5)"); app.troubled(cfg, err) != err { //nolint:errorlint // the same one
		t.Error("what is no error of the database is taken for one")
	}
}

// testClosedPipe: whoever reads no more ends the command, without a word.
func testClosedPipe(t *testing.T, w *dbWorld) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	var errs strings.Builder
	cmd := exec.Command("nirctl", "delegation", "list", "--json")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, append(os.Environ(), "NIRZONE_CONFIG="), out, &errs
	err = cmd.Run()
	_ = out.Close()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE || errs.String() != "" {
		t.Errorf("%v: %s", err, errs.String())
	}
}

// testPrompt: Ctrl-C, the end of the input and any other answer at the question
// change nothing.
func testPrompt(t *testing.T, w *dbWorld) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("NOT TESTED: script(1) is not installed")
	}
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{"\x03": "error: cancelled", "\x04": "not confirmed: nothing was changed", "no\n": "not confirmed: nothing was changed"} {
		cmd := exec.Command("script", "-qefc", "exec nirctl member create JPNIC/M8 --name x --economy JP", "/dev/null")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "NIRZONE_CONFIG=")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for b := make([]byte, 1); !strings.Contains(said.String(), "[y/N]"); {
			if _, err := out.Read(b); err != nil {
				t.Fatalf("it did not ask: %s", said.String())
			}
			said.Write(b)
		}
		_, _ = io.WriteString(in, typed)
		rest, _ := io.ReadAll(out)
		_ = in.Close()
		if code := exitCode(cmd.Wait()); code != "1" || !strings.Contains(string(rest), want) {
			t.Errorf("%q: exit %s\n%s%s", typed, code, said.String(), rest)
		}
	}
	if _, _, code := inProcess(dir, "member", "view", "JPNIC/M8"); code != notFound {
		t.Errorf("exit %d: the member was made", code)
	}
}
