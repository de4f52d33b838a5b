package publish

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// WriteFile replaces the file by data, durably and in one step, as the package
// comment has it. The file has exactly perm. On error the name holds the old file,
// or, when only the last sync failed, the whole new one. A symbolic link is
// replaced, not followed.
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
	t, err := CreateTemp(fsys, filepath.Dir(name), perm)
	if err != nil {
		return err
	}
	if err := write(t); err != nil {
		return errors.Join(err, t.Discard())
	}
	return t.Commit(filepath.Base(name))
}

// fill writes, syncs and closes the handle, in every case.
func fill(h Handle, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(h, bufferSize)
	return finish(h, b, write(b))
}

// finish closes the handle, with its data synced unless there was an error.
func finish(h Handle, b *bufio.Writer, err error) error {
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = h.Sync()
	}
	return errors.Join(err, h.Close())
}

// WriteCache is WriteTo for what can be made again: it replaces the file in one
// step for every process, but syncs nothing. After a power loss the name may hold
// the old file, the new one, or part of it: the reader must be able to tell.
func WriteCache(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) error {
	if err := replaceCache(fsys, name, perm, write); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func replaceCache(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) error {
	var h Handle
	temp, err := withTemp(filepath.Dir(name), func(temp string) (err error) {
		h, err = fsys.Create(temp, perm)
		return err
	})
	if err != nil {
		return err
	}
	err = errors.Join(write(h), h.Close())
	if err == nil {
		err = fsys.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(temp)))
	}
	return nil
}
