package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// Options say what Run works on. Config is needed, everything else has a meaning
// when it is zero.
type Options struct {
	Config  *zone.Config
	Now     time.Time            // the time of the whole run: of what is recorded and of what is judged
	Elapsed func() time.Duration // since the run began, for durations in the report; nil leaves them out
	FS      publish.FS           // of the spool; nil is publish.OS
	Sources []string             // only these; nil is all
	DryRun  bool                 // fetch and verify, record nothing
	Rand    func() float64       // jitter, in [0, 1); nil has none
	Program string               // this program, which calls Child; "" finds it

	// Progress is told what happens, one call at a time.
	Progress func(Event)
}

// An Event is a step of one source. Done and Total count its zonelets; Total is 0
// until they are known. Bytes is what the source has sent.
type Event struct {
	Source      string
	Stage       Stage
	Done, Total int
	Bytes       int64
	Err         error // of Stage Retry and Done
}

// A Stage is where a source is.
type Stage string

// The stages of a source.
const (
	StageConnect  Stage = "connecting"
	StageList     Stage = "listing"
	StageTransfer Stage = "fetching"
	StageRetry    Stage = "retrying"
	StageDone     Stage = "done"
)

// ErrUnknownSource is in the error of a run that was asked for a source that the
// configuration does not have.
var ErrUnknownSource = errors.New("no such source in the configuration")

// Run fetches every source, verifies what came, and records it in the spool. It
// returns an error only if nothing could be recorded; then the old manifest
// stands. The error is publish.ErrLocked if another run holds the spool. A run
// that is cancelled records what it has finished and says so in the report. The
// report is never nil.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &runner{Options: o, report: &Report{Version: ReportVersion, Time: o.Now, DryRun: o.DryRun}}
	err := r.defaults()
	if err == nil {
		err = r.locked(ctx)
	}
	r.report.finish(err, r.elapsed())
	return r.report, err
}

type runner struct {
	Options
	spool  spool
	report *Report
	hosts  hostSlots
	teller teller
}

func (r *runner) defaults() error {
	if r.FS == nil {
		r.FS = publish.OS
	}
	if r.Rand == nil {
		r.Rand = func() float64 { return 0 }
	}
	if r.Program == "" {
		exe, err := os.Executable()
		if err != nil {
			return fmt.Errorf("finding this program: %w", err)
		}
		r.Program = exe
	}
	r.report.Config = r.Config.SHA256
	r.spool = spool{fs: r.FS, dir: r.Config.Spool}
	r.hosts = hostSlots{limit: r.Config.Fetch.PerHost}
	for _, name := range r.Sources {
		if r.Config.Source(name) == nil {
			return fmt.Errorf("%w: %s", ErrUnknownSource, name)
		}
	}
	return nil
}

func (r *runner) elapsed() time.Duration {
	if r.Elapsed == nil {
		return 0
	}
	return r.Elapsed()
}

// locked runs while no other run can. A dry run writes nothing and needs no lock.
func (r *runner) locked(ctx context.Context) error {
	if !r.DryRun {
		release, err := r.spool.open()
		if err != nil {
			return err
		}
		defer release()
	}
	prev, err := r.spool.manifest()
	if err != nil {
		return err
	}
	r.report.Run = prev.Run + 1
	results, err := r.all(ctx, plan(r.Config, prev, r.Sources))
	if err != nil {
		return err
	}
	next := assemble(r.Config, prev, results, r.Now)
	r.report.add(results)
	r.report.Cancelled = ctx.Err() != nil
	if r.DryRun {
		return nil
	}
	return r.record(next)
}

// record makes the manifest and then removes what it no longer names.
func (r *runner) record(next *zone.Manifest) error {
	// A crash before this line leaves the old manifest and some objects that
	// nothing names; the next run fetches them again and writes them again.
	if err := r.spool.write(next); err != nil {
		return fmt.Errorf("recording the run: %w", err)
	}
	r.report.Recorded = true
	// A crash from here on leaves objects that nothing names; the next run prunes.
	pruned, err := r.spool.prune(r.Config, next)
	r.report.Pruned = pruned
	switch {
	case errors.Is(err, publish.ErrLocked):
		r.report.PruneSkipped = "zonebuild is running"
	case err != nil:
		r.report.PruneSkipped = err.Error()
	}
	return nil
}

// all runs the plans side by side and returns their results in the same order.
func (r *runner) all(ctx context.Context, plans []sourcePlan) ([]sourceResult, error) {
	stage, err := r.staging(plans)
	if err != nil {
		return nil, err
	}
	if stage != "" {
		defer os.RemoveAll(stage)
	}
	defer r.teller.start(r.Progress, plans)()
	results := make([]sourceResult, len(plans))
	var g errgroup.Group
	g.SetLimit(r.Config.Fetch.Parallel)
	for i, p := range plans {
		g.Go(func() error {
			w := &worker{r: r, plan: p, now: r.Now, stage: stage}
			results[i] = w.run(ctx)
			return nil
		})
	}
	return results, g.Wait()
}

// staging makes the folder below which rsync children get theirs, if there will be
// any: in the spool, whose file system has room for zonelets.
func (r *runner) staging(plans []sourcePlan) (string, error) {
	if !slices.ContainsFunc(plans, func(p sourcePlan) bool { return p.place != nil && p.place.usesRsync() }) {
		return "", nil
	}
	parent := r.Config.Spool
	if r.DryRun {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, stagePrefix)
	if err != nil {
		return "", fmt.Errorf("making a folder to receive in: %w", err)
	}
	return filepath.Abs(dir)
}

// assemble makes the new manifest: the entries of the sources that ran, the old
// ones of those that did not, nothing of what is no longer configured.
func assemble(c *zone.Config, prev *zone.Manifest, results []sourceResult, now time.Time) *zone.Manifest {
	next := &zone.Manifest{Version: zone.ManifestVersion, Run: prev.Run + 1, Time: now, Sources: []zone.SourceEntry{}, Dumps: assembleDumps(c, prev, results)}
	for i := range c.Sources {
		name := c.Sources[i].Name
		if c.Sources[i].URL == "" {
			continue // it has a whois database alone
		}
		ran := slices.IndexFunc(results, func(r sourceResult) bool { return r.entry.Name == name })
		if ran >= 0 {
			next.Sources = append(next.Sources, results[ran].entry)
		} else if old := prev.Source(name); old != nil {
			next.Sources = append(next.Sources, *old)
		}
	}
	slices.SortFunc(next.Sources, func(a, b zone.SourceEntry) int { return cmp.Compare(a.Name, b.Name) })
	return next
}

// assembleDumps does that for the whois databases.
func assembleDumps(c *zone.Config, prev *zone.Manifest, results []sourceResult) []zone.DumpEntry {
	var next []zone.DumpEntry
	for i := range c.Sources {
		w := c.Sources[i].WhoisSource()
		if w == nil {
			continue
		}
		ran := slices.IndexFunc(results, func(r sourceResult) bool { return r.entry.Name == w.Name && len(r.entry.Zones) == 1 })
		if ran >= 0 {
			e := results[ran].entry.Zones[0]
			next = append(next, zone.DumpEntry{Source: c.Sources[i].Name, Accepted: e.Accepted, Last: e.Last})
		} else if old := prev.Dump(c.Sources[i].Name); old != nil {
			next = append(next, *old)
		}
	}
	return next
}

// hostSlots limit how many sources talk to one host at a time.
type hostSlots struct {
	limit int
	mu    sync.Mutex
	slots map[string]chan struct{}
}

// take waits for a slot and returns what gives it back.
func (h *hostSlots) take(ctx context.Context, host string) (func(), error) {
	h.mu.Lock()
	if h.slots == nil {
		h.slots = map[string]chan struct{}{}
	}
	c := h.slots[host]
	if c == nil {
		c = make(chan struct{}, h.limit)
		h.slots[host] = c
	}
	h.mu.Unlock()
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
