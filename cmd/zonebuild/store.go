package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// signaturesDir has a signature store a published zone. They are caches: what
// goes wrong with one is told, and the zone is published nevertheless.
func (a *app) signaturesDir() string { return filepath.Join(a.cfg.State, "signatures") }

// readAhead begins to read the stores of the zones that are to be built, while
// they are parsed and merged. It does so where they are few: not more than are
// signed at a time, as more would only fill the memory.
func (b *batch) readAhead() {
	if b.planning {
		return // nothing is signed
	}
	var few []*job
	for _, j := range b.jobs {
		if !j.still && !j.skip && j.prev != nil && j.group != nil {
			few = append(few, j)
		}
	}
	if len(few) > runtime.GOMAXPROCS(0) {
		return
	}
	for _, j := range few {
		j.few = true
		read := make(chan *sign.StoreFile, 1)
		j.ahead = read
		go func() { read <- b.readStore(j) }()
	}
}

func (b *batch) readStore(j *job) *sign.StoreFile {
	return sign.ReadStore(b.fs, filepath.Join(b.signaturesDir(), j.zone.File()), j.zone)
}

// openStore reads the zone's store, or takes what was read ahead.
func (b *batch) openStore(j *job, keys []sign.Key) *sign.Store {
	var file *sign.StoreFile
	if j.ahead != nil {
		file, j.ahead = <-j.ahead, nil
	} else {
		file = b.readStore(j)
	}
	var st *sign.Store
	st, j.unread = file.Open(keys)
	return st
}

// saveStore keeps what was verified for the next run. A crash before or after it
// leaves a store that is right for both generations: what is found in it has the
// digest of what is asked for.
func (b *batch) saveStore(j *job, v *sign.Verified) {
	if v == nil {
		return
	}
	b.storesDir.Do(func() { b.storesErr = publish.MkdirAll(b.fs, b.signaturesDir(), 0o700) })
	if j.unsaved = b.storesErr; j.unsaved == nil {
		_, j.unsaved = v.Store().Save(b.fs, filepath.Join(b.signaturesDir(), j.zone.File()), j.signers, b.now)
	}
}

// tellStores waits for the stores that are still being written and tells what went
// wrong with any, in the order of the zones. One that was not good is rebuilt, which
// is the end of it; one that cannot be written needs a person, or every run goes on
// making all signatures.
func (b *batch) tellStores(rep *report) {
	b.saving.Wait()
	for _, j := range b.jobs {
		if j.unread != nil {
			b.Errorf("warning: %v", j.unread)
		}
		if j.unsaved != nil {
			rep.note("%v; the next run makes these signatures again", j.unsaved)
		}
	}
}

// pruneStores removes the stores of zones that are published no more.
func (a *app) pruneStores(g *zone.Generation) error {
	entries, err := a.fs.ReadDir(a.signaturesDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pruning signature stores: %w", err)
	}
	keep := map[string]bool{}
	for i := range g.Zones {
		keep[g.Zones[i].Zone.File()] = true
		keep[sign.ChangesName(g.Zones[i].Zone.File())] = true
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := a.fs.Remove(filepath.Join(a.signaturesDir(), e.Name())); err != nil {
				return fmt.Errorf("pruning signature stores: %w", err)
			}
		}
	}
	return nil
}
