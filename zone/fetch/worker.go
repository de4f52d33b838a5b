package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"nirzone/zone"
)

// A worker fetches one source.
type worker struct {
	r        *runner
	plan     sourcePlan
	now      time.Time
	stage    string
	verifier *verifier
	session  session
	result   sourceResult
	done     int
	total    int
	strikes  int
}

// A sourceResult is what a worker brings back: the new entry and what the report
// says beside it.
type sourceResult struct {
	entry    zone.SourceEntry
	notices  []zone.Notice
	zones    []ZoneReport
	received int64
	sent     int64
	duration time.Duration
	keyEnd   time.Time
	retries  int
}

// giveUp is how many zonelets in a row may fail by the connection, each after its
// retries, before the source is left alone.
const giveUp = 2

func (w *worker) run(ctx context.Context) sourceResult {
	start := w.r.elapsed()
	s := w.plan.source
	w.result.entry = zone.SourceEntry{Name: s.Name, Last: zone.Attempt{Time: w.now}, Zones: []zone.ZoneEntry{}}
	err := w.plan.err
	if err == nil {
		err = w.prepare()
	}
	if err == nil {
		err = w.withHost(ctx, w.all)
	}
	w.close()
	w.finish(ctx, err)
	w.result.duration = w.r.elapsed() - start
	w.progress(StageDone, err)
	return w.result
}

func (w *worker) prepare() error {
	p := w.plan.place
	p.stage, p.exe = w.stage, w.r.Program
	p.note = func(code string, severity zone.Severity, format string, args ...any) {
		w.result.notices = append(w.result.notices, zone.Notice{Code: code, Severity: severity, Source: w.plan.source.Name, Text: fmt.Sprintf(format, args...)})
	}
	var err error
	if w.verifier, err = newVerifier(w.plan.source, w.now); err != nil {
		return err
	}
	w.result.notices = append(w.result.notices, w.verifier.alarms()...)
	if end, never := w.verifier.keyEnd(); !never {
		w.result.keyEnd = end
	}
	return nil
}

// withHost waits for a connection slot of the host; the source's time starts then.
func (w *worker) withHost(ctx context.Context, f func(context.Context) error) error {
	release, err := w.r.hosts.take(ctx, w.plan.place.host)
	if err != nil {
		return err
	}
	defer release()
	total := w.r.Config.Fetch.Total
	ctx, cancel := context.WithTimeoutCause(ctx, total, final("the source took longer than fetch.total = %v", total))
	defer cancel()
	return f(ctx)
}

// all connects, lists if the source's zones are to be discovered, and fetches.
func (w *worker) all(ctx context.Context) error {
	w.progress(StageConnect, nil)
	jobs := w.plan.jobs
	// The first connection counts as reaching the source.
	if err := w.try(ctx, func(session) error { return nil }); err != nil {
		return err
	}
	if w.plan.source.Listed {
		w.progress(StageList, nil)
		var listed map[string]bool
		err := w.try(ctx, func(s session) (err error) {
			listed, err = s.list(ctx, names(jobs))
			return err
		})
		if err != nil {
			return err
		}
		there, gone, err := choose(w.plan.source, jobs, listed)
		if err != nil {
			return err
		}
		for _, j := range gone {
			w.settle(j, observation{err: errUnlisted(j)})
		}
		jobs = there
	}
	w.total = len(jobs)
	return w.fetch(ctx, jobs)
}

// fetch works through the jobs in the session's batches, and then once more through
// those whose file and seals did not match: their publisher may have been between two
// files. It returns why the rest of the source was given up, if it was.
func (w *worker) fetch(ctx context.Context, jobs []job) error {
	w.progress(StageTransfer, nil)
	again, err := w.batches(ctx, jobs, w.settleUnlessMismatch)
	if err != nil || len(again) == 0 {
		return err
	}
	if err := sleep(ctx, w.r.Config.Fetch.Backoff); err != nil {
		return err
	}
	_, err = w.batches(ctx, again, w.settle)
	return err
}

// settleUnlessMismatch leaves out what is worth another try.
func (w *worker) settleUnlessMismatch(j job, obs observation) bool {
	if mismatch(obs.err) {
		return false
	}
	return w.settle(j, obs)
}

// batches attempts the jobs and gives each to settle; those it returns false for are
// returned.
func (w *worker) batches(ctx context.Context, jobs []job, settle func(job, observation) bool) (left []job, err error) {
	for len(jobs) > 0 {
		n := min(len(jobs), w.plan.place.batch())
		observed, err := w.attempt(ctx, jobs[:n])
		if err != nil {
			return nil, err
		}
		for i, obs := range observed {
			if !settle(jobs[i], obs) {
				left = append(left, jobs[i])
			}
		}
		jobs = jobs[n:]
		w.progress(StageTransfer, nil)
	}
	return left, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt gets and verifies some jobs, with retries, and returns one observation
// each. The error says that the source is given up: the reason is final, a whole
// batch failed, or the connection failed for several zonelets in a row.
func (w *worker) attempt(ctx context.Context, jobs []job) ([]observation, error) {
	var out []observation
	err := w.try(ctx, func(s session) (err error) {
		out, err = w.bundles(ctx, s, jobs)
		return err
	})
	if err == nil {
		w.strikes = 0
		return out, nil
	}
	w.strikes++
	if isFinal(err) || len(jobs) > 1 || w.strikes >= giveUp || ctx.Err() != nil {
		return nil, err
	}
	out = make([]observation, len(jobs))
	for i := range out {
		out[i] = observation{err: err}
	}
	return out, nil
}

// try runs f on an open session, again after a pause when it failed in a way that
// may pass.
func (w *worker) try(ctx context.Context, f func(session) error) error {
	limits := w.r.Config.Fetch
	op := func() (struct{}, error) {
		err := w.once(ctx, f)
		if err == nil {
			return struct{}{}, nil
		}
		w.close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if isFinal(err) || ctx.Err() != nil {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	_, err := backoff.Retry(ctx, op,
		backoff.WithBackOff(&pause{base: limits.Backoff, rand: w.r.Rand}),
		backoff.WithMaxTries(uint(limits.Retries)+1), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) {
			w.result.retries++
			w.progress(StageRetry, err)
		}))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Unwrap()
	}
	return err
}

func (w *worker) once(ctx context.Context, f func(session) error) error {
	if w.session == nil {
		s, err := w.plan.place.open(ctx)
		if err != nil {
			return err
		}
		w.session = s
	}
	return f(w.session)
}

func (w *worker) close() {
	if w.session != nil {
		w.session.close()
		w.session = nil
	}
}

// A pause doubles each time, and has up to half of itself added by chance, so that
// sources that failed together do not come back together.
type pause struct {
	base time.Duration
	next time.Duration
	rand func() float64
}

// NextBackOff is backoff.BackOff's.
func (p *pause) NextBackOff() time.Duration {
	d := p.next
	p.next = min(2*p.next, time.Hour)
	return d + time.Duration(p.rand()*float64(d)/2)
}

// Reset is backoff.BackOff's.
func (p *pause) Reset() { p.next = p.base }

// settle decides on a zone and keeps the result. It always returns true.
func (w *worker) settle(j job, obs observation) bool {
	entry, notices := decide(w.plan.source, j.prev, obs, w.r.report.Run, w.now)
	w.result.entry.Zones = append(w.result.entry.Zones, entry)
	w.result.notices = append(w.result.notices, notices...)
	w.result.zones = append(w.result.zones, zoneReport(j, entry, obs))
	w.done++
	return true
}

// finish completes the entry: a source that was not reached keeps what it had, and
// zones that this run did not get to keep their entries untouched.
func (w *worker) finish(ctx context.Context, err error) {
	w.result.received, w.result.sent = w.traffic()
	e := &w.result.entry
	switch {
	case ctx.Err() != nil:
		w.cancelled()
	case err != nil:
		for _, j := range w.plan.jobs {
			if j.prev.Accepted != nil || !w.plan.source.Listed {
				w.settleQuietly(j, err)
			}
		}
		w.unreached(err)
	default:
		e.Last.Outcome = outcomeOf(e.Zones)
	}
	slices.SortFunc(e.Zones, func(a, b zone.ZoneEntry) int { return a.Zone.Compare(b.Zone) })
	slices.SortFunc(w.result.zones, func(a, b ZoneReport) int { return a.Zone.Compare(b.Zone) })
	for _, z := range e.Zones {
		w.result.notices = append(w.result.notices, ages(w.plan.source, z, w.now)...)
	}
	zone.SortNotices(w.result.notices)
}

// settleQuietly is settle without a notice for each zone: one for the source says
// it all.
func (w *worker) settleQuietly(j job, err error) {
	if w.result.entry.Zone(j.zone) != nil {
		return
	}
	n := len(w.result.notices)
	w.settle(j, observation{err: err})
	w.result.notices = w.result.notices[:n]
}

// unreached is the entry of a source that could not be worked with at all.
func (w *worker) unreached(err error) {
	e := &w.result.entry
	e.Last.Outcome, e.Last.Reason = zone.OutcomeAbsent, err.Error()
	for _, z := range e.Zones {
		if z.Accepted != nil {
			e.Last.Outcome = zone.OutcomeKept
		}
	}
	w.result.notices = append(w.result.notices, zone.Notice{
		Code: "unreached", Severity: zone.Error, Source: w.plan.source.Name, Text: fmt.Sprintf("%v; what was accepted before stands", err),
	})
}

// cancelled restores the entries of what was being worked on: that somebody stopped
// the run says nothing about the source.
func (w *worker) cancelled() {
	e := &w.result.entry
	finished := func(z zone.ZoneEntry) bool {
		return z.Last.Outcome == zone.OutcomeNew || z.Last.Outcome == zone.OutcomeUnchanged
	}
	var zones []zone.ZoneEntry
	for _, j := range w.plan.jobs {
		if now := e.Zone(j.zone); now != nil && finished(*now) {
			zones = append(zones, *now)
		} else if w.plan.prev.Zone(j.zone) != nil {
			zones = append(zones, j.prev)
		}
	}
	e.Zones, e.Last = zones, w.plan.prev.Last
	if e.Last.Outcome == "" {
		e.Last = zone.Attempt{Time: w.now, Outcome: zone.OutcomeAbsent, Reason: "the first run was cancelled"}
	}
	w.result.notices = slices.DeleteFunc(w.result.notices, func(n zone.Notice) bool { return n.Code == "kept" || n.Code == "absent" || n.Code == "mismatch" })
	w.result.zones = slices.DeleteFunc(w.result.zones, func(z ZoneReport) bool {
		return z.Outcome != zone.OutcomeNew && z.Outcome != zone.OutcomeUnchanged
	})
}

func (w *worker) traffic() (received, sent int64) {
	if w.plan.place == nil {
		return 0, 0
	}
	return w.plan.place.meter.in.Load(), w.plan.place.meter.out.Load()
}

func (w *worker) progress(stage Stage, err error) {
	received, _ := w.traffic()
	w.r.progress(Event{Source: w.plan.source.Name, Stage: stage, Done: w.done, Total: w.total, Bytes: received, Err: err})
}
