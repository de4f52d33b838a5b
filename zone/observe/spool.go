package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// The files in the spool. The lock of the spool is held by every run of zonefetch
// that writes there; the own one for as long as servers are asked.
const (
	fileName    = "observations.json"
	lockName    = "lock"
	ownLockName = "observe.lock"
)

// A spool is the folder of zonefetch.
type spool struct {
	fs   publish.FS
	dir  string
	wait func(ctx context.Context, try int) bool
}

func (s spool) path(name string) string { return filepath.Join(s.dir, name) }

// open makes the folder and keeps other runs of observe out.
func (s spool) open() (release func(), err error) {
	if err := publish.MkdirAll(s.fs, s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	unlock, err := publish.Lock(s.path(ownLockName))
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	return func() { _ = unlock() }, nil // an unlock that fails is undone by the end of the process
}

// read returns the observations of the run before, empty ones before the first. A
// file that cannot be read is an error: since when a DS is seen must not be
// forgotten without anybody knowing.
func (s spool) read() (*zone.Observations, error) {
	file := s.path(fileName)
	info, err := s.fs.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &zone.Observations{Version: zone.ObservationsVersion}, nil
	}
	if err == nil && info.Size() > zone.MaxObservations {
		err = fmt.Errorf("%s has over %d octets", file, zone.MaxObservations)
	}
	var data []byte
	if err == nil {
		data, err = s.fs.ReadFile(file)
	}
	var o *zone.Observations
	if err == nil {
		o, err = zone.ParseObservations(file, data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the last observations: %w; restore the file, or move it away to begin anew: key rolls then wait until every DS was seen long enough again", err)
	}
	return o, nil
}

// write replaces the file, with the lock of the spool: a run of zonefetch sweeps
// temporary files that it takes for a crashed run's.
func (s spool) write(ctx context.Context, o *zone.Observations) error {
	for try := 1; ; try++ {
		unlock, err := publish.Lock(s.path(lockName))
		if err == nil {
			defer func() { _ = unlock() }()
			return publish.WriteFile(s.fs, s.path(fileName), o.Encode(), 0o644)
		}
		if !errors.Is(err, publish.ErrLocked) || s.wait == nil || !s.wait(ctx, try) {
			return err
		}
	}
}
