package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A meter counts the bytes a source has sent and been sent.
type meter struct{ in, out atomic.Int64 }

// A guard is a connection that cannot hang and cannot flood: it closes itself
// after a silence and when its context ends, and it refuses to read more than its
// limit. Its error says which of these it was.
type guard struct {
	net.Conn
	meter *meter
	idle  time.Duration
	also  *guard       // a connection that is silent while this one works, and lives by it
	left  atomic.Int64 // bytes that may still be read
	most  atomic.Int64 // what left was set to

	mu    sync.Mutex // of the two below: either may fire before the other is made
	timer *time.Timer
	stop  func() bool
	once  sync.Once
	cause atomic.Pointer[error]
}

const noLimit = int64(1) << 62

// dial connects within the connect timeout and guards the connection.
func (p *place) dial(ctx context.Context, addr string) (*guard, error) {
	d := net.Dialer{Timeout: p.limits.Connect}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	g := &guard{Conn: conn, meter: p.meter, idle: p.limits.Idle}
	g.left.Store(noLimit)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer = time.AfterFunc(g.idle, func() {
		g.abort(silence(g.idle))
	})
	g.stop = context.AfterFunc(ctx, func() { g.abort(context.Cause(ctx)) })
	return g, nil
}

// silence is how long a server said nothing.
type silence time.Duration

// Error says so.
func (s silence) Error() string {
	return fmt.Sprintf("nothing was heard for %v (fetch.idle); is the server overloaded, or a firewall in between?", time.Duration(s))
}

// Unwrap makes it what it is for the libraries in between.
func (s silence) Unwrap() error { return os.ErrDeadlineExceeded }

// abort closes the connection; what is read or written from now on fails with
// that error.
func (g *guard) abort(err error) {
	g.cause.CompareAndSwap(nil, &err)
	_ = g.Close()
}

// Close closes the connection; only the first call does anything.
func (g *guard) Close() error {
	err := net.ErrClosed
	g.once.Do(func() {
		g.mu.Lock()
		g.timer.Stop()
		g.stop()
		g.mu.Unlock()
		err = g.Conn.Close()
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// limit sets how many more bytes may be read.
func (g *guard) limit(n int64) {
	g.most.Store(n)
	g.left.Store(n)
}

// Read is net.Conn's, guarded.
func (g *guard) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.meter.in.Add(int64(n))
	g.heard(n)
	if g.left.Add(-int64(n)) < 0 {
		g.abort(final("the server sent more than was agreed to: over %d bytes where an answer ends; is this the right server?", g.most.Load()))
	}
	return n, g.explain(err)
}

// Write is net.Conn's, guarded.
func (g *guard) Write(b []byte) (int, error) {
	n, err := g.Conn.Write(b)
	g.meter.out.Add(int64(n))
	g.heard(n)
	return n, g.explain(err)
}

// heard starts the idle time anew. That of a closed connection may run once more; it
// ends in nothing.
func (g *guard) heard(n int) {
	if n == 0 {
		return
	}
	g.timer.Reset(g.idle)
	if g.also != nil {
		g.also.timer.Reset(g.idle)
	}
}

// explain replaces the error of a connection that closed itself by the reason.
func (g *guard) explain(err error) error {
	if cause := g.cause.Load(); cause != nil && (err != nil || g.left.Load() < 0) {
		return *cause
	}
	return err
}
