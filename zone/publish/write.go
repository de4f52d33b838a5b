package publish

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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

// WriteFile replaces the file by data, durably and in one step, as the package
// comment has it. The file has exactly perm. On error the name holds the old file,
// or, when only the last sync failed, the whole new one.
func WriteFile(fsys FS, name string, data []byte, perm fs.FileMode) error {
	return WriteTo(fsys, name, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteTo is WriteFile for what is not held in memory: write gives the content
// to its (buffered) argument, and when it returns an error nothing is replaced
// and that error is returned, wrapped.
func WriteTo(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) error {
	if err := replace(fsys, name, perm, write); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func replace(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) error {
	dir := filepath.Dir(name)
	var h Handle
	temp, err := withTemp(dir, func(temp string) (err error) {
		h, err = fsys.Create(temp, perm)
		return err
	})
	if err != nil {
		return err
	}
	// A crash from here to the rename leaves the temporary file, and name as it was.
	if err := fill(h, write); err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(temp)))
	}
	if err := fsys.Rename(temp, name); err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(temp)))
	}
	// A crash here leaves the old file or the new: the rename may not be on disk.
	return fsys.SyncDir(dir)
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

// fill writes, syncs and closes the handle, in every case.
func fill(h Handle, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(h, bufferSize)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = h.Sync()
	}
	return errors.Join(err, h.Close())
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
