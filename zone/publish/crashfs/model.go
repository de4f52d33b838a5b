package crashfs

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"syscall"
)

// inode is a file, symbolic link or directory of the model.
type inode struct {
	perm   fs.FileMode
	target string // of a symbolic link
	isLink bool

	// A file is only appended to, so each of its states is a length.
	data   []byte
	synced int

	// The states of a directory since its last sync, that one first. The last is
	// what a running process sees. Nil for what is no directory.
	states []entries
}

type entries map[string]*inode

func (n *inode) live() entries { return n.states[len(n.states)-1] }

// change adds a state of the directory.
func (n *inode) change(do func(entries)) {
	next := maps.Clone(n.live())
	do(next)
	n.states = append(n.states, next)
}

func newDir(perm fs.FileMode) *inode {
	return &inode{perm: perm, states: []entries{{}}}
}

// model is the folder with all that a crash may still make of it.
type model struct {
	root  *inode
	files map[int]*inode
}

func build(log []Step) (*model, error) {
	m := &model{root: newDir(0o755), files: map[int]*inode{}}
	for i, s := range log {
		if err := m.apply(s); err != nil {
			return nil, fmt.Errorf("step %d, %s: %w", i+1, s, err)
		}
	}
	return m, nil
}

func (m *model) apply(s Step) error {
	switch s.Op {
	case OpWrite, OpSync:
		return m.applyFile(s)
	case OpSyncDir:
		dir, err := m.folder(s.Path)
		if err == nil {
			dir.states = []entries{dir.live()}
		}
		return err
	case OpMkdir:
		return m.enter(s.Path, newDir(s.Perm))
	case OpCreate:
		m.files[s.File] = &inode{perm: s.Perm}
		return m.enter(s.Path, m.files[s.File])
	case OpSymlink:
		return m.enter(s.Path, &inode{isLink: true, target: s.To})
	}
	return m.applyName(s)
}

func (m *model) applyFile(s Step) error {
	f := m.files[s.File]
	switch {
	case f == nil:
		return fs.ErrNotExist
	case s.Op == OpWrite:
		f.data = append(f.data, s.Data...)
	default:
		f.synced = len(f.data)
	}
	return nil
}

func (m *model) applyName(s Step) error {
	n, err := m.find(s.Path)
	if err != nil {
		return err
	}
	switch s.Op {
	case OpLink:
		return m.enter(s.To, n)
	case OpRemove:
		return m.leave(s.Path)
	case OpRename:
		return m.rename(s.Path, s.To, n)
	}
	return fmt.Errorf("%q cannot be replayed", s.Op)
}

// rename within a directory is one change of it, so that never both names or
// none survive.
func (m *model) rename(from, to string, n *inode) error {
	if path.Dir(from) != path.Dir(to) {
		if err := m.enter(to, n); err != nil {
			return err
		}
		return m.leave(from)
	}
	dir, err := m.folder(path.Dir(from))
	if err != nil {
		return err
	}
	dir.change(func(e entries) {
		delete(e, path.Base(from))
		e[path.Base(to)] = n
	})
	return nil
}

func (m *model) enter(name string, n *inode) error {
	dir, err := m.folder(path.Dir(name))
	if err != nil {
		return err
	}
	dir.change(func(e entries) { e[path.Base(name)] = n })
	return nil
}

func (m *model) leave(name string) error {
	dir, err := m.folder(path.Dir(name))
	if err != nil {
		return err
	}
	dir.change(func(e entries) { delete(e, path.Base(name)) })
	return nil
}

func (m *model) folder(name string) (*inode, error) {
	n, err := m.find(name)
	if err == nil && n.states == nil {
		err = fmt.Errorf("%s: %w", name, syscall.ENOTDIR)
	}
	return n, err
}

// find follows no symbolic link: the log has none in its paths.
func (m *model) find(name string) (*inode, error) {
	n := m.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if n.states == nil || n.live()[part] == nil {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		n = n.live()[part]
	}
	return n, nil
}
