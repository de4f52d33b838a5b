package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"

	"nirzone/zone"
	"nirzone/zone/publish"
)

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
	for _, d := range m.Dumps {
		if a := d.Accepted; a != nil {
			keep[a.SHA256], keep[a.MD5Object], keep[a.SignatureObject] = true, true, true
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
