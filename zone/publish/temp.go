package publish

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

const (
	tempPrefix   = ".tmp-"
	tempAttempts = 1000
	bufferSize   = 64 << 10
)

// tempCount makes temporary names unique in the process, its pid makes them
// unique among living processes.
var tempCount atomic.Uint64

// Temp is a file whose name is decided when its content is known, such as an
// object named by its digest. Either [Temp.Commit] or [Temp.Discard] ends it. It is
// not safe for concurrent use.
type Temp struct {
	fs   FS
	name string
	h    Handle
	b    *bufio.Writer

	finished bool
	err      error // of Finish
	gone     bool
}

// CreateTemp starts a file in the folder where it will stay. It has exactly perm.
func CreateTemp(fsys FS, dir string, perm fs.FileMode) (*Temp, error) {
	var h Handle
	name, err := withTemp(dir, func(temp string) (err error) {
		h, err = fsys.Create(temp, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Temp{fs: fsys, name: name, h: h, b: bufio.NewWriterSize(h, bufferSize)}, nil
}

// Name is the file's temporary name. What was written can be read there after
// Finish.
func (t *Temp) Name() string { return t.name }

// Write is buffered: its errors may come later, from Finish or Commit at the
// latest.
func (t *Temp) Write(p []byte) (int, error) { return t.b.Write(p) }

// Finish writes what is buffered, syncs the data and closes the file. Commit does
// it too; it is for those who want to read the file first.
func (t *Temp) Finish() error {
	if !t.finished {
		t.finished = true
		t.err = finish(t.h, t.b, nil)
	}
	return t.err
}

// Commit gives the file its name in its folder, in place of any that has it,
// durably. On error the file is gone and the name holds what it held, or, when only
// the last sync failed, the new file.
func (t *Temp) Commit(base string) error {
	if base != filepath.Base(base) || strings.HasPrefix(base, tempPrefix) {
		return errors.Join(fmt.Errorf("%q is not a file name", base), t.Discard())
	}
	// A crash from here to the rename leaves the temporary file, and name as it was.
	if err := t.Finish(); err != nil {
		return errors.Join(err, t.Discard())
	}
	dir := filepath.Dir(t.name)
	if err := t.fs.Rename(t.name, filepath.Join(dir, base)); err != nil {
		return errors.Join(err, t.Discard())
	}
	t.gone = true
	// A crash here leaves the old file or the new: the rename may not be on disk.
	return t.fs.SyncDir(dir)
}

// Discard closes and removes the file. After Commit or itself it does nothing, so
// that it can be deferred.
func (t *Temp) Discard() error {
	if t.gone {
		return nil
	}
	t.gone = true
	if !t.finished {
		t.finished, t.err = true, fs.ErrClosed
		_ = t.h.Close()
	}
	return ignoreNotExist(t.fs.Remove(t.name))
}

// withTemp calls create with fresh temporary names until one is free.
func withTemp(dir string, create func(temp string) error) (temp string, err error) {
	for range tempAttempts {
		base := fmt.Sprintf("%s%d-%d", tempPrefix, os.Getpid(), tempCount.Add(1))
		temp = filepath.Join(dir, base)
		// A process of the same pid may have crashed and left this name.
		if err = create(temp); !errors.Is(err, fs.ErrExist) {
			return temp, err
		}
	}
	return "", fmt.Errorf("%w: remove the %s* files in %s", err, tempPrefix, dir)
}

// SweepTemp removes what crashed writers left in the directory and returns the
// names, sorted. The caller holds the lock that keeps writers out. A missing
// directory is empty.
func SweepTemp(fsys FS, dir string) (removed []string, err error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, ignoreNotExist(err)
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		if err := ignoreNotExist(fsys.Remove(filepath.Join(dir, e.Name()))); err != nil {
			return removed, fmt.Errorf("sweeping %s: %w", dir, err)
		}
		removed = append(removed, e.Name())
	}
	return removed, nil
}
