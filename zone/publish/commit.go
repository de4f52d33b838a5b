package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// ErrMoved is the error of a commit that could be neither finished nor undone:
// current names the new generation, whole, but a power loss may bring back the
// one before. It takes two failures of the disk in a row.
var ErrMoved = errors.New("current has moved, but may move back in a power loss")

// Commit adds the note, which says what the generation is made of, and publishes
// the draft. On error current has not moved; the exception is [ErrMoved], with
// which the generation is returned too. ctx can stop it up to the rename of current.
func (d *Draft) Commit(ctx context.Context, note File) (Generation, error) {
	g, err := d.commit(ctx, note)
	if err != nil {
		return g, fmt.Errorf("committing generation %d: %w", d.number, err)
	}
	return g, nil
}

func (d *Draft) commit(ctx context.Context, note File) (Generation, error) {
	if note.kind != kindNote {
		return Generation{}, fmt.Errorf("%q is not a note", note.name)
	}
	if err := d.Add(note); err != nil {
		return Generation{}, err
	}
	if err := d.finish(ctx); err != nil {
		return Generation{}, err
	}
	if err := d.complete(); err != nil {
		return Generation{}, err
	}
	// A crash here leaves an orphan, which the next Begin sweeps away.
	if err := ctx.Err(); err != nil {
		return Generation{}, err
	}
	return d.publish()
}

// finish closes the draft to further files.
func (d *Draft) finish(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if d.files[name] != stateAdded {
			return fmt.Errorf("%s was not written: add it again, or carry the old one over", name)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.closed = true
	return nil
}

// complete gives the draft its number.
func (d *Draft) complete() error {
	fsys, t := d.tree.fs(), d.tree
	if err := fsys.SyncDir(d.dir); err != nil {
		return err
	}
	// A crash here leaves a draft.
	d.named = true
	if err := fsys.Rename(d.dir, t.dir(d.number)); err != nil {
		return err
	}
	// Without this sync a power loss could leave a current that names nothing.
	return fsys.SyncDir(t.generations())
}

// publish moves current. An error leaves the orphan where it is: only Begin,
// having read current again, knows for certain that nothing points at it.
func (d *Draft) publish() (Generation, error) {
	if err := d.tree.point(d.number); err != nil {
		return Generation{}, err
	}
	// A crash here leaves current at the old generation or the new one.
	if err := d.tree.fs().SyncDir(d.tree.root()); err != nil {
		return d.undo(err)
	}
	return d.tree.generation(d.number), nil
}

// undo moves current back because the move could not be made durable.
func (d *Draft) undo(cause error) (Generation, error) {
	t := d.tree
	var err error
	if d.previous.Number != 0 {
		err = t.point(d.previous.Number)
	} else {
		err = t.fs().Remove(t.current())
	}
	if err != nil {
		return t.generation(d.number), fmt.Errorf("%w: %w; moving it back: %w", ErrMoved, cause, err)
	}
	// Whether this sync succeeds matters little: both generations are complete on
	// disk, and nothing is removed before the next Begin has synced Root.
	return Generation{}, errors.Join(cause, t.fs().SyncDir(t.root()))
}

// point makes current name the generation, not yet durably.
func (t Tree) point(n uint64) error {
	target := generationsName + "/" + strconv.FormatUint(n, 10)
	temp, err := withTemp(t.root(), func(temp string) error {
		return t.fs().Symlink(target, temp)
	})
	if err != nil {
		return err
	}
	if err := t.fs().Rename(temp, t.current()); err != nil {
		return errors.Join(err, ignoreNotExist(t.fs().Remove(temp)))
	}
	return nil
}

// Discard removes the draft. Once Commit has made a generation of it, it does
// nothing, so that it can be deferred. It must not run at the same time as Add.
func (d *Draft) Discard() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.named {
		return nil
	}
	d.closed = true
	if err := RemoveAll(d.tree.fs(), d.dir); err != nil {
		return fmt.Errorf("discarding generation %d: %w", d.number, err)
	}
	return nil
}
