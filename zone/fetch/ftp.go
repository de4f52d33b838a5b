package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"

	"github.com/jlaffaye/ftp"
)

// maxListing limits the bytes of any directory listing: 100 000 names and then some.
const maxListing = 8 << 20

// An ftpSession is a passive FTP connection (RFC 959, RFC 2428), in the source's
// directory, binary.
type ftpSession struct {
	p     *place
	conn  *ftp.ServerConn
	dials *ftpDialer
	ctx   context.Context
	spent bool // closed in the middle of a transfer; the next request opens another
}

// openFTP connects, logs in and changes to the directory.
func openFTP(ctx context.Context, p *place) (session, error) {
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	tlsConfig, err := p.ftpTLS()
	if err != nil {
		return nil, err
	}
	d := &ftpDialer{p: p, ctx: ctx, tls: tlsConfig}
	options := []ftp.DialOption{
		ftp.DialWithDialFunc(d.dial), ftp.DialWithDebugOutput(&replies{p: p, d: d}),
		ftp.DialWithShutTimeout(0), ftp.DialWithDisabledMLSD(true),
	}
	if tlsConfig != nil {
		options = append(options, ftp.DialWithExplicitTLS(tlsConfig))
	}
	conn, err := ftp.Dial(net.JoinHostPort(p.host, p.portOr("21")), options...)
	if err != nil {
		d.closeAll()
		return nil, d.explain(fmt.Errorf("opening ftp: %w", ftpError(err)))
	}
	s := &ftpSession{p: p, conn: conn, dials: d, ctx: ctx}
	if err := s.enter(password); err != nil {
		s.close()
		return nil, d.explain(err)
	}
	return s, nil
}

// ftpTLS is nil for plain FTP. Servers want the data connection to resume the
// control connection's session, which needs the cache and the server's name.
func (p *place) ftpTLS() (*tls.Config, error) {
	if p.source.TLS == "" {
		return nil, nil
	}
	roots, err := p.roots()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName: p.host, RootCAs: roots, MinVersion: tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}, nil
}

// roots is the source's CA file, nil for the system's.
func (p *place) roots() (*x509.CertPool, error) {
	if p.source.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(p.source.CAFile)
	if err != nil {
		return nil, finalError{fmt.Errorf("reading ca_file: %w", err)}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, final("ca_file %s: it holds no certificate in PEM form", p.source.CAFile)
	}
	return pool, nil
}

// enter logs in and changes to the directory, one element at a time (RFC 1738,
// section 3.2.2); a path that begins with // is absolute.
func (s *ftpSession) enter(password string) error {
	user := s.p.user
	if user == "" {
		user = "anonymous"
	}
	if password == "" {
		password = "anonymous@"
	}
	if err := s.conn.Login(user, password); err != nil {
		return fmt.Errorf("logging in as %s: %w", user, ftpError(err))
	}
	dir := strings.TrimPrefix(s.p.dir, "/")
	if strings.HasPrefix(dir, "/") {
		if err := s.conn.ChangeDir("/"); err != nil {
			return fmt.Errorf("changing to directory /: %w", ftpError(err))
		}
	}
	for elem := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if elem == "" {
			continue
		}
		if err := s.conn.ChangeDir(elem); err != nil {
			return fmt.Errorf("changing to directory %s of %s: %w", elem, s.p.dir, ftpError(err))
		}
	}
	return nil
}

// close does not wait for the server to say good-bye.
func (s *ftpSession) close() { s.dials.closeAll() }

// list uses NLST: names alone, which no parser has to guess.
func (s *ftpSession) list(_ context.Context, names []string) (map[string]bool, error) {
	s.dials.next(maxListing)
	lines, err := s.conn.NameList("")
	if err != nil {
		return nil, s.dials.explain(fmt.Errorf("listing the directory: %w", ftpError(err)))
	}
	return matchNames(lines, names), nil
}

// matchNames says which of the names the lines of an NLST reply hold. Some servers
// put a path before the name.
func matchNames(lines, names []string) map[string]bool {
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	found := map[string]bool{}
	for _, l := range lines {
		if b := baseName(strings.TrimRight(l, "\r")); want[b] {
			found[b] = true
		}
	}
	return found
}

// ftpError sorts what the server refused: 550 on a file is missing, other 5xx are
// final, 4xx and everything of the network are worth another try.
func ftpError(err error) error {
	var reply *textproto.Error
	switch {
	case !errors.As(err, &reply):
		return tlsError(err)
	case reply.Code == ftp.StatusFileUnavailable:
		return fmt.Errorf("%w (%d %s)", errMissing, reply.Code, printable(reply.Msg))
	case reply.Code >= 500:
		return final("the server says %d %s", reply.Code, printable(reply.Msg))
	}
	return fmt.Errorf("the server says %d %s", reply.Code, printable(reply.Msg))
}

// tlsError makes a certificate that cannot be verified final.
func tlsError(err error) error {
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		return final("%w; is ca_file the one that signed it?", err)
	}
	return err
}

// printable makes what a server said fit for a terminal and a log line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}
