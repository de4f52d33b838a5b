package fetch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/mmcloughlin/md4"
)

// A daemonRunner speaks to an rsync daemon: it does the exchange of lines at the
// start, logs in, and gives the rest of the stream to the child, which never sees
// the password.
type daemonRunner struct {
	p        *place
	password string
	module   string
	dir      string // below the module, ends with "/" unless empty
}

func newDaemon(p *place) (rsyncRunner, error) {
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	module, dir, _ := strings.Cut(strings.Trim(p.dir, "/"), "/")
	if module == "" {
		return nil, final("url of source %s: an rsync daemon's url names a module: rsync://host/module/path/{zone}-{name}", p.source.Name)
	}
	if dir != "" {
		dir += "/"
	}
	if strings.ContainsAny(module+dir, "\n\x00*?[") {
		return nil, final("url of source %s: the path holds characters that rsync would expand", p.source.Name)
	}
	return &daemonRunner{p, password, module, dir}, nil
}

func (d *daemonRunner) close() {}

func (d *daemonRunner) list(ctx context.Context) ([]byte, error) {
	var out []byte
	err := d.connect(ctx, []string{"-rt"}, []string{""}, func(conn *guard, r io.Reader) error {
		conn.limit(maxListing)
		var err error
		out, err = d.p.runChild(ctx, childJob{}, r, conn)
		return err
	})
	return out, err
}

func (d *daemonRunner) pull(ctx context.Context, names []string, dir string, limit, largest int64) error {
	return d.connect(ctx, []string{"-t"}, names, func(conn *guard, r io.Reader) error {
		conn.limit(limit)
		_, err := d.p.runChild(ctx, childJob{Dir: dir, Largest: largest}, r, conn)
		return err
	})
}

// connect opens the module, asks for the names and hands over the stream.
func (d *daemonRunner) connect(ctx context.Context, options, names []string, use func(*guard, io.Reader) error) error {
	conn, err := d.p.dial(ctx, net.JoinHostPort(d.p.host, d.p.portOr("873")))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.limit(maxReply)
	r := bufio.NewReaderSize(conn, maxReplyLine)
	if err := d.login(conn, r); err != nil {
		return err
	}
	args := append([]string{"--server", "--sender"}, options...)
	args = append(args, ".")
	for _, n := range names {
		args = append(args, d.module+"/"+d.dir+n)
	}
	if _, err := io.WriteString(conn, strings.Join(args, "\n")+"\n\n"); err != nil {
		return err
	}
	return use(conn, r)
}

// rsyncProtocol is the version that the library speaks.
const rsyncProtocol = 27

// login is the exchange that opens a module: greeting, module name, challenge and
// answer. Everything is lines of text.
func (d *daemonRunner) login(w io.Writer, r *bufio.Reader) error {
	if _, err := fmt.Fprintf(w, "@RSYNCD: %d\n", rsyncProtocol); err != nil {
		return err
	}
	greeting, err := readLine(r)
	if err != nil {
		return err
	}
	var version int
	if _, err := fmt.Sscanf(greeting, "@RSYNCD: %d", &version); err != nil {
		return final("the server is no rsync daemon: it says %q", printable(greeting))
	}
	if version < rsyncProtocol {
		return final("the daemon speaks rsync protocol %d, %d or newer is needed", version, rsyncProtocol)
	}
	if _, err := fmt.Fprintf(w, "%s\n", d.module); err != nil {
		return err
	}
	return d.answer(w, r)
}

// answer reads lines, which may be a message of the day, until the module is open.
func (d *daemonRunner) answer(w io.Writer, r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		challenge, asked := strings.CutPrefix(line, "@RSYNCD: AUTHREQD ")
		switch {
		case line == "@RSYNCD: OK":
			return nil
		case asked && (d.p.user == "" || d.password == ""):
			return final("module %s wants a password: set user and password_file", d.module)
		case asked:
			if _, err := fmt.Fprintf(w, "%s %s\n", d.p.user, md4Answer(d.password, challenge)); err != nil {
				return err
			}
		case strings.HasPrefix(line, "@ERROR"):
			return final("module %s: the daemon says %q", d.module, printable(line))
		case line == "@RSYNCD: EXIT":
			return final("module %s: the daemon ends the session", d.module)
		}
	}
}

// md4Answer is the answer of protocols before 30, with a seed of zero.
func md4Answer(password, challenge string) string {
	h := md4.New()
	_, _ = h.Write(bytes.Join([][]byte{make([]byte, 4), []byte(password), []byte(challenge)}, nil))
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

// readLine reads one line no longer than the reader's buffer.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", final("a line of the daemon is longer than %d bytes", maxReplyLine)
	}
	if err != nil {
		return "", fmt.Errorf("reading the daemon's answer: %w", err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}
