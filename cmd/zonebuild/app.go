package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// An app is one call of zonebuild: its flags, and after open its
// configuration, its tree and its time.
type app struct {
	*shell.Shell
	fs publish.FS

	config, nowFlag                        string
	json, dryRun, noReload, verbose, quiet bool
	full                                   bool // build every zone, read every file
	clockRight                             bool // a person says that the time is right

	cfg     *zone.Config
	now     time.Time
	started time.Time
	tree    publish.Tree
	prev    *zone.Generation // nil when nothing is published
	log     *slog.Logger
	early   []zone.Notice    // what opening had to say
	sight   *sight           // of the files that need not be read again
	latest  *zone.Generation // what this run decided last, with the notices that it opens and closes
	opened  []zone.OpenNotice
	closed  []zone.OpenNotice
	note    string // digest of the current generation.json, also after this run's commit
	before  string // digest of the one that the run found

	spent    map[string]bool // hashes of accepts whose loss has happened
	planning bool            // nothing is to be changed, keys included
	judge    *sign.Judge     // of what the parents say, once it is asked
	unseen   error           // why nothing is believed of any parent: what was observed, or the anchors, cannot be read
}

// memoryLimit keeps the garbage collector ahead of the 400 MB that a build of
// the full tree may use; a larger tree is still built.
const memoryLimit = 300 << 20

func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(300) // below the limit, time is dearer than memory
		}
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return shell.Usage(fmt.Errorf("%s takes no argument %q", c.CommandPath(), args[0]), c.CommandPath()+" --help")
}

// open reads the configuration, or its last good copy, and the current
// generation.
func (a *app) open() error {
	if err := a.configure(); err != nil {
		return err
	}
	return a.readCurrent()
}

// configure reads the configuration, or its last good copy, and the time.
func (a *app) configure() error {
	var err error
	if a.now, err = a.Now(a.nowFlag); err != nil {
		return err
	}
	a.started = a.Clock()
	a.log = slog.New(slog.DiscardHandler)
	if a.verbose {
		a.log = slog.New(slog.NewTextHandler(a.Stderr, nil))
	}
	if a.cfg, err = shell.LoadConfig(a.config); err != nil {
		if a.cfg = a.lastGoodConfig(err); a.cfg == nil {
			return err
		}
		a.Errorf("warning: the configuration cannot be used, the last good copy is: %v", err)
	}
	a.tree = publish.Tree{Root: a.cfg.Public, Keep: a.cfg.Publish.Keep, FS: a.fs}
	return nil
}

// later is the time now, after whatever the run has done since a.now; never before
// that. A time that a person gave stands still.
func (a *app) later() time.Time {
	if t := a.Clock(); a.nowFlag == "" && t.After(a.now) {
		return t
	}
	return a.now
}

// readCurrent reads what is published.
func (a *app) readCurrent() error {
	var data []byte
	var err error
	if a.prev, data, err = shell.CurrentNote(a.cfg); err != nil {
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("reading the current generation: %w", err),
			Hint: `put public/ back from a backup, or ` + recoveryHint,
		}
	}
	a.note = digest(data)
	a.before = a.note
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// lastGoodConfig finds the configuration of the current generation when the
// file cannot be read: signatures must go on being renewed while somebody mends
// a typing mistake. It returns nil if there is no such copy.
func (a *app) lastGoodConfig(cause error) *zone.Config {
	file, err := shell.FindConfig(a.config)
	if err != nil {
		return nil
	}
	public, state := shell.RawPath(file, "public", "public"), shell.RawPath(file, "state", "state")
	gen, err := shell.CurrentGeneration(&zone.Config{Public: public})
	if err != nil || gen == nil {
		return nil
	}
	data, err := a.fs.ReadFile(filepath.Join(state, "inputs", gen.Config))
	if err != nil || digest(data) != gen.Config {
		return nil
	}
	c, err := zone.ParseConfig(file, data)
	if err != nil {
		return nil
	}
	a.early = append(a.early, zone.Notice{
		Code: "config-unreadable", Severity: zone.Alarm, Source: c.RIR, Pos: zone.Pos{File: filepath.Base(file)},
		Text: "the configuration cannot be used, the last good copy is: " + strings.ReplaceAll(cause.Error(), "\n", "; "),
	})
	return c
}

// failedEarly writes the metrics of a run that ended before it had anything to
// report; a run that found the lock taken leaves them to the one that has it.
func (a *app) failedEarly(err error) {
	code, e := 1, (*shell.Exit)(nil)
	if errors.As(err, &e) {
		code = e.Code
	}
	dir := ""
	if a.cfg != nil {
		dir = a.cfg.Metrics
	} else if file, err := shell.FindConfig(a.config); err == nil {
		dir = shell.RawPath(file, "metrics", "")
	}
	if code == 4 || dir == "" {
		return
	}
	m := shell.NewMetrics("zonebuild")
	m.Finish(code, a.Clock(), 0)
	if err := m.Write(dir); err != nil {
		a.Errorf("warning: %v", err)
	}
}

// lock takes the lock that excludes other builds and zonefetch's pruning. The
// function it returns releases it, and may be called after an error too.
func (a *app) lock() (release func() error, err error) {
	none := func() error { return nil }
	if a.dryRun {
		return none, nil // it changes nothing, not even the lock's file
	}
	if err := publish.MkdirAll(a.fs, a.cfg.State, 0o700); err != nil {
		return none, fmt.Errorf("making the state folder: %w", err)
	}
	release, err = publish.Lock(filepath.Join(a.cfg.State, "lock"))
	if errors.Is(err, publish.ErrLocked) {
		return none, &shell.Exit{Code: 4, Err: err, Hint: "wait until the other run has ended; the lock ends with its process"}
	}
	if err != nil {
		return none, err
	}
	if err := a.sweep(); err != nil {
		return none, errors.Join(err, release())
	}
	return release, nil
}

// lockCurrent takes the lock and then reads what is published, which no other
// build can change from then on.
func (a *app) lockCurrent() (release func() error, err error) {
	if release, err = a.lock(); err == nil {
		err = a.readCurrent()
	}
	return release, err
}

// isLocked reports whether err says that another run holds the lock.
func isLocked(err error) bool {
	var e *shell.Exit
	return errors.As(err, &e) && e.Code == 4
}

// sweep removes what a crashed run was writing below state; with the lock held
// it is nobody's. The folders that follow from a generation are swept when they
// are laid out and pruned.
func (a *app) sweep() error {
	for _, dir := range []string{a.cfg.State, filepath.Join(a.cfg.State, "accepts"), filepath.Join(a.cfg.State, "keys"), a.signaturesDir()} {
		if _, err := publish.SweepTemp(a.fs, dir); err != nil {
			return err
		}
	}
	return nil
}
