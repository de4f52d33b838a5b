package crashfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// snapshot logs what is in the folder, as if it had just been made and synced.
func (r *Recorder) snapshot() error {
	first := map[[2]uint64]string{} // the first name of a file with several
	var dirs []string
	err := filepath.WalkDir(r.root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := r.rel(name)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if e.IsDir() {
			dirs = append(dirs, rel)
		}
		return r.describe(name, rel, info, first)
	})
	for _, d := range dirs {
		r.log = append(r.log, Step{Op: OpSyncDir, Path: d})
	}
	return err
}

func (r *Recorder) describe(name, rel string, info fs.FileInfo, first map[[2]uint64]string) error {
	switch {
	case rel == ".":
	case info.IsDir():
		r.log = append(r.log, Step{Op: OpMkdir, Path: rel, Perm: info.Mode().Perm()})
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		if err != nil {
			return err
		}
		r.log = append(r.log, Step{Op: OpSymlink, Path: rel, To: target})
	case info.Mode().IsRegular():
		return r.describeFile(name, rel, info, first)
	default:
		return fmt.Errorf("%s is neither file, folder nor symbolic link", name)
	}
	return nil
}

func (r *Recorder) describeFile(name, rel string, info fs.FileInfo, first map[[2]uint64]string) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Nlink > 1 {
		id := [2]uint64{uint64(st.Dev), st.Ino}
		if other, seen := first[id]; seen {
			r.log = append(r.log, Step{Op: OpLink, Path: other, To: rel})
			return nil
		}
		first[id] = rel
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	r.files++
	r.log = append(r.log,
		Step{Op: OpCreate, Path: rel, File: r.files, Perm: info.Mode().Perm()},
		Step{Op: OpWrite, Path: rel, File: r.files, Data: data},
		Step{Op: OpSync, Path: rel, File: r.files})
	return nil
}
