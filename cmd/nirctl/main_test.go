package main

import (
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"nirzone/fixtures/peers"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata and docs/nirctl.md")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nirctl": main})
}

// TestPublished runs everything that asks a published registry, made once.
func TestPublished(t *testing.T) {
	reg := newRegistry(t)
	t.Run("scripts", func(t *testing.T) { scripts(t, "testdata/published", reg) })
	t.Run("cases", func(t *testing.T) { testCases(t, reg) })
	t.Run("below", func(t *testing.T) { testBelow(t, reg) })
	t.Run("page", func(t *testing.T) { testPage(t, reg) })
	t.Run("width", func(t *testing.T) { testWidthPublished(t, reg) })
}

// TestScripts runs testdata/*.txt: each says at its top why it exists.
func TestScripts(t *testing.T) { scripts(t, "testdata", nil) }

func scripts(t *testing.T, dir string, reg *registry) {
	testscript.Run(t, testscript.Params{
		Files:               scriptsIn(t, dir),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setup(env, reg) },
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"run": runNirctl},
	})
}

// scriptsIn are the scripts of a folder; under the race detector, which makes every
// process that they start ten times as slow, a part of them.
func scriptsIn(t *testing.T, dir string) (files []string) {
	all, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	for i, file := range all {
		if peers.Every(i) {
			files = append(files, file)
		}
	}
	return files
}

func setup(env *testscript.Env, reg *registry) error {
	vars := map[string]string{"NIRZONE_CONFIG": "", "HOME": env.WorkDir, "DATA": sharedData()}
	if reg != nil {
		maps.Copy(vars, reg.vars)
	}
	for k, v := range vars {
		env.Setenv(k, v)
	}
	return nil
}

// runNirctl is "run CODE ARGS...": it runs nirctl and wants exactly that exit
// code.
func runNirctl(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: run CODE ARGS...")
	}
	if code := exitCode(ts.Exec("nirctl", args[1:]...)); code != args[0] {
		ts.Fatalf("nirctl %q: exit %s, want %s", args[1:], code, args[0])
	}
}

func exitCode(err error) string {
	var e *exec.ExitError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &e):
		return strconv.Itoa(e.ExitCode())
	}
	return err.Error()
}

// sharedData finds the real zonelets, beside the repository; "" if they are not
// there.
func sharedData() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; ; dir = filepath.Dir(dir) {
		if data := filepath.Join(dir, "shared", "data"); isFolder(data) {
			return data
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
