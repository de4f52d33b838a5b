package sign

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"nirzone/zone"
)

// What CDS and CDNSKEY say to have every DS taken away (RFC 8078, section 4).
var (
	deleteCDS     = []byte{0, 0, 0, 0, 0}
	deleteCDNSKEY = []byte{0, 0, 3, 0, 0}
)

// cdsSets returns the CDS and CDNSKEY sets: those keys' that are marked, the
// delete form, or none. They are published together, so that a parent may take
// either (RFC 7344, section 4), and are signed by the keys that sign the DNSKEY
// set: the parent must find one of its DS among them (section 4.1).
func (s *signing) cdsSets() []set {
	cds, cdnskey := set{typ: zone.TypeCDS, ttl: s.p.DNSKEYTTL}, set{typ: zone.TypeCDNSKEY, ttl: s.p.DNSKEYTTL}
	if s.p.DeleteDS {
		cds.data, cdnskey.data = [][]byte{deleteCDS}, [][]byte{deleteCDNSKEY}
		return []set{cds, cdnskey}
	}
	if len(s.keys.named) == 0 {
		return nil
	}
	for _, k := range s.keys.named {
		cds.data, cdnskey.data = append(cds.data, []byte(k.DS().Data)), append(cdnskey.data, k.rdata())
	}
	slices.SortFunc(cds.data, bytes.Compare)
	slices.SortFunc(cdnskey.data, bytes.Compare)
	return []set{cds, cdnskey}
}

// checkNamed refuses a CDS set that would break the delegation once the parent has
// followed it (RFC 7344, section 4.1).
func (s *keySet) checkNamed() error {
	signs := len(s.named) == 0
	for _, k := range s.named {
		if !k.SignsKeys() {
			return fmt.Errorf("key %s is marked for the CDS set, but does not sign the DNSKEY set (RFC 7344, section 4.1)", k.ID)
		}
		signs = signs || slices.ContainsFunc(s.ksks, func(o Key) bool { return o.Tag == k.Tag && o.Algorithm == k.Algorithm })
	}
	if !signs {
		return errors.New("no key of the CDS set signs the DNSKEY set: the zone would be bogus once the parent follows it (RFC 7344, section 4.1)")
	}
	return nil
}
