package main

import (
	"context"
	"io"
)

// A listener reads what may never say anything, such as standard input, until its
// context ends. A reading cannot be interrupted: that one goes with the process.
type listener struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	left []byte // of buf, read and not given on yet
	err  error  // behind it
}

func listen(ctx context.Context, r io.Reader) io.Reader {
	return &listener{ctx: ctx, r: r, buf: make([]byte, 1<<16)}
}

// Read reads what is there, and ends with errCancelled when the context does.
func (l *listener) Read(b []byte) (int, error) {
	if l.ctx.Err() != nil { // buf may be in the hands of a reading that goes on
		return 0, errCancelled
	}
	if len(l.left) == 0 && l.err == nil {
		if err := l.hear(); err != nil {
			return 0, err
		}
	}
	n := copy(b, l.left)
	if l.left = l.left[n:]; len(l.left) > 0 {
		return n, nil
	}
	return n, l.err
}

func (l *listener) hear() error {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := l.r.Read(l.buf)
		done <- result{n, err}
	}()
	select {
	case <-l.ctx.Done():
		return errCancelled
	case r := <-done:
		l.left, l.err = l.buf[:r.n], r.err
		return nil
	}
}
