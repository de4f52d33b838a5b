package fetch

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"nirzone/zone"
)

// hostileFTP are servers that must be survived: what is configured, and what the
// report says of them. All have two zonelets that were accepted before.
var hostileFTP = map[string]struct {
	arm    func(f *fakeFTP, s *site)
	lines  string
	fetch  string
	reason string
	notice string
	good   bool  // the run succeeds all the same
	sent   int64 // the server got rid of at most so many bytes
}{
	"endless reply line": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["banner"] = func(c net.Conn, _ string) bool {
				fmt.Fprint(c, "220 ")
				drip(c, bytes.Repeat([]byte("a"), 1<<16), 1<<30, &f.sent)
				return true
			}
		},
		reason: "reply line is longer than 4096 bytes", sent: 16 << 20,
	},
	"endless reply of many lines": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["PASS"] = func(c net.Conn, _ string) bool {
				drip(c, bytes.Repeat([]byte("230-welcome\r\n"), 1<<12), 1<<30, &f.sent)
				return true
			}
		},
		reason: "the server sent more than was agreed to", sent: 16 << 20,
	},
	"hangs after accepting": {
		arm:   func(f *fakeFTP, _ *site) { f.hooks["banner"] = hang },
		fetch: "idle = \"500ms\"\nretries = 1", reason: "nothing was heard for 500ms",
	},
	"hangs in a transfer": {
		arm:   func(f *fakeFTP, _ *site) { f.data = func(c net.Conn, _ string) { hang(c, "") } },
		fetch: "idle = \"500ms\"\nretries = 0", reason: "nothing was heard for 500ms",
	},
	"resets in a transfer": {
		arm: func(f *fakeFTP, _ *site) {
			f.data = func(c net.Conn, _ string) {
				fmt.Fprint(c, "MD5 (")
				_ = c.(*net.TCPConn).SetLinger(0)
			}
		},
		fetch: "retries = 1", reason: "connection reset by peer",
	},
	"lies with 226": {
		arm: func(f *fakeFTP, s *site) {
			f.data = func(c net.Conn, name string) {
				b, _ := os.ReadFile(s.dir + "/" + strings.TrimPrefix(name, "RETR "))
				_, _ = c.Write(b[:len(b)/2])
			}
		},
		fetch: "retries = 1", reason: "bytes arrived of the",
	},
	"cuts short and hides the size": {
		arm: func(f *fakeFTP, s *site) {
			f.hooks["SIZE"] = refuse(500)
			f.data = func(c net.Conn, name string) {
				b, _ := os.ReadFile(s.dir + "/" + strings.TrimPrefix(name, "RETR "))
				if !strings.HasSuffix(name, "JPNIC") {
					_, _ = c.Write(b)
					return
				}
				_, _ = c.Write(b[:len(b)/2])
			}
		},
		reason: "the sum of 202.in-addr.arpa-JPNIC is", good: true, // a race at first
	},
	"names a foreign address": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["EPSV"] = refuse(500)
			f.pasv = "192,0,2,1"
		},
		good: true, notice: "the server's PASV reply names the address 192.0.2.1; it was not dialled",
	},
	"a gigabyte of garbage": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["SIZE"] = refuse(500)
			f.data = func(c net.Conn, name string) { drip(c, make([]byte, 1<<16), 1<<30, &f.sent) }
		},
		lines: "max_bytes = 100000\nrequire = []", reason: "more than max_bytes = 100000", sent: 32 << 20,
	},
	"announces a gigabyte": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["SIZE"] = func(c net.Conn, _ string) bool { fmt.Fprint(c, "213 1000000000\r\n"); return true }
		},
		reason: "has 1000000000 bytes, more than the 4096 bytes that a seal may have",
	},
	"drips": {
		arm: func(f *fakeFTP, _ *site) {
			f.data = func(c net.Conn, _ string) {
				for {
					if _, err := c.Write([]byte("M")); err != nil {
						return
					}
					time.Sleep(time.Millisecond) // what a slow server does
				}
			}
		},
		fetch: "idle = \"10s\"\ntotal = \"200ms\"", lines: "max_bytes = 1000000\nrequire = []", reason: "the source took longer than fetch.total = 200ms",
	},
	"ends with 426": {
		arm: func(f *fakeFTP, s *site) {
			f.hooks["SIZE"] = refuse(500)
			f.end = "426 connection closed, transfer aborted"
			f.data = func(c net.Conn, _ string) { fmt.Fprint(c, "half") }
		},
		lines: "require = []", fetch: "retries = 1", reason: "ending the transfer: the server says 426",
	},
	"changes in a transfer": {
		arm: func(f *fakeFTP, _ *site) {
			n := 0
			f.hooks["MDTM"] = func(c net.Conn, _ string) bool {
				n++
				fmt.Fprintf(c, "213 202611211200%02d\r\n", n%60)
				return true
			}
		},
		lines: "require = []", fetch: "retries = 1", reason: "changed while it was transferred",
	},
	"speaks to the terminal": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["banner"] = func(c net.Conn, _ string) bool { fmt.Fprint(c, "\x1b]0;owned\x07\x1b[2J\r\n"); return true }
		},
		fetch: "retries = 1", reason: "short response",
	},
	"speaks to the terminal in a reply": {
		arm: func(f *fakeFTP, _ *site) {
			f.hooks["USER"] = func(c net.Conn, _ string) bool { fmt.Fprint(c, "299 \x1b[2J\r\n"); return true }
		},
		fetch: "retries = 1", reason: "?[2J",
	},
	"gives zero bytes": {
		arm: func(_ *fakeFTP, s *site) {
			s.write("202.in-addr.arpa-JPNIC", nil)
			s.write("203.in-addr.arpa-JPNIC", nil)
		},
		reason: "the file has zero bytes",
	},
	"has nothing any more": {
		arm: func(_ *fakeFTP, s *site) {
			s.remove("202.in-addr.arpa-JPNIC")
			s.remove("203.in-addr.arpa-JPNIC")
		},
		lines: "require = []", reason: "the server has no such file (550",
	},
}

func hang(c net.Conn, _ string) bool {
	_, _ = c.Read(make([]byte, 1)) // until the other side closes
	_, _ = c.Read(make([]byte, 1))
	return true
}

func TestHostileFTP(t *testing.T) {
	for name, c := range hostileFTP {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.put("202.in-addr.arpa-JPNIC", zonelet(202, 10))
			site.put("203.in-addr.arpa-JPNIC", zonelet(203, 10))
			f := newFakeFTP(site.dir)
			s := configure(t, f.start(t), "zones = [\"202.in-addr.arpa\", \"203.in-addr.arpa\"]\n"+c.lines, c.fetch)
			if !strings.Contains(c.fetch, "total") {
				wantZones(t, s.run(), "202=new 203=new")
			}
			site.put("202.in-addr.arpa-JPNIC", zonelet(202, 11))
			site.put("203.in-addr.arpa-JPNIC", zonelet(203, 11))
			f.arm(func() { c.arm(f, site) })
			r := s.run()
			if r.Failed() == c.good {
				t.Fatalf("failed is %v\n%s", r.Failed(), r.Encode())
			}
			if !strings.Contains(string(r.Encode()), c.reason) {
				t.Errorf("no %q in\n%s", c.reason, r.Encode())
			}
			if c.notice != "" {
				wantNotice(t, r, "foreign-pasv", c.notice)
			}
			for _, n := range r.Notices {
				if strings.ContainsFunc(r.Sources[0].Reason+n.Text, unicode.IsControl) {
					t.Errorf("control characters in %q or %q", r.Sources[0].Reason, n.Text)
				}
			}
			if n := f.sent.Load(); n > c.sent && c.sent > 0 {
				t.Errorf("the server could send %d bytes", n)
			}
			if c.good || strings.Contains(c.fetch, "total") {
				return
			}
			for _, z := range []zone.Name{zone202, zone203} {
				if e := s.entry(z); e.Accepted == nil || e.Last.Outcome != zone.OutcomeKept || e.Last.Reason == "" {
					t.Errorf("%s: the last good version did not stay: %+v", z, e)
				}
			}
		})
	}
}

// TestListingCannotLead: of all a listing names, only the configured files are
// asked for.
func TestListingCannotLead(t *testing.T) {
	site := newSite(t)
	site.put("202.in-addr.arpa-JPNIC", zonelet(202, 10))
	f := newFakeFTP(site.dir)
	f.data = func(c net.Conn, name string) {
		if name != "NLST" {
			b, _ := os.ReadFile(site.dir + "/" + strings.TrimPrefix(name, "RETR "))
			_, _ = c.Write(b)
			return
		}
		fmt.Fprint(c, "../../etc/passwd\r\n/etc/passwd\r\n\x1b[2J\r\n202.in-addr.arpa-JPNIC/../../x\r\n"+
			"..\r\n../\r\n204.in-addr.arpa-JPNIC\r\n202.IN-ADDR.ARPA-jpnic\r\n202.in-addr.arpa-JPNIC\r\n")
	}
	s := configure(t, f.start(t), "", "")
	wantZones(t, s.run(), "202=new")
	for _, cmd := range append(f.commands("RETR"), f.commands("SIZE")...) {
		if _, name, _ := strings.Cut(cmd, " "); !strings.HasPrefix(name, "202.in-addr.arpa-JPNIC") || strings.Contains(name, "/") {
			t.Errorf("the server was asked %q", cmd)
		}
	}
}

func TestEndlessListing(t *testing.T) {
	for name, line := range map[string]string{"lines": "x-JPNIC\r\n", "one line": "x"} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFTP(newSite(t).dir)
			f.data = func(c net.Conn, _ string) { drip(c, bytes.Repeat([]byte(line), 1<<13), 1<<30, &f.sent) }
			r := configure(t, f.start(t), "", "retries = 0").run()
			if !r.Failed() || r.Sources[0].Outcome != zone.OutcomeAbsent || r.Sources[0].Reason == "" {
				t.Errorf("%s", r.Encode())
			}
			t.Log(r.Sources[0].Reason)
			if n := f.sent.Load(); n > 64<<20 {
				t.Errorf("the server could send %d bytes", n)
			}
		})
	}
}

// TestLongTransfer: the control connection is silent for as long as data flows, which
// may be longer than fetch.idle.
func TestLongTransfer(t *testing.T) {
	site := newSite(t)
	site.put(file202, zonelet(202, 5))
	f := newFakeFTP(site.dir)
	f.data = func(c net.Conn, name string) {
		b, _ := os.ReadFile(site.dir + "/" + strings.TrimPrefix(name, "RETR "))
		parts := 1
		if name == "RETR "+file202 {
			parts = 10
		}
		for i := range parts {
			time.Sleep(time.Duration(parts-1) * 100 * time.Millisecond / 9) // a slow network
			_, _ = c.Write(b[i*len(b)/parts : (i+1)*len(b)/parts])
		}
	}
	r := configure(t, f.start(t), one, "idle = \"600ms\"\nretries = 0").run()
	wantZones(t, r, "202=new")
}

// TestListingOfNothing: an empty folder is more likely a mistake than the wish of a
// source to be forgotten.
func TestListingOfNothing(t *testing.T) {
	site, _, s := served(t, "")
	s.config.Sources[0].Listed = true
	site.remove(file202)
	r := s.run()
	wantZones(t, r, "202=kept")
	if !strings.Contains(r.Sources[0].Reason, "none of the 1 names this source may publish, such as "+file202) {
		t.Errorf("%s", r.Encode())
	}
}

// TestSourceMoves: what another server said of its files means nothing.
func TestSourceMoves(t *testing.T) {
	site, _, s := served(t, "")
	f := newFakeFTP(site.dir)
	s.config.Sources[0].URL = f.start(t)
	wantZones(t, s.run(), "202=unchanged")
	if n := len(f.commands("RETR")); n != 3 {
		t.Errorf("%d transfers from the new server, want 3", n)
	}
}

func TestTooManyFiles(t *testing.T) {
	site := newSite(t)
	site.put("202.in-addr.arpa-JPNIC", zonelet(202, 1))
	site.put("203.in-addr.arpa-JPNIC", zonelet(203, 1))
	f := newFakeFTP(site.dir)
	r := configure(t, f.start(t), "max_files = 1", "").run()
	if !strings.Contains(r.Sources[0].Reason, "more than max_files = 1") {
		t.Errorf("%s", r.Encode())
	}
}

// TestTLSIsNotOptional: a server, or somebody in between, that refuses AUTH TLS gets
// neither the user nor the password, nor is anything fetched in the clear.
func TestTLSIsNotOptional(t *testing.T) {
	f := newFakeFTP(newSite(t).dir)
	lines := fmt.Sprintf("tls = \"explicit\"\nuser = \"apnic\"\npassword_file = %q", secret(t, "sesame"))
	r := configure(t, f.start(t), lines, "").run()
	if r.Sources[0].Outcome != zone.OutcomeAbsent || !strings.Contains(r.Sources[0].Reason, "502") {
		t.Errorf("%s", r.Encode())
	}
	if got := f.commands("AUTH TLS"); len(got) == 0 {
		t.Error("TLS was not asked for")
	}
	for _, cmd := range []string{"USER", "PASS", "RETR", "NLST"} {
		if got := f.commands(cmd); len(got) > 0 {
			t.Errorf("sent in the clear: %q", got)
		}
	}
}
