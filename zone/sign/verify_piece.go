package sign

import (
	"bytes"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// A piece is what was found in a part of the file, for join to put together.
type piece struct {
	first, last   []byte // packed owners
	firstName     string
	cut           []byte // packed: the last delegation
	from, to      int    // the entries of the merged zone that it holds
	wire          []byte // canonical
	sigs          int
	delegations   int
	expires       int64
	chained, next string // first name of the NSEC chain here, and what the last one points at
	chain         []link // of NSEC3
}

// A checker verifies pieces, one after the other. It is for one goroutine.
type checker struct {
	v     *verification
	r     *reader
	sig   sigCheck
	p     *piece
	types []uint16
}

func newChecker(v *verification) *checker {
	c := &checker{v: v, r: newReader()}
	c.sig = sigCheck{v: v, r: c.r}
	return c
}

func (c *checker) piece(text []byte) (*piece, error) {
	c.p = &piece{}
	c.r.wire = make([]byte, 0, len(text))
	c.sig.count, c.sig.expires = 0, 0
	if err := c.r.read(text, c.owner); err != nil {
		return nil, err
	}
	c.p.wire, c.p.sigs, c.p.expires = c.r.wire, c.sig.count, c.sig.expires
	return c.p, nil
}

// owner checks all there is at a name below the apex.
func (c *checker) owner(owner string, group []parsed) error {
	p, wire := c.p, c.r.ownerWire(group[0])
	if p.first == nil {
		p.first, p.firstName = bytes.Clone(wire), owner
		p.from = c.v.find(zone.Name(owner))
		p.to = p.from
	} else if canonicalCompare(p.last, wire) >= 0 {
		return fault(owner, "it is out of canonical order (RFC 4034, section 6.1)")
	}
	p.last = append(p.last[:0], wire...)
	if err := c.r.checkOrder(owner, group); err != nil {
		return err
	}
	if err := c.merged(owner, group); err != nil {
		return err
	}
	ns := len(ofType(group, dns.TypeNS)) > 0
	switch {
	case isBelow(wire, p.cut):
		return c.glue(owner, group)
	case c.v.nsec3() && len(ofType(group, dns.TypeNSEC3)) > 0:
		return c.hashed(owner, group)
	case ns:
		p.cut = append(p.cut[:0], wire...)
		p.delegations++
		c.setTypes(group, func(t uint16) bool { return t == dns.TypeNS || t == dns.TypeDS })
		return c.chain(owner, group, func(t uint16) bool { return t == dns.TypeDS || t == dns.TypeNSEC })
	default:
		all := func(uint16) bool { return true }
		c.setTypes(group, all)
		return c.chain(owner, group, all)
	}
}

// merged holds the records that are not DNSSEC's against the merged zone.
func (c *checker) merged(owner string, group []parsed) error {
	entries := c.v.z.Entries
	for _, g := range group {
		if g.typ == dns.TypeRRSIG || g.typ == c.v.denialType() {
			continue
		}
		i := c.p.to
		if i >= len(entries) {
			return fault(owner, "its %s is not in the merged zone", dns.Type(g.typ))
		}
		e := &entries[i]
		if string(e.Name) != owner || uint16(e.Type) != g.typ || e.TTL != g.ttl || string(e.Data) != string(c.r.rdata(g)) {
			return fault(owner, "the signed zone has %q where the merged zone has %q", strings.ReplaceAll(g.rr.String(), "\t", " "), strings.ReplaceAll(e.String(), "\t", " "))
		}
		c.p.to++
	}
	if i := c.p.to; i < len(entries) && string(entries[i].Name) == owner {
		return fault(owner, "its %s %s is missing", entries[i].Type, entries[i].Text())
	}
	return nil
}

// glue is neither signed nor in the chain (RFC 4035, sections 2.2 and 2.3).
func (c *checker) glue(owner string, group []parsed) error {
	for _, g := range group {
		if g.typ != dns.TypeA && g.typ != dns.TypeAAAA {
			return fault(owner, "it has %s, but lies below a delegation (RFC 4035, sections 2.2 and 2.3)", dns.Type(g.typ))
		}
	}
	return nil
}

// setTypes collects the types that the NSEC must list.
func (c *checker) setTypes(group []parsed, listed func(uint16) bool) {
	c.types = c.types[:0]
	for _, g := range group {
		if listed(g.typ) && g.typ < dns.TypeRRSIG && !slices.Contains(c.types, g.typ) {
			c.types = append(c.types, g.typ)
		}
	}
	c.types = append(c.types, dns.TypeRRSIG, dns.TypeNSEC)
}

// chain checks the signatures and, if the zone has such, the NSEC of a name.
func (c *checker) chain(owner string, group []parsed, signed func(uint16) bool) error {
	if c.v.nsec3() {
		return c.sig.sets(owner, group, signed)
	}
	next, err := c.v.nsec(owner, group, c.types)
	if err != nil {
		return err
	}
	if c.p.chained == "" {
		c.p.chained = owner
	} else if c.p.next != owner {
		return fault(owner, "the NSEC before it points at %s (RFC 4035, section 2.3)", c.p.next)
	}
	c.p.next = next
	return c.sig.sets(owner, group, signed)
}
