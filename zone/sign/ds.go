package sign

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"time"

	"nirzone/zone"
)

// isDS reports whether a DS record's data is of this key: its tag, algorithm and
// digest, which has to be SHA-256 or SHA-384 (RFC 8624, section 3.3).
func (k Key) isDS(data zone.Data) bool {
	if len(data) < 4 || binary.BigEndian.Uint16([]byte(data)) != k.Tag || data[2] != k.Algorithm {
		return false
	}
	input := append(k.Zone.AppendWire(nil), k.rdata()...)
	switch data[3] {
	case 2:
		sum := sha256.Sum256(input)
		return string(data[4:]) == string(sum[:])
	case 4:
		sum := sha512.Sum384(input)
		return string(data[4:]) == string(sum[:])
	}
	return false
}

// inCDS reports whether the zone's CDS and CDNSKEY sets name the key: from the
// time its DS may be asked for until its successor's is (RFC 7344, section 4).
func (k Key) inCDS(now time.Time) bool {
	return k.SignsKeys() && k.published(now) && reached(k.Timing.Ready, now) && !reached(k.Timing.Unsync, now)
}

// MarkCDS returns the keys with CDS set for those that the zone's CDS and CDNSKEY
// sets should name at now.
func MarkCDS(keys []Key, now time.Time) []Key {
	out := append([]Key{}, keys...)
	for i := range out {
		out[i].CDS = out[i].inCDS(now)
	}
	return out
}
