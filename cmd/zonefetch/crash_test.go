package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/fixtures"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// A crash is a small world with servers of three kinds, and a folder in which
// zonefetch works.
type crash struct {
	t     *testing.T
	world *fixtures.World
	dir   string // of nirzone.toml and spool
	now   time.Time
	fs    publish.FS
	out   bytes.Buffer
	what  string
}

// crashSources are one for each transport.
var crashSources = []string{"IRINN", "JPNIC", "TWNIC"}

func newCrash(t *testing.T) *crash {
	t.Helper()
	c := &crash{t: t, dir: t.TempDir(), now: testNow, fs: crashfs.NoSync(publish.OS)}
	var err error
	c.world, err = fixtures.Generate(fixtures.Options{Seed: 3, Dir: filepath.Join(t.TempDir(), "world"), Now: testNow.Add(-time.Hour)})
	c.ok(err)
	servers, err := fixtures.Serve(t.Context(), c.world)
	c.ok(err)
	t.Cleanup(servers.Close)
	folders := map[string]string{}
	for _, s := range crashSources {
		folders[s] = servers.Folders[s]
	}
	c.ok(c.world.WriteConfig(folders, servers.CAFile))
	c.ok(os.Rename(filepath.Join(c.world.Dir, "nirzone.toml"), c.path("nirzone.toml")))
	c.ok(os.CopyFS(c.path("keyrings"), os.DirFS(filepath.Join(c.world.Dir, "keyrings"))))
	c.ok(os.Mkdir(c.path("state"), 0o700)) // zonebuild has run before: there is pruning
	return c
}

func (c *crash) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", c.what, err, c.out.String())
	}
}

func (c *crash) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

// fetch is a whole run of the program on the crash's file system.
func (c *crash) fetch(args ...string) int {
	c.out.Reset()
	clock := func() time.Time { return c.now }
	a := &app{Shell: &shell.Shell{Name: "zonefetch", Stdout: &c.out, Stderr: &c.out, Clock: clock}, started: clock(), fs: c.fs}
	cmd := a.command()
	cmd.SetArgs(append(args, "--config", c.path("nirzone.toml")))
	return a.Finish(cmd.ExecuteContext(context.Background()))
}

func (c *crash) must(code int) {
	c.t.Helper()
	if got := c.fetch(); got != code {
		c.t.Fatalf("%s: exit %d, not %d\n%s", c.what, got, code, c.out.String())
	}
}

// change has a source lose its last delegations in a zone.
func (c *crash) change(source string, z zone.Name) {
	c.t.Helper()
	c.now = c.now.Add(time.Hour)
	keep := c.world.Find(source, z).Counts.Owners - 1
	_, err := c.world.Shrink(source, z, keep, c.now.Add(-time.Minute))
	c.ok(err)
}

// moved is the same world with a spool elsewhere.
func (c *crash) moved(log []crashfs.Step, mode crashfs.Mode, store crashfs.Store) *crash {
	c.t.Helper()
	dir, err := os.MkdirTemp(c.t.TempDir(), "wreck")
	c.ok(err)
	c.ok(store.Replay(log, dir, mode))
	return &crash{t: c.t, world: c.world, dir: dir, now: c.now.Add(time.Hour), fs: crashfs.NoSync(publish.OS), what: mode.String()}
}

// check returns the number of the last run. The manifest parses, and all that it
// or a generation names is whole.
func (c *crash) check() uint64 {
	c.t.Helper()
	for _, name := range []string{"spool/report.json"} {
		data, err := os.ReadFile(c.path(name))
		if err == nil && !json.Valid(data) {
			c.t.Fatalf("%s: %s does not parse", c.what, name)
		}
	}
	data, err := os.ReadFile(c.path("spool", "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	c.ok(err)
	m, err := zone.ParseManifest("manifest.json", data)
	c.ok(err)
	for _, s := range m.Sources {
		for _, e := range s.Zones {
			if a := e.Accepted; a != nil {
				c.intact(a.SHA256, a.MD5Object, a.SignatureObject)
			}
		}
	}
	if note, err := os.ReadFile(c.path("public", "generations", "1", "generation.json")); err == nil {
		c.intact(strings.Fields(string(note))...)
	}
	return m.Run
}

func (c *crash) intact(digests ...string) {
	c.t.Helper()
	for _, d := range digests {
		data, err := os.ReadFile(c.path("spool", "objects", d))
		c.ok(err)
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != d {
			c.t.Fatalf("%s: object %s is damaged", c.what, d)
		}
	}
}

// recover runs the next run: it brings what the sources publish, and leaves
// nothing of the crash.
func (c *crash) recover() {
	c.t.Helper()
	run := c.check()
	c.must(0)
	if now := c.check(); now != run+1 {
		c.t.Fatalf("%s: run %d came after run %d", c.what, now, run)
	}
	m, err := os.ReadFile(c.path("spool", "manifest.json"))
	c.ok(err)
	for _, s := range crashSources {
		for _, let := range c.world.Zonelets {
			if let.Source != s {
				continue
			}
			data, err := os.ReadFile(c.world.Path(&let))
			c.ok(err)
			if sum := sha256.Sum256(data); !bytes.Contains(m, []byte(hex.EncodeToString(sum[:]))) {
				c.t.Fatalf("%s: %s was not fetched anew", c.what, let.File)
			}
		}
	}
	c.ok(filepath.WalkDir(c.path("spool"), func(path string, _ fs.DirEntry, err error) error {
		if b := filepath.Base(path); err == nil && (strings.HasPrefix(b, ".tmp-") || strings.HasPrefix(b, ".stage-")) {
			err = errors.New(path + " is left over")
		}
		return err
	}))
}

// publish has a generation be made of what the manifest names now.
func (c *crash) publish() {
	c.t.Helper()
	data, err := os.ReadFile(c.path("spool", "manifest.json"))
	c.ok(err)
	m, err := zone.ParseManifest("manifest.json", data)
	c.ok(err)
	var note strings.Builder
	for _, s := range m.Sources {
		for _, e := range s.Zones {
			fmt.Fprintln(&note, e.Accepted.SHA256)
		}
	}
	dir := c.path("public", "generations", "1")
	c.ok(publish.MkdirAll(c.fs, dir, 0o755))
	c.ok(publish.WriteFile(c.fs, filepath.Join(dir, "generation.json"), []byte(note.String()), 0o644))
}

// TestPowerLoss loses power after every step of four runs, in every mode.
func TestPowerLoss(t *testing.T) {
	c := newCrash(t)
	rec, err := crashfs.Record(c.dir)
	c.ok(err)
	c.fs = rec
	store := crashfs.Store{Dir: t.TempDir()}
	ends := []int{len(rec.Log())}
	for i, act := range []func(){
		func() {}, c.publish, func() { c.change("JPNIC", "202.in-addr.arpa.") },
		func() { c.change("JPNIC", "202.in-addr.arpa."); c.change("TWNIC", "103.in-addr.arpa.") },
	} {
		act()
		c.now = c.now.Add(time.Hour)
		c.what = fmt.Sprint("run ", i+1)
		c.must(0)
		ends = append(ends, len(rec.Log()))
	}
	log := rec.Log()
	seen := map[string]bool{}
	states, recoveries := 0, 0
	for k := ends[0]; k <= len(log); k++ {
		low := uint64(0)
		for run, end := range ends {
			if k >= end {
				low = uint64(run)
			}
		}
		for _, mode := range []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Mixed(uint64(k))} {
			print, err := crashfs.Fingerprint(log[:k], mode)
			c.ok(err)
			if print += fmt.Sprint(low); seen[print] {
				continue
			}
			seen[print] = true
			states++
			w := c.moved(log[:k], mode, store)
			w.what = fmt.Sprintf("a crash after step %d of %d (%s), %s", k, len(log), log[k-1], mode)
			if run := w.check(); run != low && run != low+1 {
				t.Fatalf("%s: run %d is recorded, not %d", w.what, run, low)
			}
			if states%12 == 0 || k == len(log) {
				recoveries++
				w.recover()
			}
			os.RemoveAll(w.dir)
		}
	}
	t.Logf("%d steps, %d prefixes, %d different states, %d recovered from", len(log), len(log)-ends[0]+1, states, recoveries)
	if states < 100 || recoveries < 10 {
		t.Error("too few to mean anything")
	}
}

// TestKilledThenPowerLoss has a run die at its k-th change of the disk; its
// successor works on what the page cache holds; then the power goes.
func TestKilledThenPowerLoss(t *testing.T) {
	c := newCrash(t)
	c.must(0)
	c.publish()
	c.change("JPNIC", "202.in-addr.arpa.")
	base := c.snapshot()
	c.change("TWNIC", "103.in-addr.arpa.")
	store := crashfs.Store{Dir: t.TempDir()}
	deaths := 0
	for k := 1; ; k += 2 {
		w := c.moved(base, crashfs.Killed, store)
		rec, err := crashfs.Record(w.dir)
		c.ok(err)
		dies := &crashfs.Fail{FS: rec, At: k, Err: errors.New("the process is dead"), Sticky: true, Only: crashfs.Changes}
		w.fs, w.what = dies, fmt.Sprintf("killed at change %d", k)
		w.fetch()
		if dies.Hit() == "" {
			break
		}
		deaths++
		w.fs = rec
		start := len(rec.Log())
		w.recover()
		run, log := w.check(), rec.Log()
		middle := start + rand.New(rand.NewPCG(uint64(k), 1)).IntN(len(log)-start)
		for _, steps := range []int{middle, len(log)} {
			loss := w.moved(log[:steps], crashfs.DropUnsynced, store)
			loss.what = fmt.Sprintf("%s, power loss after step %d of %d", w.what, steps, len(log))
			if got := loss.check(); got == 0 || steps == len(log) && got != run {
				t.Fatalf("%s: run %d is recorded, not %d", loss.what, got, run)
			}
			os.RemoveAll(loss.dir)
		}
		os.RemoveAll(w.dir)
	}
	t.Logf("%d deaths", deaths)
	if deaths < 10 {
		t.Error("too few to mean anything")
	}
}

// snapshot is the log of making the folder as it is now.
func (c *crash) snapshot() []crashfs.Step {
	c.t.Helper()
	rec, err := crashfs.Record(c.dir)
	c.ok(err)
	return rec.Log()
}

// TestDiskFull has the disk be full from each operation on that needs space, or
// for that one alone: exit code 1 if nothing could be recorded, 3 if a zonelet
// could not, and a warning if only the report could not. With space the next run
// succeeds.
func TestDiskFull(t *testing.T) {
	c := newCrash(t)
	c.must(0)
	c.publish()
	base := c.snapshot()
	c.change("JPNIC", "202.in-addr.arpa.")
	c.change("TWNIC", "103.in-addr.arpa.")
	store := crashfs.Store{Dir: t.TempDir()}
	codes := map[int]int{}
	for k := 1; ; k++ {
		full := &crashfs.Fail{FS: crashfs.NoSync(publish.OS), At: k, Err: syscall.ENOSPC, Only: crashfs.NeedsSpace, Short: true, Sticky: k%2 != 0}
		w := c.moved(base, crashfs.Killed, store)
		w.fs = full
		before := w.check()
		code := w.fetch()
		if full.Hit() == "" {
			break
		}
		codes[code]++
		w.what = fmt.Sprintf("disk full at %s, exit %d", full.Hit(), code)
		recorded := w.check() > before
		said := strings.Contains(w.out.String(), "no space left on device")
		if !said || recorded == (code == 1) || code != 0 && code != 1 && code != 3 || code == 0 && !strings.Contains(w.out.String(), "warning: writing the report") {
			t.Fatalf("%s, recorded: %v\n%s", w.what, recorded, w.out.String())
		}
		w.fs = crashfs.NoSync(publish.OS)
		w.now = w.now.Add(time.Hour)
		w.recover()
		os.RemoveAll(w.dir)
	}
	t.Logf("exit codes: %v", codes)
	if codes[1] < 5 || codes[3] < 5 {
		t.Error("too few to mean anything")
	}
}
