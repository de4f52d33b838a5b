package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nirzone/zone"
	"nirzone/zone/publish"
)

const (
	manifestName = "manifest.json"
	objectsName  = "objects"
	evidenceName = "evidence"
	lockName     = "lock"
)

// A spool is the folder that zonefetch writes and zonebuild reads.
type spool struct {
	fs  publish.FS
	dir string
}

func (s spool) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

func (s spool) object(sha256 string) string {
	return s.path(filepath.FromSlash(zone.ObjectPath(sha256)))
}

// open makes the folders, takes the lock and sweeps what crashed runs left.
func (s spool) open() (release func(), err error) {
	if err := publish.MkdirAll(s.fs, s.path(objectsName), 0o755); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	unlock, err := publish.Lock(s.path(lockName))
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	// An unlock that fails is undone by the end of the process.
	release = func() { _ = unlock() }
	if err := s.sweep(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// sweep removes temporary files and staging folders; with the lock held they are
// nobody's.
func (s spool) sweep() error {
	for _, dir := range []string{s.dir, s.path(objectsName)} {
		if _, err := publish.SweepTemp(s.fs, dir); err != nil {
			return err
		}
	}
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("sweeping the spool: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), stagePrefix) {
			// Written by children with the machine's own file system.
			if err := os.RemoveAll(s.path(e.Name())); err != nil {
				return fmt.Errorf("sweeping the spool: %w", err)
			}
		}
	}
	return nil
}

// manifest reads the manifest of the last run, an empty one before the first. It
// never guesses: with a manifest that cannot be read, replayed signatures could not
// be told from new ones.
func (s spool) manifest() (*zone.Manifest, error) {
	file := s.path(manifestName)
	data, err := s.fs.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &zone.Manifest{Version: zone.ManifestVersion}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	m, err := zone.ParseManifest(file, data)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w; restore it, or move it away to fetch everything anew without protection against replays", err)
	}
	return m, nil
}

// write replaces the manifest. When it returns nil the new one survives a power
// loss; on error the old one stands, or at worst the whole new one.
func (s spool) write(m *zone.Manifest) error {
	return publish.WriteFile(s.fs, s.path(manifestName), m.Encode(), 0o644)
}

// load reads an object and checks that it is what its name says.
func (s spool) load(sha256 string) ([]byte, error) {
	data, err := s.fs.ReadFile(s.object(sha256))
	if err != nil {
		return nil, err
	}
	if got := digest(data); got != sha256 {
		return nil, fmt.Errorf("object %s is damaged: its bytes have the digest %s", sha256, got)
	}
	return data, nil
}

// intact reports whether an object can be loaded.
func (s spool) intact(sha256 string) bool {
	if sha256 == "" {
		return false
	}
	_, err := s.load(sha256)
	return err == nil
}

// atHome is a failure of this host, which is not the source's: the text goes to the
// source too. Names of temporary files are left out, as they differ from run to run.
func atHome(doing string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return finalError{fmt.Errorf("%s: %w; this is no fault of the source, see to the spool's disk", doing, err)}
}

// store makes the parts of a verified bundle durable. A crash between two of them
// leaves objects that nothing names. Existing objects are written again: that they
// can be read says nothing about a power loss.
func (s spool) store(b bundle) error {
	for _, data := range [][]byte{b.md5, b.asc, b.data} {
		if data == nil {
			continue
		}
		if err := publish.WriteFile(s.fs, s.object(digest(data)), data, 0o644); err != nil {
			return atHome("storing in the spool", err)
		}
	}
	return nil
}
