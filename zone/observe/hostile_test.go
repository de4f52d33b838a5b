package observe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// A liar is a server in process. It packs by itself what lie makes of a right answer,
// and sends that as often as lie returns it.
type liar struct {
	udp  net.PacketConn
	tcp  net.Listener
	lie  func(network string, right *dns.Msg) [][]byte
	seen atomic.Int64
}

func startLiar(t *testing.T, text string, lie func(network string, right *dns.Msg) [][]byte) *liar {
	t.Helper()
	port := peers.Port(t)
	at := fmt.Sprintf("127.0.0.1:%d", port)
	udp, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{udp: udp, tcp: tcp, lie: lie}
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	var records []dns.RR
	for line := range strings.Lines(text) {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rr)
	}
	go l.serveUDP(records)
	go l.serveTCP(records)
	return l
}

func (l *liar) addr() string { return l.udp.LocalAddr().String() }

// right is the answer of an honest server.
func right(ask *dns.Msg, records []dns.RR) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(ask)
	m.Authoritative = true
	q := ask.Question[0]
	for _, rr := range records {
		sig, ok := rr.(*dns.RRSIG)
		if rr.Header().Name == q.Name && (rr.Header().Rrtype == q.Qtype || ok && sig.TypeCovered == q.Qtype) {
			m.Answer = append(m.Answer, rr)
		}
	}
	if q.Name != testZone+"." && q.Qtype == dns.TypeNS { // a referral
		m.Answer, m.Ns, m.Authoritative = nil, m.Answer, false
		for _, rr := range records {
			if rr.Header().Name == q.Name && rr.Header().Rrtype == dns.TypeDS {
				m.Ns = append(m.Ns, rr)
			}
		}
	}
	return m
}

func (l *liar) serveUDP(records []dns.RR) {
	buf := make([]byte, 4096)
	for {
		n, from, err := l.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		ask := new(dns.Msg)
		if ask.Unpack(buf[:n]) != nil {
			continue
		}
		l.seen.Add(1)
		for _, wire := range l.lie("udp", right(ask, records)) {
			_, _ = l.udp.WriteTo(wire, from)
		}
	}
}

func (l *liar) serveTCP(records []dns.RR) {
	for {
		conn, err := l.tcp.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var length [2]byte
			if _, err := io.ReadFull(conn, length[:]); err != nil {
				return
			}
			buf := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			ask := new(dns.Msg)
			if ask.Unpack(buf) != nil {
				return
			}
			l.seen.Add(1)
			for _, wire := range l.lie("tcp", right(ask, records)) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...))
			}
		}()
	}
}

func pack(m *dns.Msg) []byte {
	m.Compress = true
	wire, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

// A lie is what a liar makes of a right answer, and what is to be said of it.
type lie struct {
	name  string
	lie   func(network string, m *dns.Msg) [][]byte
	fault zone.Fault // "": it does no harm
	says  string
}

func honest(m *dns.Msg) [][]byte { return [][]byte{pack(m)} }

// change is a liar that changes one thing.
func change(f func(m *dns.Msg)) func(string, *dns.Msg) [][]byte {
	return func(_ string, m *dns.Msg) [][]byte { f(m); return honest(m) }
}

// messageLies are about how an answer comes and what it is an answer to.
var messageLies = []lie{
	{"honest", change(func(*dns.Msg) {}), "", ""},
	{"over TCP only", func(network string, m *dns.Msg) [][]byte {
		if network == "udp" {
			m.Truncated, m.Answer = true, nil
		}
		return honest(m)
	}, "", ""},
	{"a forged one first", func(_ string, m *dns.Msg) [][]byte {
		forged := m.Copy()
		forged.Id++
		forged.Answer = nil
		return [][]byte{pack(forged), {1, 2, 3}, pack(m)}
	}, "", ""},
	{"another id", change(func(m *dns.Msg) { m.Id++ }), zone.FaultMalformed, "another id"},
	{"another question", change(func(m *dns.Msg) { m.Question[0].Name = "203.in-addr.arpa." }), zone.FaultMalformed, "another question"},
	{"another type", change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }), zone.FaultMalformed, "another question"},
	{"no answer but a query", change(func(m *dns.Msg) { m.Response = false }), zone.FaultMalformed, "no answer to a query"},
	{"truncated for ever", change(func(m *dns.Msg) { m.Truncated = true }), zone.FaultMalformed, "truncated over TCP too"},
	{"cut short", func(_ string, m *dns.Msg) [][]byte { w := pack(m); return [][]byte{w[:len(w)-5]} }, zone.FaultMalformed, "cannot be decoded"},
	{"garbage", func(string, *dns.Msg) [][]byte { return [][]byte{{0xff}} }, zone.FaultMalformed, "cannot be decoded"},
	{"a flood", func(network string, m *dns.Msg) [][]byte {
		m.Id++
		var many [][]byte
		for range 200 {
			many = append(many, pack(m))
		}
		return many
	}, zone.FaultMalformed, "another id"},
	{"too long for UDP, hanging up over TCP", func(network string, m *dns.Msg) [][]byte {
		if network == "tcp" {
			return nil
		}
		return [][]byte{append(pack(m), make([]byte, 2000)...)}
	}, zone.FaultSilent, "no answer over TCP"},
	{"huge", func(network string, m *dns.Msg) [][]byte {
		if network == "udp" {
			m.Truncated, m.Answer = true, nil
			return honest(m)
		}
		w := pack(m)
		binary.BigEndian.PutUint16(w[6:], 0xffff) // so many answers, all the same octets
		for rr := w[len(w)-16:]; len(w)+len(rr) <= 65535; {
			w = append(w, rr...)
		}
		return [][]byte{w}
	}, zone.FaultMalformed, ""},
}

// dataLies are about what stands in an answer.
var dataLies = []lie{
	{"many records", func(network string, m *dns.Msg) [][]byte {
		if network == "udp" {
			m.Truncated, m.Answer = true, nil
			return honest(m)
		}
		for i := range 100 {
			rr, _ := dns.NewRR(fmt.Sprintf("%s. 60 IN SOA a. b. %d 1 1 1 1", testZone, i))
			m.Answer = append(m.Answer, rr)
		}
		return honest(m)
	}, zone.FaultMalformed, "over 64 records"},
	{"not authoritative", change(func(m *dns.Msg) { m.Authoritative = false }), zone.FaultLame, "not authoritative"},
	{"refused", change(func(m *dns.Msg) { m.Rcode, m.Answer, m.Question = dns.RcodeRefused, nil, nil }), zone.FaultLame, "REFUSED"},
	{"no such name", change(func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeNameError, nil }), zone.FaultLame, "NXDOMAIN"},
	{"empty", change(func(m *dns.Msg) { m.Answer = nil }), zone.FaultLame, "holds no SOA"},
	{"somebody else's SOA", change(func(m *dns.Msg) {
		rr, _ := dns.NewRR("203.in-addr.arpa. 60 IN SOA a. b. 1 1 1 1 1")
		m.Answer = []dns.RR{rr}
	}), zone.FaultLame, "holds no SOA"},
	{"silent", func(string, *dns.Msg) [][]byte { return nil }, zone.FaultSilent, "no answer over UDP in time"},
}

// Every lie is a fault with its word, and the run goes on.
func TestLiars(t *testing.T) {
	for _, c := range slices.Concat(messageLies, dataLies) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := startLiar(t, w.text, c.lie)
			w.server("ns1.registry.example", l.addr())
			w.server("ns2.registry.example", l.addr())
			w.parent("a.arpa.example", l.addr())
			r, o := w.observe()
			s := o.Zone(testZone + ".").Servers[0]
			if s.Fault != c.fault || !strings.Contains(s.Reason, c.says) {
				t.Errorf("fault %q, %q; want %q, %q", s.Fault, s.Reason, c.fault, c.says)
			}
			if c.fault == "" && (s.Sampled != 8 || len(s.Missing)+len(s.Differs) > 0 || len(s.Sets) != 4) {
				t.Errorf("%+v", s)
			}
			if c.fault != "" && !r.Differs() {
				t.Error("nobody is told")
			}
			if l.seen.Load() > 200 {
				t.Errorf("%d questions", l.seen.Load())
			}
		})
	}
}

// A chatterer is a connection on which datagrams never end.
type chatterer struct {
	net.Conn
	reads int
}

func (c *chatterer) Write(b []byte) (int, error) { return len(b), nil }

func (c *chatterer) Read(b []byte) (int, error) {
	if c.reads++; c.reads > 1000 {
		return 0, io.EOF
	}
	return copy(b, "nonsense"), nil
}

// What never ends is not read to the end.
func TestChatterer(t *testing.T) {
	c := &chatterer{}
	ask := new(dns.Msg)
	ask.SetQuestion(testZone+".", dns.TypeSOA)
	_, err := overUDP(c, nil, ask, question{name: testZone + ".", typ: zone.TypeSOA})
	if faultOf(err) != zone.FaultMalformed || c.reads != maxDatagrams {
		t.Errorf("%d reads, %v", c.reads, err)
	}
}

// A server that answers nothing is given up: the run does not wait for it a hundred
// times.
func TestGivenUp(t *testing.T) {
	w := newWorld(t)
	l := startLiar(t, w.text, func(string, *dns.Msg) [][]byte { return nil })
	a := &asker{timeout: 20 * time.Millisecond, rate: 1000, id: func() uint16 { return 1 }, dial: new(net.Dialer).DialContext}
	worker := &worker{asker: a, now: testNow, told: func(*task) {}}
	var tasks []*task
	for range 100 {
		tasks = append(tasks, &task{target: target{server: "ns1.registry.example.", address: addr(t, l.addr())}, zone: testZone + ".", kind: taskDS})
	}
	worker.run(t.Context(), tasks)
	if n := a.count.Load(); n > giveUp+inFlight {
		t.Errorf("%d questions", n)
	}
	for _, task := range tasks {
		if !task.done || faultOf(task.got.err) != zone.FaultSilent {
			t.Fatalf("%+v", task.got)
		}
	}
	if !strings.Contains(tasks[99].got.err.Error(), "was not asked any more") {
		t.Error(tasks[99].got.err)
	}
}

// An interrupt ends the run at once, and what was not asked keeps what it had.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	bind := peers.StartNamed(t, peers.DNSConfig{Zones: []string{testZone}, Dir: w.folder(w.text)})
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", bind.Addr())
	w.parent("a.arpa.example", newParent(t, w, w.ksk.DS()).start().Addr())
	_, before := w.observe()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool, 1)
	l := startLiar(t, w.text, func(string, *dns.Msg) [][]byte {
		select {
		case asked <- true:
		default:
		}
		return nil
	})
	go func() { <-asked; cancel() }()
	w.extra = "" // the servers are the same, at other addresses
	w.server("ns1.registry.example", bind.Addr())
	w.server("ns2.registry.example", l.addr())
	w.parent("a.arpa.example", l.addr())
	w.now = w.now.Add(time.Hour)
	o := w.options()
	o.Config.Observe.Timeout = time.Hour
	r, err := Run(ctx, o)
	if err != nil || !r.Cancelled || !r.Recorded {
		t.Fatalf("%v, cancelled %v, recorded %v", err, r.Cancelled, r.Recorded)
	}
	z := w.recorded().Zone(testZone + ".")
	for _, s := range z.Servers {
		if s.Fault != "" || s.Address != before.Zones[0].Servers[0].Address {
			t.Errorf("%+v", s)
		}
	}
	if len(z.Delegation) != 0 {
		t.Errorf("%+v", z.Delegation)
	}
}

// A run that takes too long says so of everybody it did not get to.
func TestTotal(t *testing.T) {
	w := newWorld(t)
	l := startLiar(t, w.text, func(string, *dns.Msg) [][]byte { return nil })
	w.server("ns1.registry.example", l.addr())
	w.server("ns2.registry.example", l.addr())
	w.parent("a.arpa.example", l.addr())
	o := w.options()
	o.Config.Observe.Timeout, o.Config.Observe.Total = time.Hour, 50*time.Millisecond
	r, err := Run(t.Context(), o)
	if err != nil || r.Cancelled || !r.Recorded {
		t.Fatalf("%v, %+v", err, r)
	}
	wantCodes(t, r, "server-silent ns1.registry.example", "server-silent ns2.registry.example", "parent-unseen a.arpa.example")
	if !strings.Contains(r.Notices[0].Text, "longer than observe.total") {
		t.Error(r.Notices[0])
	}
}

// Two runs do not mix; the lock of the spool is waited for and given back.
func TestLocks(t *testing.T) {
	w := newWorld(t)
	l := startLiar(t, w.text, func(_ string, m *dns.Msg) [][]byte { return [][]byte{pack(m)} })
	w.server("ns1.registry.example", l.addr())
	w.server("ns2.registry.example", l.addr())
	w.parent("a.arpa.example", l.addr())
	spool := filepath.Join(w.dir, "spool")
	if err := os.MkdirAll(spool, 0o755); err != nil {
		t.Fatal(err)
	}
	release, err := publish.Lock(filepath.Join(spool, ownLockName))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Run(t.Context(), w.options()); !errors.Is(err, publish.ErrLocked) || r.Recorded || r.Error == "" {
		t.Errorf("%v, %+v", err, r)
	}
	_ = release()
	if release, err = publish.Lock(filepath.Join(spool, lockName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), w.options()); !errors.Is(err, publish.ErrLocked) {
		t.Errorf("nobody waits: %v", err)
	}
	o := w.options()
	o.Wait = func(_ context.Context, try int) bool {
		if try == 3 {
			_ = release()
		}
		return try < 5
	}
	if r, err := Run(t.Context(), o); err != nil || !r.Recorded {
		t.Errorf("%v, %+v", err, r)
	}
	if again, err := publish.Lock(filepath.Join(spool, lockName)); err != nil {
		t.Errorf("the lock was kept: %v", err)
	} else {
		_ = again()
	}
	// What cannot be read is not written over.
	if err := os.WriteFile(filepath.Join(spool, fileName), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), w.options()); err == nil || !strings.Contains(err.Error(), "move it away to begin anew") {
		t.Errorf("%v", err)
	}
}

// FuzzAnswer gives answers of strangers to what reads them.
func FuzzAnswer(f *testing.F) {
	ask := new(dns.Msg)
	ask.SetQuestion(testZone+".", dns.TypeSOA)
	ask.Id = 7
	m := new(dns.Msg)
	m.SetReply(ask)
	for _, line := range []string{testZone + ". 60 IN SOA a. b. 1 1 1 1 1", testZone + ". 60 IN RRSIG SOA 13 3 60 20261201000000 20261101000000 1 202.in-addr.arpa. AAAA", testZone + ". 60 IN DS 1 13 2 AABB"} {
		rr, err := dns.NewRR(line)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	f.Add(pack(m))
	f.Add(pack(ask))
	f.Add([]byte{0, 7, 0x84, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0})
	q := question{name: testZone + ".", typ: zone.TypeSOA}
	f.Fuzz(func(t *testing.T, wire []byte) {
		m, err := answerTo(ask, wire, q)
		if err != nil {
			if faultOf(err) != zone.FaultMalformed || len(reason(err)) > 310 {
				t.Errorf("%v", err)
			}
			return
		}
		_ = authoritative(m, q)
		for _, typ := range []zone.Type{zone.TypeSOA, zone.TypeDS, zone.TypeNSEC} {
			for _, section := range [][]dns.RR{m.Answer, m.Ns} {
				s, err := setIn(section, q.name, typ)
				if err != nil || s == nil {
					continue
				}
				ends(s, testNow)
				serialOf(s)
				o := zone.Observations{Version: zone.ObservationsVersion, Zones: []zone.ObservedZone{}, Sets: []zone.RRset{*s}}
				if _, err := zone.ParseObservations("o", o.Encode()); err != nil {
					t.Errorf("what was taken is refused: %v", err)
				}
			}
		}
	})
}
