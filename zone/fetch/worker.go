package fetch

import (
	"context"
	"fmt"
	"time"

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
	entry     zone.SourceEntry
	notices   []zone.Notice
	zones     []ZoneReport
	received  int64
	sent      int64
	duration  time.Duration
	keyEnd    time.Time
	retries   int
	cancelled bool // the run was stopped before it ended
	url       string
}

// giveUp is how many zonelets in a row may fail by the connection, each after its
// retries, before the source is left alone.
const giveUp = 2

func (w *worker) run(ctx context.Context) sourceResult {
	start := w.r.elapsed()
	s := w.plan.source
	w.result.url = s.URL
	w.result.entry = zone.SourceEntry{Name: s.Name, Last: zone.Attempt{Time: w.now}, Zones: []zone.ZoneEntry{}}
	err := w.plan.err
	if err == nil {
		err = w.prepare()
	}
	if err == nil {
		err = w.withHost(ctx, w.all)
	}
	err = said(err)
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
	if sum, signature := parts(w.plan.source); !sum && !signature {
		p.note("unsealed", zone.Warning, `the configuration requires no seal of this source (require = []): whoever can change its files, or the way to here, can change the zones`)
	}
	if p.scheme == "ftp" && p.source.TLS == "" && p.source.PasswordFile != "" {
		p.note("clear-password", zone.Warning, `FTP without TLS sends the password of user %s in the clear (RFC 2577, section 4); set tls = "explicit"`, p.user)
	}
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
	for i := range again {
		again[i].whole = true
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

func (w *worker) traffic() (received, sent int64) {
	if w.plan.place == nil {
		return 0, 0
	}
	return w.plan.place.meter.in.Load(), w.plan.place.meter.out.Load()
}

func (w *worker) progress(stage Stage, err error) {
	received, _ := w.traffic()
	w.r.teller.tell(Event{Source: w.plan.source.Name, Stage: stage, Done: w.done, Total: w.total, Bytes: received, Err: err})
}
