package fetch

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

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
			w.progress(StageRetry, said(err))
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
