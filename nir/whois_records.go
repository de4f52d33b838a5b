package nir

import (
	"nirzone/nir/inr"
	"nirzone/zone"
)

// DomainRecords calls fn with every active domain object that is kept here and the
// records that it yields, by name: NS and DS of the zone, and for a classless zone
// the CNAMEs that lead into it (RFC 2317, section 4). These are the registry's own
// delegations: they override what an NIR asserts (APNIC-103, section 3.4.1).
// Inactive ones yield nothing and override nothing.
func (v *View) DomainRecords(fn func(*WhoisObject, []zone.Record) error) error {
	return whoisObjects.each(v, "type = 'domain' AND origin = 'registry' AND state = 'active' ORDER BY key, id", nil, func(w *WhoisObject) error {
		list, err := w.Records()
		if err != nil {
			return err
		}
		return fn(w, list)
	})
}

// Records returns the records that a domain object yields: none if it is not
// active.
func (w *WhoisObject) Records() ([]zone.Record, error) {
	if w.Type != "domain" || w.State != DomainActive {
		return nil, nil
	}
	o, err := w.RPSL()
	if err != nil {
		return nil, err
	}
	z, err := ParseReverseZone(w.Key)
	if err != nil {
		return nil, err
	}
	list, _, err := domainRecords(o, z)
	if err != nil {
		return nil, err
	}
	if z.Classless {
		list = append(list, cnames(z)...)
	}
	return list, nil
}

// cnames lead the addresses of a classless zone into it.
func cnames(z ReverseZone) []zone.Record {
	var list []zone.Record
	for i := z.Range.First; !z.Range.Last.Less(i); i = i.Next() {
		one := inr.Block{Kind: inr.IPv4, First: i, Len: 32}
		from, err := zone.ReverseName(one.Prefix())
		if err != nil {
			panic("nir: an address has no name: " + err.Error())
		}
		label := from[:len(from)-len(from.Parent())] // with its dot
		list = append(list, zone.Record{Name: from, Type: zone.TypeCNAME, TTL: zone.DefaultTTL, Data: zone.NSData(label + z.Name)})
	}
	return list
}
