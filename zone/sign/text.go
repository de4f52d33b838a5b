package sign

import (
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"nirzone/zone"
)

// The functions here append a zone file's text; they are the hot path of a
// build, hence no fmt.

func appendHead(b []byte, owner string, ttl uint32, t zone.Type) []byte {
	b = append(append(b, owner...), '\t')
	b = append(strconv.AppendUint(b, uint64(ttl), 10), "\tIN\t"...)
	return append(append(b, t.String()...), '\t')
}

// appendData appends record data of the types of checkEntry, which has seen it.
func appendData(b []byte, t zone.Type, data string) []byte {
	switch t {
	case zone.TypeNS, zone.TypeCNAME:
		return appendName(b, data)
	case zone.TypeDS:
		b = appendNumbers(b, uint32(data[0])<<8|uint32(data[1]), uint32(data[2]), uint32(data[3]))
		return appendHex(b, data[4:])
	case zone.TypeA:
		return netip.AddrFrom4([4]byte([]byte(data))).AppendTo(b)
	default: // AAAA
		return netip.AddrFrom16([16]byte([]byte(data))).AppendTo(b)
	}
}

// appendNumbers appends numbers, each with a space after it.
func appendNumbers(b []byte, numbers ...uint32) []byte {
	for _, n := range numbers {
		b = append(strconv.AppendUint(b, uint64(n), 10), ' ')
	}
	return b
}

const upperHex = "0123456789ABCDEF"

func appendHex(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, upperHex[s[i]>>4], upperHex[s[i]&15])
	}
	return b
}

// appendName appends a name from wire form. Host names are copied label by
// label; any other octet takes the way through package zone, which escapes.
func appendName(b []byte, wire string) []byte {
	start := len(b)
	for rest := wire; rest[0] != 0; rest = rest[1+int(rest[0]):] {
		for _, c := range []byte(rest[1 : 1+int(rest[0])]) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				n, _, _ := zone.NameFromWire(wire)
				return append(b[:start], n...)
			}
			b = append(b, c)
		}
		b = append(b, '.')
	}
	if len(b) == start {
		b = append(b, '.')
	}
	return b
}

// appendTime appends seconds since 1970 as YYYYMMDDHHmmSS (RFC 4034, section
// 3.2).
func appendTime(b []byte, t int64) []byte {
	return time.Unix(t, 0).UTC().AppendFormat(b, timeForm)
}

// appendRRSIG appends the text of RRSIG data. The origin is its signer's name,
// which was the same in wire form.
func appendRRSIG(b []byte, s rrsig, origin string) []byte {
	d := s.rdata
	b = append(append(b, s.covered.String()...), ' ')
	b = appendNumbers(b, uint32(d[2]), uint32(d[3]), binary.BigEndian.Uint32(d[4:]))
	b = append(appendTime(b, s.start+s.clock.validity), ' ')
	b = append(appendTime(b, s.start-s.clock.inception), ' ')
	b = appendNumbers(b, uint32(binary.BigEndian.Uint16(d[16:])))
	b = append(append(b, origin...), ' ')
	return base64.StdEncoding.AppendEncode(b, d[18+len(s.clock.origin):])
}

// appendTypes appends the types of an NSEC bitmap.
func appendTypes(b []byte, types []zone.Type) []byte {
	for _, t := range types {
		b = append(append(b, ' '), t.String()...)
	}
	return b
}
