package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"time"
)

func (s *ftpSession) fetch(_ context.Context, reqs []request) ([]reply, error) {
	replies := make([]reply, len(reqs))
	for i, r := range reqs {
		replies[i] = s.get(r)
		if err := replies[i].err; err != nil && !isFinal(err) {
			return nil, fmt.Errorf("%s: %w", r.name, s.dials.explain(err))
		}
	}
	return replies, nil
}

// get asks for size and time, transfers the file unless both are known, and asks
// again: a file that changed meanwhile, or was cut short under a 226, is no file.
func (s *ftpSession) get(r request) reply {
	before, err := s.stat(r.name)
	if err != nil {
		return reply{err: err}
	}
	if v := before.validators(); v != "" && v == r.validators {
		return reply{unchanged: true, validators: v}
	}
	if before.size > r.max {
		return reply{err: final("%s has %d bytes, more than max_bytes = %d", r.name, before.size, r.max)}
	}
	data, err := s.retr(r)
	if err != nil {
		return reply{err: err}
	}
	after, err := s.stat(r.name)
	if err != nil {
		return reply{err: err}
	}
	if before != after {
		return reply{err: fmt.Errorf("%s changed while it was transferred", r.name)}
	}
	if after.size >= 0 && after.size != int64(len(data)) {
		return reply{err: fmt.Errorf("%s: %d bytes arrived of the %d that SIZE names (RFC 3659, section 4), although the server said the transfer was complete", r.name, len(data), after.size)}
	}
	return reply{validators: after.validators(), load: loaded(data)}
}

func (s *ftpSession) retr(r request) ([]byte, error) {
	s.dials.next(r.max + tlsOverhead(r.max))
	resp, err := s.conn.Retr(r.name)
	if err != nil {
		return nil, ftpError(err)
	}
	data, err := readLimited(resp, r.name, r.max)
	if err != nil {
		s.close() // what the server still sends is not wanted
		return nil, err
	}
	// An aborted transfer shows here only.
	if err := resp.Close(); err != nil {
		return nil, fmt.Errorf("ending the transfer: %w", ftpError(err))
	}
	return data, nil
}

// tlsOverhead is what records and a handshake may add to n bytes.
func tlsOverhead(n int64) int64 { return n/8 + 64<<10 }

// readLimited reads all, but not more than max bytes.
func readLimited(r io.Reader, name string, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s after %d bytes: %w", name, n, err)
	}
	if n > limit {
		return nil, final("%s has more than max_bytes = %d; nothing of it is used", name, limit)
	}
	return b.Bytes(), nil
}

// ftpStat is what SIZE and MDTM say (RFC 3659); size is -1 and time zero if the
// server does not say.
type ftpStat struct {
	size int64
	time time.Time
}

// validators is empty unless both are known: a size alone changes too rarely.
func (f ftpStat) validators() string {
	if f.size < 0 || f.time.IsZero() {
		return ""
	}
	return strconv.FormatInt(f.size, 10) + " " + f.time.UTC().Format(time.RFC3339)
}

func (s *ftpSession) stat(name string) (ftpStat, error) {
	st := ftpStat{size: -1}
	size, err := s.conn.FileSize(name)
	if err := tolerable(err); err != nil {
		return st, err
	}
	if err == nil {
		st.size = size
	}
	if !s.conn.IsGetTimeSupported() {
		return st, nil
	}
	t, err := s.conn.GetTime(name)
	if err := tolerable(err); err != nil {
		return st, err
	}
	if err == nil {
		st.time = t
	}
	return st, nil
}

// tolerable drops the server's "no" to SIZE and MDTM, which may mean that it does
// not know the command; a missing file shows when it is asked for.
func tolerable(err error) error {
	var reply *textproto.Error
	var number *strconv.NumError
	var format *time.ParseError
	if errors.As(err, &reply) && reply.Code >= 500 || errors.As(err, &number) || errors.As(err, &format) {
		return nil
	}
	return err
}
