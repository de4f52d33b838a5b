package crashfs

import (
	"fmt"
	"io/fs"
	"sync"

	"nirzone/zone/publish"
)

// Fail is a file system over FS whose operations fail. Set the fields before
// its first use.
type Fail struct {
	FS     publish.FS
	At     int              // the operation that fails, counted from 1; 0: none does
	Err    error            // what it fails with, such as syscall.ENOSPC
	Only   func(op Op) bool // which operations are counted and fail; nil means all
	Sticky bool             // all later ones fail too: the disk is full, or the process dead
	Short  bool             // a write that fails writes the first half of its data
	Trip   func()           // called, if not nil, when operation At is reached, before it fails

	mu  sync.Mutex
	n   int
	hit string
}

// Ops is how many operations were counted so far.
func (f *Fail) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Hit is the first operation that failed, or empty.
func (f *Fail) Hit() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hit
}

// check counts the operation and says whether it fails.
func (f *Fail) check(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Only != nil && !f.Only(op) {
		return nil
	}
	f.n++
	if f.At == 0 || f.n < f.At || f.n > f.At && !f.Sticky {
		return nil
	}
	if f.n == f.At {
		f.hit = fmt.Sprintf("%s %s", op, name)
		if f.Trip != nil {
			f.Trip()
		}
	}
	return &fs.PathError{Op: string(op), Path: name, Err: f.Err}
}

// Mkdir implements [publish.FS], as do the methods below.
func (f *Fail) Mkdir(dir string, perm fs.FileMode) error {
	if err := f.check(OpMkdir, dir); err != nil {
		return err
	}
	return f.FS.Mkdir(dir, perm)
}

// Create fails, or returns a handle whose operations may fail.
func (f *Fail) Create(name string, perm fs.FileMode) (publish.Handle, error) {
	if err := f.check(OpCreate, name); err != nil {
		return nil, err
	}
	h, err := f.FS.Create(name, perm)
	if err != nil {
		return nil, err
	}
	return &failingFile{Handle: h, f: f, name: name}, nil
}

// Rename may fail.
func (f *Fail) Rename(oldName, newName string) error {
	if err := f.check(OpRename, newName); err != nil {
		return err
	}
	return f.FS.Rename(oldName, newName)
}

// Link may fail.
func (f *Fail) Link(oldName, newName string) error {
	if err := f.check(OpLink, newName); err != nil {
		return err
	}
	return f.FS.Link(oldName, newName)
}

// Symlink may fail.
func (f *Fail) Symlink(target, name string) error {
	if err := f.check(OpSymlink, name); err != nil {
		return err
	}
	return f.FS.Symlink(target, name)
}

// Remove may fail.
func (f *Fail) Remove(name string) error {
	if err := f.check(OpRemove, name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// SyncDir may fail.
func (f *Fail) SyncDir(dir string) error {
	if err := f.check(OpSyncDir, dir); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

// ReadFile may fail.
func (f *Fail) ReadFile(name string) ([]byte, error) {
	if err := f.check(OpReadFile, name); err != nil {
		return nil, err
	}
	return f.FS.ReadFile(name)
}

// ReadDir may fail.
func (f *Fail) ReadDir(dir string) ([]fs.DirEntry, error) {
	if err := f.check(OpReadDir, dir); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(dir)
}

// Readlink may fail.
func (f *Fail) Readlink(name string) (string, error) {
	if err := f.check(OpReadlink, name); err != nil {
		return "", err
	}
	return f.FS.Readlink(name)
}

// Stat may fail.
func (f *Fail) Stat(name string) (fs.FileInfo, error) {
	if err := f.check(OpStat, name); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

type failingFile struct {
	publish.Handle
	f    *Fail
	name string
}

func (h *failingFile) Write(p []byte) (int, error) {
	err := h.f.check(OpWrite, h.name)
	if err == nil {
		return h.Handle.Write(p)
	}
	if !h.f.Short {
		return 0, err
	}
	n, _ := h.Handle.Write(p[:len(p)/2])
	return n, err
}

func (h *failingFile) Sync() error {
	if err := h.f.check(OpSync, h.name); err != nil {
		return err
	}
	return h.Handle.Sync()
}

// Close closes the file in any case.
func (h *failingFile) Close() error {
	err := h.f.check(OpClose, h.name)
	if cerr := h.Handle.Close(); err == nil {
		err = cerr
	}
	return err
}
