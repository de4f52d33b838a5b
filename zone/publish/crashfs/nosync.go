package crashfs

import (
	"io/fs"

	"nirzone/zone/publish"
)

// NoSync is a file system that only pretends to sync, for tests which make
// thousands of files and lose power in the model only.
func NoSync(fsys publish.FS) publish.FS { return noSync{fsys} }

type noSync struct{ publish.FS }

func (n noSync) SyncDir(dir string) error {
	_, err := n.Stat(dir)
	return err
}

func (n noSync) Create(name string, perm fs.FileMode) (publish.Handle, error) {
	h, err := n.FS.Create(name, perm)
	if err != nil {
		return nil, err
	}
	return noSyncFile{h}, nil
}

type noSyncFile struct{ publish.Handle }

func (noSyncFile) Sync() error { return nil }
