package sign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

const (
	maxKeyFile  = 64 << 10 // bytes
	maxKeyFiles = 1000     // in a folder
)

// checkRoot refuses a folder of key folders in which others could exchange one.
func checkRoot(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written by others than its owner: chmod 700 %s", dir, dir)
	}
	return err
}

// A folder is what a zone's key folder holds: the IDs of its pairs, sorted.
type folder struct {
	dir  string
	ids  []string
	half map[string]bool // only the .private is there
}

func scanFolder(dir string) (folder, error) {
	f := folder{dir: dir, half: map[string]bool{}}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return f, fmt.Errorf("%s is not a folder that its owner alone may write: chmod 700 %s", dir, dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return f, err
	}
	if len(entries) > maxKeyFiles {
		return f, fmt.Errorf("%s holds %d files, at most %d are read", dir, len(entries), maxKeyFiles)
	}
	for _, e := range entries { // sorted: X.key comes before X.private
		if id, ok := strings.CutSuffix(e.Name(), ".key"); ok {
			f.ids = append(f.ids, id)
		} else if id, ok := strings.CutSuffix(e.Name(), ".private"); ok && !slices.Contains(f.ids, id) {
			f.ids = append(f.ids, id)
			f.half[id] = true
		}
	}
	return f, nil
}

// readKeyFile reads a small regular file, not through a link, and returns the
// uid of its owner. The checks are of the open file, so it cannot be exchanged
// in between.
func readKeyFile(path string, forbidden fs.FileMode) ([]byte, int, error) {
	h, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, 0, errors.New("it is a symbolic link; put the file itself there")
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = h.Close() }()
	info, err := h.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, 0, fmt.Errorf("it is no regular file of at most %d bytes", maxKeyFile)
	}
	if info.Mode().Perm()&forbidden != 0 {
		return nil, 0, fmt.Errorf("others than its owner may read or write it (mode %04o); if nobody has, chmod 600 %s; otherwise replace the key", info.Mode().Perm(), path)
	}
	uid := os.Geteuid()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		uid = int(st.Uid)
	}
	data, err := io.ReadAll(io.LimitReader(h, maxKeyFile))
	return data, uid, err
}
