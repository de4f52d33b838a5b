package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
	"nirzone/zone/sign"
)

// A keyStory is the life of keys from the day on which they were taken over from
// another signer, recorded, so that a power loss can be tried in it.
type keyStory struct {
	*story
	parent *parentWorld
	ds     []zone.Data       // that it has of zone A
	hash   string            // of the adoption
	shapes map[string]string // of the keys after a run that follows a mark
}

// A keyChapter is a command some time after the one before it.
type keyChapter struct {
	wait    time.Duration
	exit    int
	command string
	act     func(*keyStory)
}

// keyStoryline rolls the KSK of zone A and the ZSK of zone B at the same time, then
// the ZSK of zone A to one that was imported, and at last has a key in the folder
// that nobody planned.
var keyStoryline = []keyChapter{
	{0, 0, "adopt DIR/served --keys DIR/theirs --accept ADOPTION", nil},
	{2 * hours, 0, "", (*keyStory).vouch}, // the parent has one
	{0, 0, "keys roll " + fileB + " --zsk", nil},
	{0, 0, "keys roll " + fileA + " --ksk", nil},
	{2 * hours, 0, "", nil},
	{10 * hours, 0, "", nil},
	{10 * hours, 0, "", (*keyStory).vouch}, // the parent has both
	{3 * days, 0, "", nil},
	{0, 0, "keys approve APPROVAL -m crash", nil},
	{2 * hours, 0, "", (*keyStory).vouch}, // it still has both
	{0, 0, "keys import " + fileA + " DIR/spare", nil},
	{0, 0, "keys roll " + fileA + " --zsk", nil},
	{2 * hours, 0, "", nil},
	{3 * days, 0, "", nil},
	{4 * days, 0, "", nil},
	{4 * days, 0, "", nil},
	{4 * days, 0, "", nil},
	{2 * hours, 3, "", (*keyStory).intrude},
	{0, 0, "keys trust " + fileA + " --keys TAGS -m crash", nil},
	{2 * hours, 0, "", nil},
}

// vouch has the parent's servers be seen with the DS that zone A had, and with what
// it asks for now.
func (s *keyStory) vouch() {
	for _, d := range s.wanted() {
		if !slices.Contains(s.ds, d) {
			s.ds = append(s.ds, d)
		}
	}
	s.parent.says(s.now.AddDate(0, 2, 0), s.ds, s.ds)
}

// intrude puts a key into the folder that no step made.
func (s *keyStory) intrude() { s.copyZSK(published(s.t), "keys/"+fileA) }

// copyZSK copies the ZSK of zone A of another tree.
func (s *keyStory) copyZSK(from *tree, to string) {
	s.t.Helper()
	keys := must2(sign.LoadKeys(from.path("keys"), zoneA))
	for _, k := range keys {
		if k.Role() != "ZSK" {
			continue
		}
		for _, ext := range []string{".private", ".key"} {
			data := must2(os.ReadFile(from.path("keys/" + fileA + "/" + k.ID + ext)))
			must(s.t, publish.MkdirAll(s.fs, s.path(to), 0o700))
			must(s.t, publish.WriteFile(s.fs, s.path(to+"/"+k.ID+ext), data, 0o600))
		}
	}
}

// recordKeys tells the story.
func recordKeys(t *testing.T) *keyStory {
	t.Helper()
	s := &keyStory{story: &story{tree: live(t), every: map[uint64]generation{}}, shapes: map[string]string{}}
	s.wrecks, s.store = t.TempDir(), t.TempDir()
	s.parent = newParentWorld(s.tree)
	reload, _, _ := strings.Cut(crashConfig, "\n")
	s.write("nirzone.toml", strings.Replace(treeConfig, "keep = 5", "keep = 2", 1)+reload+"\n[observe]\nanchors = \"anchors\"\n")
	s.copyZSK(published(t), "spare")
	s.listen("")
	s.hash = s.adoptPlan().Hash
	rec, err := crashfs.Record(s.dir)
	must(t, err)
	s.fs = listener{rec, s.story}
	s.marks = []mark{{steps: len(rec.Log()), now: s.now}}
	for _, c := range keyStoryline {
		s.play(rec, c)
	}
	s.log, s.told = rec.Log(), s.heard()
	return s
}

// play runs a chapter's command and notes what it promises.
func (s *keyStory) play(rec *crashfs.Recorder, c keyChapter) {
	s.t.Helper()
	s.later(c.wait)
	s.seen()
	if c.act != nil {
		c.act(s)
	}
	m := s.marks[len(s.marks)-1]
	m.command = s.fill(c.command)
	s.must(c.exit, strings.Fields(s.here(m.command))...)
	g := s.current()
	m.steps, m.now, m.number, m.carries = len(rec.Log()), s.now, g.Number, c.exit == 3
	if strings.HasPrefix(c.command, "keys trust") {
		m.carries = true // until the next run
	}
	s.every[g.Number] = versions(g)
	s.marks = append(s.marks, m)
	s.t.Logf("%s %-30.30q %d: %s", m.now.Format("01-02 15:04"), m.command, g.Number, s.shape())
}

// fill puts what only the tree knows into a command.
func (s *keyStory) fill(command string) string {
	approval := ""
	if strings.Contains(command, "APPROVAL") {
		for _, r := range s.rows() {
			if r.Hash != "" {
				approval = r.Hash
			}
		}
	}
	return strings.NewReplacer("ADOPTION", s.hash, "APPROVAL", approval, "TAGS", s.tags()).Replace(command)
}

// here puts the tree's folder into a command.
func (tr *tree) here(command string) string { return strings.ReplaceAll(command, "DIR", tr.dir) }

// tags are the key tags of the DNSKEY set that zone A would have.
func (tr *tree) tags() string {
	keys, _ := sign.LoadKeys(tr.path("keys"), zoneA)
	var list []string
	for _, k := range keys {
		if k.InUse(tr.now) {
			list = append(list, fmt.Sprint(k.Tag))
		}
	}
	return strings.Join(list, ",")
}

// shape says what the keys of both zones are, without their names: two keys where
// there should be one show in it.
func (tr *tree) shape() string {
	tr.t.Helper()
	var list []string
	for _, z := range []zone.Name{zoneA, zoneB} {
		keys, err := sign.LoadKeys(tr.path("keys"), z)
		if err != nil {
			return err.Error()
		}
		var ring []string
		for _, k := range keys {
			text := k.Role() + " "
			at := k.Timing
			for i, t := range []time.Time{at.Publish, at.Ready, at.Active, at.DSSeen, at.Unsync, at.Retire, at.Remove} {
				if !t.IsZero() && !t.After(tr.now) {
					text += string("praduix"[i])
				}
			}
			ring = append(ring, text)
		}
		slices.Sort(ring)
		list = append(list, strings.Join(ring, ", "))
	}
	return strings.Join(list, " | ")
}

// TestPowerLossKeys loses power in adoption and in key steps of every kind. Every
// promise is kept; the next run succeeds alone, and its keys are those of a run
// after which the command had not begun, or had ended: no step is done twice.
func TestPowerLossKeys(t *testing.T) {
	s := recordKeys(t)
	modes := []crashfs.Mode{crashfs.DropUnsynced, crashfs.KeepEntries, crashfs.Killed}
	states, recoveries, before, after, torn := 0, 0, 0, 0, 0
	seen := map[string]bool{}
	for i := range s.marks[1:] {
		m, next := s.marks[i], s.marks[i+1]
		for steps := m.steps + 1; steps <= next.steps; steps++ {
			mode := modes[steps%len(modes)]
			print, err := crashfs.Fingerprint(s.log[:steps], mode)
			must(t, err)
			if key := fmt.Sprint(i, len(s.heardBy(steps)), print); seen[key] {
				continue
			} else {
				seen[key] = true
			}
			states++
			if oneOf := keyStatesOneOf[next.command == ""]; states%oneOf != 0 && steps != next.steps {
				continue
			}
			recoveries++
			w := s.crash(steps, mode)
			shape, tore := s.recoverKeys(w, i, s.heardBy(steps))
			switch shape {
			case s.shapeAfter(i, i+1):
				after++
			case s.shapeAfter(i, i):
				before++
			default:
				w.fail("the keys are %s\nnot %s\nnor %s", shape, s.shapeAfter(i, i), s.shapeAfter(i, i+1))
			}
			if tore {
				torn++
			}
			os.RemoveAll(w.dir)
		}
	}
	t.Logf("%d steps, %d different states, %d recovered from: %d to what was before, %d to what comes after; %d with a torn signature store", len(s.log), states, recoveries, before, after, torn)
	if recoveries < 80 || before < 8 || after < 20 || torn == 0 {
		t.Error("too few to mean anything")
	}
}

// keyStatesOneOf is of how many states one is tried, in persons' commands and in
// plain runs.
var keyStatesOneOf = map[bool]int{false: 4, true: 17}

// shapeAfter is the shape of the keys if the machine stopped at mark k and the run
// comes that follows on chapter i.
func (s *keyStory) shapeAfter(i, k int) string {
	s.t.Helper()
	key := fmt.Sprint(i, k)
	if s.shapes[key] == "" {
		w := s.replay(s.log[:s.marks[k].steps], crashfs.Killed, s.marks[i+1].now.Add(cycle))
		w.carries = s.marks[i].carries || s.marks[i+1].carries
		w.what = fmt.Sprintf("a stop after %q", s.marks[k].command)
		s.shapes[key], _ = s.recoverKeys(w, i, s.heardBy(s.marks[k].steps))
		os.RemoveAll(w.dir)
	}
	return s.shapes[key]
}

// recoverKeys does what comes after a crash in chapter i: cron, twice. Only an
// adoption that was not published is begun again by a person, and a set of keys that
// nobody planned is named. It returns the shape of the keys after the first run, and
// whether the run found a torn signature store.
func (s *keyStory) recoverKeys(w *wreck, i int, told string) (shape string, torn bool) {
	s.t.Helper()
	before := w.check()
	w.listen(told)
	w.manifest = s.manifest // the feeds are the same all the time
	w.seen()
	if before == nil {
		w.must(0, strings.Fields(w.here(s.marks[1].command))...)
	} else {
		w.cronKeys(s.marks[i+1].carries)
	}
	torn = strings.Contains(w.err.String(), "reading signature store")
	shape = w.shape()
	if s.marks[i+1].carries {
		w.must(0, "keys", "trust", fileA, "--keys", w.tags(), "-m", "crash")
		w.later(cycle)
		w.cronKeys(false)
	}
	w.recovered(before)
	w.later(cycle)
	w.cronKeys(false)
	if torn && strings.Contains(w.err.String(), "reading signature store") {
		w.fail("the signature store was not made good")
	}
	w.recovered(before)
	// A run that signs nothing reads no store: then it is the second that finds it.
	return shape, torn || strings.Contains(w.err.String(), "reading signature store")
}

// cronKeys runs what cron runs. Nothing is wrong with the keys after it, except
// that a zone may stand because of a key that nobody planned.
func (w *wreck) cronKeys(stands bool) {
	w.t.Helper()
	code := w.run()
	g := w.check()
	if code != 0 && !(code == 3 && stands) {
		w.fail("the next run ended with %d", code)
	}
	for _, z := range g.Zones {
		if z.Carried != "" && !stands {
			w.fail("%s is carried forward: %s", z.Zone, z.Carried)
		}
	}
	for _, n := range g.Notices {
		if slices.Contains([]string{"key-refused", "key-failed", "key-book", "key-end"}, n.Code) {
			w.fail("%v", n.Notice)
		}
	}
}

// crash makes what a crash after so many steps leaves, and checks the promises.
func (s *keyStory) crash(steps int, mode crashfs.Mode) *wreck {
	s.t.Helper()
	var m, next mark
	for i, c := range s.marks[1:] {
		if c.steps >= steps {
			m, next = s.marks[i], c
			break
		}
	}
	w := s.replay(s.log[:steps], mode, next.now.Add(cycle))
	w.carries = m.carries || next.carries
	w.what = fmt.Sprintf("a crash after step %d of %d (%s; between %q and %q), %s", steps, len(s.log), s.log[steps-1], m.command, next.command, mode)
	g := w.check()
	number := uint64(0)
	if g != nil {
		number = g.Number
	}
	switch {
	case number != m.number && number != next.number, steps == next.steps && number != next.number:
		w.fail("generation %d is current, not %d or %d", number, m.number, next.number)
	case g != nil && !maps.Equal(versions(g), s.every[number]):
		w.fail("generation %d has other zones than it had", number)
	}
	return w
}
