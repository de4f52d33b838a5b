package fetch

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// listen serves every connection of a loopback port with f, until the test ends.
func listen(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// drip writes the same bytes until the other side has had enough, or limit bytes are
// through, and counts.
func drip(c net.Conn, b []byte, limit int64, sent *atomic.Int64) {
	for sent.Load() < limit {
		n, err := c.Write(b)
		sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// A fakeFTP is an FTP server over a folder that lies where its hooks say so. It is
// for what no real server does.
type fakeFTP struct {
	dir   string
	hooks map[string]func(c net.Conn, arg string) (done bool)
	data  func(c net.Conn, name string) // instead of sending the file or listing
	pasv  string                        // the address that PASV names, as h1,h2,h3,h4
	end   string                        // instead of 226
	sent  atomic.Int64

	mu   sync.Mutex // of hooks, data, pasv and seen: a connection may outlive its run
	seen []string   // commands
}

// arm changes what the server does from now on.
func (f *fakeFTP) arm(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeFTP) hook(cmd string) func(net.Conn, string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hooks[cmd]
}

func (f *fakeFTP) start(t testing.TB) string {
	return "ftp://" + listen(t, func(c net.Conn) { f.serve(t, c) }) + "/{zone}-{name}"
}

func (f *fakeFTP) commands(prefix string) (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out
}

func (f *fakeFTP) serve(t testing.TB, c net.Conn) {
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	if h := f.hook("banner"); h != nil && h(c, "") {
		return
	}
	say("220 ready")
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		f.mu.Lock()
		f.seen = append(f.seen, line)
		f.mu.Unlock()
		cmd, arg, _ := strings.Cut(line, " ")
		if h := f.hook(cmd); h != nil && h(c, arg) {
			continue
		}
		switch cmd {
		case "USER":
			say("331 password")
		case "PASS":
			say("230 in")
		case "FEAT":
			say("211-Features\r\n MDTM\r\n SIZE\r\n211 End")
		case "TYPE", "CWD":
			say("250 fine")
			if cmd == "TYPE" {
				continue
			}
		case "SIZE":
			if info, err := os.Stat(filepath.Join(f.dir, arg)); err == nil {
				say("213 %d", info.Size())
			} else {
				say("550 no")
			}
		case "MDTM":
			if info, err := os.Stat(filepath.Join(f.dir, arg)); err == nil {
				say("213 %s", info.ModTime().UTC().Format("20060102150405"))
			} else {
				say("550 no")
			}
		case "EPSV", "PASV":
			if data != nil {
				data.Close()
			}
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Error(err)
				return
			}
			port := data.Addr().(*net.TCPAddr).Port
			if cmd == "EPSV" {
				say("229 Extended (|||%d|)", port)
			} else {
				f.mu.Lock()
				say("227 Passive (%s,%d,%d)", f.pasv, port/256, port%256)
				f.mu.Unlock()
			}
		case "RETR", "NLST":
			f.transfer(say, data, cmd, arg)
		default:
			say("502 no")
		}
	}
}

func (f *fakeFTP) transfer(say func(string, ...any), l net.Listener, cmd, arg string) {
	body, err := os.ReadFile(filepath.Join(f.dir, arg))
	if cmd == "NLST" {
		list, _ := os.ReadDir(f.dir)
		body, err = nil, nil
		for _, e := range list {
			body = append(body, e.Name()+"\r\n"...)
		}
	}
	if err != nil {
		say("550 no such file")
		return
	}
	say("150 here it comes")
	d, err := l.Accept()
	if err != nil {
		return
	}
	f.mu.Lock()
	data := f.data
	f.mu.Unlock()
	if data != nil {
		data(d, strings.TrimSpace(cmd+" "+arg))
	} else {
		_, _ = d.Write(body)
	}
	d.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	say("%s", cmp.Or(f.end, "226 done"))
}

// TYPE answers 200.
func typeHook(c net.Conn, _ string) bool { fmt.Fprint(c, "200 binary\r\n"); return true }

func newFakeFTP(dir string) *fakeFTP {
	return &fakeFTP{dir: dir, pasv: "127,0,0,1", hooks: map[string]func(net.Conn, string) bool{"TYPE": typeHook}}
}

func refuse(code int) func(net.Conn, string) bool {
	return func(c net.Conn, _ string) bool { fmt.Fprint(c, strconv.Itoa(code)+" no\r\n"); return true }
}
