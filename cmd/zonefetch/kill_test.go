package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nirzone/zone"
)

// asCommand makes the test binary the command itself, to be killed.
const asCommand = "NIRZONE_TEST_COMMAND"

// intact checks the spool that a killed run left, and returns the manifest's run.
func (w *world) intact() uint64 {
	w.t.Helper()
	file := filepath.Join(w.dir, "spool", "manifest.json")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := zone.ParseManifest(file, data)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, z := range m.Sources[0].Zones {
		if z.Accepted == nil {
			continue
		}
		for _, d := range []string{z.Accepted.SHA256, z.Accepted.MD5Object, z.Accepted.SignatureObject} {
			sum := sha256.Sum256([]byte(w.read("spool/" + zone.ObjectPath(d))))
			if hex.EncodeToString(sum[:]) != d {
				w.t.Fatalf("object %s is not what its name says", d)
			}
		}
	}
	return m.Run
}

// TestKill kills runs that have something to do, at any time: the manifest always
// parses, its objects are whole, the run number never goes back, the next run works.
func TestKill(t *testing.T) {
	w := newWorld(t)
	if err := os.Mkdir(filepath.Join(w.dir, "state"), 0o700); err != nil {
		t.Fatal(err) // so that runs prune
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	last, killed := uint64(0), 0
	long := 10 * time.Second // of the first, which is not killed
	for i := range 31 {
		w.put("202.in-addr.arpa-JPNIC", fmt.Sprintf("%d.202.in-addr.arpa. NS ns.nic.example.\n", i))
		cmd := exec.Command(os.Args[0], "--config", filepath.Join(w.dir, "nirzone.toml"), "--now", "2026-11-21T12:00:00Z", "--quiet")
		cmd.Env = append(os.Environ(), asCommand+"=1")
		start := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := long
		if i > 0 {
			after = time.Duration(rng.Int64N(int64(long)))
		}
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil && !cmd.ProcessState.Exited() {
			killed++
		}
		timer.Stop()
		if i == 0 {
			long = time.Since(start)
		}
		run := w.intact()
		if run < last {
			t.Fatalf("the run number went from %d to %d", last, run)
		}
		last = run
	}
	t.Logf("%d of 30 killed, %d runs recorded", killed, last)
	if killed == 0 {
		t.Errorf("no run was killed")
	}
	w.put("202.in-addr.arpa-JPNIC", "final.202.in-addr.arpa. NS ns.nic.example.\n")
	if code, out, log := w.run(); code != 0 || w.intact() != last+1 {
		t.Errorf("exit %d, run %d\n%s%s", code, w.intact(), out, log)
	}
}
