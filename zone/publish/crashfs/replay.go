package crashfs

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Mode says what of the unsynced survives a crash.
type Mode struct {
	name string
	pick func() (dirs, data pick)
}

// pick chooses one of n states in order of time, of which 0 is the synced one.
type pick func(n int) int

func oldest(int) int   { return 0 }
func newest(n int) int { return n - 1 }

// String is the mode's name.
func (m Mode) String() string { return m.name }

var (
	// DropUnsynced loses all that was not synced.
	DropUnsynced = Mode{"drop unsynced", func() (dirs, data pick) { return oldest, oldest }}
	// KeepEntries keeps every name and loses the data that was not synced: a file
	// renamed into place without fsync is empty.
	KeepEntries = Mode{"entries without data", func() (dirs, data pick) { return newest, oldest }}
	// Killed keeps everything: the process died and the machine did not.
	Killed = Mode{"killed", func() (dirs, data pick) { return newest, newest }}
)

// Mixed keeps of every directory and every file a random state between the last
// synced and the newest. The same seed gives the same.
func Mixed(seed uint64) Mode {
	return Mode{fmt.Sprintf("mixed %d", seed), func() (dirs, data pick) {
		rng := rand.New(rand.NewPCG(seed, 0))
		return rng.IntN, rng.IntN
	}}
}

// Replay makes in dir, which must be empty or missing, what a crash right after
// the last step of the log may leave. Pass a prefix of a log, log[:k], for a crash
// after its k-th step.
func Replay(log []Step, dir string, mode Mode) error {
	return Store{}.Replay(log, dir, mode)
}

// Store is a folder on the same disk in which replays keep the files they have in
// common, so that a test that makes thousands of folders writes each file once.
// They are hard links: what works on such a folder replaces files, as this module
// does, and never writes into one. Without a folder nothing is kept.
type Store struct{ Dir string }

// Replay is as the function [Replay].
func (s Store) Replay(log []Step, dir string, mode Mode) error {
	items, err := remains(log, mode)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, it := range items {
		if err := s.put(it, dir); err != nil {
			return fmt.Errorf("replaying: %w", err)
		}
	}
	return nil
}

// Fingerprint is equal for two crashes exactly if Replay makes the same of them,
// so that a test need not look at the same folder many times.
func Fingerprint(log []Step, mode Mode) (string, error) {
	items, err := remains(log, mode)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, it := range items {
		fmt.Fprintf(h, "%q %v %q %q %d %q\n", it.path, it.perm, it.target, it.first, it.kind, it.data)
	}
	return string(h.Sum(nil)), nil
}

// item is one name of what remains, after that of the folder it is in.
type item struct {
	path   string
	kind   kind
	perm   fs.FileMode
	target string // of a symbolic link
	first  string // of a file that already has a name
	data   []byte
}

type kind int

const (
	isDir kind = iota
	isSymlink
	isFile
	isHardLink
)

func remains(log []Step, mode Mode) ([]item, error) {
	m, err := build(log)
	if err != nil {
		return nil, fmt.Errorf("replaying: %w", err)
	}
	w := walker{first: map[*inode]string{}}
	w.pickDir, w.pickData = mode.pick()
	w.dir(m.root, "")
	return w.items, nil
}

// walker lists a model.
type walker struct {
	pickDir, pickData pick
	first             map[*inode]string // a file's first name
	items             []item
}

func (w *walker) dir(n *inode, dir string) {
	state := n.states[w.pickDir(len(n.states))]
	for _, name := range slices.Sorted(maps.Keys(state)) {
		w.entry(state[name], path.Join(dir, name))
	}
}

func (w *walker) entry(n *inode, name string) {
	first, named := w.first[n]
	switch {
	case n.isLink:
		w.items = append(w.items, item{path: name, kind: isSymlink, target: n.target})
	case n.states != nil:
		w.items = append(w.items, item{path: name, kind: isDir, perm: n.perm})
		w.dir(n, name)
	case named:
		w.items = append(w.items, item{path: name, kind: isHardLink, first: first})
	default:
		w.first[n] = name
		size := n.synced + w.pickData(len(n.data)-n.synced+1)
		w.items = append(w.items, item{path: name, kind: isFile, perm: n.perm, data: n.data[:size]})
	}
}

// put makes the item by a link to the store, if it is a file and there is one.
func (s Store) put(it item, root string) error {
	if s.Dir == "" || it.kind != isFile {
		return it.make(root)
	}
	kept := item{path: fmt.Sprintf("%x-%o", sha256.Sum256(it.data), it.perm), kind: isFile, data: it.data, perm: it.perm}
	from := filepath.Join(s.Dir, kept.path)
	if _, err := os.Lstat(from); err != nil {
		if err := kept.make(s.Dir); err != nil {
			return err
		}
	}
	return os.Link(from, filepath.Join(root, it.path))
}

func (it item) make(root string) error {
	name := filepath.Join(root, it.path)
	switch it.kind {
	case isSymlink:
		return os.Symlink(it.target, name)
	case isHardLink:
		return os.Link(filepath.Join(root, it.first), name)
	case isDir:
		// Always ours to fill, whatever its permissions were.
		if err := os.Mkdir(name, 0o700); err != nil {
			return err
		}
		return os.Chmod(name, it.perm|0o700)
	}
	if err := os.WriteFile(name, it.data, 0o600); err != nil {
		return err
	}
	return os.Chmod(name, it.perm)
}
