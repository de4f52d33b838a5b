package sign

import (
	"bytes"
	"crypto/sha512"
	"hash"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// apexFound is what the apex says, after it was verified.
type apexFound struct {
	owner   []byte // packed
	next    string // of its NSEC; empty with NSEC3
	digest  string // of its ZONEMD, lower-case hex
	hash    hash.Hash
	sigs    int
	expires int64
}

// apex verifies all there is at the apex and fills in the DNSKEY set.
func (v *verification) apex(text []byte, keys []Key) (*apexFound, error) {
	r := newReader()
	var group []parsed
	err := r.read(text, func(_ string, g []parsed) error {
		group = slices.Clone(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(group) == 0 || group[0].typ != dns.TypeSOA {
		return nil, fault(v.origin, "the file does not begin with the zone's SOA (RFC 1035, section 5.2)")
	}
	r.sort(group)
	steps := []func(*reader, []parsed) error{
		func(r *reader, g []parsed) error { return r.checkOrder(v.origin, g) },
		func(_ *reader, g []parsed) error { return v.apexTypes(g, keys) },
		v.soa, v.apexNS,
		func(r *reader, g []parsed) error { return v.dnskeys(r, g, keys) },
		func(_ *reader, g []parsed) error { return v.cds(g, keys) },
	}
	for _, step := range steps {
		if err := step(r, group); err != nil {
			return nil, err
		}
	}
	c := sigCheck{v: v, r: r}
	if err := c.sets(v.origin, group, func(uint16) bool { return true }); err != nil {
		return nil, err
	}
	a := &apexFound{owner: bytes.Clone(r.ownerWire(group[0])), hash: sha512.New384(), sigs: c.count, expires: c.expires}
	if v.nsec3() {
		err = v.param(group)
	} else {
		a.next, err = v.nsec(v.origin, group, v.apexBitmap)
	}
	if err != nil {
		return nil, err
	}
	a.digest, err = v.zonemd(r, group, a.hash)
	return a, err
}

// sort puts the group, and its wire form, into canonical order: the SOA comes
// first in the file only.
func (r *reader) sort(group []parsed) {
	slices.SortStableFunc(group, r.compare)
	old := r.wire
	r.wire = nil
	for i, g := range group {
		d := len(r.wire) - g.start
		r.wire = append(r.wire, old[g.start:g.end]...)
		group[i].start, group[i].data, group[i].end = g.start+d, g.data+d, g.end+d
	}
}

// apexTypes finds out which types must be at the apex and refuses any other.
func (v *verification) apexTypes(group []parsed, keys []Key) error {
	v.apexBitmap = []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY}
	if v.nsec3() {
		v.apexBitmap = []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeRRSIG, dns.TypeDNSKEY, dns.TypeNSEC3PARAM}
	}
	if v.policy.DeleteDS || slices.ContainsFunc(keys, func(k Key) bool { return k.CDS }) {
		v.apexBitmap = append(v.apexBitmap, dns.TypeCDS, dns.TypeCDNSKEY)
	}
	v.apexBitmap = append(v.apexBitmap, dns.TypeZONEMD)
	for _, g := range group {
		if !slices.Contains(v.apexBitmap, g.typ) {
			return fault(v.origin, "the apex has %s, which the merged zone has not", dns.Type(g.typ))
		}
	}
	return nil
}

func (v *verification) soa(_ *reader, group []parsed) error {
	set := ofType(group, dns.TypeSOA)
	if len(set) != 1 {
		return fault(v.origin, "there are %d SOA records (RFC 2181, section 6.1)", len(set))
	}
	s, want := set[0].rr.(*dns.SOA), v.z.SOA
	if zone.Serial(s.Serial) != v.facts.Serial {
		return fault(v.origin, "the SOA has the serial %d instead of %d (RFC 1035, section 3.3.13)", s.Serial, v.facts.Serial)
	}
	if s.Ns != string(want.MName) || s.Mbox != string(want.RName) || set[0].ttl != want.TTL ||
		s.Refresh != want.Refresh || s.Retry != want.Retry || s.Expire != want.Expire || s.Minttl != want.Minimum {
		return fault(v.origin, "the SOA %q is not that of the merged zone", strings.ReplaceAll(s.String(), "\t", " "))
	}
	return nil
}

func (v *verification) apexNS(_ *reader, group []parsed) error {
	ttl := v.z.TTL.Fixed
	if ttl == 0 {
		ttl = v.z.SOA.TTL
	}
	var have []string
	for _, g := range ofType(group, dns.TypeNS) {
		have = append(have, g.rr.(*dns.NS).Ns)
		if g.ttl != ttl {
			return fault(v.origin, "its NS set has the TTL %d instead of %d", g.ttl, ttl)
		}
	}
	var want []string
	for _, n := range v.z.NS {
		want = append(want, string(n))
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		return fault(v.origin, "its name servers are %v, in the merged zone %v", have, want)
	}
	return nil
}

// zonemd returns the digest that ZONEMD states and begins the one over the zone:
// without ZONEMD and its signature (RFC 8976, section 3.3.1).
func (v *verification) zonemd(r *reader, group []parsed, h hash.Hash) (string, error) {
	set := ofType(group, dns.TypeZONEMD)
	if len(set) != 1 {
		return "", fault(v.origin, "there are %d ZONEMD records instead of one", len(set))
	}
	z := set[0].rr.(*dns.ZONEMD)
	if zone.Serial(z.Serial) != v.facts.Serial || z.Scheme != dns.ZoneMDSchemeSimple || z.Hash != dns.ZoneMDHashAlgSHA384 || len(z.Digest) != 96 || set[0].ttl != v.z.SOA.TTL {
		return "", fault(v.origin, "its ZONEMD has another serial or TTL than the SOA, or is not by the simple scheme with SHA-384 (RFC 8976, section 2.2)")
	}
	for _, g := range group {
		sig, ok := g.rr.(*dns.RRSIG)
		if g.typ != dns.TypeZONEMD && (!ok || sig.TypeCovered != dns.TypeZONEMD) {
			h.Write(r.wire[g.start:g.end])
		}
	}
	return strings.ToLower(z.Digest), nil
}
