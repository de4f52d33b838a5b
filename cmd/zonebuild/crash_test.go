package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// A story is what a registry does from the first day on, recorded, so that a
// power loss can be tried after each of its steps.
type story struct {
	*tree
	log     []crashfs.Step
	marks   []mark
	tells   []tell
	telling sync.Mutex            // of tells
	told    string                // what the servers were told, as the reload command wrote it down
	every   map[uint64]generation // every generation that was ever published
}

// A mark is what is promised from a step on: the command before it has returned.
type mark struct {
	steps   int
	command string
	now     time.Time
	keys    bool   // every zone has its keys
	number  uint64 // of the current generation
	accept  string // the hash of a decision that stands
	carries bool   // a zone stands because of its keys
}

// A tell says that the servers had been told this much before a step.
type tell struct{ step, size int }

// A generation is what must be the same in it whenever it is found.
type generation map[zone.Name]version

type version struct {
	serial zone.Serial
	sha256 string
}

func versions(g *zone.Generation) generation {
	v := generation{}
	for _, z := range g.Zones {
		v[z.Zone] = version{z.Serial, z.SHA256}
	}
	return v
}

// crashConfig has few generations, so that the story prunes, and a reload that
// writes down the zone and the serial that a name server would load.
const crashConfig = `reload = [["/bin/sh", "-c", 'read -r _ _ _ _ _ _ serial _ <"$CRASH_PUBLIC/current/$1" && echo "$1 $serial" >>"$CRASH_TOLD"', "tell", "{zone}"]]
[signing]
algorithm = "ed25519"
`

// crashTree is a tree small enough to be built a thousand times.
func crashTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{t: t, dir: t.TempDir(), wrecks: t.TempDir(), store: t.TempDir(), now: time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC), fs: crashfs.NoSync(publish.OS)}
	tr.manifest = zone.Manifest{Version: 1, Run: 1, Time: tr.now}
	tr.write("nirzone.toml", strings.Replace(treeConfig, "keep = 5", "keep = 2", 1)+crashConfig)
	tr.write("registry/claims", "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/9\n")
	for _, z := range []zone.Name{zoneA, zoneB} {
		tr.registry(z, owners(z, 250, 1))
		tr.feed("JPNIC", z, owners(z, 10, 24))
	}
	tr.feed("KRNIC", zoneA, nil) // says that it delegates nothing
	tr.listen("")
	return tr
}

// listen has the servers of the tree know what they were told.
func (tr *tree) listen(told string) {
	tr.t.Helper()
	file := filepath.Join(tr.wrecks, "told")
	if err := os.WriteFile(file, []byte(told), 0o600); err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Setenv("CRASH_TOLD", file)
	tr.t.Setenv("CRASH_PUBLIC", tr.path("public"))
}

// heard is all that the servers were told.
func (tr *tree) heard() string {
	tr.t.Helper()
	data, err := os.ReadFile(os.Getenv("CRASH_TOLD"))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(data)
}

// A listener notes how much the servers have been told by the time that a file is
// made: whoever notes a reload writes a file.
type listener struct {
	*crashfs.Recorder
	s *story
}

func (l listener) Create(name string, perm fs.FileMode) (publish.Handle, error) {
	l.s.telling.Lock() // a zone and its store are written at the same time
	l.s.tells = append(l.s.tells, tell{len(l.Log()), len(l.s.heard())})
	l.s.telling.Unlock()
	return l.Recorder.Create(name, perm)
}

// record tells the story.
func record(t *testing.T) *story {
	t.Helper()
	s := &story{tree: crashTree(t), every: map[uint64]generation{}}
	rec, err := crashfs.Record(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.fs = listener{rec, s}
	s.marks = []mark{{steps: len(rec.Log()), now: s.now}}
	for _, c := range storyline {
		c.act(s)
		s.play(rec, c)
	}
	s.log, s.told = rec.Log(), s.heard()
	return s
}

// A chapter changes the inputs and runs a command.
type chapter struct {
	exit    int
	command string
	act     func(*story)
}

var storyline = []chapter{
	{0, "keys init", func(*story) {}},
	{0, "init --accept 50", func(*story) {}},
	{0, "", func(s *story) { // a change, of the registry's own too
		s.registry(zoneA, owners(zoneA, 250, 2))
		s.feed("JPNIC", zoneB, owners(zoneB, 10, 25))
	}},
	{3, "", func(s *story) { s.feed("JPNIC", zoneA, owners(zoneA, 10, 12)) }}, // held
	{0, "accept HASH --removes 12 -m crash", func(*story) {}},
	{0, "", func(*story) {}},                   // it happens, once
	{3, "rollback", func(*story) {}},           // all of it
	{3, "rollback --release", func(*story) {}}, // what is lost again waits again
	{3, "", func(*story) {}},                   // nothing
	{3, "", func(s *story) { // new claims
		s.write("registry/claims", "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\n")
		s.feed("KRNIC", zoneA, owners(zoneA, 200, 3))
	}},
}

// play runs a chapter's command and notes what it promises.
func (s *story) play(rec *crashfs.Recorder, c chapter) {
	s.t.Helper()
	m := s.marks[len(s.marks)-1]
	m.command, m.accept = c.command, ""
	if strings.Contains(c.command, "HASH") {
		m.accept = s.held()[0].Hash
	}
	s.later(cycle)
	s.must(c.exit, strings.Fields(strings.ReplaceAll(c.command, "HASH", m.accept))...)
	m.steps, m.now, m.keys = len(rec.Log()), s.now, true
	if c.command != "keys init" {
		g := s.current()
		m.number = g.Number
		s.every[g.Number] = versions(g)
	}
	s.marks = append(s.marks, m)
}

// at returns what is promised after so many steps, and what comes next.
func (s *story) at(steps int) (m, next mark) {
	for i, c := range s.marks {
		if c.steps <= steps {
			m, next = c, s.marks[min(i+1, len(s.marks)-1)]
		}
	}
	return m, next
}

// heardBy is what the servers were told for certain before a step.
func (s *story) heardBy(steps int) string {
	size := 0
	for _, t := range s.tells {
		if t.step < steps {
			size = t.size
		}
	}
	return s.told[:size]
}

// crashModes are what a power loss after a step may do with what was not synced.
func crashModes(steps int) []crashfs.Mode {
	return []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Mixed(uint64(steps))}
}

// TestPowerLoss loses power after every step of the story, in every mode. What is
// left keeps every promise; of a part of them, the next run succeeds, tells the
// servers what they were not told, and leaves nothing of the crash.
func TestPowerLoss(t *testing.T) {
	s := record(t)
	seen := map[string]bool{}
	prefixes, states, recoveries, torn := 0, 0, 0, 0
	for steps := s.marks[0].steps; steps <= len(s.log); steps++ {
		prefixes++
		for _, mode := range crashModes(steps) {
			print, err := crashfs.Fingerprint(s.log[:steps], mode)
			if err != nil {
				t.Fatal(err)
			}
			m, _ := s.at(steps)
			if key := fmt.Sprint(m.steps, len(s.heardBy(steps)), print); seen[key] {
				continue
			} else {
				seen[key] = true
			}
			states++
			after := s.crash(steps, mode)
			if states%recoverOneOf == 0 || steps == len(s.log) {
				recoveries++
				after.recover(s.heardBy(steps))
				if strings.Contains(after.err.String(), "reading signature store") {
					torn++
				}
			}
			os.RemoveAll(after.dir)
		}
	}
	t.Logf("%d steps, %d prefixes, %d different states, %d recovered from, %d with a torn signature store", len(s.log), prefixes, states, recoveries, torn)
	if states < 200 || recoveries < 50 || torn == 0 {
		t.Errorf("%d states and %d recoveries are too few to mean anything", states, recoveries)
	}
}

// recoverOneOf is of how many states one is recovered from.
const recoverOneOf = 9

// crash makes what a crash after so many steps leaves, and checks the promises.
func (s *story) crash(steps int, mode crashfs.Mode) *wreck {
	s.t.Helper()
	m, next := s.at(steps)
	w := s.replay(s.log[:steps], mode, s.now.Add(cycle))
	w.what = fmt.Sprintf("a crash after step %d of %d (%s; between %q and %q), %s", steps, len(s.log), s.log[steps-1], m.command, next.command, mode)
	g := w.check()
	number := uint64(0)
	if g != nil {
		number = g.Number
	}
	if number != m.number && number != next.number {
		w.fail("generation %d is current, not %d or %d", number, m.number, next.number)
	}
	if g != nil && !maps.Equal(versions(g), s.every[number]) {
		w.fail("generation %d has other zones than it had", number)
	}
	if keys := w.keyed(); m.keys && !keys {
		w.fail("the keys are not all there")
	}
	if m.accept != "" && number == m.number { // the generation that lets it happen spends it
		data, err := os.ReadFile(w.path("state/accepts/" + m.accept + ".json"))
		if err == nil {
			_, err = zone.ParseAccept(m.accept, data)
		}
		if err != nil {
			w.fail("the decision is lost: %v", err)
		}
	}
	return w
}

// replay makes a tree of what a crash leaves.
func (tr *tree) replay(log []crashfs.Step, mode crashfs.Mode, now time.Time) *wreck {
	tr.t.Helper()
	dir, err := os.MkdirTemp(tr.wrecks, "wreck")
	if err != nil {
		tr.t.Fatal(err)
	}
	if err := (crashfs.Store{Dir: tr.store}).Replay(log, dir, mode); err != nil {
		tr.t.Fatal(err)
	}
	return &wreck{tree: &tree{t: tr.t, dir: dir, wrecks: tr.wrecks, store: tr.store, now: now, fs: crashfs.NoSync(publish.OS)}, what: mode.String()}
}
