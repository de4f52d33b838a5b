package sign

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/miekg/dns"
)

// A parsed record: what the DNS library read, and where in the reader's wire
// buffer it packed it.
type parsed struct {
	rr               dns.RR
	typ              uint16
	ttl              uint32
	start, data, end int // the record is wire[start:end], its data wire[data:end]
}

// A reader turns text into groups of records with one owner. It is for one
// goroutine: it reuses its buffers.
type reader struct {
	wire    []byte // of everything read since reset
	scratch []byte
	group   []parsed
}

func newReader() *reader { return &reader{scratch: make([]byte, 1<<16+512)} }

// read calls each with the records of every owner, in the order of the text.
func (r *reader) read(text []byte, each func(owner string, group []parsed) error) error {
	if err := checkLines(text); err != nil {
		return err
	}
	p := dns.NewZoneParser(bytes.NewReader(text), "", "")
	owner := ""
	r.group = r.group[:0]
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		h := rr.Header()
		if h.Name != owner && len(r.group) > 0 {
			if err := each(owner, r.group); err != nil {
				return err
			}
			r.group = r.group[:0]
		}
		owner = h.Name
		if err := r.pack(rr); err != nil {
			return err
		}
	}
	if err := p.Err(); err != nil {
		return fault(owner, "parsing what follows: %w (RFC 1035, section 5)", err)
	}
	if len(r.group) == 0 {
		return nil
	}
	return each(owner, r.group)
}

// checkLines refuses directives, and lines that leave out their owner: what they
// mean depends on lines before them, which may be in another piece.
func checkLines(text []byte) error {
	for len(text) > 0 {
		if c := text[0]; c == '$' || c == ' ' || c == '\t' {
			return fault(string(text[:min(len(text), 40)]), "a line begins with a directive or without an owner")
		}
		text = text[lineLength(text):]
	}
	return nil
}

// pack adds a record to the group. The DNS library packs names as they are
// written: one in upper case is not canonical, and its signature will not verify.
func (r *reader) pack(rr dns.RR) error {
	h := rr.Header()
	if h.Class != dns.ClassINET {
		return fault(h.Name, "class %s (RFC 1035, section 5.2)", dns.Class(h.Class))
	}
	if !known(rr) {
		return fault(h.Name, "its %s is written in the form of unknown types (RFC 3597, section 5)", dns.Type(h.Rrtype))
	}
	n, err := dns.PackRR(rr, r.scratch, 0, nil, false)
	if err != nil {
		return fault(h.Name, "packing its %s: %w", dns.Type(h.Rrtype), err)
	}
	start := len(r.wire)
	r.wire = append(r.wire, r.scratch[:n]...)
	owner := 0
	for r.scratch[owner] != 0 {
		owner += 1 + int(r.scratch[owner])
	}
	r.group = append(r.group, parsed{rr, h.Rrtype, h.Ttl, start, start + owner + 1 + 10, start + n})
	return nil
}

// known reports whether the library parsed a record as its type, as far as it
// matters here.
func known(rr dns.RR) bool {
	var ok bool
	switch rr.Header().Rrtype {
	case dns.TypeRRSIG:
		_, ok = rr.(*dns.RRSIG)
	case dns.TypeNSEC:
		_, ok = rr.(*dns.NSEC)
	case dns.TypeNSEC3:
		_, ok = rr.(*dns.NSEC3)
	case dns.TypeNSEC3PARAM:
		_, ok = rr.(*dns.NSEC3PARAM)
	case dns.TypeSOA:
		_, ok = rr.(*dns.SOA)
	case dns.TypeNS:
		_, ok = rr.(*dns.NS)
	case dns.TypeDNSKEY:
		_, ok = rr.(*dns.DNSKEY)
	case dns.TypeZONEMD:
		_, ok = rr.(*dns.ZONEMD)
	default:
		ok = true
	}
	return ok
}

// ownerWire returns the packed owner of a record.
func (r *reader) ownerWire(p parsed) []byte { return r.wire[p.start : p.data-10] }

func (r *reader) rdata(p parsed) []byte { return r.wire[p.data:p.end] }

func (r *reader) compare(a, b parsed) int {
	return cmp.Or(cmp.Compare(a.typ, b.typ), bytes.Compare(r.rdata(a), r.rdata(b)))
}

// checkOrder refuses records of one owner that are out of canonical order or
// there twice (RFC 4034, section 6.3).
func (r *reader) checkOrder(owner string, group []parsed) error {
	for i := 1; i < len(group); i++ {
		if r.compare(group[i-1], group[i]) >= 0 {
			return fault(owner, "its %s is out of canonical order or there twice (RFC 4034, section 6.3)", dns.Type(group[i].typ))
		}
		if a, b := group[i-1], group[i]; a.typ == b.typ && a.ttl != b.ttl && a.typ != dns.TypeRRSIG {
			return fault(owner, "its %s set has two TTLs (RFC 2181, section 5.2)", dns.Type(a.typ))
		}
	}
	return nil
}

// canonicalCompare orders packed names (RFC 4034, section 6.1): label by label
// from the right.
func canonicalCompare(a, b []byte) int {
	x, y := labelStarts(a), labelStarts(b)
	for i := 1; i <= min(len(x), len(y)); i++ {
		l, m := label(a, x[len(x)-i]), label(b, y[len(y)-i])
		if c := bytes.Compare(l, m); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

func labelStarts(name []byte) []int {
	starts := make([]int, 0, 40)
	for i := 0; name[i] != 0; i += 1 + int(name[i]) {
		starts = append(starts, i)
	}
	return starts
}

func label(name []byte, i int) []byte { return name[i+1 : i+1+int(name[i])] }

// isBelow reports whether a packed name is a descendant of another.
func isBelow(name, ancestor []byte) bool {
	return len(ancestor) > 0 && len(name) > len(ancestor) && bytes.HasSuffix(name, ancestor) &&
		slices.Contains(labelStarts(name), len(name)-len(ancestor))
}
