package observe

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"nirzone/zone"
)

// A task is everything that one address is asked about one zone. Exactly one of
// the three kinds it is: the zone's apex and delegations, its DS set, or, for a
// parent, its DNSKEY and NS sets.
type task struct {
	target
	zone zone.Name
	kind taskKind
	want *published // of an apex task; nil: nothing is published
	done bool
	got  finding

	parent *parentPlan // of a task for a parent's own sets
}

type taskKind uint8

const (
	taskApex taskKind = iota
	taskDS
	taskKeys
)

// A finding is what an address said. With an error, the rest is what it said before
// that.
type finding struct {
	err     error
	sets    []*zone.RRset
	denied  bool
	serial  zone.Serial
	expires time.Time
	sampled int
	missing []zone.Name
	differs []zone.Name
}

const (
	inFlight = 4 // questions to one address at a time
	giveUp   = 3 // tasks in a row without any answer after which an address is left alone
)

// A worker asks one address everything, a few questions at a time.
type worker struct {
	asker   *asker
	now     time.Time
	strikes atomic.Int32
	told    func(*task)
}

// run works through the tasks of one address. Tasks that an interrupt kept from
// ending are not done.
func (w *worker) run(ctx context.Context, tasks []*task) {
	var g errgroup.Group
	g.SetLimit(inFlight)
	for _, t := range tasks {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			w.do(ctx, t)
			if ctx.Err() == nil {
				t.done = true
				w.told(t)
			}
			return nil
		})
	}
	_ = g.Wait() // tasks return no error
}

func (w *worker) do(ctx context.Context, t *task) {
	if w.strikes.Load() >= giveUp {
		t.got.err = fault(zone.FaultSilent, "it left %d questions in a row unanswered and was not asked any more", giveUp)
		return
	}
	switch t.kind {
	case taskApex:
		t.got.err = w.apex(ctx, t)
	case taskDS:
		t.got.err = w.ds(ctx, t)
	case taskKeys:
		t.got.err = w.keys(ctx, t)
	}
	if t.got.err != nil && faultOf(t.got.err) == zone.FaultSilent {
		w.strikes.Add(1)
	} else {
		w.strikes.Store(0)
	}
}

func (w *worker) ask(ctx context.Context, t *task, name zone.Name, typ zone.Type) (*dns.Msg, question, error) {
	q := question{name: name, typ: typ}
	m, err := w.asker.ask(ctx, t.address, q)
	return m, q, err
}

// set asks for a set and takes it if the answer is authoritative; nil: there is
// none.
func (w *worker) set(ctx context.Context, t *task, typ zone.Type) (*zone.RRset, error) {
	m, q, err := w.ask(ctx, t, t.zone, typ)
	if err == nil {
		err = authoritative(m, q)
	}
	if err != nil {
		return nil, err
	}
	s, err := setIn(m.Answer, t.zone, typ)
	if s != nil {
		w.keep(t, s)
	}
	return s, err
}

func (w *worker) keep(t *task, s *zone.RRset) {
	t.got.sets = append(t.got.sets, s)
	t.got.expires = earlier(t.got.expires, ends(s, w.now))
}

// apex asks for what is at the top of a zone, and for the sample.
func (w *worker) apex(ctx context.Context, t *task) error {
	for _, typ := range apexTypes {
		s, err := w.set(ctx, t, typ)
		if err != nil {
			return err
		}
		if typ != zone.TypeSOA {
			continue
		}
		if s == nil || len(s.Data) != 1 {
			return fault(zone.FaultLame, "%s SOA: the answer holds no SOA record (RFC 1912, section 2.8)", t.zone.File())
		}
		t.got.serial = serialOf(s)
	}
	// An older zone may hold other delegations by right.
	if t.want == nil || t.want.serial != t.got.serial {
		return nil
	}
	for i := range t.want.sample {
		if err := w.delegation(ctx, t, &t.want.sample[i]); err != nil {
			return err
		}
	}
	return nil
}

// delegation asks for the NS set of a delegation and holds the referral against
// what is published (RFC 1034, section 4.3.2; RFC 4035, section 3.1.4).
func (w *worker) delegation(ctx context.Context, t *task, d *delegation) error {
	m, q, err := w.ask(ctx, t, d.owner, zone.TypeNS)
	if err != nil {
		return err
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return authoritative(m, q)
	}
	t.got.sampled++
	if child, err := setIn(m.Answer, d.owner, zone.TypeNS); err == nil && child != nil && m.Authoritative {
		return nil // it serves the delegated zone too: what it says is the child's
	}
	ns, err := setIn(m.Ns, d.owner, zone.TypeNS)
	if err != nil {
		return err
	}
	if ns == nil {
		t.got.missing = append(t.got.missing, d.owner)
		return nil
	}
	ds, err := setIn(m.Ns, d.owner, zone.TypeDS)
	if err != nil {
		return err
	}
	if ds != nil {
		t.got.expires = earlier(t.got.expires, ends(ds, w.now))
	}
	if !sameData(ns, d.ns) || !sameData(ds, d.ds) {
		t.got.differs = append(t.got.differs, d.owner)
	}
	return nil
}

// sameData reports whether two sets hold the same records.
func sameData(a, b *zone.RRset) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.EqualFunc(a.Data, b.Data, func(x, y []byte) bool { return string(x) == string(y) })
}

// ds asks a server of the parent for a zone's DS set, or for the proof that there
// is none (RFC 4035, section 3.1.4.1).
func (w *worker) ds(ctx context.Context, t *task) error {
	m, q, err := w.ask(ctx, t, t.zone, zone.TypeDS)
	if err != nil {
		return err
	}
	denied := m.Rcode == dns.RcodeNameError
	if !denied {
		if err := authoritative(m, q); err != nil {
			return err
		}
	} else if !m.Authoritative {
		return fault(zone.FaultLame, "%s: the answer is not authoritative (RFC 1912, section 2.8)", q)
	}
	s, err := setIn(m.Answer, t.zone, zone.TypeDS)
	if err != nil {
		return err
	}
	if s == nil {
		t.got.denied = true
		if s, err = setIn(m.Ns, t.zone, zone.TypeNSEC); err != nil {
			return err
		}
	}
	if s != nil {
		w.keep(t, s)
	}
	return nil
}

// keys asks a server of the parent for the parent's own DNSKEY set, and who serves
// it. Whether the answers count is for the judge.
func (w *worker) keys(ctx context.Context, t *task) error {
	for _, typ := range []zone.Type{zone.TypeDNSKEY, zone.TypeNS} {
		s, err := w.set(ctx, t, typ)
		if err != nil {
			return err
		}
		if s == nil {
			return fault(zone.FaultLame, "%s has no %s set", t.zone.File(), typ)
		}
	}
	return nil
}

// reason is an error on one line, bounded: parts of it may be a stranger's words.
func reason(err error) string {
	if err == nil {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, err.Error())
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
