package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// A wreck is what a crash left.
type wreck struct {
	*tree
	what    string
	carries bool // a zone may stand: nobody planned its keys
}

func (w *wreck) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s: %s\n%s%s", w.what, fmt.Sprintf(format, args...), w.out.String(), w.err.String())
}

// check returns the current generation, nil if nothing is published. Everything
// that is published is whole, and what it is made of is there.
func (w *wreck) check() *zone.Generation {
	w.t.Helper()
	pub := publish.Tree{Root: w.path("public")}
	numbers, err := pub.List()
	if err != nil {
		w.fail("%v", err)
	}
	var g *zone.Generation
	for _, n := range numbers {
		dir, err := pub.Open(n)
		if err == nil {
			g, err = w.whole(dir)
		}
		if err != nil {
			w.fail("generation %d of %v: %v", n, numbers, err)
		}
	}
	data, err := os.ReadFile(w.path("spool/manifest.json"))
	if err == nil {
		_, err = zone.ParseManifest("manifest.json", data)
	}
	if err != nil {
		w.fail("%v", err)
	}
	w.parses("state/*.json", "state/*/*.json")
	return g
}

func (w *wreck) whole(dir publish.Generation) (*zone.Generation, error) {
	g, err := shell.ReadGeneration(dir)
	if err != nil {
		return nil, err
	}
	for _, z := range g.Zones {
		data, err := os.ReadFile(filepath.Join(dir.Dir, z.Zone.File()))
		if err != nil {
			return nil, err
		}
		if digest(data) != z.SHA256 || z.Carried != "" && !w.carries {
			return nil, fmt.Errorf("zone %s is not what generation.json says; carried: %q", z.Zone, z.Carried)
		}
	}
	archive := shell.Archive(&zone.Config{Spool: w.path("spool"), State: w.path("state")})
	for d := range g.Objects() {
		if _, err := archive(d); err != nil {
			return nil, fmt.Errorf("an input it names: %w", err)
		}
	}
	return g, nil
}

// parses checks every JSON file of that name.
func (w *wreck) parses(patterns ...string) {
	w.t.Helper()
	for _, p := range patterns {
		files, _ := filepath.Glob(w.path(p))
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil || filepath.Base(f)[0] != '.' && !json.Valid(data) {
				w.fail("%s does not parse: %v", f, err)
			}
		}
	}
}

// keyed reports whether every zone has its keys.
func (w *wreck) keyed() bool {
	for _, z := range []zone.Name{zoneA, zoneB} {
		if keys, err := sign.LoadKeys(w.path("keys"), z); err != nil || len(keys) != 2 {
			return false
		}
	}
	return true
}

// recover does what a person or cron does after a crash, once.
func (w *wreck) recover(told string) {
	w.t.Helper()
	before := w.check()
	w.listen(told)
	switch {
	case before != nil:
		w.cron()
	default:
		w.must(0, "keys", "init")
		if !w.keyed() {
			w.fail("the keys are not all there after keys init")
		}
		w.must(0, "plan", "--json")
		var p planReport
		if err := json.Unmarshal(w.out.Bytes(), &p); err != nil {
			w.fail("%v", err)
		}
		w.must(0, "init", "--accept", strconv.Itoa(p.First))
	}
	w.recovered(before)
}

// cron runs what cron runs. It ends with 3 only if something is held or pinned.
func (w *wreck) cron() {
	w.t.Helper()
	code := w.run()
	if g := w.check(); code != 0 && (code != 3 || len(g.Holds) == 0 && !pinnedIn(g)) {
		w.fail("the next run ended with %d", code)
	}
}

// recovered checks that all is well after a run: serials went forward, the
// servers know, nothing is left over.
func (w *wreck) recovered(before *zone.Generation) {
	w.t.Helper()
	g := w.check()
	if before != nil {
		was := versions(before)
		for z, v := range versions(g) {
			if v != was[z] && !was[z].serial.Before(v.serial) {
				w.fail("the serial of %s went from %d to %d", z, was[z].serial, v.serial)
			}
		}
	}
	serves := served(w.heard())
	for _, z := range g.Zones {
		if serves[z.Zone] != z.Serial {
			w.fail("%s is served with serial %d, current is %d; to be told: %v", z.Zone, serves[z.Zone], z.Serial, g.Reload)
		}
	}
	if len(g.Reload) > 0 {
		w.fail("not yet told: %v", g.Reload)
	}
	w.tidy()
}

// served is the serial of each zone that the servers were told of last.
func served(told string) map[zone.Name]zone.Serial {
	last := map[zone.Name]zone.Serial{}
	for line := range strings.Lines(told) {
		file, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseUint(text, 10, 32)
		last[zone.Name(file+".")] = zone.Serial(n)
	}
	return last
}

// tidy fails the test if something temporary is left of what zonebuild writes.
func (w *wreck) tidy() {
	w.t.Helper()
	for _, d := range []string{"public", "state", "keys"} {
		err := filepath.WalkDir(w.path(d), func(path string, _ fs.DirEntry, err error) error {
			base := filepath.Base(path)
			if err == nil && (strings.HasPrefix(base, ".tmp-") || strings.HasPrefix(base, ".draft-")) {
				err = errors.New(path + " is left over")
			}
			return err
		})
		if err != nil {
			w.fail("%v", err)
		}
	}
}

// pinnedIn reports whether some zone stands at an earlier generation's content.
func pinnedIn(g *zone.Generation) bool {
	return slices.ContainsFunc(g.Zones, func(z zone.GenerationZone) bool { return z.Pinned != 0 })
}
