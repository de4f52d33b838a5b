package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
	"unicode"

	"nirzone/zone"
)

// A session is an open way to one source's directory. It is used by one
// goroutine. After an error of its methods it is of no further use; what went
// wrong with one file alone is in that file's reply.
type session interface {
	// list says which of the names the directory holds.
	list(ctx context.Context, names []string) (map[string]bool, error)
	// fetch gets the files, each at most its max bytes, and returns as many
	// replies as there are requests, in their order.
	fetch(ctx context.Context, reqs []request) ([]reply, error)
	close()
}

// A request names one file of the source's directory. Validators, if not empty,
// are those of an earlier reply for the same file: the server need not send the
// bytes again if they still hold. Older loads an earlier version, nil if there is
// none, of which a transport may take parts.
type request struct {
	name       string
	max        int64
	seal       bool // .md5 or .asc: max is not the source's max_bytes
	validators string
	older      func() ([]byte, error)
}

// A reply is what became of a request. With err nil and unchanged false, load
// returns the bytes, whole; it may be called once, until the session is closed or
// the same name is requested again.
type reply struct {
	unchanged  bool
	validators string // "" if the server gives none
	load       func() ([]byte, error)
	err        error
}

func loaded(data []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return data, nil }
}

// errMissing says that the server has no file of that name.
var errMissing = errors.New("the server has no such file")

// A finalError is not worth another try in this run: a refused login, an unknown
// host key, a limit passed.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

func final(format string, args ...any) error { return finalError{fmt.Errorf(format, args...)} }

func isFinal(err error) bool {
	var f finalError
	return errors.As(err, &f) || errors.Is(err, errMissing)
}

// A place is where a source's files are: its URL without the file name.
type place struct {
	source *zone.Source
	limits zone.FetchConfig
	scheme string
	user   string
	host   string // without port
	port   string // "" is the scheme's own
	dir    string // decoded, begins and ends with "/"
	meter  *meter
	note   func(code string, severity zone.Severity, format string, args ...any)
	stage  string // folder in which to make private folders
	exe    string // this program, for the rsync child
}

// newPlace reads the source's URL, which zone.ParseConfig has checked.
func newPlace(s *zone.Source, limits zone.FetchConfig) (*place, error) {
	base := s.URL[:strings.LastIndex(s.URL, "/")+1]
	u, err := url.Parse(base)
	if err != nil {
		return nil, final("reading the url of source %s: %w", s.Name, err)
	}
	p := &place{
		source: s, limits: limits, scheme: u.Scheme, user: s.User, host: u.Hostname(), port: u.Port(), dir: u.Path,
		meter: &meter{}, note: func(string, zone.Severity, string, ...any) {},
	}
	if u.User != nil {
		p.user = u.User.Username()
	}
	return p, nil
}

// url is what the manifest names as a file's origin, without user or password.
func (p *place) url(name string) string {
	return p.source.URL[:strings.LastIndex(p.source.URL, "/")+1] + name
}

// addr is host:port, with the scheme's own port if the URL names none.
func (p *place) portOr(own string) string {
	if p.port != "" {
		return p.port
	}
	return own
}

// open connects to the source.
func (p *place) open(ctx context.Context) (session, error) {
	switch p.scheme {
	case "ftp":
		return openFTP(ctx, p)
	case "http", "https":
		return openHTTP(ctx, p)
	case "rsync", "rsync+ssh":
		return openRsync(ctx, p)
	}
	return nil, final("scheme %q is not one of ftp, https, http, rsync, rsync+ssh", p.scheme)
}

// A saidError is an error with a text that is fit for a terminal and a line of a log:
// libraries repeat in theirs what a server said, or what stands in its certificate.
type saidError struct{ error }

// Unwrap returns the error as it was.
func (e saidError) Unwrap() error { return e.error }

// maxSaid is the most characters of an error's text.
const maxSaid = 1000

// Error returns the text without control characters, cut to a sane length.
func (e saidError) Error() string {
	text := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, e.error.Error()))
	if len(text) > maxSaid {
		return string(text[:maxSaid]) + "..."
	}
	return string(text)
}

// said makes the text of an error fit to be shown; nil stays nil.
func said(err error) error {
	if err == nil {
		return nil
	}
	return saidError{err}
}

const maxSecret = 4096

// password is the first line of the source's password file, "" without one. Like
// rsync it refuses a file that everybody can read.
func (p *place) password() (string, error) {
	if p.source.PasswordFile == "" {
		return "", nil
	}
	data, err := readSecret(p.source.PasswordFile, 0o007)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || strings.ContainsAny(line, "\x00\r") {
		return "", final("password file %s: its first line is no password", p.source.PasswordFile)
	}
	return line, nil
}

// readSecret reads a small file that nobody in the forbidden permission classes
// can read.
func readSecret(file string, forbidden os.FileMode) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, finalError{err}
	}
	if info.Mode().Perm()&forbidden != 0 {
		return nil, final("%s can be read by others: chmod 600 %s", file, file)
	}
	if info.Size() > maxSecret*16 {
		return nil, final("%s has %d bytes, too many for a secret", file, info.Size())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, finalError{err}
	}
	return data, nil
}

// baseName is the last element of what a listing says, whatever stands before it
// is compared with nothing and used for nothing.
func baseName(s string) string { return path.Base(strings.TrimRight(s, "/")) }

// usesRsync reports whether the place needs a folder to receive in.
func (p *place) usesRsync() bool { return p.scheme == "rsync" || p.scheme == "rsync+ssh" }

// batch is how many zonelets are asked for in one call of fetch: all where a call
// costs a connection.
func (p *place) batch() int {
	if p.usesRsync() {
		return 1 << 20
	}
	return 1
}
