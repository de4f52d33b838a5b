package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
)

// Draft is a generation being written. Its files are durable when [Draft.Add]
// returns, its name is not: only [Draft.Commit] makes it a generation.
type Draft struct {
	tree     Tree
	number   uint64
	previous Generation // Number 0: none
	dir      string

	mu     sync.Mutex
	files  map[string]fileState
	closed bool // to Add
	named  bool // the rename to its number was tried
}

type fileState int

const (
	stateAdding fileState = iota + 1
	stateAdded
	stateFailed
)

// Begin starts the next generation, after sweeping away what crashed runs left.
// Its number is above every number in the tree. The caller holds the lock.
func (t Tree) Begin() (*Draft, error) {
	d, err := t.begin()
	if err != nil {
		return nil, fmt.Errorf("starting a generation in %s: %w", t.Root, err)
	}
	return d, nil
}

func (t Tree) begin() (*Draft, error) {
	if err := MkdirAll(t.fs(), t.generations(), dirPerm); err != nil {
		return nil, err
	}
	cur, err := t.Current()
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	in, err := t.read()
	if err != nil {
		return nil, err
	}
	if err := t.repair(cur.Number, in); err != nil {
		return nil, fmt.Errorf("sweeping after a crash: %w", err)
	}
	d := &Draft{tree: t, number: in.next(cur.Number), previous: cur, files: map[string]fileState{}}
	d.dir = t.hidden(draftPrefix, d.number)
	return d, t.fs().Mkdir(d.dir, dirPerm)
}

// next is above every number that was ever complete: of drafts nobody knew.
func (in inventory) next(current uint64) uint64 {
	return slices.Max(slices.Concat([]uint64{current}, in.complete, in.gone)) + 1
}

// Number is what the generation will be called.
func (d *Draft) Number() uint64 { return d.number }

// Previous is the generation that was current at [Tree.Begin] and that [Link]
// carries files from. Its Number is 0 when there was none.
func (d *Draft) Previous() Generation { return d.previous }

// Add writes the file and syncs its data. Many goroutines may add files at once.
// A name can be added once; after an error it can be added again, and until it
// has been, Commit refuses: a zone that could not be written is not left out
// in silence.
func (d *Draft) Add(f File) error {
	if err := d.add(f); err != nil {
		return fmt.Errorf("adding %q to generation %d: %w", f.name, d.number, err)
	}
	return nil
}

func (d *Draft) add(f File) error {
	if f.err != nil {
		return f.err
	}
	if err := d.reserve(f); err != nil {
		return err
	}
	err := d.write(f)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[f.name] = stateAdded
	if err != nil {
		d.files[f.name] = stateFailed
	}
	return err
}

func (d *Draft) reserve(f File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch state := d.files[f.name]; {
	case f.kind == kindNone:
		return errors.New("a file is made by Link, Zone or Note")
	case d.closed:
		return errors.New("the draft is already committed or discarded")
	case state == stateAdding || state == stateAdded:
		return errors.New("added twice")
	}
	d.files[f.name] = stateAdding
	return nil
}

func (d *Draft) write(f File) error {
	fsys, path := d.tree.fs(), filepath.Join(d.dir, f.name)
	if f.kind == kindLink {
		return d.link(f.name, path)
	}
	h, err := fsys.Create(path, filePerm)
	if err != nil {
		return err
	}
	if err := fill(h, f.content); err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(path)))
	}
	return nil
}

func (d *Draft) link(name, path string) error {
	if d.previous.Number == 0 {
		return fmt.Errorf("carrying it over: %w", ErrNone)
	}
	// The data was synced by the commit of the generation that it comes from.
	err := d.tree.fs().Link(filepath.Join(d.previous.Dir, name), path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("carrying it over from generation %d, which does not have it: %w", d.previous.Number, err)
	}
	return err
}

// content writes a zone or a note, and holds a zone to the length it claims.
func (f File) content(w io.Writer) error {
	if f.kind == kindNote {
		_, err := w.Write(f.data)
		return err
	}
	c := &counter{w: w}
	n, err := f.zone.WriteVerified(c)
	if err == nil && n != c.n {
		err = fmt.Errorf("%d bytes were written and %d reported", c.n, n)
	}
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
