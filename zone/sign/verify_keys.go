package sign

import (
	"encoding/base64"

	"github.com/miekg/dns"
)

// keyUse is what the verifier knows of a key: its public half, and which sets it
// has to sign at the time of the verification.
type keyUse struct {
	*publicKey
	set  bool // the DNSKEY set
	cds  bool // CDS and CDNSKEY
	zone bool // all else, in turn with the others of its algorithm
}

// use derives from a key's times what it signs (RFC 6781, section 4.1.4; package
// comment). Others are all keys of the zone.
func (v *verification) use(k Key, others []Key) keyUse {
	u, in := keyUse{}, v.inSet(k)
	gone := !k.Timing.Remove.IsZero() && !v.now.Before(k.Timing.Remove) && !v.now.Before(k.Timing.Retire)
	signs := !gone && !k.Timing.Active.IsZero() && !v.now.Before(k.Timing.Active)
	for _, o := range others {
		if !in && o.Algorithm == k.Algorithm && v.inSet(o) {
			return u // outside the set, of an algorithm that is in it
		}
	}
	if k.Flags&dns.SEP != 0 {
		u.cds = signs || in && k.CSK
		u.set = u.cds && in
	}
	u.zone = signs && (k.Flags&dns.SEP == 0 || k.CSK)
	return u
}

func (v *verification) inSet(k Key) bool {
	return !k.Timing.Publish.IsZero() && !v.now.Before(k.Timing.Publish) && (k.Timing.Remove.IsZero() || v.now.Before(k.Timing.Remove))
}

// dnskeys holds the DNSKEY set against the keys that should be in it, and
// prepares them, and those that sign without being in it, for the signatures.
func (v *verification) dnskeys(_ *reader, group []parsed, keys []Key) error {
	v.keys = map[uint16]keyUse{}
	expected := map[uint16]Key{}
	for _, k := range keys {
		u := v.use(k, keys)
		if !v.inSet(k) && !u.cds && !u.zone {
			continue
		}
		if other, twice := expected[k.Tag]; twice {
			return fault(v.origin, "keys %s and %s have the tag %d (RFC 4034, appendix B)", other.ID, k.ID, k.Tag)
		}
		expected[k.Tag] = k
	}
	for _, g := range ofType(group, dns.TypeDNSKEY) {
		d := g.rr.(*dns.DNSKEY)
		tag := d.KeyTag()
		if _, twice := v.keys[tag]; twice {
			return fault(v.origin, "two keys of the DNSKEY set have the tag %d (RFC 4034, appendix B)", tag)
		}
		k, ok := expected[tag]
		if !ok || !v.inSet(k) || d.Flags != k.Flags || d.Protocol != 3 || d.Algorithm != k.Algorithm || d.PublicKey != base64.StdEncoding.EncodeToString(k.Public) {
			return fault(v.origin, "the DNSKEY with tag %d is none of the zone's keys in use (RFC 4035, section 2.1)", tag)
		}
		if g.ttl != v.policy.DNSKEYTTL {
			return fault(v.origin, "its DNSKEY set has the TTL %d instead of %d", g.ttl, v.policy.DNSKEYTTL)
		}
		if err := v.admit(k, d, keys); err != nil {
			return err
		}
		delete(expected, tag)
	}
	for _, k := range keys {
		if _, there := expected[k.Tag]; !there {
			continue
		}
		if v.inSet(k) {
			return fault(v.origin, "key %s is missing from the DNSKEY set (RFC 4035, section 2.1)", k.ID)
		}
		if err := v.admit(k, k.dnskey(), keys); err != nil {
			return err
		}
	}
	return v.signers(group)
}

// dnskey returns the key as the DNS library has it.
func (k Key) dnskey() *dns.DNSKEY {
	return &dns.DNSKEY{Flags: k.Flags, Protocol: 3, Algorithm: k.Algorithm, PublicKey: base64.StdEncoding.EncodeToString(k.Public)}
}

// admit makes a key known to the signatures.
func (v *verification) admit(k Key, d *dns.DNSKEY, keys []Key) error {
	p, err := newPublicKey(d)
	if err != nil {
		return fault(v.origin, "the DNSKEY with tag %d: %w", k.Tag, err)
	}
	u := v.use(k, keys)
	u.publicKey = p
	v.keys[k.Tag] = u
	return nil
}

// signers counts who has to sign, and holds it against the algorithms of the
// DNSKEY set (RFC 4035, section 2.2).
func (v *verification) signers(group []parsed) error {
	zone, set := map[uint8]bool{}, map[uint8]bool{}
	v.wantSet, v.wantCDS = 0, 0
	for _, k := range v.keys {
		if k.set {
			set[k.alg] = true
			v.wantSet++
		}
		if k.cds {
			v.wantCDS++
		}
		if k.zone {
			zone[k.alg] = true
		}
	}
	v.wantZone = len(zone)
	if v.wantSet == 0 {
		return fault(v.origin, "no active KSK is in the DNSKEY set (RFC 4035, section 2.1)")
	}
	for _, g := range ofType(group, dns.TypeDNSKEY) {
		if alg := g.rr.(*dns.DNSKEY).Algorithm; !zone[alg] || !set[alg] {
			return fault(v.origin, "algorithm %d is in the DNSKEY set, but no active keys sign the set and the zone by it (RFC 4035, section 2.2)", alg)
		}
	}
	return nil
}

// wanted is how many signatures a set has: one of each KSK for the DNSKEY set,
// and for CDS and CDNSKEY (RFC 7344, section 4.1); one of each algorithm for the
// others.
func (v *verification) wanted(typ uint16) int {
	switch typ {
	case dns.TypeDNSKEY:
		return v.wantSet
	case dns.TypeCDS, dns.TypeCDNSKEY:
		return v.wantCDS
	}
	return v.wantZone
}

// signs reports whether the key is to sign sets of a type.
func (k keyUse) signs(typ uint16) bool {
	switch typ {
	case dns.TypeDNSKEY:
		return k.set
	case dns.TypeCDS, dns.TypeCDNSKEY:
		return k.cds
	}
	return k.zone
}

// keysSign reports whether sets of a type are signed by the keys that sign the
// DNSKEY set, each of them.
func keysSign(typ uint16) bool {
	return typ == dns.TypeDNSKEY || typ == dns.TypeCDS || typ == dns.TypeCDNSKEY
}
