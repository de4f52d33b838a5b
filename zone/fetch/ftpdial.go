package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"

	"nirzone/zone"
)

// maxReply limits the bytes of one reply on the control connection, of any number
// of lines. The longest seen are lists of features, below 2 kB.
const maxReply = 64 << 10

// An ftpDialer makes the connections of one session: the first is the control
// connection, all others carry data. The library dials the control connection's
// peer for data, whatever a PASV reply says.
type ftpDialer struct {
	p   *place
	ctx context.Context
	tls *tls.Config

	mu      sync.Mutex
	control *guard
	data    *guard
	max     int64 // for the next data connection
	err     error // why a reply was refused
}

// next sets how many bytes the next data connection may carry.
func (d *ftpDialer) next(limit int64) { d.max = limit }

func (d *ftpDialer) dial(_, addr string) (net.Conn, error) {
	g, err := d.p.dial(d.ctx, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.control == nil {
		d.control = g
		g.limit(maxReply)
		// The library wants the type, to learn the address it dials for data.
		return controlConn{g}, nil
	}
	d.data = g
	g.also = d.control
	g.limit(d.max)
	if d.tls != nil {
		return tls.Client(g, d.tls), nil
	}
	return g, nil
}

// controlConn allows the server one reply's worth of bytes a command. It counts
// below TLS, so it holds for both.
type controlConn struct{ *guard }

// Write is net.Conn's: a command, after which a reply may come.
func (c controlConn) Write(b []byte) (int, error) {
	c.limit(maxReply)
	return c.guard.Write(b)
}

// closeAll closes both connections without ceremony.
func (d *ftpDialer) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range []*guard{d.control, d.data} {
		if g != nil {
			_ = g.Close()
		}
	}
}

// explain prefers the guards' reason to what the library made of it.
func (d *ftpDialer) explain(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	for _, g := range []*guard{d.data, d.control} {
		if g == nil {
			continue
		}
		cause := g.cause.Load()
		switch {
		case cause == nil:
		case errors.Is(err, *cause):
			return err
		default:
			return fmt.Errorf("%w (%v)", *cause, err)
		}
	}
	return err
}

// replies sees every byte of the control connection in the clear, as the library
// reads it; commands pass through it too and are ignored. A line that is too long
// ends the session.
type replies struct {
	p    *place
	d    *ftpDialer
	line []byte
	told bool
}

const maxReplyLine = 4096

var pasvReply = regexp.MustCompile(`^227 .*\((\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),\d{1,3},\d{1,3}\)`)

// Write looks at what was read. It fails only to stop the library.
func (r *replies) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		rest = after
		if len(r.line)+len(line) > maxReplyLine {
			err := final("a reply line is longer than %d bytes (RFC 959, section 5.3)", maxReplyLine)
			r.d.mu.Lock()
			r.d.err = err
			r.d.mu.Unlock()
			return 0, err
		}
		r.line = append(r.line, line...)
		if ended {
			r.see(string(r.line))
			r.line = r.line[:0]
		}
	}
	return len(b), nil
}

// see reports a PASV reply that names another host than the one we talk to: it is
// not dialled, but somebody misconfigured a server or tries to use us as a relay.
func (r *replies) see(line string) {
	m := pasvReply.FindStringSubmatch(line)
	if m == nil || r.told {
		return
	}
	named := net.ParseIP(strings.Join(m[1:5], "."))
	peer, ok := r.d.control.RemoteAddr().(*net.TCPAddr)
	if !ok || named == nil || named.Equal(peer.IP) {
		return
	}
	r.told = true
	r.p.note("foreign-pasv", zone.Warning, "the server's PASV reply names the address %v; it was not dialled, the control connection's peer %v was. Ask the source to set its public address (RFC 2577, section 3)", named, peer.IP)
}
