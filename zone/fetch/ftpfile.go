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
		if err := s.reopen(); err != nil {
			return nil, err
		}
		replies[i] = s.get(r)
		if err := replies[i].err; err != nil && !isFinal(err) {
			return nil, fmt.Errorf("%s: %w", r.name, s.dials.explain(err))
		}
	}
	return replies, nil
}

// reopen replaces a session that was closed because too much came: that says
// something about one file, and nothing about the others.
func (s *ftpSession) reopen() error {
	if !s.spent {
		return nil
	}
	again, err := openFTP(s.ctx, s.p)
	if err != nil {
		return err
	}
	*s = *again.(*ftpSession)
	return nil
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
		return reply{err: tooLarge(r, before.size)}
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
		return reply{err: errors.New("the file changed while it was transferred")}
	}
	if after.size >= 0 && after.size != int64(len(data)) {
		return reply{err: fmt.Errorf("%d bytes arrived of the %d that SIZE names (RFC 3659, section 4), although the server said the transfer was complete; is a proxy in between, or its disk broken?", len(data), after.size)}
	}
	return reply{validators: after.validators(), load: loaded(data)}
}

func (s *ftpSession) retr(r request) ([]byte, error) {
	s.dials.next(r.max + tlsOverhead(r.max))
	resp, err := s.conn.Retr(r.name)
	if err != nil {
		return nil, ftpError(err)
	}
	data, err := readLimited(resp, r)
	if err != nil {
		s.close() // what the server still sends is not wanted
		s.spent = true
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

// chunk is how many bytes at most are read into one piece of memory: a buffer that doubles
// would need three times the file at its peak.
const chunk = 1 << 20

// readLimited reads all, but not more than the request's max bytes.
func readLimited(r io.Reader, req request) ([]byte, error) {
	var pieces [][]byte
	for total, size := int64(0), int64(16<<10); ; size = min(2*size, chunk) {
		b, err := fill(r, min(size, req.max+1-total))
		pieces, total = append(pieces, b), total+int64(len(b))
		switch {
		case total > req.max:
			return nil, tooLarge(req, -1)
		case err == io.EOF:
			return bytes.Join(pieces, nil), nil
		case err != nil:
			return nil, fmt.Errorf("reading after %d bytes: %w", total, err)
		}
	}
}

// fill reads size bytes, or what comes before an error. Unlike io.ReadFull it hands
// the error on as it is: an unexpected end is one that r tells of.
func fill(r io.Reader, size int64) ([]byte, error) {
	b := make([]byte, size)
	for n := 0; ; {
		m, err := r.Read(b[n:])
		if n += m; n == len(b) || err != nil {
			return b[:n], err
		}
	}
}

// tooLarge refuses a file; a size below zero is not known. Nothing of it is used.
func tooLarge(r request, size int64) error {
	has := "more than"
	if size >= 0 {
		has = fmt.Sprintf("%d bytes, more than", size)
	}
	if r.seal {
		return final("it has %s the %d bytes that a seal may have; make it again, of this file alone", has, r.max)
	}
	return final("it has %s max_bytes = %d; if the file is right, raise the source's max_bytes", has, r.max)
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
