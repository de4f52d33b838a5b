package sign

import (
	"bytes"
	"time"

	"github.com/miekg/dns"
)

// A sigCheck verifies the signatures of names, one after the other, and counts.
type sigCheck struct {
	v       *verification
	r       *reader
	data    []byte
	count   int
	expires int64 // earliest end seen, seconds since 1970
}

// sets checks that each of the sets in must has its signatures, and that there
// are no others. The group is in canonical order.
func (c *sigCheck) sets(owner string, group []parsed, must func(typ uint16) bool) error {
	sigs := ofType(group, dns.TypeRRSIG)
	for len(group) > 0 {
		set := ofType(group, group[0].typ)
		group = group[len(set):]
		if set[0].typ == dns.TypeRRSIG || !must(set[0].typ) {
			continue
		}
		if len(sigs) > 0 && sigs[0].rr.(*dns.RRSIG).TypeCovered < set[0].typ {
			return stray(owner, sigs[0])
		}
		n := 0
		for n < len(sigs) && sigs[n].rr.(*dns.RRSIG).TypeCovered == set[0].typ {
			if err := c.signature(owner, set, sigs[n]); err != nil {
				return err
			}
			if n > 0 && !keysSign(set[0].typ) && sigs[n].rr.(*dns.RRSIG).Algorithm == sigs[n-1].rr.(*dns.RRSIG).Algorithm {
				return fault(owner, "its %s set is signed twice by algorithm %d", dns.Type(set[0].typ), sigs[n].rr.(*dns.RRSIG).Algorithm)
			}
			n++
		}
		if want := c.v.wanted(set[0].typ); n != want {
			return fault(owner, "its %s set has %d signatures instead of %d (RFC 4035, section 2.2)", dns.Type(set[0].typ), n, want)
		}
		sigs = sigs[n:]
	}
	if len(sigs) > 0 {
		return stray(owner, sigs[0])
	}
	return nil
}

func stray(owner string, sig parsed) error {
	t := dns.Type(sig.rr.(*dns.RRSIG).TypeCovered)
	return fault(owner, "there is an RRSIG over %s, which must not be signed here or is not there (RFC 4035, section 2.2)", t)
}

// ofType returns the records of a type from a group in canonical order.
func ofType(group []parsed, typ uint16) []parsed {
	first := 0
	for first < len(group) && group[first].typ != typ {
		first++
	}
	last := first
	for last < len(group) && group[last].typ == typ {
		last++
	}
	return group[first:last]
}

// signature verifies one RRSIG over a set (RFC 4035, section 5.3).
func (c *sigCheck) signature(owner string, set []parsed, p parsed) error {
	s := p.rr.(*dns.RRSIG)
	t := dns.Type(set[0].typ)
	k, ok := c.v.keys[s.KeyTag]
	switch {
	case s.SignerName != c.v.origin:
		return fault(owner, "the RRSIG over %s is by %s instead of the zone (RFC 4035, section 5.3.1)", t, s.SignerName)
	case int(s.Labels) != dns.CountLabel(owner):
		return fault(owner, "the RRSIG over %s counts %d labels (RFC 4034, section 3.1.3)", t, s.Labels)
	case p.ttl != set[0].ttl || s.OrigTtl != set[0].ttl:
		return fault(owner, "the RRSIG over %s has not the TTL of its set (RFC 4034, section 3)", t)
	case !ok || k.alg != s.Algorithm:
		return fault(owner, "the RRSIG over %s is by key %d of algorithm %d, which is not in the DNSKEY set (RFC 4035, section 5.3.1)", t, s.KeyTag, s.Algorithm)
	case !k.signs(set[0].typ):
		return fault(owner, "the RRSIG over %s is by key %d, which is not to sign it now: active KSKs sign the DNSKEY set, CDS and CDNSKEY, and ZSKs all else (RFC 6781, section 3.1)", t, s.KeyTag)
	}
	if err := c.validity(owner, t, s); err != nil {
		return err
	}
	rdata := c.r.rdata(p)
	head := len(rdata) - signatureLength(rdata)
	c.data = append(append(c.data[:0], rdata[:head]...), c.r.wire[set[0].start:set[len(set)-1].end]...)
	if !k.verify(c.data, rdata[head:]) {
		return fault(owner, "the RRSIG over %s by key %d does not verify (RFC 4035, section 5.3.3)", t, s.KeyTag)
	}
	c.count++
	return nil
}

// signatureLength returns how much of RRSIG data follows the signer's name (RFC
// 4034, section 3.1).
func signatureLength(rdata []byte) int {
	i := 18
	for rdata[i] != 0 {
		i += 1 + int(rdata[i])
	}
	return len(rdata) - i - 1
}

// validity checks the times of a signature, which are serial numbers (RFC 4034,
// section 3.1.5).
func (c *sigCheck) validity(owner string, t dns.Type, s *dns.RRSIG) error {
	now := c.v.now.Unix()
	begin, end := now+int64(int32(s.Inception-uint32(now))), now+int64(int32(s.Expiration-uint32(now)))
	if begin > now || end <= now {
		return fault(owner, "the RRSIG over %s is valid from %s to %s, not at %s (RFC 4035, section 5.3.1)", t,
			clockText(begin), clockText(end), clockText(now))
	}
	if c.expires == 0 || end < c.expires {
		c.expires = end
	}
	return nil
}

func clockText(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }

// nsec checks the one NSEC record of a name and returns the next name. Its bitmap
// must hold the types given and no other (RFC 4034, section 4.1.2; RFC 4035,
// section 2.3).
func (v *verification) nsec(owner string, group []parsed, types []uint16) (string, error) {
	found := ofType(group, dns.TypeNSEC)
	if len(found) != 1 {
		return "", fault(owner, "it has %d NSEC records instead of one (RFC 4035, section 2.3)", len(found))
	}
	if ttl := min(v.z.SOA.TTL, v.z.SOA.Minimum); found[0].ttl != ttl {
		return "", fault(owner, "its NSEC has the TTL %d instead of %d (RFC 9077, section 3)", found[0].ttl, ttl)
	}
	n := found[0].rr.(*dns.NSEC)
	same := len(n.TypeBitMap) == len(types)
	for i := 0; same && i < len(types); i++ {
		same = n.TypeBitMap[i] == types[i]
	}
	if !same {
		return "", fault(owner, "its NSEC lists the types %v instead of %v (RFC 4035, section 2.3)", typeNames(n.TypeBitMap), typeNames(types))
	}
	return n.NextDomain, nil
}

func typeNames(types []uint16) string {
	var b bytes.Buffer
	for i, t := range types {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(dns.Type(t).String())
	}
	return b.String()
}
