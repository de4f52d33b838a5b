package zone

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// maxAnchors bounds a file of trust anchors.
const maxAnchors = 256

// ParseAnchors reads a file of trust anchors: DS or DNSKEY records in
// presentation form, one a line, absolute or not, with or without TTL and class,
// comments behind a semicolon (RFC 7958, section 2, has the root's as XML; its
// DS form is what is wanted here). Directives and other types are refused, and so
// are a file without a record and one with more than 256.
func ParseAnchors(file string, data []byte) ([]Record, error) {
	for i, line := range bytes.Split(data, []byte("\n")) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("$")) {
			return nil, &SyntaxError{Pos{file, i + 1, 1}, "directives are refused; write one DS or DNSKEY record a line"}
		}
	}
	p := dns.NewZoneParser(bytes.NewReader(data), ".", "")
	p.SetDefaultTTL(0)
	var out []Record
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		t := Type(rr.Header().Rrtype)
		if t != TypeDS && t != TypeDNSKEY || rr.Header().Class != dns.ClassINET {
			return nil, fmt.Errorf("%s: %s %s is no trust anchor; write DS or DNSKEY records of class IN", file, rr.Header().Name, t)
		}
		r, err := recordOf(rr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if out = append(out, r); len(out) > maxAnchors {
			return nil, fmt.Errorf("%s: over %d records", file, maxAnchors)
		}
	}
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w; write lines such as: . IN DS 20326 8 2 E06D44B8…", file, errors.New(tomlText(err)))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: holds no DS or DNSKEY record; write lines such as: . IN DS 20326 8 2 E06D44B8…", file)
	}
	return out, nil
}

// ParseRecord reads one record in presentation form, as a line of a signed zone
// file has it: absolute owner, TTL, class IN, type, data.
func ParseRecord(line string) (Record, error) {
	if len(line) > 1<<18 {
		return Record{}, errors.New("reading a record: the line is too long")
	}
	rr, err := dns.NewRR(line)
	if err != nil {
		return Record{}, fmt.Errorf("reading a record: %s", tomlText(err))
	}
	if rr == nil || rr.Header().Class != dns.ClassINET {
		return Record{}, errors.New("reading a record: the line holds none of class IN")
	}
	return recordOf(rr)
}

// recordOf returns a record of the DNS library in canonical form (RFC 4034,
// section 6.2).
func recordOf(rr dns.RR) (Record, error) {
	name, err := ParseName(rr.Header().Name)
	if err != nil {
		return Record{}, err
	}
	canonicalRR(rr)
	buf := make([]byte, dns.Len(rr)+64)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return Record{}, fmt.Errorf("packing %s %s: %w", name, Type(rr.Header().Rrtype), err)
	}
	start := len(name.AppendWire(nil)) + 10 // type, class, TTL, length
	if end < start {
		return Record{}, fmt.Errorf("packing %s %s: the data is cut short", name, Type(rr.Header().Rrtype))
	}
	return Record{Name: name, Type: Type(rr.Header().Rrtype), TTL: rr.Header().Ttl, Data: Data(buf[start:end])}, nil
}

// canonicalRR folds the names in the data of the types that nirzone compares (RFC
// 4034, section 6.2, as corrected by RFC 6840, section 5.1: not NSEC's).
func canonicalRR(rr dns.RR) {
	switch r := rr.(type) {
	case *dns.NS:
		r.Ns = dns.CanonicalName(r.Ns)
	case *dns.SOA:
		r.Ns, r.Mbox = dns.CanonicalName(r.Ns), dns.CanonicalName(r.Mbox)
	case *dns.RRSIG:
		r.SignerName = dns.CanonicalName(r.SignerName)
	}
}
