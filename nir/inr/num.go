package inr

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// A Num is an unsigned number of 128 bits, Hi·2⁶⁴ + Lo: an address or an ASN.
// IPv4 addresses and ASNs are in the lower 32 bits. Every value is valid; two
// are the same if they are ==.
type Num struct{ Hi, Lo uint64 }

// N returns a small number.
func N(n uint64) Num { return Num{Lo: n} }

// FromBytes returns the number that 16 octets hold in network byte order.
func FromBytes(b [16]byte) Num {
	return Num{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Bytes returns the number as 16 octets in network byte order. Their order as
// strings is the order of the numbers.
func (n Num) Bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], n.Hi)
	binary.BigEndian.PutUint64(b[8:], n.Lo)
	return b
}

// Cmp returns -1, 0 or +1 as n is less than, equal to or greater than o.
func (n Num) Cmp(o Num) int {
	switch {
	case n == o:
		return 0
	case n.Less(o):
		return -1
	}
	return 1
}

// Less reports whether n < o.
func (n Num) Less(o Num) bool { return n.Hi < o.Hi || n.Hi == o.Hi && n.Lo < o.Lo }

// IsZero reports whether n is 0.
func (n Num) IsZero() bool { return n == Num{} }

// Add returns n+o modulo 2¹²⁸.
func (n Num) Add(o Num) Num {
	lo, carry := bits.Add64(n.Lo, o.Lo, 0)
	hi, _ := bits.Add64(n.Hi, o.Hi, carry)
	return Num{hi, lo}
}

// Sub returns n-o modulo 2¹²⁸.
func (n Num) Sub(o Num) Num {
	lo, borrow := bits.Sub64(n.Lo, o.Lo, 0)
	hi, _ := bits.Sub64(n.Hi, o.Hi, borrow)
	return Num{hi, lo}
}

// Next returns n+1 modulo 2¹²⁸.
func (n Num) Next() Num { return n.Add(Num{Lo: 1}) }

// Prev returns n-1 modulo 2¹²⁸.
func (n Num) Prev() Num { return n.Sub(Num{Lo: 1}) }

// Big returns the number as a new big.Int.
func (n Num) Big() *big.Int {
	b := n.Bytes()
	return new(big.Int).SetBytes(b[:])
}

// String returns the number in decimal.
func (n Num) String() string { return n.Big().String() }

func (n Num) and(o Num) Num { return Num{n.Hi & o.Hi, n.Lo & o.Lo} }
func (n Num) or(o Num) Num  { return Num{n.Hi | o.Hi, n.Lo | o.Lo} }
func (n Num) not() Num      { return Num{^n.Hi, ^n.Lo} }

// trailingZeros returns the number of zero bits at the end; 128 for 0.
func (n Num) trailingZeros() int {
	if n.Lo != 0 {
		return bits.TrailingZeros64(n.Lo)
	}
	return 64 + bits.TrailingZeros64(n.Hi)
}

// bitLen returns the number of bits needed to write n; 0 for 0.
func (n Num) bitLen() int {
	if n.Hi != 0 {
		return 64 + bits.Len64(n.Hi)
	}
	return bits.Len64(n.Lo)
}

// ones returns the number whose lowest c bits are set, c from 0 to 128.
func ones(c int) Num {
	switch {
	case c >= 128:
		return Num{^uint64(0), ^uint64(0)}
	case c > 64:
		return Num{1<<(c-64) - 1, ^uint64(0)}
	case c == 64:
		return Num{0, ^uint64(0)}
	}
	return Num{0, 1<<c - 1}
}
