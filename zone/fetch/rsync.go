package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An rsyncSession works in rounds: one to list the directory, again before a file is
// asked for a second time, and one for each call of fetch that has something to
// transfer. A round is one rsync run into a private folder. Which files have changed is read from the listing: size and time.
type rsyncSession struct {
	p      *place
	runner rsyncRunner
	dir    string // private folder of this session
	listed map[string]rsyncStat
	pulled map[string]bool // since it was listed
}

// An rsyncRunner makes one rsync run: list prints the directory to the returned
// bytes; pull brings the named files into the folder dir, at most limit bytes off
// the network and no file larger than largest.
type rsyncRunner interface {
	list(ctx context.Context) ([]byte, error)
	pull(ctx context.Context, names []string, dir string, limit, largest int64) error
	close()
}

// rsyncStat is what a listing says of a file.
type rsyncStat struct {
	size int64
	time string
}

func (s rsyncStat) validators() string { return strconv.FormatInt(s.size, 10) + " " + s.time }

// stagePrefix begins the name of a session's private folder.
const stagePrefix = ".stage-"

func openRsync(ctx context.Context, p *place) (session, error) {
	runner, err := p.rsyncRunner(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(p.stage, stagePrefix)
	if err != nil {
		runner.close()
		return nil, atHome("making a folder to receive in", err)
	}
	return &rsyncSession{p: p, runner: runner, dir: dir}, nil
}

// rsyncRunner chooses: the configured program, the child over ssh, or the child
// behind a daemon.
func (p *place) rsyncRunner(ctx context.Context) (rsyncRunner, error) {
	switch {
	case len(p.limits.Rsync) > 0:
		return newRsyncProgram(p)
	case p.scheme == "rsync+ssh":
		return openSSH(ctx, p)
	}
	return newDaemon(p)
}

func (s *rsyncSession) close() {
	s.runner.close()
	_ = os.RemoveAll(s.dir)
}

func (s *rsyncSession) list(ctx context.Context, names []string) (map[string]bool, error) {
	if err := s.stat(ctx); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, n := range names {
		if _, ok := s.listed[n]; ok {
			found[n] = true
		}
	}
	return found, nil
}

// stat lists the directory.
func (s *rsyncSession) stat(ctx context.Context) error {
	out, err := s.runner.list(ctx)
	if err != nil {
		return fmt.Errorf("listing the directory: %w", err)
	}
	s.listed, err = parseRsyncList(out)
	s.pulled = map[string]bool{}
	return err
}

// rsyncLine is a line of rsync's listing, as the built-in one and the program
// print it.
var rsyncLine = regexp.MustCompile(`^-\S{9}\S? +([0-9,.]+) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) ([^/]+)$`)

// parseRsyncList takes the regular files of the directory itself. Lines that are
// none are skipped.
func parseRsyncList(out []byte) (map[string]rsyncStat, error) {
	files := map[string]rsyncStat{}
	sc := bufio.NewScanner(bytes.NewReader(out))
	for sc.Scan() {
		m := rsyncLine.FindStringSubmatch(sc.Text())
		if m == nil {
			continue
		}
		size, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(m[1]), 10, 64)
		if err != nil {
			continue
		}
		files[m[3]] = rsyncStat{size, m[2]}
	}
	if err := sc.Err(); err != nil {
		return nil, final("reading the listing: %w", err)
	}
	return files, nil
}

// maxArguments keeps below the 1000 that a daemon takes.
const maxArguments = 300

func (s *rsyncSession) fetch(ctx context.Context, reqs []request) ([]reply, error) {
	// A file that is asked for again may have changed since it came. What else has
	// changed since it was listed shows by its seals.
	again := func(r request) bool { return s.pulled[r.name] }
	if s.listed == nil || slices.ContainsFunc(reqs, again) {
		if err := s.stat(ctx); err != nil {
			return nil, err
		}
	}
	replies, names, limit, largest := s.plan(reqs)
	if len(names) == 0 {
		return replies, nil
	}
	if err := s.seed(reqs, replies); err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(names, maxArguments) {
		if err := s.runner.pull(ctx, chunk, s.dir, limit, largest); err != nil {
			return nil, err
		}
	}
	for _, n := range names {
		s.pulled[n] = true
	}
	// The validators are those of the files that came, not of those listed.
	for i, r := range reqs {
		if replies[i].err == nil && !replies[i].unchanged {
			replies[i] = s.received(r)
		}
	}
	return replies, nil
}

// plan decides from the listing what to transfer, and what that may cost.
func (s *rsyncSession) plan(reqs []request) (replies []reply, names []string, limit, largest int64) {
	replies = make([]reply, len(reqs))
	limit = 1 << 20
	for i, r := range reqs {
		st, ok := s.listed[r.name]
		switch {
		case !ok:
			replies[i].err = errMissing
		case r.validators != "" && st.validators() == r.validators:
			replies[i] = reply{unchanged: true, validators: r.validators}
		case st.size > r.max:
			replies[i].err = tooLarge(r, st.size)
		default:
			names = append(names, r.name)
			limit += st.size + st.size/4 + 4096
			largest = max(largest, r.max)
		}
	}
	return replies, names, limit, largest
}

// seeded is the time of the older versions that rsync finds in its folder: no
// server's file has it, so all are compared by content.
var seeded = time.Unix(1, 0)

// seed puts the older version of each file to transfer where rsync will find it.
// It is a copy: rsync changes the times of what it finds.
func (s *rsyncSession) seed(reqs []request, replies []reply) error {
	for i, r := range reqs {
		file := filepath.Join(s.dir, r.name)
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return finalError{err}
		}
		if r.older == nil || replies[i].err != nil || replies[i].unchanged {
			continue
		}
		data, err := r.older()
		if err != nil {
			continue // it comes whole, then
		}
		if err := errors.Join(os.WriteFile(file, data, 0o600), os.Chtimes(file, seeded, seeded)); err != nil {
			return atHome("staging an older version", err)
		}
	}
	return nil
}

// improper is the remedy where a server breaks rsync's protocol.
const improper = "the server does not speak rsync properly; fetch.rsync may name a program to use instead"

// undelivered tells of a file that the server listed and did not send, while the
// child ended well: the library may end so when a server sends nonsense, and
// whether it does or panics depends on which of its goroutines is first.
func undelivered(r request) error {
	return fmt.Errorf("%s was listed and not transferred, and no error was told: %s", r.name, improper)
}

// received takes a file out of the private folder, if it is one.
func (s *rsyncSession) received(r request) reply {
	file := filepath.Join(s.dir, r.name)
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return reply{err: undelivered(r)}
	case err != nil:
		return reply{err: finalError{err}}
	case !info.Mode().IsRegular():
		return reply{err: final("%s is not a regular file", r.name)}
	case info.Size() > r.max:
		return reply{err: tooLarge(r, info.Size())}
	case info.ModTime().Equal(seeded):
		return reply{err: undelivered(r)}
	}
	st := rsyncStat{info.Size(), info.ModTime().UTC().Format("2006/01/02 15:04:05")}
	return reply{validators: st.validators(), load: func() ([]byte, error) { return os.ReadFile(file) }}
}
