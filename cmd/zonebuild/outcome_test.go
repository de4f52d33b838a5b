package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// snapshot returns every file below the tree with what it holds.
func (tr *tree) snapshot() map[string]string {
	tr.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(tr.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String() + info.ModTime().String()
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += string(data)
		}
		files[path] = text
		return nil
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	return files
}

// heldTree has one held change, a pending reload and a zone that waits for init.
func heldTree(t *testing.T) *tree {
	tr := published(t)
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"42.in-addr.arpa"`, `"42.in-addr.arpa", "43.in-addr.arpa"`, 1)+
		`reload = [["/bin/sh", "-c", "echo told >>`+tr.path("told")+`; exit 1"]]`)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 20))
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	tr.must(5)
	tr.later(cycle)
	tr.seen()
	tr.registry("43.in-addr.arpa.", owners("43.in-addr.arpa.", 1, 7))
	return tr
}

func TestDryRunChangesNothing(t *testing.T) {
	tr := heldTree(t)
	hash := tr.held()[0].Hash
	before := tr.snapshot()
	for want, commands := range map[int][][]string{
		0: {
			{},
			{"plan"},
			{"init", "--accept", "7"},
			{"rollback"},
			{"rollback", "1", "--zone", "42.in-addr.arpa"},
			{"reload"},
			{"keys"},
			{"keys", "init"},
			{"keys", "init", "43.in-addr.arpa"},
			{"held"},
			{"held", "show", hash},
			{"accept", hash, "--removes", "20", "-m", "no"},
		},
		1: {
			{"init", "--accept", "8"},
			{"rollback", "99"},
			{"rollback", "--release"},
			{"accept", hash, "--removes", "19", "-m", "no"},
		},
	} {
		for _, args := range commands {
			tr.must(want, append(args, "--dry-run")...)
			if after := tr.snapshot(); !maps.Equal(before, after) {
				for path := range after {
					if before[path] != after[path] {
						t.Errorf("%v wrote %s", args, path)
					}
				}
				t.Fatalf("zonebuild %v --dry-run changed something", args)
			}
		}
	}
}

func TestDryRunBeforeTheFirstDay(t *testing.T) {
	tr := newTree(t)
	if err := os.RemoveAll(tr.path("state")); err != nil {
		t.Fatal(err)
	}
	before := tr.snapshot()
	tr.must(0, "--dry-run")
	tr.says("init --accept 110")
	tr.must(0, "keys", "init", "--dry-run")
	if after := tr.snapshot(); !maps.Equal(before, after) {
		t.Errorf("files: %v", slices.Sorted(maps.Keys(after)))
	}
}

func TestRollbackPlan(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	tr.must(0, "rollback", "--dry-run")
	tr.says("40.10.27.in-addr.arpa.", "41.10.27.in-addr.arpa.", "42.10.27.in-addr.arpa.")
	if g := tr.current(); g.Number != 2 {
		t.Errorf("generation %d", g.Number)
	}
}

// TestJSONAlone calls every command with --json, in good and in bad outcomes:
// standard output holds one JSON value and nothing else.
func TestJSONAlone(t *testing.T) {
	tr := heldTree(t)
	hash := tr.held()[0].Hash
	for _, tt := range []struct {
		code int
		args []string
	}{
		{0, []string{"plan"}},
		{0, []string{"--dry-run"}},
		{0, []string{"reload", "--dry-run"}},
		{5, []string{"reload"}},
		{5, nil},
		{0, []string{"held", "show", hash}},
		{1, []string{"held", "show", "00000000"}},
		{2, []string{"held", "show"}},
		{2, []string{"held", "show", "a", "b"}},
		{2, []string{"rollback", "1", "2"}},
		{2, []string{"rollback", "x"}},
		{1, []string{"rollback", "99"}},
		{1, []string{"rollback", "--release"}},
		{2, []string{"accept"}},
		{2, []string{"accept", hash}},
		{1, []string{"accept", hash, "--removes", "3", "-m", "x"}},
		{0, []string{"accept", hash, "--removes", "20", "-m", "x", "--dry-run"}},
		{0, []string{"keys"}},
		{0, []string{"keys", "init", "--dry-run"}},
		{2, []string{"keys", "init", "44.in-addr.arpa"}},
		{0, []string{"keys", "init"}},
		{0, []string{"keys", "init"}},
		{1, []string{"init", "--accept", "8"}},
		{2, []string{"init"}},
		{2, []string{"frobnicate"}},
		{2, []string{"--now", "tomorrow"}},
		{5, []string{"init", "--accept", "7"}},
		{0, []string{"accept", hash, "--removes", "20", "-m", "x"}},
		{0, []string{"--no-reload"}},
		{0, []string{"held"}},
	} {
		tr.must(tt.code, append([]string{"--json"}, tt.args...)...)
		d := json.NewDecoder(&tr.out)
		var v any
		if err := d.Decode(&v); err != nil || d.More() {
			t.Errorf("zonebuild --json %v: %v\n%s", tt.args, err, tr.out.String())
		}
	}
}

func TestJSONWithoutConfiguration(t *testing.T) {
	tr := newTree(t)
	tr.write("nirzone.toml", "version = 7\n")
	tr.must(2, "--json")
	var f shell.Failure
	if err := json.Unmarshal(tr.out.Bytes(), &f); err != nil || f.Exit != 2 || f.Hint == "" {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestReportOfSilentExit: an exit code without words is no error in the report.
func TestReportOfSilentExit(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, nil)
	tr.must(3, "--json")
	var r report
	if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil || r.Exit != 3 || r.Error != "" || r.Published != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestQuiet(t *testing.T) {
	tr := published(t)
	for _, args := range [][]string{{"--quiet"}, {"reload", "--quiet"}} {
		tr.must(0, args...)
		if tr.out.Len() > 0 || tr.err.Len() > 0 {
			t.Errorf("%v: %s%s", args, tr.out.String(), tr.err.String())
		}
	}
	tr.feed("JPNIC", zoneA, nil)
	tr.must(3, "--quiet")
	tr.says("held")
}

func TestVerbose(t *testing.T) {
	tr := published(t)
	tr.must(0, "--verbose", "--full") // else there is nothing to sign
	for _, stage := range []string{"merging", "gates", "signing", "pruning"} {
		if !strings.Contains(tr.err.String(), stage) {
			t.Errorf("%q is not in the log:\n%s", stage, tr.err.String())
		}
	}
}

// metrics returns the text file for Prometheus.
func (tr *tree) metrics() string {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("metrics/zonebuild.prom"))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(data)
}

// TestMetricsOfFailure: a run that fails early still says how long the
// signatures last and what is held.
func TestMetricsOfFailure(t *testing.T) {
	tr := published(t)
	config := strings.Replace(treeConfig, "rir =", "metrics = \"metrics\"\nrir =", 1)
	tr.write("nirzone.toml", config)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, nil)
	tr.must(3)
	expires := fmt.Sprintf(`nirzone_zonebuild_zone_expires_timestamp_seconds{zone="27.in-addr.arpa"} %v`, float64(tr.current().Zone(zoneA).Expires.Unix()))
	for name, breakIt := range map[string]func(){
		"clock":     func() { tr.later(-time.Hour) },
		"interrupt": func() {},
	} {
		t.Run(name, func(t *testing.T) {
			now := tr.now
			defer func() { tr.now = now }()
			ctx, cancel := context.WithCancel(context.Background())
			if breakIt(); name == "interrupt" {
				cancel()
			}
			defer cancel()
			if code := tr.runWith(ctx); code != 1 {
				t.Fatalf("exit %d: %s", code, tr.err.String())
			}
			text := tr.metrics()
			for _, want := range []string{expires, "nirzone_zonebuild_held_losses 40", "nirzone_zonebuild_generation 2"} {
				if !strings.Contains(text, want+"\n") {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
		})
	}
}

// runWith is run with a context.
func (tr *tree) runWith(ctx context.Context, args ...string) int {
	tr.out.Reset()
	tr.err.Reset()
	sh := shell.Shell{Name: "zonebuild", Stdout: &tr.out, Stderr: &tr.err, Clock: func() time.Time { return tr.now }}
	return run(ctx, append(args, "--config", tr.path("nirzone.toml")), &sh, tr.fs)
}

func TestInterrupted(t *testing.T) {
	tr := published(t)
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code := tr.runWith(ctx); code != 1 {
		t.Fatalf("exit %d", code)
	}
	tr.says("interrupted, nothing was published")
	if g := tr.current(); g.Number != 1 {
		t.Errorf("generation %d", g.Number)
	}
	tr.must(0)
	tr.count(zoneA, 66)
}

// TestGenerationUnreadable: nothing is decided without the current generation,
// and the report says so.
func TestGenerationUnreadable(t *testing.T) {
	tr := published(t)
	tr.write("public/current/generation.json", "{")
	tr.must(1)
	data, err := os.ReadFile(tr.path("state/report.json"))
	if err != nil || !bytes.Contains(data, []byte("generation.json")) {
		t.Errorf("report: %s, %v", data, err)
	}
}

func TestStateIsNoFolder(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", strings.Replace(treeConfig, "rir =", "metrics = \"metrics\"\nrir =", 1))
	if err := os.RemoveAll(tr.path("state")); err != nil {
		t.Fatal(err)
	}
	tr.write("state", "")
	tr.must(1)
	if !strings.Contains(tr.metrics(), "nirzone_zonebuild_exit_code 1\n") {
		t.Errorf("metrics:\n%s", tr.metrics())
	}
	tr.count(zoneA, 65)
}

// TestReloadOneOfThree: one of three servers fails; the zone stays due, and the
// exit code of a held change gives way.
func TestReloadOneOfThree(t *testing.T) {
	tr := published(t)
	command := func(name, and string) string {
		return `["/bin/sh", "-c", "echo $1 >>` + tr.path(name) + and + `", "x", "{zone}"]`
	}
	tr.write("nirzone.toml", treeConfig+"reload = ["+command("one", "")+","+command("two", "; test -e "+tr.path("up"))+","+command("three", "")+"]")
	tr.later(cycle)
	tr.seen()
	tr.feed("JPNIC", zoneA, nil)
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(5)
	if g := tr.current(); !slices.Equal(g.Reload, []zone.Name{zoneA}) || len(g.Holds) != 1 {
		t.Errorf("due: %v, holds: %d", g.Reload, len(g.Holds))
	}
	tr.write("up", "")
	tr.must(3) // the hold is still there
	if g := tr.current(); len(g.Reload) != 0 {
		t.Errorf("due: %v", g.Reload)
	}
	if data, _ := os.ReadFile(tr.path("three")); strings.Count(string(data), zoneA.File()) != 2 {
		t.Errorf("server three: %q", data)
	}
}
