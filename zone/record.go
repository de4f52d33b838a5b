package zone

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A Type is a resource record type (RFC 1035, section 3.2.2).
type Type uint16

// The types that nirzone reads or writes by name.
const (
	TypeA          Type = 1
	TypeNS         Type = 2
	TypeCNAME      Type = 5
	TypeSOA        Type = 6
	TypeTXT        Type = 16
	TypeAAAA       Type = 28
	TypeDS         Type = 43
	TypeRRSIG      Type = 46
	TypeNSEC       Type = 47
	TypeDNSKEY     Type = 48
	TypeNSEC3      Type = 50
	TypeNSEC3PARAM Type = 51
	TypeCDS        Type = 59
	TypeCDNSKEY    Type = 60
	TypeZONEMD     Type = 63
)

// String returns the mnemonic, or TYPEn (RFC 3597, section 5).
func (t Type) String() string {
	if s, ok := dns.TypeToString[uint16(t)]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// Data is a record's RDATA in canonical wire format: names in it uncompressed
// and lower case (RFC 4034, section 6.2).
type Data string

// NSData returns the RDATA of an NS, CNAME or PTR record that names host.
func NSData(host Name) Data { return Data(host.AppendWire(nil)) }

// Host returns the name that an NS, CNAME or PTR record points at, and false
// if the data is not exactly one name.
func (d Data) Host() (Name, bool) {
	n, l, err := NameFromWire(string(d))
	return n, err == nil && l == len(d)
}

// A Record is one resource record of class IN. TTL is in seconds. Records are
// comparable: two are the same if they are ==.
type Record struct {
	Name Name
	Type Type
	TTL  uint32
	Data Data
}

// Compare orders records canonically: by name, type and data (RFC 4034,
// sections 6.1 and 6.3). The TTL does not count.
func (r Record) Compare(s Record) int {
	if c := r.Name.Compare(s.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(r.Type, s.Type); c != 0 {
		return c
	}
	return cmp.Compare(r.Data, s.Data)
}

// String returns the record as a line of a zone file, without the line end.
func (r Record) String() string {
	return fmt.Sprintf("%s\t%d\tIN\t%s\t%s", r.Name, r.TTL, r.Type, r.Text())
}

// Text returns the record's data in presentation form. Data that does not
// decode is written as RFC 3597, section 5, has it.
func (r Record) Text() string {
	switch r.Type {
	case TypeNS, TypeCNAME:
		if host, ok := r.Data.Host(); ok {
			return string(host)
		}
	case TypeDS:
		if len(r.Data) >= 4 {
			d := r.Data
			return fmt.Sprintf("%d %d %d %X", int(d[0])<<8|int(d[1]), d[2], d[3], string(d[4:]))
		}
	}
	if rr, err := r.unpack(); err == nil && len(r.Data) > 0 && dns.TypeToRR[uint16(r.Type)] != nil {
		return strings.TrimPrefix(rr.String(), rr.Header().String())
	}
	return fmt.Sprintf(`\# %d %x`, len(r.Data), string(r.Data))
}

// unpack decodes the record by the DNS library.
func (r Record) unpack() (dns.RR, error) {
	h := dns.RR_Header{Name: string(r.Name), Rrtype: uint16(r.Type), Class: dns.ClassINET, Ttl: r.TTL, Rdlength: uint16(len(r.Data))}
	rr, off, err := dns.UnpackRRWithHeader(h, []byte(r.Data), 0)
	if err != nil {
		return nil, fmt.Errorf("decoding %s %s: %w", r.Name, r.Type, err)
	}
	if off != len(r.Data) {
		return nil, fmt.Errorf("decoding %s %s: %d octets too many", r.Name, r.Type, len(r.Data)-off)
	}
	// The library reads fields that are missing at the end as zero.
	again := make([]byte, dns.Len(rr)+64)
	start := len(r.Name.AppendWire(nil)) + 10 // type, class, TTL, length
	end, err := dns.PackRR(rr, again, 0, nil, false)
	if err != nil || end < start || string(again[start:end]) != string(r.Data) {
		return nil, fmt.Errorf("decoding %s %s: the data is cut short or not canonical", r.Name, r.Type)
	}
	return rr, nil
}
