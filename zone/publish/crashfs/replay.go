package crashfs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// Mode says what of the unsynced survives a crash.
type Mode struct {
	name       string
	dirs, data pick
}

// pick chooses one of n states in order of time, of which 0 is the synced one.
type pick func(n int) int

func oldest(int) int   { return 0 }
func newest(n int) int { return n - 1 }

// String is the mode's name.
func (m Mode) String() string { return m.name }

var (
	// DropUnsynced loses all that was not synced.
	DropUnsynced = Mode{"drop unsynced", oldest, oldest}
	// KeepEntries keeps every name and loses the data that was not synced: a file
	// renamed into place without fsync is empty.
	KeepEntries = Mode{"entries without data", newest, oldest}
	// Killed keeps everything: the process died and the machine did not.
	Killed = Mode{"killed", newest, newest}
)

// Mixed keeps of every directory and every file a random state between the last
// synced and the newest. The mode can be used once; the same seed gives the same.
func Mixed(seed uint64) Mode {
	rng := rand.New(rand.NewPCG(seed, 0))
	return Mode{fmt.Sprintf("mixed %d", seed), rng.IntN, rng.IntN}
}

// Replay makes in dir, which must be empty or missing, what a crash right after
// the last step of the log may leave. Pass a prefix of a log, log[:k], for a crash
// after its k-th step.
func Replay(log []Step, dir string, mode Mode) error {
	m, err := build(log)
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	w := writer{mode: mode, done: map[*inode]string{}}
	if err := w.dir(m.root, dir); err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	return nil
}

// writer makes real files of a model.
type writer struct {
	mode Mode
	done map[*inode]string // files with several names: the first
}

func (w writer) dir(n *inode, dir string) error {
	state := n.states[w.mode.dirs(len(n.states))]
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if err := w.entry(state[name], filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w writer) entry(n *inode, name string) error {
	switch {
	case n.isLink:
		return os.Symlink(n.target, name)
	case n.states == nil:
		return w.file(n, name)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		return err
	}
	if err := w.dir(n, name); err != nil {
		return err
	}
	return os.Chmod(name, n.perm)
}

func (w writer) file(n *inode, name string) error {
	if first, ok := w.done[n]; ok {
		return os.Link(first, name)
	}
	w.done[n] = name
	size := n.synced + w.mode.data(len(n.data)-n.synced+1)
	if err := os.WriteFile(name, n.data[:size], n.perm); err != nil {
		return err
	}
	return os.Chmod(name, n.perm)
}
