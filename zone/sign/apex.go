package sign

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"

	"nirzone/zone"
)

// ZONEMD's scheme and hash algorithm (RFC 8976, sections 2.2.2 and 2.2.3).
const (
	zonemdSimple = 1
	zonemdSHA384 = 1
)

// A set is an RRset of the apex, its data in canonical order.
type set struct {
	typ  zone.Type
	ttl  uint32
	data [][]byte
}

// apexTypes returns the types at the apex, in rising order.
func (s *signing) apexTypes() []zone.Type {
	types := []zone.Type{zone.TypeNS, zone.TypeSOA, zone.TypeRRSIG, zone.TypeNSEC, zone.TypeDNSKEY}
	if s.p.Denial == zone.DenialNSEC3 {
		types = []zone.Type{zone.TypeNS, zone.TypeSOA, zone.TypeRRSIG, zone.TypeDNSKEY, zone.TypeNSEC3PARAM}
	}
	for _, t := range s.cdsSets() {
		types = append(types, t.typ)
	}
	return append(types, zone.TypeZONEMD)
}

// nsecTTL is the lesser of the SOA's TTL and minimum (RFC 9077, section 3).
func nsecTTL(s zone.SOA) uint32 { return min(s.TTL, s.Minimum) }

// nsTTL is the TTL of the apex NS set: that of delegations.
func nsTTL(a zone.Apex) uint32 {
	if a.TTL.Fixed == 0 {
		return a.SOA.TTL
	}
	return a.TTL.Fixed
}

// apexSets returns the apex without signatures and ZONEMD, by type.
func (s *signing) apexSets(serial zone.Serial) []set {
	a := &s.z.Apex
	ns := set{typ: zone.TypeNS, ttl: nsTTL(*a)}
	for _, host := range a.NS {
		ns.data = append(ns.data, host.AppendWire(nil))
	}
	keys := set{typ: zone.TypeDNSKEY, ttl: s.p.DNSKEYTTL}
	for _, k := range s.keys.dnskey {
		keys.data = append(keys.data, k.rdata())
	}
	for _, set := range []set{ns, keys} {
		slices.SortFunc(set.data, bytes.Compare)
	}
	soa := set{typ: zone.TypeSOA, ttl: a.SOA.TTL, data: [][]byte{appendSOA(nil, a.SOA, serial)}}
	sets := []set{ns, soa}
	if s.p.Denial == zone.DenialNSEC3 {
		sets = append(sets, keys, set{typ: zone.TypeNSEC3PARAM, ttl: nsecTTL(a.SOA), data: [][]byte{nsec3Params}})
	} else {
		nsec := appendNSEC(nil, s.after(-1), s.apexTypes())
		sets = append(sets, set{typ: zone.TypeNSEC, ttl: nsecTTL(a.SOA), data: [][]byte{nsec}}, keys)
	}
	return append(sets, s.cdsSets()...)
}

// signSet returns the signatures of a set of the apex, in canonical order: the
// DNSKEY set's by every KSK in it, those of CDS and CDNSKEY by every KSK, the
// others' by the slot's ZSK of each algorithm (RFC 4035, section 2.2).
func (w *writer) signSet(t set) ([]rrsig, error) {
	var wire []byte
	for _, d := range t.data {
		wire = appendRecord(wire, w.owner, t.typ, t.ttl, d)
	}
	var out []rrsig
	for _, k := range w.signersOf(t.typ) {
		sig, err := w.sign(nil, k, t.typ, t.ttl, wire)
		if err != nil {
			return nil, err
		}
		out = append(out, sig)
	}
	slices.SortFunc(out, func(a, b rrsig) int { return bytes.Compare(a.rdata, b.rdata) })
	return out, nil
}

// signersOf returns the keys that sign a set of the apex.
func (w *writer) signersOf(t zone.Type) []*Key {
	keys := w.s.keys.ksks
	switch t {
	case zone.TypeCDS, zone.TypeCDNSKEY:
		keys = w.s.keys.cds
	case zone.TypeDNSKEY:
	default:
		return w.keys
	}
	var signers []*Key
	for i := range keys {
		signers = append(signers, &keys[i])
	}
	return signers
}

// afterSigs is the first set of the apex that comes after RRSIG: NS and SOA come
// before.
const afterSigs = 2

// An apexPart is the apex in two halves: all but ZONEMD, and ZONEMD, which can be
// made only when the digest of everything else is known.
type apexPart struct {
	w    *writer
	sets []set
	sigs []rrsig
	hash hash.Hash // SHA-384 over the zone so far (RFC 8976, section 3.3)
}

func (s *signing) startApex(serial zone.Serial) (*apexPart, error) {
	a := &apexPart{w: s.writer(), sets: s.apexSets(serial), hash: sha512.New384()}
	a.w.enter(s.z.Origin)
	for _, t := range a.sets {
		sigs, err := a.w.signSet(t)
		if err != nil {
			return nil, err
		}
		a.sigs = append(a.sigs, sigs...)
	}
	var wire []byte
	for i, t := range a.sets {
		if i == afterSigs { // RRSIG comes before NSEC and DNSKEY
			for _, sig := range a.sigs {
				wire = appendRecord(wire, a.w.owner, zone.TypeRRSIG, sig.ttl, sig.rdata)
			}
		}
		for _, d := range t.data {
			wire = appendRecord(wire, a.w.owner, t.typ, t.ttl, d)
		}
	}
	a.hash.Write(wire)
	return a, nil
}

// finish adds ZONEMD and returns the text of the apex.
func (a *apexPart) finish(serial zone.Serial) ([]byte, error) {
	s := a.w.s
	d := binary.BigEndian.AppendUint32(nil, uint32(serial))
	d = a.hash.Sum(append(d, zonemdSimple, zonemdSHA384))
	md := set{typ: zone.TypeZONEMD, ttl: s.z.SOA.TTL, data: [][]byte{d}}
	sigs, err := a.w.signSet(md)
	if err != nil {
		return nil, err
	}
	a.sets, a.sigs = append(a.sets, md), append(a.sigs, sigs...)
	owner := string(s.z.Origin)
	b := a.appendSet(nil, a.sets[1], serial)
	for i, t := range a.sets {
		if i == afterSigs {
			for _, sig := range a.sigs {
				b = append(appendRRSIG(appendHead(b, owner, sig.ttl, zone.TypeRRSIG), sig, owner), '\n')
			}
		}
		if t.typ != zone.TypeSOA {
			b = a.appendSet(b, t, serial)
		}
	}
	return b, nil
}

func (a *apexPart) appendSet(b []byte, t set, serial zone.Serial) []byte {
	z := a.w.s.z
	for _, d := range t.data {
		b = appendHead(b, string(z.Origin), t.ttl, t.typ)
		switch t.typ {
		case zone.TypeSOA:
			o := z.SOA
			b = append(append(append(append(b, o.MName...), ' '), o.RName...), ' ')
			b = appendNumbers(b, uint32(serial), o.Refresh, o.Retry, o.Expire, o.Minimum)
			b = b[:len(b)-1]
		case zone.TypeNSEC:
			b = appendTypes(append(b, a.w.s.after(-1)...), a.w.s.apexTypes())
		case zone.TypeDNSKEY, zone.TypeCDNSKEY:
			b = appendNumbers(b, uint32(binary.BigEndian.Uint16(d)), uint32(d[2]), uint32(d[3]))
			b = base64.StdEncoding.AppendEncode(b, d[4:])
		case zone.TypeNSEC3PARAM:
			b = append(b, "1 0 0 -"...)
		case zone.TypeCDS:
			b = appendData(b, zone.TypeDS, string(d))
		case zone.TypeZONEMD:
			b = appendNumbers(b, uint32(serial), uint32(d[4]), uint32(d[5]))
			b = appendHex(b, string(d[6:]))
		default:
			b = appendData(b, t.typ, string(d))
		}
		b = append(b, '\n')
	}
	return b
}
