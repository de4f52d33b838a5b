package inr

import (
	"fmt"
	"math/big"
	"strconv"
)

// FromStatistics reads the columns type, start and value of the statistics
// exchange format of the regional registries: for IPv4 and ASNs, value is a
// count of numbers, which need not be a power of two; for IPv6 it is a prefix
// length. Starts are written as "192.0.2.0", "2001:db8::", "64496".
func FromStatistics(k Kind, start, value string) (Range, error) {
	from, first, err := ParseNumber(start)
	if err != nil {
		return Range{}, err
	}
	if from != k {
		return Range{}, fmt.Errorf("start %q is %s, and the record says %s", start, from, k)
	}
	if k == IPv6 {
		return whole(prefix(start+"/"+value, k, first, value))
	}
	n, err := strconv.ParseUint(value, 10, 33)
	if err != nil || n == 0 {
		return Range{}, fmt.Errorf("value %.40q of %s: write how many there are, 1 or more", value, k.Format(first))
	}
	last := first.Add(N(n - 1))
	if k.Max().Less(last) {
		return Range{}, fmt.Errorf("value %s of %s: that goes beyond the last, %s; at most %s fit", value, k.Format(first), k.Format(k.Max()), Range{k, first, k.Max()}.Count())
	}
	return Range{k, first, last}, nil
}

// Statistics returns the columns start and value of the statistics exchange
// format for a range. An IPv6 range that is no prefix has none: the answer is
// false, and [Range.Blocks] has those that do.
func (r Range) Statistics() (start, value string, ok bool) {
	start = r.Kind.Format(r.First)
	if r.Kind == IPv6 {
		b, ok := r.Block()
		return start, strconv.Itoa(b.Len), ok
	}
	if r.Kind == ASN {
		start = r.First.String()
	}
	n := r.Last.Sub(r.First).Big()
	return start, n.Add(n, big.NewInt(1)).String(), true
}
