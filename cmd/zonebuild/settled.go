package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// A settled is state/settled.json: which generation was settled last, and what
// followed from it. With it, a run that publishes nothing need not work out
// again what lies under state/ already, and none need read the generation.json
// of every generation that is kept. It is a cache: without it, or with one of
// another generation, all of that is done anew.
type settled struct {
	Version int `json:"version"`
	// Note is the digest of the generation.json that it follows from. A note
	// that anybody put back or changed has another.
	Note string `json:"note"`
	// Files are what was laid out below state, with their digests.
	Files map[string]string `json:"files"`
	// Named is, for every input that a kept generation names, the newest that
	// does. Generations go oldest first, so an input is needed until that one goes.
	Named map[string]uint64 `json:"named"`
}

func (a *app) settledFile() string { return filepath.Join(a.cfg.State, "settled.json") }

// readSettled returns what followed from a generation, by the digest of its
// note; an empty one if that is not known.
func (a *app) readSettled(note string) settled {
	none := settled{Version: 1, Note: note}
	data, err := a.fs.ReadFile(a.settledFile())
	var s settled
	if a.full || err != nil || json.Unmarshal(data, &s) != nil || s.Version != 1 || s.Note != note {
		return none
	}
	return s
}

// writeSettled is the last thing a run does: a crash before it makes the next
// run do everything again.
func (a *app) writeSettled(s settled) error {
	s.Note = a.note
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if old, err := a.fs.ReadFile(a.settledFile()); err == nil && string(old) == string(data) {
		return nil
	}
	return publish.WriteFile(a.fs, a.settledFile(), data, 0o600)
}

// laidOut reports whether the files lie below state as they were laid out, and
// no others do.
func (a *app) laidOut(files map[string]string) bool {
	if files == nil {
		return false
	}
	found := 0
	for _, dir := range laidOutDirs {
		entries, err := a.fs.ReadDir(filepath.Join(a.cfg.State, dir))
		if err != nil {
			return false
		}
		found += len(entries)
	}
	if found != len(files) {
		return false
	}
	for name, sum := range files {
		path := filepath.Join(a.cfg.State, filepath.FromSlash(name))
		if !a.sight.holds(path, path, sum) {
			return false
		}
	}
	return true
}

// name adds the inputs that a generation names.
func (s *settled) name(g *zone.Generation) {
	if s.Named == nil {
		s.Named = map[string]uint64{}
	}
	for sum := range g.Objects() {
		s.Named[sum] = max(s.Named[sum], g.Number)
	}
}

// forget drops what only generations before the oldest kept one named.
func (s *settled) forget(oldest uint64) {
	maps.DeleteFunc(s.Named, func(_ string, last uint64) bool { return last < oldest })
}

// unknown reports whether one of the names is no input that s knows.
func (s *settled) unknown(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return s.Named[n] == 0 })
}
