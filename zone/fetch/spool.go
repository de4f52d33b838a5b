package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// store makes the parts of a verified bundle durable. A crash between two of them
// leaves objects that nothing names. Existing objects are written again: that they
// can be read says nothing about a power loss.
func (s spool) store(b bundle) error {
	for _, data := range [][]byte{b.md5, b.asc, b.data} {
		if data == nil {
			continue
		}
		if err := publish.WriteFile(s.fs, s.object(digest(data)), data, 0o644); err != nil {
			return fmt.Errorf("storing in the spool: %w", err)
		}
	}
	return nil
}

var anyDigest = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// prune removes the objects that nothing names any more, and returns how many. It
// holds the lock of zonebuild, so that no build is reading, and does nothing if one
// is running (the error is publish.ErrLocked).
//
// What a generation, a held plan, an accept or a pin names is found by its form: any
// 64 hex digits in its file. That holds for files of every version, and a digest too
// many costs some bytes of disk only. If any of them cannot be read, nothing is
// removed.
func (s spool) prune(c *zone.Config, m *zone.Manifest) (int, error) {
	// The folder is zonebuild's. Before its first run nothing is pruned.
	if _, err := s.fs.Stat(c.State); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	release, err := publish.Lock(filepath.Join(c.State, lockName))
	if err != nil {
		return 0, fmt.Errorf("pruning the spool: %w", err)
	}
	defer func() { _ = release() }()
	keep, err := s.named(c, m)
	if err != nil {
		return 0, fmt.Errorf("pruning the spool: %w", err)
	}
	entries, err := s.fs.ReadDir(s.path(objectsName))
	if err != nil {
		return 0, fmt.Errorf("pruning the spool: %w", err)
	}
	n := 0
	for _, e := range entries {
		if keep[e.Name()] || !anyDigest.MatchString(e.Name()) || len(e.Name()) != 64 {
			continue
		}
		if err := s.fs.Remove(s.object(e.Name())); err != nil {
			return n, fmt.Errorf("pruning the spool: %w", err)
		}
		n++
	}
	return n, nil
}

// named is every digest that has to stay.
func (s spool) named(c *zone.Config, m *zone.Manifest) (map[string]bool, error) {
	keep := map[string]bool{}
	for _, src := range m.Sources {
		for _, z := range src.Zones {
			if a := z.Accepted; a != nil {
				keep[a.SHA256], keep[a.MD5Object], keep[a.SignatureObject] = true, true, true
			}
		}
	}
	evidence, err := s.entries(s.path(evidenceName))
	if err != nil {
		return nil, err
	}
	for _, name := range evidence {
		keep[name] = true
	}
	files, err := s.decisions(c)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		data, err := s.fs.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a draft without its note yet
		}
		if err != nil {
			return nil, err
		}
		for _, d := range anyDigest.FindAll(data, -1) {
			keep[string(d)] = true
		}
	}
	return keep, nil
}

// decisions is every file that may name objects: the notes of all generations,
// published or not, and what people decided.
func (s spool) decisions(c *zone.Config) ([]string, error) {
	generations := filepath.Join(c.Public, "generations")
	dirs, err := s.entries(generations)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, d := range dirs {
		files = append(files, filepath.Join(generations, d, "generation.json"))
	}
	for _, sub := range []string{"held", "accepts", "pins"} {
		dir := filepath.Join(c.State, sub)
		list, err := s.entries(dir)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			files = append(files, filepath.Join(dir, f))
		}
	}
	return files, nil
}

// entries is the names in a folder, none if it is missing.
func (s spool) entries(dir string) ([]string, error) {
	list, err := s.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	slices.Sort(names)
	return names, nil
}
