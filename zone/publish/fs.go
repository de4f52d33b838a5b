package publish

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FS is every file operation this package makes, so that tests can record it,
// fail it and replay it (see the package crashfs). Its methods have the meaning of
// the functions of the same name in package os unless their comment says more.
// They are safe for concurrent use.
type FS interface {
	// Mkdir creates one directory with exactly perm, whatever the umask.
	Mkdir(dir string, perm fs.FileMode) error
	// Create makes a new file for writing, with exactly perm, whatever the umask.
	// It fails with fs.ErrExist if the name exists, also as a symbolic link.
	Create(name string, perm fs.FileMode) (Handle, error)
	Rename(oldName, newName string) error
	Link(oldName, newName string) error
	Symlink(target, name string) error
	// Remove removes a file, a symbolic link or an empty directory.
	Remove(name string) error
	// SyncDir makes the entries of the directory durable: what was created,
	// renamed, linked or removed in it before survives a power loss.
	SyncDir(dir string) error
	ReadFile(name string) ([]byte, error)
	ReadDir(dir string) ([]fs.DirEntry, error)
	Readlink(name string) (string, error)
	Stat(name string) (fs.FileInfo, error)
}

// Handle is a file open for writing. Its data survives a power loss once Sync
// has returned nil; its name does once its directory has been synced too.
type Handle interface {
	io.Writer
	Sync() error
	Close() error
}

// OS is the file system of the machine.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Rename(oldName, newName string) error      { return os.Rename(oldName, newName) }
func (osFS) Link(oldName, newName string) error        { return os.Link(oldName, newName) }
func (osFS) Symlink(target, name string) error         { return os.Symlink(target, name) }
func (osFS) Remove(name string) error                  { return os.Remove(name) }
func (osFS) ReadFile(name string) ([]byte, error)      { return os.ReadFile(name) }
func (osFS) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }
func (osFS) Readlink(name string) (string, error)      { return os.Readlink(name) }
func (osFS) Stat(name string) (fs.FileInfo, error)     { return os.Stat(name) }

func (osFS) Mkdir(dir string, perm fs.FileMode) error {
	if err := os.Mkdir(dir, perm); err != nil {
		return err
	}
	return os.Chmod(dir, perm)
}

func (osFS) Create(name string, perm fs.FileMode) (Handle, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	// The umask of a cron job must not hide the zones from the name server.
	if err := f.Chmod(perm); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	return f, nil
}

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	// A file system that cannot sync directories says EINVAL: there is nothing
	// more to ask of it.
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// MkdirAll makes the directory and every missing one above it, each with exactly
// perm, durably. An existing directory keeps its permissions.
func MkdirAll(fsys FS, dir string, perm fs.FileMode) error {
	info, err := fsys.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil:
		return resyncParent(fsys, dir)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := MkdirAll(fsys, parent, perm); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}

// resyncParent is for the deepest directory that exists: the process that made
// it may have been killed before it synced the parent. All above were synced
// before this one was made. Where the parent may not be read, it was not us.
func resyncParent(fsys FS, dir string) error {
	err := fsys.SyncDir(filepath.Dir(dir))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// RemoveAll removes the directory and all in it, without following symbolic
// links. It is not durable by itself: a crash may bring any part of it back.
func RemoveAll(fsys FS, dir string) error {
	if err := empty(fsys, dir); err != nil {
		return err
	}
	return ignoreNotExist(fsys.Remove(dir))
}

// empty removes everything in the directory.
func empty(fsys FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return ignoreNotExist(err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = RemoveAll(fsys, name)
		} else {
			err = ignoreNotExist(fsys.Remove(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
