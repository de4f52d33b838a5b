package nir

import (
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"nirzone/nir/inr"
)

// A Size is an amount of resources as people write it: "/20" for a block, "5120"
// for a number of IPv4 addresses that is no power of two, "1" for one ASN.
type Size string

// ParseSize reads a size and returns it in its one form. IPv6 comes in blocks, and
// nobody asks for all there is. A number of IPv4 addresses as small as a prefix
// length is refused: who wrote it has in all likelihood left out the slash.
func ParseSize(k inr.Kind, text string) (Size, error) {
	if l, ok := strings.CutPrefix(text, "/"); ok && k != inr.ASN {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > k.Bits() {
			return "", invalid("size", "%.20q is not a prefix length from /1 to /%d", text, k.Bits())
		}
		return Size("/" + strconv.Itoa(n)), nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	switch {
	case err != nil || n == 0:
		return "", invalid("size", "%.20q is no size: write /20 for a block, or a number", text)
	case k == inr.IPv6:
		return "", invalid("size", "%.20q: IPv6 comes in blocks, write /32", text)
	case k == inr.IPv4 && n <= 32:
		return "", invalid("size", "%.20q is %d addresses, or a prefix length without its slash: write /%d, or /%d for a block of that many", text, n, n, 32-bits.Len64(n-1))
	case k == inr.IPv4 && n&(n-1) == 0:
		return Size("/" + strconv.Itoa(32-big.NewInt(int64(n)).BitLen()+1)), nil
	}
	return Size(strconv.FormatUint(n, 10)), nil
}

// Count returns how many resources of the kind a size is.
func (s Size) Count(k inr.Kind) *big.Int {
	if l, ok := strings.CutPrefix(string(s), "/"); ok {
		n, _ := strconv.Atoi(l) // ParseSize read it
		return new(big.Int).Lsh(big.NewInt(1), uint(k.Bits()-n))
	}
	n, _ := new(big.Int).SetString(string(s), 10)
	if n == nil {
		return new(big.Int)
	}
	return n
}

// Lengths returns the prefix lengths of the blocks that make up the size, the
// largest first.
func (s Size) Lengths(k inr.Kind) []int {
	n := s.Count(k)
	var list []int
	for i := n.BitLen() - 1; i >= 0; i-- {
		if n.Bit(i) == 1 {
			list = append(list, k.Bits()-i)
		}
	}
	return list
}
