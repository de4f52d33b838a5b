package observe

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"nirzone/zone"
)

// Limits of one set, as zone.ParseObservations has them.
const (
	maxRecords    = 64
	maxSignatures = 32
)

// authoritative reports why a message is no authoritative answer.
func authoritative(m *dns.Msg, q question) error {
	switch {
	case m.Rcode != dns.RcodeSuccess:
		return fault(zone.FaultLame, "%s: the server answers %s", q, rcode(m))
	case !m.Authoritative:
		return fault(zone.FaultLame, "%s: the answer is not authoritative (RFC 1912, section 2.8)", q)
	}
	return nil
}

func rcode(m *dns.Msg) string {
	if s, ok := dns.RcodeToString[m.Rcode]; ok {
		return s
	}
	return "an unknown code"
}

// setIn returns a set with its signatures from a section, nil if it is not there.
// Data that does not pack, and sets that are too large, are faults.
func setIn(section []dns.RR, name zone.Name, typ zone.Type) (*zone.RRset, error) {
	s := &zone.RRset{Name: name, Type: typ}
	for _, rr := range section {
		h := rr.Header()
		if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, string(name)) && dns.CanonicalName(h.Name) != string(name) {
			continue
		}
		sig, signature := rr.(*dns.RRSIG)
		switch {
		case signature && sig.TypeCovered == uint16(typ):
			s.Signatures = append(s.Signatures, rdata(rr))
		case h.Rrtype == uint16(typ):
			s.TTL = h.Ttl
			s.Data = append(s.Data, rdata(rr))
		}
		if len(s.Data) > maxRecords || len(s.Signatures) > maxSignatures {
			return nil, fault(zone.FaultMalformed, "%s %s: the set has over %d records or %d signatures", name.File(), typ, maxRecords, maxSignatures)
		}
	}
	for _, list := range []*[][]byte{&s.Data, &s.Signatures} {
		slices.SortFunc(*list, bytes.Compare)
		*list = slices.CompactFunc(*list, bytes.Equal)
		if len(*list) > 0 && len((*list)[0]) == 0 {
			return nil, fault(zone.FaultMalformed, "%s %s: a record's data is empty", name.File(), typ)
		}
	}
	if len(s.Data) == 0 {
		return nil, nil
	}
	return s, nil
}

// rdata returns a record's data in canonical form (RFC 4034, section 6.2), nil if
// it does not pack.
func rdata(rr dns.RR) []byte {
	switch r := rr.(type) {
	case *dns.NS:
		r.Ns = dns.CanonicalName(r.Ns)
	case *dns.SOA:
		r.Ns, r.Mbox = dns.CanonicalName(r.Ns), dns.CanonicalName(r.Mbox)
	case *dns.RRSIG:
		r.SignerName = dns.CanonicalName(r.SignerName)
	}
	owner := rr.Header().Name
	defer func() { rr.Header().Name = owner }()
	rr.Header().Name = "." // one octet: the data begins at a known place
	buf := make([]byte, dns.Len(rr)+64)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil || end < 11 {
		return nil
	}
	return buf[11:end]
}

// ends returns the earliest end of a set's signatures, zero if it has none. Times
// are serial numbers around now (RFC 4034, section 3.1.5).
func ends(s *zone.RRset, now time.Time) time.Time {
	var first time.Time
	for _, sig := range s.Signatures {
		if len(sig) < 18 {
			continue
		}
		end := uint32(sig[8])<<24 | uint32(sig[9])<<16 | uint32(sig[10])<<8 | uint32(sig[11])
		t := time.Unix(now.Unix()+int64(int32(end-uint32(now.Unix()))), 0).UTC()
		first = earlier(first, t)
	}
	return first
}

// earlier returns the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// serialOf returns the serial of a SOA set's first record: the 20 octets at its end
// are five numbers (RFC 1035, section 3.3.13).
func serialOf(s *zone.RRset) zone.Serial {
	d := s.Data[0]
	if len(d) < 22 {
		return 0
	}
	d = d[len(d)-20:]
	return zone.Serial(d[0])<<24 | zone.Serial(d[1])<<16 | zone.Serial(d[2])<<8 | zone.Serial(d[3])
}
