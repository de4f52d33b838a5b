package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	currentName     = "current"
	generationsName = "generations"
	draftPrefix     = ".draft-"
	gonePrefix      = ".gone-"

	dirPerm  fs.FileMode = 0o755
	filePerm fs.FileMode = 0o644
)

// ErrNone is returned by [Tree.Current] when nothing has been published yet.
var ErrNone = errors.New("nothing published yet")

// ErrUnknown is returned by [Tree.Open] for a number that is not published.
var ErrUnknown = errors.New("no such generation")

// Tree is a folder of generations; see the package comment for its layout.
type Tree struct {
	Root string // the folder, made by Begin if missing
	Keep int    // how many generations Prune leaves, current included; less than 1 means 1
	FS   FS     // nil means OS
}

// Generation is one published set of files. What is in Dir never changes, but
// for notes replaced by [Tree.Amend].
type Generation struct {
	Number uint64
	Dir    string // below Tree.Root
}

func (t Tree) fs() FS {
	if t.FS == nil {
		return OS
	}
	return t.FS
}

// root is a path also when Root is empty, which is the working directory.
func (t Tree) root() string        { return filepath.Clean(t.Root) }
func (t Tree) generations() string { return filepath.Join(t.Root, generationsName) }
func (t Tree) current() string     { return filepath.Join(t.Root, currentName) }

func (t Tree) dir(n uint64) string {
	return filepath.Join(t.generations(), strconv.FormatUint(n, 10))
}

func (t Tree) hidden(prefix string, n uint64) string {
	return filepath.Join(t.generations(), prefix+strconv.FormatUint(n, 10))
}

func (t Tree) generation(n uint64) Generation { return Generation{Number: n, Dir: t.dir(n)} }

// Current is the published generation, or ErrNone. A tree whose current is
// missing although it holds several generations, or names what is not there, is
// damaged: that is another error, which says what to do.
func (t Tree) Current() (Generation, error) {
	g, err := t.readCurrent()
	if errors.Is(err, fs.ErrNotExist) {
		return Generation{}, t.explainNone()
	}
	return g, err
}

func (t Tree) readCurrent() (Generation, error) {
	target, err := t.fs().Readlink(t.current())
	if err != nil {
		return Generation{}, err
	}
	dir, base := filepath.Split(target)
	n, ok := parseNumber(base)
	if dir != generationsName+"/" || !ok {
		return Generation{}, fmt.Errorf("%s points at %q: make it point at a %s/NUMBER", t.current(), target, generationsName)
	}
	info, err := t.fs().Stat(t.dir(n))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Generation{}, err
	}
	if err != nil || !info.IsDir() {
		return Generation{}, fmt.Errorf("%s points at %q, which is no folder: make it point at one that is in %s", t.current(), target, t.generations())
	}
	return t.generation(n), nil
}

// explainNone tells a tree that is new, or whose first commit crashed, from one
// that lost its current: the second must not be taken for an empty one.
func (t Tree) explainNone() error {
	in, err := t.read()
	if err != nil {
		return err
	}
	if n := len(in.complete); n > 1 {
		last := in.complete[n-1]
		return fmt.Errorf("%s is missing although there are %d generations: ln -s %s/%d %s", t.current(), n, generationsName, last, t.current())
	}
	return ErrNone
}

// List is the numbers of the published generations in rising order, current
// last. It is empty when nothing has been published.
func (t Tree) List() ([]uint64, error) {
	cur, err := t.Current()
	if errors.Is(err, ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in, err := t.read()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(in.complete, func(n uint64) bool { return n > cur.Number }), nil
}

// Open is the published generation of that number, or an error that is
// ErrUnknown.
func (t Tree) Open(n uint64) (Generation, error) {
	list, err := t.List()
	if err != nil {
		return Generation{}, err
	}
	if !slices.Contains(list, n) {
		return Generation{}, fmt.Errorf("%w: %d in %s", ErrUnknown, n, t.generations())
	}
	return t.generation(n), nil
}

// inventory is what the folder of generations holds, each list rising. Names
// that are none of ours are not in it and never touched.
type inventory struct{ complete, drafts, gone []uint64 }

func (t Tree) read() (inventory, error) {
	var in inventory
	entries, err := t.fs().ReadDir(t.generations())
	if err != nil {
		return in, ignoreNotExist(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			in.add(e.Name())
		}
	}
	for _, l := range [][]uint64{in.complete, in.drafts, in.gone} {
		slices.Sort(l)
	}
	return in, nil
}

func (in *inventory) add(name string) {
	list := &in.complete
	if s, ok := strings.CutPrefix(name, draftPrefix); ok {
		name, list = s, &in.drafts
	} else if s, ok := strings.CutPrefix(name, gonePrefix); ok {
		name, list = s, &in.gone
	}
	if n, ok := parseNumber(name); ok {
		*list = append(*list, n)
	}
}

// parseNumber accepts what FormatUint makes of a number above zero, only.
func parseNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}
