package observe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

const (
	udpSize      = 1232 // RFC 9715, section 3.2: no fragments
	maxDatagrams = 16   // read for one question: whoever sends more is not answering
)

// A question is asked of one address.
type question struct {
	name    zone.Name
	typ     zone.Type
	recurse bool // of a resolver, which is told not to validate (CD)
}

func (q question) String() string { return fmt.Sprintf("%s %s", q.name.File(), q.typ) }

// A faultError is why there is no good answer.
type faultError struct {
	fault zone.Fault
	text  string
}

func (e *faultError) Error() string { return e.text }

func fault(f zone.Fault, format string, args ...any) error {
	return &faultError{f, fmt.Sprintf(format, args...)}
}

// faultOf returns the word for an error; what has none is silence.
func faultOf(err error) zone.Fault {
	var f *faultError
	if errors.As(err, &f) {
		return f.fault
	}
	return zone.FaultSilent
}

// An asker asks questions over UDP and TCP.
type asker struct {
	timeout time.Duration
	retries int
	rate    int
	id      func() uint16
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	count   atomic.Int64

	mu    sync.Mutex
	paces map[netip.AddrPort]*pace
}

// ask returns the first answer to the question that came from the address. Its
// errors are faults, or that ctx has ended.
func (a *asker) ask(ctx context.Context, addr netip.AddrPort, q question) (*dns.Msg, error) {
	var err error
	for range 1 + a.retries {
		var m *dns.Msg
		m, err = a.try(ctx, "udp", addr, q)
		if err == nil && !m.Truncated {
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil && faultOf(err) == zone.FaultSilent {
			continue
		}
		// Truncated (RFC 7766, section 5), or broken: nobody can slip a datagram into TCP.
		m, err = a.try(ctx, "tcp", addr, q)
		if err == nil && m.Truncated {
			return nil, fault(zone.FaultMalformed, "%s: the answer is truncated over TCP too (RFC 7766, section 5)", q)
		}
		return m, err
	}
	return nil, err
}

// try asks once.
func (a *asker) try(ctx context.Context, network string, addr netip.AddrPort, q question) (*dns.Msg, error) {
	if err := a.wait(ctx, addr); err != nil {
		return nil, err
	}
	a.count.Add(1)
	ask := a.message(q)
	wire, err := ask.Pack()
	if err != nil {
		return nil, fault(zone.FaultMalformed, "%s: the question cannot be sent: %v", q, err)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	conn, err := a.dial(ctx, network, addr.String())
	if err != nil {
		return nil, silence(q, network, err)
	}
	defer conn.Close()
	// The deadline is the context's, so that an interrupt ends a read too.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		return overTCP(conn, wire, ask, q)
	}
	return overUDP(conn, wire, ask, q)
}

func (a *asker) message(q question) *dns.Msg {
	m := new(dns.Msg)
	m.Id = a.id()
	m.RecursionDesired, m.CheckingDisabled = q.recurse, q.recurse
	m.Question = []dns.Question{{Name: string(q.name), Qtype: uint16(q.typ), Qclass: dns.ClassINET}}
	m.SetEdns0(udpSize, true)
	return m
}

// silence is a fault of the network; where it is known, the text says which.
func silence(q question, network string, err error) error {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return fault(zone.FaultSilent, "%s: no answer over %s in time", q, network)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fault(zone.FaultSilent, "%s: no answer over %s: %v", q, network, err)
}

// overUDP reads datagrams until one answers: others may be forged (RFC 5452,
// section 9).
func overUDP(conn net.Conn, wire []byte, ask *dns.Msg, q question) (*dns.Msg, error) {
	if _, err := conn.Write(wire); err != nil {
		return nil, silence(q, "UDP", err)
	}
	buf := make([]byte, udpSize+1)
	var wrong error
	for range maxDatagrams {
		n, err := conn.Read(buf)
		if err != nil {
			if wrong != nil {
				return nil, wrong
			}
			return nil, silence(q, "UDP", err)
		}
		if n > udpSize {
			wrong = fault(zone.FaultMalformed, "%s: the answer is longer than the %d octets that were asked for (RFC 6891, section 6.2.3)", q, udpSize)
			continue
		}
		m, err := answerTo(ask, buf[:n], q)
		if err == nil {
			return m, nil
		}
		wrong = err
	}
	return nil, wrong
}

func overTCP(conn net.Conn, wire []byte, ask *dns.Msg, q question) (*dns.Msg, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
	if _, err := conn.Write(framed); err != nil {
		return nil, silence(q, "TCP", err)
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, silence(q, "TCP", err)
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, silence(q, "TCP", err)
	}
	return answerTo(ask, buf, q)
}

// answerTo decodes a message and holds it against the question.
func answerTo(ask *dns.Msg, wire []byte, q question) (m *dns.Msg, err error) {
	defer func() {
		if r := recover(); r != nil { // in the library; these are a stranger's octets
			m, err = nil, fault(zone.FaultMalformed, "%s: the answer cannot be decoded: %v", q, r)
		}
	}()
	m = new(dns.Msg)
	if err := m.Unpack(wire); err != nil && !m.Truncated {
		return nil, fault(zone.FaultMalformed, "%s: the answer cannot be decoded: %v", q, err)
	}
	switch {
	case m.Id != ask.Id:
		return nil, fault(zone.FaultMalformed, "%s: the answer bears another id (RFC 5452, section 9.1)", q)
	case !m.Response || m.Opcode != dns.OpcodeQuery:
		return nil, fault(zone.FaultMalformed, "%s: what came is no answer to a query (RFC 1035, section 4.1.1)", q)
	case len(m.Question) == 0 && m.Rcode != dns.RcodeSuccess: // some refuse so
	case len(m.Question) != 1 || !strings.EqualFold(m.Question[0].Name, ask.Question[0].Name) ||
		m.Question[0].Qtype != ask.Question[0].Qtype || m.Question[0].Qclass != dns.ClassINET:
		return nil, fault(zone.FaultMalformed, "%s: the answer is to another question (RFC 5452, section 9.1)", q)
	}
	return m, nil
}

// A pace spreads the questions to one address.
type pace struct {
	mu   sync.Mutex
	tick *time.Timer
}

// wait holds a question back until the address may get one more.
func (a *asker) wait(ctx context.Context, addr netip.AddrPort) error {
	a.mu.Lock()
	if a.paces == nil {
		a.paces = map[netip.AddrPort]*pace{}
	}
	p := a.paces[addr]
	if p == nil {
		p = &pace{tick: time.NewTimer(0)}
		a.paces[addr] = p
	}
	a.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.tick.C:
		p.tick.Reset(time.Second / time.Duration(a.rate))
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
