package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// A Security says how the connection to the server is protected.
type Security string

// The kinds of protection; there is no opportunistic one.
const (
	StartTLS    Security = "starttls" // RFC 3207, required: usual on ports 25 and 587
	ImplicitTLS Security = "tls"      // RFC 8314, section 3.3: port 465
	Plain       Security = "plain"    // a server on this machine alone
)

// The values that a [Server] has where its fields are zero.
const (
	DefaultTimeout  = time.Minute
	DefaultMaxBytes = 10 << 20
)

const (
	maxSecret  = 4 << 10 // octets of a file with a secret
	maxCAs     = 1 << 20
	maxReplies = 1 << 20 // octets that a server may send in one session
)

// A Server is the mail server that messages are handed to, which sends them on.
type Server struct {
	Host       string        // name in its certificate, or an address
	Port       int           // 1 to 65535
	Security   Security      // "" is [StartTLS]
	CAFile     string        // PEM certificates to trust; "" for the system's
	Login      string        // "" for none
	SecretFile string        // holds the password on its first line; for its owner alone
	Hello      string        // name that this machine calls itself (RFC 5321, section 4.1.1.1); "" is localhost
	Timeout    time.Duration // for the server to answer, or to take more, each time
	MaxBytes   int           // of a message as it is sent
}

var (
	hostForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
	helloForm = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f.:]{2,45}\])$`)
)

// Check reports every mistake in the settings; it reads no file.
func (s Server) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := netip.ParseAddr(s.Host); err != nil && !hostForm.MatchString(s.Host) {
		bad("mail server %.60q: neither a host name nor an address", s.Host)
	}
	if s.Port < 1 || s.Port > 65535 {
		bad("port %d of the mail server: not 1 to 65535", s.Port)
	}
	switch s.security() {
	case StartTLS, ImplicitTLS:
	case Plain:
		if !loopback(s.Host) {
			bad("security %q for %s: without TLS only a server on a loopback address is spoken to; use %q or %q", Plain, s.Host, StartTLS, ImplicitTLS)
		}
		if s.Login != "" {
			bad("security %q with a login: a password is sent through TLS only; use %q or %q", Plain, StartTLS, ImplicitTLS)
		}
	default:
		bad("security %.20q: not one of %q, %q, %q", s.Security, StartTLS, ImplicitTLS, Plain)
	}
	if (s.Login == "") != (s.SecretFile == "") {
		bad("a login needs a file with its secret, and the other way round")
	}
	if s.Hello != "" && !helloForm.MatchString(s.Hello) {
		bad("name for the greeting %.60q: neither a host name nor an address in brackets", s.Hello)
	}
	if s.Timeout < 0 || s.MaxBytes < 0 {
		bad("timeout and size limit of the mail server: a negative number")
	}
	return errors.Join(errs...)
}

func (s Server) security() Security {
	if s.Security == "" {
		return StartTLS
	}
	return s.Security
}

func (s Server) timeout() time.Duration {
	if s.Timeout == 0 {
		return DefaultTimeout
	}
	return s.Timeout
}

func (s Server) maxBytes() int {
	if s.MaxBytes == 0 {
		return DefaultMaxBytes
	}
	return s.MaxBytes
}

// loopback reports whether a host can only be this machine, whatever a resolver
// says.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// A Session is a connection over which messages are sent, one after the other. It
// is for one goroutine.
type Session struct {
	server Server
	conn   net.Conn
	client *smtp.Client
	broken error // why nothing more can be sent
}

// Dial connects, negotiates TLS and logs in. Its errors concern every message: the
// server cannot be reached, or does not prove who it is, or refuses the login. The
// session ends when ctx does.
func (s Server) Dial(ctx context.Context) (*Session, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to mail server %s: %w", s.addr(), plain(err))
	}
	return c, nil
}

func (s Server) addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func (s Server) dial(ctx context.Context) (*Session, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	conf, err := s.tls()
	if err != nil {
		return nil, err
	}
	c := &Session{server: s}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(s.timeout()), gomail.WithHELO(s.hello()), gomail.WithoutSMTPUTF8(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.connect(ctx, network, address, conf)
		}),
		gomail.WithTLSConfig(conf), gomail.WithTLSPolicy(gomail.NoTLS),
	}
	if s.security() == StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	g, err := gomail.NewClient(s.Host, options...)
	if err != nil {
		return nil, err
	}
	if c.client, err = g.DialToSMTPClientWithContext(ctx); err == nil {
		err = c.login()
	}
	if err != nil {
		if c.conn != nil {
			_ = c.conn.Close() // the library leaves it open
		}
		return nil, err
	}
	return c, nil
}

func (s Server) hello() string {
	if s.Hello == "" {
		return "localhost"
	}
	return s.Hello
}

func (s Server) tls() (*tls.Config, error) {
	conf := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CAFile == "" {
		return conf, nil
	}
	pem, err := readSmall(s.CAFile, maxCAs)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates to trust: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the certificates to trust: %s holds none in PEM", s.CAFile)
	}
	return conf, nil
}

// connect dials; what the caller's context ends, ends the connection.
func (c *Session) connect(ctx context.Context, network, address string, conf *tls.Config) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if c.server.security() == Plain {
		if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return nil, errors.Join(errors.New("the server is not on a loopback address"), conn.Close())
		}
	}
	c.conn = &watched{Conn: conn, timeout: c.server.timeout(), left: maxReplies}
	if c.server.security() != ImplicitTLS {
		return c.conn, nil
	}
	t := tls.Client(c.conn, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.conn.Close())
	}
	return t, nil
}

// login proves who we are, by PLAIN (RFC 4616) or else LOGIN: both send the
// password, through TLS.
func (c *Session) login() error {
	if c.server.Login == "" {
		return nil
	}
	secret, err := readSecret(c.server.SecretFile)
	if err != nil {
		return fmt.Errorf("reading the secret of login %s: %w", c.server.Login, err)
	}
	_, offered := c.client.Extension("AUTH")
	var auth smtp.Auth
	switch mechanisms := strings.Fields(strings.ToUpper(offered)); {
	case slices.Contains(mechanisms, "PLAIN"):
		auth = smtp.PlainAuth("", c.server.Login, secret, c.server.Host, false)
	case slices.Contains(mechanisms, "LOGIN"):
		auth = smtp.LoginAuth(c.server.Login, secret, c.server.Host, false)
	default:
		return fmt.Errorf("logging in as %s: the server offers %q, and neither PLAIN nor LOGIN", c.server.Login, clean(offered))
	}
	if err := c.client.Auth(auth); err != nil {
		return fmt.Errorf("logging in as %s: %w", c.server.Login, err)
	}
	return nil
}

// readSecret returns the first line of a file that its owner alone can read.
func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s has mode %04o, so that others can read it: chmod 600 %s", file, mode, file)
	}
	b, err := readSmall(file, maxSecret)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || strings.ContainsRune(line, 0) {
		return "", fmt.Errorf("%s: the first line holds no secret", file)
	}
	return line, nil
}

func readSmall(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d octets", file, limit)
	}
	return b, err
}

// Close ends the session: politely if nothing is wrong with it.
func (c *Session) Close() error {
	if c.broken == nil {
		_ = c.client.Quit() // what was accepted stays accepted
	}
	_ = c.conn.Close()
	return nil
}

// watched bounds a connection: the time of each operation, and what the server may
// send in all. Deadlines that others set do not count.
type watched struct {
	net.Conn
	timeout time.Duration
	left    int
}

func (w *watched) Read(b []byte) (int, error) {
	if w.left <= 0 {
		return 0, fmt.Errorf("the server sent more than %d octets", maxReplies)
	}
	if err := w.Conn.SetDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(b)
	w.left -= n
	return n, err
}

func (w *watched) Write(b []byte) (int, error) {
	if err := w.Conn.SetDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

func (w *watched) SetDeadline(time.Time) error      { return nil }
func (w *watched) SetReadDeadline(time.Time) error  { return nil }
func (w *watched) SetWriteDeadline(time.Time) error { return nil }
