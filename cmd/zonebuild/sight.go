package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"nirzone/zone/publish"
)

// A sight remembers which files were read whole and what their digest was, in
// state/sight.json, so that a run need not read them again: a file whose size,
// inode, time of modification and time of change are as they were is taken to
// hold what it held. Nothing that goes through the file system, a restored time
// of modification included, changes a file without changing one of them. What a
// disk does by itself does not show: therefore every run reads again those files
// that were not read for longest, at least a twenty-fourth of all octets, two days of runs.
//
// It is a cache. Without it, or when it cannot be read, every file is read. It
// is safe for concurrent use.
type sight struct {
	mu    sync.Mutex
	file  string
	fs    publish.FS
	full  bool // trust nothing
	round uint64
	known map[string]sighting // by a name that does not change with generations
	again map[string]bool     // to be read again in this run
}

// sightFile is state/sight.json.
type sightFile struct {
	Version int                 `json:"version"`
	Round   uint64              `json:"round"` // grows by one a run
	Files   map[string]sighting `json:"files"`
}

// A sighting is a file as it was when it had the digest.
type sighting struct {
	SHA256 string `json:"sha256"`
	Round  uint64 `json:"round"` // in which it was read
	trace
}

// A trace is what the file system says of a file: octets, nanoseconds since
// 1970, numbers.
type trace struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
	Changed  int64  `json:"changed"`
	Inode    uint64 `json:"inode"`
	Device   uint64 `json:"device"`
}

// sightShare is the part of all octets that is read again in every run, at
// least.
const sightShare = 24

// openSight reads the cache; one that cannot be read is empty.
func openSight(fsys publish.FS, file string, full bool) *sight {
	s := &sight{file: file, fs: fsys, full: full, known: map[string]sighting{}, again: map[string]bool{}}
	info, err := fsys.Stat(file)
	if err != nil {
		return s
	}
	data, err := fsys.ReadFile(file)
	var f sightFile
	if err != nil || json.Unmarshal(data, &f) != nil || f.Version != 1 {
		return s
	}
	s.round = f.Round + 1
	for name, k := range f.Files {
		// A file that changed in the same tick of the file system's clock in which
		// the cache was written may have changed once more without a trace.
		if at := info.ModTime().UnixNano(); k.Changed < at && k.Modified < at {
			s.known[name] = k
		}
	}
	s.rotate()
	return s
}

// rotate chooses the files to be read again.
func (s *sight) rotate() {
	total, chosen := int64(0), int64(0)
	names := slices.SortedFunc(maps.Keys(s.known), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.known[a].Round, s.known[b].Round), cmp.Compare(a, b))
	})
	for _, n := range names {
		total += s.known[n].Size
	}
	for _, n := range names {
		if chosen*sightShare >= total {
			return
		}
		chosen += s.known[n].Size
		s.again[n] = true
	}
}

// holds reports whether the file has the digest.
func (s *sight) holds(name, path, sum string) bool {
	got, _, err := s.digest(name, path, 1<<62)
	return err == nil && got == sum
}

// digest returns the SHA-256 of a file, in hex, and its size. It refuses a file
// over limit octets.
func (s *sight) digest(name, path string, limit int64) (string, int64, error) {
	info, err := s.fs.Stat(path)
	if err != nil {
		return "", 0, err
	}
	now, ok := traceOf(info)
	s.mu.Lock()
	k, known := s.known[name]
	trusted := ok && known && k.trace == now && !s.again[name] && !s.full
	s.mu.Unlock()
	if trusted && now.Size <= limit {
		return k.SHA256, now.Size, nil
	}
	return s.read(name, path, limit)
}

// read reads the file, and remembers it if nobody wrote it meanwhile.
func (s *sight) read(name, path string, limit int64) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err := io.CopyBuffer(struct{ io.Writer }{h}, io.LimitReader(f, limit+1), make([]byte, 1<<18))
	if err != nil {
		return "", 0, err
	}
	if size > limit {
		return "", 0, errors.New(filepath.Base(path) + ": too large")
	}
	sum := hex.EncodeToString(h.Sum(nil))
	after, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	x, ok := traceOf(before)
	if y, _ := traceOf(after); ok && x == y && x.Size == size {
		s.remember(name, sum, x)
	}
	return sum, size, nil
}

func (s *sight) remember(name, sum string, at trace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[name] = sighting{SHA256: sum, Round: s.round, trace: at}
	delete(s.again, name)
}

// relinked takes over what this run itself did to a file after it had looked at
// it: a link to it was made or removed, and so its time of change moved.
func (s *sight) relinked(name, path, sum string) {
	info, err := s.fs.Stat(path)
	if err != nil {
		return
	}
	now, ok := traceOf(info)
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.known[name]
	moved := now
	moved.Changed = k.Changed
	if ok && known && k.SHA256 == sum && moved == k.trace {
		k.trace = now
		s.known[name] = k
	}
}

// wrote remembers a file that this run wrote.
func (s *sight) wrote(name, path, sum string, size int64) {
	info, err := s.fs.Stat(path)
	if err != nil {
		return
	}
	if at, ok := traceOf(info); ok && at.Size == size {
		s.remember(name, sum, at)
	}
}

// save writes the cache for the next run. What should have been read again and
// was not asked for is forgotten: nobody needs it any more. A crash before it
// leaves the cache of the run before, whose traces still mean what they meant.
func (s *sight) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.again {
		delete(s.known, n)
	}
	data, err := json.Marshal(sightFile{Version: 1, Round: s.round, Files: s.known})
	if err != nil {
		return err
	}
	return publish.WriteFile(s.fs, s.file, append(data, '\n'), 0o600)
}
