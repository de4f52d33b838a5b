package sshsig

import (
	"encoding/binary"
	"math/big"
)

// A reader reads SSH's wire form (RFC 4251, section 5). Once something is missing
// it is bad, and everything read after that is empty.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) next(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) uint32() uint32 {
	b := r.next(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func (r *reader) string() []byte { return r.next(r.uint32()) }

// mpint reads a number above zero in its shortest form.
func (r *reader) mpint() *big.Int {
	b := r.string()
	if len(b) == 0 || b[0] >= 0x80 || b[0] == 0 && (len(b) == 1 || b[1] < 0x80) {
		r.bad = true
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}

// whole reports whether all was there, and nothing more.
func (r *reader) whole() bool { return !r.bad && len(r.rest) == 0 }

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendStrings writes strings one after the other.
func appendStrings(b []byte, list ...[]byte) []byte {
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// appendMpint writes a number that is not negative.
func appendMpint(b []byte, n *big.Int) []byte {
	data := n.Bytes()
	if len(data) > 0 && data[0] >= 0x80 {
		data = append([]byte{0}, data...)
	}
	return appendString(b, data)
}
