package sign

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// The verifier makes up its mind about the NSEC3 chain from the merged zone alone,
// and by the DNS library's hash: which names it must have, in which order, with
// which types. The chain of the file must be that, line for line, which makes it
// closed and complete.

// nsec3 reports whether the zone is to have NSEC3.
func (v *verification) nsec3() bool { return v.policy.Denial == zone.DenialNSEC3 }

// denialType is NSEC or NSEC3.
func (v *verification) denialType() uint16 {
	if v.nsec3() {
		return dns.TypeNSEC3
	}
	return dns.TypeNSEC
}

// A link is what an NSEC3 record says: the hash of its name, the next one, 20
// octets each, and the types as the record has them.
type link string

// String returns the link in words.
func (l link) String() string {
	var types []uint16
	for i := 42; i < len(l); i++ {
		for bit := range 8 {
			if l[i]&(0x80>>bit) != 0 {
				types = append(types, uint16(8*(i-42)+bit))
			}
		}
	}
	return fmt.Sprintf("%s, next %s, types %s", lowerHex32.EncodeToString([]byte(l[:20])), lowerHex32.EncodeToString([]byte(l[20:40])), typeNames(types))
}

var lowerHex32 = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// linkOf returns the link of an NSEC3 record, given owner and data in wire form
// (RFC 5155, section 3.2). An owner that is no hash, or other parameters than ours,
// give no link.
func linkOf(owner, rdata []byte) (link, bool) {
	hash := make([]byte, 0, 64)
	if len(owner) < 33 || owner[0] != 32 || len(rdata) < 26 || !bytes.Equal(rdata[:6], []byte{dns.SHA1, 0, 0, 0, 0, 20}) {
		return "", false
	}
	hash, err := lowerHex32.AppendDecode(hash, owner[1:33])
	return link(append(hash, rdata[6:]...)), err == nil
}

// expectChain returns what the NSEC3 records must say, in their order (RFC 5155,
// section 7.1).
func (v *verification) expectChain() ([]link, error) {
	names := v.chainNames()
	types, hashes := map[string][]uint16{}, make([]string, 0, len(names))
	for name, list := range names {
		hash := dns.HashName(name, dns.SHA1, 0, "")
		if _, twice := types[hash]; twice || len(hash) != 32 {
			return nil, fault(name, "it has the hash %q, which is none or another's (RFC 5155, section 7.1)", hash)
		}
		types[hash], hashes = list, append(hashes, hash)
	}
	slices.Sort(hashes) // base32hex keeps the order
	chain := make([]link, 0, len(hashes))
	for i, hash := range hashes {
		b, err := base32.HexEncoding.DecodeString(hash)
		if err == nil {
			b, err = base32.HexEncoding.AppendDecode(b, []byte(hashes[(i+1)%len(hashes)]))
		}
		if err != nil {
			return nil, fault(v.origin, "hashing: %w", err)
		}
		chain = append(chain, link(packTypes(b, types[hash])))
	}
	return chain, nil
}

// packTypes appends types below 256 as NSEC3 has them: window, length, bits (RFC
// 4034, section 4.1.2).
func packTypes(b []byte, types []uint16) []byte {
	if len(types) == 0 {
		return b
	}
	length := int(slices.Max(types))/8 + 1
	bits := make([]byte, length)
	for _, t := range types {
		bits[t/8] |= 1 << (7 - t%8)
	}
	return append(append(b, 0, byte(length)), bits...)
}

// chainNames returns the names that have an NSEC3 record, with their types: all
// but glue, and what is above them, be it empty.
func (v *verification) chainNames() map[string][]uint16 {
	names := map[string][]uint16{v.origin: v.apexBitmap}
	cut := ""
	for entries := v.z.Entries; len(entries) > 0; {
		name, n := string(entries[0].Name), 1
		for n < len(entries) && string(entries[n].Name) == name {
			n++
		}
		if cut == "" || !dns.IsSubDomain(cut, name) {
			types, delegation := listedTypes(entries[:n])
			if delegation {
				cut = name
			}
			names[name] = types
			for off, end := dns.NextLabel(name, 0); !end && name[off:] != v.origin; off, end = dns.NextLabel(name, off) {
				if _, there := names[name[off:]]; !there {
					names[name[off:]] = nil
				}
			}
		}
		entries = entries[n:]
	}
	return names
}

// listedTypes returns the types that an NSEC3 record has to list for the records
// of a name, and whether they delegate it (RFC 5155, section 7.1; RFC 4035,
// section 2.3).
func listedTypes(entries []zone.Entry) (types []uint16, delegation bool) {
	delegation = slices.ContainsFunc(entries, func(e zone.Entry) bool { return e.Type == zone.TypeNS })
	signed := !delegation
	for _, e := range entries {
		if delegation && e.Type != zone.TypeNS && e.Type != zone.TypeDS {
			continue
		}
		signed = signed || e.Type == zone.TypeDS
		types = append(types, uint16(e.Type))
	}
	if signed {
		types = append(types, dns.TypeRRSIG)
	}
	slices.Sort(types)
	return slices.Compact(types), delegation
}

// hashed checks all there is at a name with an NSEC3 record, but for what the
// chain says, which is for join.
func (c *checker) hashed(owner string, group []parsed) error {
	found := ofType(group, dns.TypeNSEC3)
	if len(found) != 1 || slices.ContainsFunc(group, func(g parsed) bool { return g.typ != dns.TypeNSEC3 && g.typ != dns.TypeRRSIG }) {
		return fault(owner, "there is more than one NSEC3 record and its signatures (RFC 5155, section 7.1)")
	}
	l, ok := linkOf(c.r.ownerWire(found[0]), c.r.rdata(found[0]))
	if !ok || len(owner) != 33+len(c.v.origin) {
		return fault(owner, "it has an NSEC3 record, but is no hash in lower case below the apex, or the record is not with SHA-1, no flags, 0 iterations and no salt (RFC 5155, section 3; RFC 9276, section 3.1)")
	}
	if ttl := min(c.v.z.SOA.TTL, c.v.z.SOA.Minimum); found[0].ttl != ttl {
		return fault(owner, "its NSEC3 has the TTL %d instead of %d (RFC 9077, section 3)", found[0].ttl, ttl)
	}
	c.p.chain = append(c.p.chain, l)
	return c.sig.sets(owner, group, func(uint16) bool { return true })
}

// takeChain holds the NSEC3 records of a piece against those that come next.
func (j *join) takeChain(chain []link) error {
	for _, l := range chain {
		if j.links == len(j.v.chain) {
			return fault(j.v.origin, "its NSEC3 chain goes on with %s after its end (RFC 5155, section 7.1)", l)
		}
		if want := j.v.chain[j.links]; l != want {
			return fault(j.v.origin, "its NSEC3 chain goes on with %s instead of %s (RFC 5155, section 7.1)", l, want)
		}
		j.links++
	}
	return nil
}

// param checks the NSEC3PARAM record, which tells servers which chain to use (RFC
// 5155, section 4).
func (v *verification) param(group []parsed) error {
	set := ofType(group, dns.TypeNSEC3PARAM)
	if len(set) != 1 {
		return fault(v.origin, "there are %d NSEC3PARAM records instead of one (RFC 5155, section 4)", len(set))
	}
	p := set[0].rr.(*dns.NSEC3PARAM)
	if p.Hash != dns.SHA1 || p.Flags != 0 || p.Iterations != 0 || p.SaltLength != 0 || set[0].ttl != min(v.z.SOA.TTL, v.z.SOA.Minimum) {
		return fault(v.origin, "its NSEC3PARAM is not with SHA-1, no flags, 0 iterations and no salt, or has another TTL than NSEC3 (RFC 9276, section 3.1)")
	}
	return nil
}
