package sign

import (
	"encoding/binary"

	"nirzone/zone"
)

const classIN = 1

// appendRecord appends a record in canonical wire form (RFC 4034, section 6.2):
// the form that is signed and that ZONEMD is a digest of.
func appendRecord[D ~string | ~[]byte](b, owner []byte, t zone.Type, ttl uint32, data D) []byte {
	b = append(b, owner...)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	b = binary.BigEndian.AppendUint16(b, classIN)
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// appendNSEC appends NSEC data (RFC 4034, section 4.1).
func appendNSEC(b []byte, next zone.Name, types []zone.Type) []byte {
	return appendBitmap(next.AppendWire(b), types)
}

// appendBitmap appends the bitmap of NSEC and NSEC3 (RFC 4034, section 4.1.2).
// All types are below 256, so there is one window, or none without types; they
// come in rising order.
func appendBitmap(b []byte, types []zone.Type) []byte {
	var bits [32]byte
	length := 0
	for _, t := range types {
		bits[t/8] |= 0x80 >> (t % 8)
		length = int(t/8) + 1
	}
	if length == 0 {
		return b
	}
	return append(append(b, 0, byte(length)), bits[:length]...)
}

// appendSOA appends SOA data (RFC 1035, section 3.3.13).
func appendSOA(b []byte, s zone.SOA, serial zone.Serial) []byte {
	b = s.RName.AppendWire(s.MName.AppendWire(b))
	for _, v := range [...]uint32{uint32(serial), s.Refresh, s.Retry, s.Expire, s.Minimum} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// An rrsig is a signature record that is ready to be written.
type rrsig struct {
	covered zone.Type
	ttl     uint32
	start   int64 // of its slot
	clock   *clock
	rdata   []byte
}

// appendSigHead appends RRSIG data without the signature (RFC 4034, section
// 3.1).
func appendSigHead(b []byte, c *clock, k *Key, covered zone.Type, labels int, ttl uint32, start int64) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(covered))
	b = append(b, k.Algorithm, byte(labels))
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint32(b, uint32(start+c.validity))
	b = binary.BigEndian.AppendUint32(b, uint32(start-c.inception))
	b = binary.BigEndian.AppendUint16(b, k.Tag)
	return append(b, c.origin...)
}
