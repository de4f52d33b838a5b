package fetch

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"nirzone/fixtures/liars"
)

// fakeRsyncd opens its module to everybody and then says what say returns for the
// arguments.
func fakeRsyncd(t *testing.T, greeting string, say func(c net.Conn, args []string)) string {
	addr := listen(t, func(c net.Conn) {
		args, err := liars.RsyncLogin(c, greeting)
		if err != nil {
			return
		}
		say(c, args)
		_, _ = io.Copy(io.Discard, c)
	})
	return "rsync://" + addr + "/zones/{zone}-{name}"
}

func listing(args []string) bool { return strings.HasSuffix(args[len(args)-1], "/") }

const file202 = "202.in-addr.arpa-JPNIC"

// ordinary is a listing of one zonelet, and all that follows it.
func ordinary(c net.Conn, size int32) {
	w := liars.Rsync{Modified: testNow}
	w.File(file202, size)
	w.EndList()
	w.Int(-1)
	w.Int(-1)
	w.Write(make([]byte, 12)) // statistics
	_, _ = c.Write(w.Frames())
}

// transfer begins the data of the first file: its index and an empty sum head.
func transfer(w *liars.Rsync, index int32) {
	w.File(file202, 100)
	w.EndList()
	w.Int(index)
	w.Write(make([]byte, 16))
}

var hostileRsync = map[string]struct {
	greeting string
	say      func(c net.Conn, args []string, sent *atomic.Int64)
	fetch    string
	reason   string
	sent     int64
}{
	"an index out of range panics the library": {
		say: func(c net.Conn, args []string, _ *atomic.Int64) {
			if listing(args) {
				ordinary(c, 100)
				return
			}
			w := liars.Rsync{Modified: testNow}
			transfer(&w, 4711)
			_, _ = c.Write(w.Frames())
		},
		reason: improper,
	},
	"a token of two gigabytes": {
		say: func(c net.Conn, args []string, _ *atomic.Int64) {
			if listing(args) {
				ordinary(c, 100)
				return
			}
			w := liars.Rsync{Modified: testNow}
			transfer(&w, 0)
			w.Int(0x7fffffff)
			_, _ = c.Write(w.Frames())
		},
		fetch: "idle = \"1s\"\nretries = 0", reason: memoryReason,
	},
	"a block that nobody has": {
		say: func(c net.Conn, args []string, _ *atomic.Int64) {
			if listing(args) {
				ordinary(c, 100)
				return
			}
			w := liars.Rsync{Modified: testNow}
			transfer(&w, 0)
			w.Int(-5)
			_, _ = c.Write(w.Frames())
		},
		fetch: "retries = 0", reason: "not open for copying chunk",
	},
	"a gigabyte for a small file": {
		say: func(c net.Conn, args []string, sent *atomic.Int64) {
			if listing(args) {
				ordinary(c, 100)
				return
			}
			w := liars.Rsync{Modified: testNow}
			transfer(&w, 0)
			_, _ = c.Write(w.Frames())
			var data liars.Rsync
			data.Int(4088)
			data.Write(make([]byte, 4088))
			drip(c, data.Frames()[4:], 1<<30, sent)
		},
		fetch: "retries = 0", reason: "", sent: 64 << 20,
	},
	"an endless listing": {
		say: func(c net.Conn, _ []string, sent *atomic.Int64) {
			w := liars.Rsync{Modified: testNow}
			for i := range 1000 {
				w.File(fmt.Sprint("file", i), 1)
			}
			b := w.Frames()
			_, _ = c.Write(b[:4])
			drip(c, b[4:], 1<<30, sent)
		},
		fetch: "retries = 0", reason: "the server sent more than was agreed to", sent: 64 << 20,
	},
	"garbage": {
		say: func(c net.Conn, _ []string, _ *atomic.Int64) {
			_, _ = c.Write(bytes.Repeat([]byte("garbage"), 1000))
		},
		fetch: "retries = 0", reason: "speaking rsync: ",
	},
	"hangs": {
		say:   func(net.Conn, []string, *atomic.Int64) {},
		fetch: "idle = \"500ms\"\nretries = 0", reason: "nothing was heard for 500ms",
	},
	"hangs for longer than all": {
		say:   func(net.Conn, []string, *atomic.Int64) {},
		fetch: "total = \"500ms\"\nretries = 0", reason: "the source took longer than fetch.total",
	},
	"is no rsync daemon":       {greeting: "SSH-2.0-OpenSSH\n", reason: "the server is no rsync daemon"},
	"is too old":               {greeting: "@RSYNCD: 26\n", reason: "speaks rsync protocol 26"},
	"greets without end":       {greeting: strings.Repeat("a", 10000), reason: "a line of the daemon is longer than"},
	"a message without end":    {greeting: "@RSYNCD: 31.0\n" + strings.Repeat("motd\n", 100000), reason: "the server sent more than was agreed to"},
	"announces a gigabyte":     {say: func(c net.Conn, _ []string, _ *atomic.Int64) { ordinary(c, 1<<30) }, reason: "has 1073741824 bytes, more than max_bytes"},
	"says that it is an error": {greeting: "@RSYNCD: 31.0\n@ERROR: go away\n", reason: `module zones: the daemon says "@ERROR: go away"`},
}

func TestHostileRsync(t *testing.T) {
	for name, c := range hostileRsync {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			greeting := c.greeting
			if greeting == "" {
				greeting = "@RSYNCD: 31.0\n"
			}
			url := fakeRsyncd(t, greeting, func(conn net.Conn, args []string) {
				if c.say != nil {
					c.say(conn, args, &sent)
				}
			})
			s := configure(t, url, "require = []", c.fetch)
			r := s.run()
			if !r.Failed() || !strings.Contains(string(r.Encode()), strings.ReplaceAll(c.reason, `"`, `\"`)) {
				t.Errorf("no %q in\n%s", c.reason, r.Encode())
			}
			t.Log(r.Sources[0].Reason)
			if n := sent.Load(); c.sent > 0 && n > c.sent {
				t.Errorf("the server could send %d bytes", n)
			}
			left, err := filepath.Glob(filepath.Join(s.config.Spool, stagePrefix+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestRsyncNamesCannotLead: a server that sends other names than it was asked for
// reaches nothing but the child's own folder.
func TestRsyncNamesCannotLead(t *testing.T) {
	for _, name := range []string{"../../escaped", "/tmp/nirzone-escaped", "204.in-addr.arpa-JPNIC"} {
		url := fakeRsyncd(t, "@RSYNCD: 31.0\n", func(c net.Conn, args []string) {
			if listing(args) {
				ordinary(c, 100)
				return
			}
			w := liars.Rsync{Modified: testNow}
			w.File(name, 5)
			w.EndList()
			w.Int(0)
			w.Write(make([]byte, 16))
			w.Int(5)
			w.WriteString("hello")
			w.Int(0)
			w.Write(make([]byte, 16)) // a wrong checksum; what matters comes before
			w.Int(-1)
			w.Int(-1)
			w.Write(make([]byte, 12))
			_, _ = c.Write(w.Frames())
		})
		s := configure(t, url, "require = []", "retries = 0")
		r := s.run()
		if !r.Failed() || s.objects() != 0 {
			t.Errorf("%s: %s", name, r.Encode())
		}
		for _, f := range []string{filepath.Join(s.config.Spool, "escaped"), filepath.Join(s.dir, "escaped"), "/tmp/nirzone-escaped"} {
			if _, err := os.Lstat(f); err == nil {
				t.Errorf("%s was made", f)
			}
		}
	}
}
