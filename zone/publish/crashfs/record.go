package crashfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"nirzone/zone/publish"
)

// Recorder is a file system that logs every change made to one folder. The log
// is in the order in which the changes were made, also by many goroutines. It logs
// syncs and does not perform them: what they are worth is for Replay to show.
type Recorder struct {
	fs   publish.FS
	root string

	mu    sync.Mutex
	log   []Step
	files int
}

// ErrOutside is returned for a change outside the recorded folder, which could
// not be replayed.
var ErrOutside = errors.New("outside the recorded folder")

// Record starts recording changes to the folder, which exists. What is in it is
// the beginning of the log, and durable.
func Record(root string) (*Recorder, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	r := &Recorder{fs: NoSync(publish.OS), root: abs}
	if err := r.snapshot(); err != nil {
		return nil, fmt.Errorf("recording %s: %w", root, err)
	}
	return r, nil
}

// Log is a copy of the log so far.
func (r *Recorder) Log() []Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// rel is the path in the log, in which nothing but the last element may be a
// symbolic link.
func (r *Recorder) rel(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil && abs != r.root {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	rel, err := filepath.Rel(r.root, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s: %w %s", name, ErrOutside, r.root)
	}
	return filepath.ToSlash(rel), nil
}

// do performs the operation and logs it, if it succeeds.
func (r *Recorder) do(s Step, op func() error) error {
	rel, err := r.rel(s.Path)
	if err != nil {
		return err
	}
	s.Path = rel
	if s.Op == OpRename || s.Op == OpLink {
		if s.To, err = r.rel(s.To); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := op(); err != nil {
		return err
	}
	if s.Op == OpCreate {
		r.files++
		s.File = r.files
	}
	r.log = append(r.log, s)
	return nil
}

// Mkdir implements [publish.FS], as do the methods below.
func (r *Recorder) Mkdir(dir string, perm fs.FileMode) error {
	return r.do(Step{Op: OpMkdir, Path: dir, Perm: perm}, func() error { return r.fs.Mkdir(dir, perm) })
}

// Create records the file and, through its handle, writes and syncs.
func (r *Recorder) Create(name string, perm fs.FileMode) (publish.Handle, error) {
	h := &recordedFile{r: r, name: name}
	err := r.do(Step{Op: OpCreate, Path: name, Perm: perm}, func() (err error) {
		h.Handle, err = r.fs.Create(name, perm)
		h.id = r.files + 1
		return err
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Rename is recorded.
func (r *Recorder) Rename(oldName, newName string) error {
	return r.do(Step{Op: OpRename, Path: oldName, To: newName}, func() error { return r.fs.Rename(oldName, newName) })
}

// Link is recorded.
func (r *Recorder) Link(oldName, newName string) error {
	return r.do(Step{Op: OpLink, Path: oldName, To: newName}, func() error { return r.fs.Link(oldName, newName) })
}

// Symlink is recorded.
func (r *Recorder) Symlink(target, name string) error {
	return r.do(Step{Op: OpSymlink, Path: name, To: target}, func() error { return r.fs.Symlink(target, name) })
}

// Remove is recorded.
func (r *Recorder) Remove(name string) error {
	return r.do(Step{Op: OpRemove, Path: name}, func() error { return r.fs.Remove(name) })
}

// SyncDir is recorded; that of a directory outside the folder is merely done.
func (r *Recorder) SyncDir(dir string) error {
	resolved := dir
	if to, err := filepath.EvalSymlinks(dir); err == nil {
		resolved = to
	}
	err := r.do(Step{Op: OpSyncDir, Path: resolved}, func() error { return r.fs.SyncDir(dir) })
	if errors.Is(err, ErrOutside) {
		return r.fs.SyncDir(dir)
	}
	return err
}

// ReadFile changes nothing and is not recorded.
func (r *Recorder) ReadFile(name string) ([]byte, error) { return r.fs.ReadFile(name) }

// ReadDir changes nothing and is not recorded.
func (r *Recorder) ReadDir(dir string) ([]fs.DirEntry, error) { return r.fs.ReadDir(dir) }

// Readlink changes nothing and is not recorded.
func (r *Recorder) Readlink(name string) (string, error) { return r.fs.Readlink(name) }

// Stat changes nothing and is not recorded.
func (r *Recorder) Stat(name string) (fs.FileInfo, error) { return r.fs.Stat(name) }

type recordedFile struct {
	publish.Handle
	r    *Recorder
	name string
	id   int
}

// Write records what was really written, also of a short write.
func (f *recordedFile) Write(p []byte) (n int, err error) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	n, err = f.Handle.Write(p)
	if n > 0 {
		rel, _ := f.r.rel(f.name)
		f.r.log = append(f.r.log, Step{Op: OpWrite, Path: rel, File: f.id, Data: slices.Clone(p[:n])})
	}
	return n, err
}

func (f *recordedFile) Sync() error {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if err := f.Handle.Sync(); err != nil {
		return err
	}
	rel, _ := f.r.rel(f.name)
	f.r.log = append(f.r.log, Step{Op: OpSync, Path: rel, File: f.id})
	return nil
}
