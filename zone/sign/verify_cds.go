package sign

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// cds holds CDS and CDNSKEY against the keys that they should name, in the words
// of the DNS library (RFC 7344; RFC 8078, section 4).
func (v *verification) cds(group []parsed, keys []Key) error {
	wantCDS, wantCDNSKEY, signs := []string{"0 0 0 00"}, []string{"0 3 0 AA=="}, true
	if !v.policy.DeleteDS {
		wantCDS, wantCDNSKEY, signs = v.namedKeys(keys)
	}
	if !signs {
		return fault(v.origin, "no key that its CDS set names signs the DNSKEY set (RFC 7344, section 4.1)")
	}
	for typ, want := range map[uint16][]string{dns.TypeCDS: wantCDS, dns.TypeCDNSKEY: wantCDNSKEY} {
		var have []string
		for _, g := range ofType(group, typ) {
			if g.ttl != v.policy.DNSKEYTTL {
				return fault(v.origin, "its %s set has the TTL %d instead of %d", dns.Type(typ), g.ttl, v.policy.DNSKEYTTL)
			}
			have = append(have, dataText(g.rr))
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			return fault(v.origin, "its %s set is %q instead of %q (RFC 7344, section 4)", dns.Type(typ), have, want)
		}
	}
	return nil
}

// namedKeys returns what CDS and CDNSKEY say of the keys that are marked, and
// whether one of these signs the DNSKEY set, or there is none.
func (v *verification) namedKeys(keys []Key) (cds, cdnskey []string, signs bool) {
	signs = true
	for _, k := range keys {
		if !k.CDS {
			continue
		}
		if len(cds) == 0 {
			signs = false
		}
		d := k.dnskey()
		d.Hdr.Name = v.origin
		cds, cdnskey = append(cds, dataText(d.ToDS(dns.SHA256))), append(cdnskey, dataText(d))
		signs = signs || v.keys[k.Tag].set
	}
	return cds, cdnskey, signs
}

// dataText returns a record's data as the library writes it.
func dataText(rr dns.RR) string {
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}
