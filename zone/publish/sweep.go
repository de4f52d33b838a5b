package publish

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// repair removes what crashed runs left. current is 0 when there is none.
func (t Tree) repair(current uint64, in inventory) error {
	// What we read may be in the page cache only. Before anything is removed, the
	// tree on disk has to be the one we read.
	if err := t.sync(); err != nil {
		return err
	}
	if _, err := SweepTemp(t.fs(), t.root()); err != nil {
		return err
	}
	if current != 0 { // an Amend crashed; from now on nobody amends this generation again
		if _, err := SweepTemp(t.fs(), t.dir(current)); err != nil {
			return err
		}
	}
	for _, n := range in.drafts {
		if err := RemoveAll(t.fs(), t.hidden(draftPrefix, n)); err != nil {
			return err
		}
	}
	if err := t.retire(in.above(current)); err != nil {
		return err
	}
	return t.bury(current)
}

func (t Tree) sync() error {
	if err := t.fs().SyncDir(t.generations()); err != nil {
		return err
	}
	return t.fs().SyncDir(t.root())
}

// above is the orphans.
func (in inventory) above(current uint64) (orphans []uint64) {
	for _, n := range in.complete {
		if n > current {
			orphans = append(orphans, n)
		}
	}
	return orphans
}

// retire takes the generations' names away, durably, before anything in them is
// removed: a folder with a number is complete.
func (t Tree) retire(numbers []uint64) error {
	for _, n := range numbers {
		if err := t.fs().Rename(t.dir(n), t.hidden(gonePrefix, n)); err != nil {
			return err
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	return t.fs().SyncDir(t.generations())
}

// bury removes what was retired. Numbers above current stay, as empty folders,
// so that they are not used again. While there is no current nothing is removed:
// a tree that lost it by accident keeps its data.
func (t Tree) bury(current uint64) error {
	in, err := t.read()
	if err != nil || current == 0 {
		return err
	}
	for _, n := range in.gone {
		dispose := RemoveAll
		if n > current {
			dispose = empty
		}
		if err := dispose(t.fs(), t.hidden(gonePrefix, n)); err != nil {
			return err
		}
	}
	return nil
}

// Prune removes the oldest generations beyond Keep, but never current and none
// that keep wants (nil wants none). It returns the numbers that are durably gone,
// rising; space they take that could not be freed is freed by the next Begin or
// Prune. The caller holds the lock.
func (t Tree) Prune(ctx context.Context, keep func(n uint64) bool) (removed []uint64, err error) {
	removed, err = t.prune(ctx, keep)
	if err != nil {
		return removed, fmt.Errorf("pruning %s: %w", t.generations(), err)
	}
	return removed, nil
}

func (t Tree) prune(ctx context.Context, keep func(n uint64) bool) ([]uint64, error) {
	list, err := t.List()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	victims := t.victims(list, keep)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.sync(); err != nil {
		return nil, err
	}
	if err := t.retire(victims); err != nil {
		return nil, err
	}
	return victims, t.bury(list[len(list)-1])
}

// victims is the part of the rising list that Keep and keep leave over.
func (t Tree) victims(list []uint64, keep func(n uint64) bool) (victims []uint64) {
	for _, n := range list[:max(0, len(list)-max(t.Keep, 1))] {
		if keep == nil || !keep(n) {
			victims = append(victims, n)
		}
	}
	return victims
}

// Amend replaces a note of the current generation, durably and in one step, for
// what is known only after the commit. Zones cannot be amended. The caller holds
// the lock.
func (t Tree) Amend(note File) error {
	if note.kind != kindNote {
		return fmt.Errorf("amending a generation: %q is not a note", note.name)
	}
	g, err := t.Current()
	if err := errors.Join(note.err, err); err != nil {
		return fmt.Errorf("amending the current generation: %w", err)
	}
	if _, err := SweepTemp(t.fs(), g.Dir); err != nil {
		return err
	}
	return WriteFile(t.fs(), filepath.Join(g.Dir, note.name), note.data, filePerm)
}
