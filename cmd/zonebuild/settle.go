package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// keepInputs copies what the registry folder and the configuration say into
// state/inputs, before a generation names it: those files are overwritten, the
// spool's objects are not. A crash here leaves copies that nobody names, and
// the next prune removes them.
func (b *batch) keepInputs() error {
	dir := filepath.Join(b.cfg.State, "inputs")
	if err := publish.MkdirAll(b.fs, dir, 0o700); err != nil {
		return fmt.Errorf("keeping inputs: %w", err)
	}
	want := map[string]bool{b.claims.digest: true}
	for _, j := range b.jobs {
		for _, in := range j.inputs {
			want[in.SHA256] = b.files[in.SHA256] != ""
		}
	}
	if len(b.early) == 0 { // else the last good copy is there already
		b.files[b.cfg.SHA256] = b.cfg.File
		want[b.cfg.SHA256] = true
	}
	// A copy that is there may be in the page cache only: the run that made it may
	// have been killed before it synced the folder.
	if err := b.fs.SyncDir(dir); err != nil {
		return fmt.Errorf("keeping inputs: %w", err)
	}
	for _, sum := range slices.Sorted(maps.Keys(b.files)) {
		path := b.files[sum]
		if !want[sum] {
			continue
		}
		name := filepath.Join(dir, sum)
		if _, err := b.fs.Stat(name); err == nil {
			continue
		}
		data, err := shell.ReadFile(path, maxZonelet)
		if err != nil {
			return fmt.Errorf("keeping inputs: %w", err)
		}
		if digest(data) != sum {
			return fmt.Errorf("keeping inputs: %s changed during the run; run zonebuild again", filepath.Base(path))
		}
		if err := publish.WriteFile(b.fs, name, data, 0o600); err != nil {
			return fmt.Errorf("keeping inputs: %w", err)
		}
	}
	return nil
}

// layOut writes what follows from a generation for people and for nirctl: one
// file a hold, and the notices of every source.
func (a *app) layOut(g *zone.Generation, done *settled) error {
	if a.laidOut(done.Files) {
		return nil
	}
	files := map[string][]byte{}
	for _, h := range g.Holds {
		files["held/"+h.Hash+".json"] = encode(heldFile{Version: 2, Generation: g.Number, Hold: h})
	}
	opened, closed := a.turns(g)
	for _, f := range zone.NoticeFiles(g.Notices, opened, closed, g.Time) {
		files["notices/"+f.Source+".txt"], files["notices/"+f.Source+".json"] = f.Text(), f.Encode()
	}
	var errs []error
	for _, dir := range laidOutDirs {
		errs = append(errs, a.layOutDir(dir, files))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	done.Files = map[string]string{}
	for name, data := range files {
		done.Files[name] = digest(data)
	}
	return nil
}

// laidOutDirs are the folders below state that follow from a generation.
var laidOutDirs = []string{"held", "notices"}

// heldFile is state/held/<hash>.json.
type heldFile struct {
	Version    int    `json:"version"`
	Generation uint64 `json:"generation"`
	zone.Hold
}

// encode is JSON as every command writes it.
func encode(v any) []byte {
	var b bytes.Buffer
	if err := shell.WriteJSON(&b, v); err != nil {
		panic("zonebuild: " + err.Error()) // our own types always encode
	}
	return b.Bytes()
}

// turns returns the notices that a generation opened and closed, against the
// one before it as long as that is kept.
func (a *app) turns(g *zone.Generation) (opened, closed []zone.OpenNotice) {
	if g == a.latest {
		return a.opened, a.closed
	}
	var before []zone.OpenNotice
	if a.prev != nil && a.prev.Number == g.Previous {
		before = a.prev.Notices
	} else if dir, err := a.tree.Open(g.Previous); err == nil {
		if p, err := shell.ReadGeneration(dir); err == nil {
			before = p.Notices
		}
	}
	now := make([]zone.Notice, len(g.Notices))
	for i, n := range g.Notices {
		now[i] = n.Notice
	}
	_, opened, closed = zone.Reopen(before, now, g.Time)
	return opened, closed
}

// layOutDir makes a folder of state hold exactly the files given for it.
func (a *app) layOutDir(dir string, files map[string][]byte) error {
	full := filepath.Join(a.cfg.State, dir)
	if err := publish.MkdirAll(a.fs, full, 0o700); err != nil {
		return err
	}
	entries, err := a.fs.ReadDir(full)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := files[dir+"/"+e.Name()]; !ok {
			if err := a.fs.Remove(filepath.Join(full, e.Name())); err != nil {
				return err
			}
		}
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		base, ok := strings.CutPrefix(name, dir+"/")
		if !ok {
			continue
		}
		path := filepath.Join(full, base)
		if old, err := a.fs.ReadFile(path); err == nil && string(old) == string(files[name]) {
			continue
		}
		if err := publish.WriteFile(a.fs, path, files[name], 0o600); err != nil {
			return err
		}
	}
	return nil
}

// prune removes generations beyond the configured number, the copies of inputs
// that no kept generation names, and accepts that have expired or happened.
func (a *app) prune(g *zone.Generation, done *settled) error {
	if _, err := a.tree.Prune(context.Background(), nil); err != nil {
		return fmt.Errorf("pruning generations: %w", err)
	}
	if err := a.pruneInputs(g, done); err != nil {
		return err
	}
	return a.pruneAccepts()
}

// pruneInputs removes the copies of inputs that no kept generation names. Those
// are read only if the copies are not all known from the last run.
func (a *app) pruneInputs(g *zone.Generation, done *settled) error {
	dir := filepath.Join(a.cfg.State, "inputs")
	entries, err := a.fs.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	numbers, err := a.tree.List()
	if err != nil || len(numbers) == 0 {
		return err
	}
	done.forget(numbers[0])
	known := len(done.Named) > 0
	if done.name(g); !known || done.unknown(names) {
		if err := a.nameAll(numbers, done); err != nil {
			done.Named = nil
			return err
		}
	}
	for _, n := range names {
		if done.Named[n] == 0 {
			if err := a.fs.Remove(filepath.Join(dir, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameAll reads which inputs the kept generations name.
func (a *app) nameAll(numbers []uint64, done *settled) error {
	done.Named = nil
	for _, n := range numbers {
		g, err := a.tree.Open(n)
		if err != nil {
			return err
		}
		gen, err := shell.ReadGeneration(g)
		if err != nil {
			return err
		}
		done.name(gen)
	}
	return nil
}

func (a *app) pruneAccepts() error {
	dir := filepath.Join(a.cfg.State, "accepts")
	entries, err := a.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		data, err := a.fs.ReadFile(path)
		if err != nil {
			continue // the run has given an alarm
		}
		acc, err := zone.ParseAccept(e.Name(), data)
		if err == nil && (a.spent[acc.Hash] || !a.now.Before(acc.Expires)) {
			if err := a.fs.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// reloadsAtATime bounds the reload commands that run together: a server takes
// them one after the other anyway, three servers do not wait for each other.
const reloadsAtATime = 4

// reload tells the name servers of the changed zones. What fails stays written
// in generation.json and is tried again by the next run. A crash between a
// reload and that note repeats the reload, which does no harm.
func (a *app) reload(ctx context.Context, rep *report, g *zone.Generation) error {
	if len(g.Reload) == 0 {
		return nil
	}
	var zones []string
	for _, z := range g.Reload {
		zones = append(zones, z.File())
	}
	results := publish.Reload(ctx, a.cfg.Publish.Reload, zones, publish.ReloadOptions{Timeout: a.cfg.Publish.Timeout, Parallel: reloadsAtATime})
	later := a.later()
	failed := map[string]bool{}
	for _, r := range results {
		if r.Err != nil {
			rep.Reloads = append(rep.Reloads, reloadFailure{Zone: r.Zone, Command: strings.Join(r.Argv, " "), Error: r.Err.Error(), Output: r.Output})
			failed[r.Zone] = true
		}
	}
	done := *g
	done.Reload, done.Zones = nil, slices.Clone(g.Zones)
	for _, z := range g.Reload {
		if failed[""] || failed[z.File()] { // a command without {zone} is for all
			done.Reload = append(done.Reload, z)
			continue
		}
		told(done.Zone(z), later)
	}
	var noted error
	if len(done.Reload) != len(g.Reload) {
		if noted = a.rewrite(&done); noted != nil {
			rep.note("%v; the next run tells the servers once more", noted)
		}
	}
	if len(done.Reload) > 0 {
		return &shell.Exit{Code: 5, Err: fmt.Errorf("%d of %s could not be reloaded; the next run tries again", len(done.Reload), countOf(len(g.Reload), "1 zone", "%d zones")), Hint: "zonebuild reload"}
	}
	if noted != nil {
		return &shell.Exit{Code: 3} // not 1: it is published and the servers know
	}
	return nil
}

// rewrite replaces the current generation's note, in the fields that may change
// after the commit: what was reloaded and when, and what zones are made of.
func (a *app) rewrite(g *zone.Generation) error {
	data := g.Encode()
	if err := a.tree.Amend(publish.Note("generation.json", data)); err != nil {
		return fmt.Errorf("rewriting generation.json: %w", err)
	}
	a.note = digest(data)
	return nil
}
