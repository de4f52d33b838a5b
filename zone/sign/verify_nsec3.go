package sign

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

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

// A link is an NSEC3 record that has to be there.
type link struct {
	hash  string // upper case, base32hex
	types []uint16
}

// expectChain returns what the NSEC3 records must say, in their order, each as
// chainLine has it (RFC 5155, section 7.1).
func (v *verification) expectChain() ([]string, error) {
	var links []link
	for name, types := range v.chainNames() {
		hash := dns.HashName(name, dns.SHA1, 0, "")
		if hash == "" {
			return nil, fault(name, "it cannot be hashed (RFC 5155, section 5)")
		}
		links = append(links, link{hash, types})
	}
	slices.SortFunc(links, func(a, b link) int { return strings.Compare(a.hash, b.hash) })
	var lines []string
	for i, l := range links {
		next := links[(i+1)%len(links)].hash
		if next == l.hash && len(links) > 1 {
			return nil, fault(v.origin, "two names have the hash %s (RFC 5155, section 7.1)", l.hash)
		}
		lines = append(lines, chainLine(l.hash, next, l.types))
	}
	return lines, nil
}

func chainLine(hash, next string, types []uint16) string {
	return fmt.Sprintf("%s %s %s\n", hash, next, typeNames(types))
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
	n := found[0].rr.(*dns.NSEC3)
	label, ok := strings.CutSuffix(owner, "."+c.v.origin)
	switch {
	case !ok || len(label) != 32 || label != strings.ToLower(label):
		return fault(owner, "it has an NSEC3 record, but is no hash in lower case below the apex (RFC 5155, section 3)")
	case n.Hash != dns.SHA1 || n.Flags != 0 || n.Iterations != 0 || n.SaltLength != 0 || n.HashLength != 20:
		return fault(owner, "its NSEC3 is not with SHA-1, no flags, 0 iterations and no salt (RFC 9276, section 3.1)")
	}
	if ttl := min(c.v.z.SOA.TTL, c.v.z.SOA.Minimum); found[0].ttl != ttl {
		return fault(owner, "its NSEC3 has the TTL %d instead of %d (RFC 9077, section 3)", found[0].ttl, ttl)
	}
	c.p.chain = append(c.p.chain, chainLine(strings.ToUpper(label), strings.ToUpper(n.NextDomain), n.TypeBitMap)...)
	return c.sig.sets(owner, group, func(uint16) bool { return true })
}

// takeChain holds the NSEC3 records of a piece against those that come next.
func (j *join) takeChain(chain []byte) error {
	for line := range bytes.Lines(chain) {
		want := "no further record"
		if j.links < len(j.v.chain) {
			want = j.v.chain[j.links]
		}
		if string(line) != want {
			return fault(j.v.origin, "its NSEC3 chain goes on with %q instead of %q (RFC 5155, section 7.1)", strings.TrimSpace(string(line)), strings.TrimSpace(want))
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
