package fetch

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"nirzone/zone"
)

// hostileHTTP are web servers that must be survived. elsewhere is a second server,
// which nobody may be sent to.
var hostileHTTP = map[string]struct {
	serve  func(w http.ResponseWriter, r *http.Request, elsewhere string, sent *atomic.Int64)
	lines  string
	fetch  string
	reason string
	sent   int64
}{
	"redirects elsewhere": {
		serve: func(w http.ResponseWriter, r *http.Request, elsewhere string, _ *atomic.Int64) {
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusFound)
		},
		reason: "the server redirects to http://127.0.0.1:",
	},
	"redirects to another scheme": {
		serve: func(w http.ResponseWriter, r *http.Request, _ string, _ *atomic.Int64) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		},
		reason: "the server redirects to file://",
	},
	"redirects in a circle": {
		serve: func(w http.ResponseWriter, r *http.Request, _ string, _ *atomic.Int64) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		},
		reason: "more than 3 redirects",
	},
	"a gigabyte of garbage": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, sent *atomic.Int64) {
			for sent.Load() < 1<<30 {
				n, err := w.Write(make([]byte, 1<<16))
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		},
		lines: "max_bytes = 100000", reason: "more than max_bytes = 100000", sent: 32 << 20,
	},
	"announces a gigabyte": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			w.Header().Set("Content-Length", "1000000000")
		},
		reason: "has 1000000000 bytes",
	},
	"compresses unasked": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(b.Bytes())
		},
		reason: "came with Content-Encoding gzip",
	},
	"says not modified unasked": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			w.WriteHeader(http.StatusNotModified)
		},
		reason: "304",
	},
	"cuts short": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "half")
		},
		fetch: "retries = 1", reason: "unexpected EOF",
	},
	"is ill": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		fetch: "retries = 1", reason: "503",
	},
	"forbids": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, _ *atomic.Int64) {
			w.WriteHeader(http.StatusForbidden)
		},
		reason: "403",
	},
	"hangs": {
		serve: func(_ http.ResponseWriter, r *http.Request, _ string, _ *atomic.Int64) { <-r.Context().Done() },
		fetch: "idle = \"300ms\"\nretries = 0", reason: "timeout",
	},
	"drips": {
		serve: func(w http.ResponseWriter, r *http.Request, _ string, _ *atomic.Int64) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
		},
		fetch: "total = \"300ms\"", reason: "the source took longer than fetch.total = 300ms",
	},
	"endless headers": {
		serve: func(w http.ResponseWriter, _ *http.Request, _ string, sent *atomic.Int64) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			drip(c, bytes.Repeat([]byte("X-A: b\r\n"), 1<<10), 1<<30, sent)
		},
		fetch: "retries = 0", reason: "response headers exceeded", sent: 16 << 20,
	},
	"zero bytes": {
		serve:  func(http.ResponseWriter, *http.Request, string, *atomic.Int64) {},
		reason: "the file has zero bytes",
	},
}

func TestHostileHTTP(t *testing.T) {
	for name, c := range hostileHTTP {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var visits, sent atomic.Int64
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
			defer elsewhere.Close()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/") {
					c.serve(w, r, elsewhere.URL, &sent)
				}
			}))
			defer server.Close()
			lines := "allow_http = true\nrequire = []\nzones = [\"202.in-addr.arpa\"]\n" + c.lines
			r := configure(t, server.URL+"/z/{zone}-{name}", lines, c.fetch).run()
			if !r.Failed() || !strings.Contains(string(r.Encode()), c.reason) {
				t.Errorf("no %q in\n%s", c.reason, r.Encode())
			}
			if visits.Load() != 0 {
				t.Errorf("the other server was visited")
			}
			if n := sent.Load(); c.sent > 0 && n > c.sent {
				t.Errorf("the server could send %d bytes", n)
			}
		})
	}
}

// TestHostileIndex: links count only if they lead to an expected file of the
// directory itself.
func TestHostileIndex(t *testing.T) {
	site := newSite(t)
	site.put("202.in-addr.arpa-JPNIC", zonelet(202, 2))
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/z/" {
			fmt.Fprint(w, `<html><script>href="x"</script><a href="../../etc/passwd">202.in-addr.arpa-JPNIC</a>
			<a href="http://elsewhere.example/z/203.in-addr.arpa-JPNIC">203.in-addr.arpa-JPNIC</a>
			<a href="/other/203.in-addr.arpa-JPNIC">x</a><a href="203.in-addr.arpa-JPNIC?x=1">x</a>
			<a href="./202.in-addr.arpa-JPNIC">202</a>`)
			return
		}
		asked = append(asked, r.URL.Path)
		http.ServeFile(w, r, filepath.Join(site.dir, filepath.Base(r.URL.Path)))
	}))
	defer server.Close()
	s := configure(t, server.URL+"/z/{zone}-{name}", "allow_http = true", "")
	wantZones(t, s.run(), "202=new")
	for _, p := range asked {
		if !strings.HasPrefix(p, "/z/202.in-addr.arpa-JPNIC") {
			t.Errorf("%s was asked for", p)
		}
	}
}

func TestHugeIndex(t *testing.T) {
	for name, text := range map[string]string{"links": `<a href="x">`, "one tag": "<a "} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			addr := listen(t, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 4096))
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n<html>")
				drip(c, bytes.Repeat([]byte(text), 1<<12), 1<<30, &sent)
			})
			r := configure(t, "http://"+addr+"/{zone}-{name}", "allow_http = true", "").run()
			if !strings.Contains(r.Sources[0].Reason, "the index is longer than") || sent.Load() > 64<<20 {
				t.Errorf("%d bytes, %s", sent.Load(), r.Encode())
			}
		})
	}
}

// TestNoPasswordInTheClear: a user is configured, and plain http.
func TestNoPasswordInTheClear(t *testing.T) {
	var visits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer server.Close()
	lines := fmt.Sprintf("allow_http = true\nuser = \"apnic\"\npassword_file = %q", secret(t, "sesame"))
	r := configure(t, server.URL+"/{zone}-{name}", lines, "").run()
	if visits.Load() != 0 || r.Sources[0].Outcome != zone.OutcomeAbsent || !strings.Contains(r.Sources[0].Reason, "in the clear") {
		t.Errorf("%d visits, %s", visits.Load(), r.Encode())
	}
}

// TestClearPassword: plain FTP knows no other way than to send the password as it is,
// which somebody should know.
func TestClearPassword(t *testing.T) {
	lines := fmt.Sprintf("user = \"apnic\"\npassword_file = %q", secret(t, "sesame"))
	wantNotice(t, configure(t, "ftp://127.0.0.1:1/{zone}-{name}", lines, "").run(), "clear-password", "user apnic")
	r := configure(t, "ftp://127.0.0.1:1/{zone}-{name}", lines+"\ntls = \"explicit\"", "").run()
	for _, n := range r.Notices {
		if n.Code == "clear-password" {
			t.Errorf("with TLS: %v", n)
		}
	}
}

func TestPasswordFileMustBePrivate(t *testing.T) {
	file := secret(t, "sesame")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	r := configure(t, "ftp://127.0.0.1:1/{zone}-{name}", fmt.Sprintf("password_file = %q", file), "").run()
	if !strings.Contains(r.Sources[0].Reason, "chmod 600") {
		t.Errorf("%s", r.Encode())
	}
}
