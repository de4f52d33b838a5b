package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// An sshRunner speaks rsync over ssh (RFC 4253) in this process: the identity and
// the host keys are checked here and never reach the child.
type sshRunner struct {
	p      *place
	conn   *guard
	client *ssh.Client
	dir    string
}

// maxHandshake limits what a server may send before rsync runs: version, banner, key
// exchange and login take some kilobytes.
const maxHandshake = 1 << 20

func openSSH(ctx context.Context, p *place) (rsyncRunner, error) {
	addr := net.JoinHostPort(p.host, p.portOr("22"))
	config, err := p.sshConfig(addr)
	if err != nil {
		return nil, err
	}
	conn, err := p.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn.limit(maxHandshake)
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, config)
	if err != nil {
		_ = conn.Close()
		return nil, conn.explain(sshError(p, err))
	}
	// A path of /~/ is relative to the home folder.
	dir := strings.TrimPrefix(p.dir, "/~/")
	return &sshRunner{p, conn, ssh.NewClient(c, chans, reqs), dir}, nil
}

func (p *place) sshConfig(addr string) (*ssh.ClientConfig, error) {
	if p.user == "" || p.source.IdentityFile == "" || p.source.KnownHostsFile == "" {
		return nil, final("source %s: rsync+ssh needs user, identity_file and known_hosts_file", p.source.Name)
	}
	key, err := readSecret(p.source.IdentityFile, 0o077)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		return nil, final("identity_file %s: %w", p.source.IdentityFile, err)
	}
	check, err := knownhosts.New(p.source.KnownHostsFile)
	if err != nil {
		return nil, finalError{fmt.Errorf("reading known_hosts_file: %w", err)}
	}
	return &ssh.ClientConfig{
		User: p.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: check, HostKeyAlgorithms: knownAlgorithms(check, addr), Timeout: p.limits.Connect,
	}, nil
}

// knownAlgorithms asks for a host key of a kind that is in the file: otherwise a
// server with several keys may show another one. Nil, for an unknown host, asks
// for any; it is refused then.
func knownAlgorithms(check ssh.HostKeyCallback, addr string) []string {
	var known *knownhosts.KeyError
	if err := check(addr, &net.TCPAddr{IP: net.IPv4zero}, noKey{}); !errors.As(err, &known) {
		return nil
	}
	var algorithms []string
	for _, k := range known.Want {
		if t := k.Key.Type(); t == ssh.KeyAlgoRSA {
			algorithms = append(algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			algorithms = append(algorithms, t)
		}
	}
	return algorithms
}

// noKey is a key that no file holds.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// sshError makes an unknown or changed host key, and a refused login, final.
func sshError(p *place, err error) error {
	var unknown *knownhosts.KeyError
	switch {
	case errors.As(err, &unknown) && len(unknown.Want) == 0:
		return final("the host key of %s is not in %s; ask the source for its key and add it (ssh-keyscan shows what it presents)", p.host, p.source.KnownHostsFile)
	case errors.As(err, &unknown):
		return final("the host key of %s has changed from the one at %s:%d; ask the source before anything else", p.host, unknown.Want[0].Filename, unknown.Want[0].Line)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return final("user %s: the server refuses the key of %s", p.user, p.source.IdentityFile)
	}
	return fmt.Errorf("opening ssh: %w", err)
}

func (s *sshRunner) close() { _ = s.conn.Close() }

func (s *sshRunner) list(ctx context.Context) ([]byte, error) {
	return s.run(ctx, "-rt", []string{""}, childJob{}, maxListing)
}

func (s *sshRunner) pull(ctx context.Context, names []string, dir string, limit, largest int64) error {
	_, err := s.run(ctx, "-t", names, childJob{Dir: dir, Largest: largest}, limit)
	return err
}

// run starts rsync at the other end. The command line is made of the configured
// folder and our own names, quoted for a shell.
func (s *sshRunner) run(ctx context.Context, options string, names []string, job childJob, limit int64) ([]byte, error) {
	s.conn.limit(limit + tlsOverhead(limit))
	session, err := s.client.NewSession()
	if err != nil {
		return nil, s.conn.explain(fmt.Errorf("opening an ssh session: %w", err))
	}
	defer session.Close()
	stdin, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr := &tail{max: 1 << 10}
	session.Stderr = stderr
	command := "rsync --server --sender " + options + " ."
	for _, n := range names {
		command += " " + shellQuote(s.dir+n)
	}
	if err := session.Start(command); err != nil {
		return nil, s.conn.explain(fmt.Errorf("starting rsync on %s: %w", s.p.host, err))
	}
	job.Negotiate = true
	out, err := s.p.runChild(ctx, job, stdout, sshStream{stdin, session})
	if err != nil {
		err = s.conn.explain(err)
		if said := strings.TrimSpace(stderr.String()); said != "" {
			err = fmt.Errorf("%w; the server says %q", err, printable(said))
		}
	}
	return out, err
}

// sshStream ends the whole session when it is closed.
type sshStream struct {
	stdin interface {
		Write([]byte) (int, error)
		Close() error
	}
	session *ssh.Session
}

func (s sshStream) Write(b []byte) (int, error) { return s.stdin.Write(b) }
func (s sshStream) Close() error                { return errors.Join(s.stdin.Close(), s.session.Close()) }

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
