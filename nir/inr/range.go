package inr

import (
	"fmt"
	"iter"
	"math/big"
)

// A Range is the closed interval of the numbers of one kind from First to Last.
// Two ranges are the same if they are ==. Ranges are made by [NewRange],
// [ParseRange], [FromStatistics] or from a Block; the zero value is none.
type Range struct {
	Kind        Kind
	First, Last Num
}

// NewRange returns the range from first to last. A last before first, or beyond
// the kind's numbers, is an error.
func NewRange(k Kind, first, last Num) (Range, error) {
	r := Range{k, first, last}
	switch {
	case r.Valid():
		return r, nil
	case !k.Valid():
		return Range{}, fmt.Errorf("range: %s is no kind of resource", k)
	case k.Max().Less(last), k.Max().Less(first):
		return Range{}, fmt.Errorf("range from %s to %s: %s ends at %s", first, last, k, k.Format(k.Max()))
	}
	return Range{}, fmt.Errorf("range %s-%s ends before it starts: write %s-%s", k.Format(first), k.Format(last), k.Format(last), k.Format(first))
}

// Valid reports whether r could come from [NewRange].
func (r Range) Valid() bool {
	return r.Kind.Valid() && !r.Last.Less(r.First) && !r.Kind.Max().Less(r.Last)
}

// Contains reports whether all of o is in r.
func (r Range) Contains(o Range) bool {
	return r.Kind == o.Kind && !o.First.Less(r.First) && !r.Last.Less(o.Last)
}

// Overlaps reports whether r and o share a number.
func (r Range) Overlaps(o Range) bool {
	return r.Kind == o.Kind && !o.Last.Less(r.First) && !r.Last.Less(o.First)
}

// Compare orders ranges by kind, first number, and last number, the greater last
// first, so that a range stands before all that it contains.
func (r Range) Compare(o Range) int {
	if c := compareAt(r.Kind, r.First, o.Kind, o.First); c != 0 {
		return c
	}
	return o.Last.Cmp(r.Last)
}

func compareAt(k Kind, n Num, l Kind, m Num) int {
	if k != l {
		return int(k) - int(l)
	}
	return n.Cmp(m)
}

// Count returns how many numbers the range holds: up to 2¹²⁸, which no Num can.
func (r Range) Count() *big.Int {
	n := r.Last.Sub(r.First).Big()
	return n.Add(n, big.NewInt(1))
}

// Block returns the range as a block; false if its size is no power of two or
// its start is not aligned.
func (r Range) Block() (Block, bool) {
	b := r.firstBlock()
	return b, b.Last() == r.Last
}

// Blocks returns the minimal list of blocks that covers exactly the range, from
// the lowest.
func (r Range) Blocks() iter.Seq[Block] {
	return func(yield func(Block) bool) {
		for rest := r; ; {
			b := rest.firstBlock()
			if !yield(b) || b.Last() == r.Last {
				return
			}
			rest.First = b.Last().Next()
		}
	}
}

// firstBlock returns the greatest block at the start of r that is in r.
func (r Range) firstBlock() Block {
	size := r.Last.Sub(r.First) // one less than the count
	fit := size.bitLen()
	if size != ones(fit) {
		fit--
	}
	host := min(fit, r.First.trailingZeros(), r.Kind.Bits())
	return Block{r.Kind, r.First, r.Kind.Bits() - host}
}

// String writes the range: as prefix if it is one, otherwise as
// "192.0.2.0-192.0.2.9" or "AS64496-AS64511"; one ASN as "AS64496".
func (r Range) String() string {
	if r.Kind != ASN && r.Valid() {
		if b, ok := r.Block(); ok {
			return b.String()
		}
	}
	return r.span("-")
}

// RPSL writes the range as the key of its whois object: inetnum
// "192.0.2.0 - 192.0.2.255", also for one address, inet6num "2001:db8::/32",
// aut-num "AS64496", as-block "AS64496 - AS64511" (RFC 2622, RFC 4012). An IPv6
// range that is no prefix has no inet6num and is written with a dash: split it
// with [Range.Blocks] first.
func (r Range) RPSL() string {
	switch {
	case r.Kind == IPv6:
		if b, ok := r.Block(); ok {
			return b.String()
		}
	case r.Kind == IPv4:
		return r.Kind.Format(r.First) + " - " + r.Kind.Format(r.Last)
	}
	return r.span(" - ")
}

// span writes both ends with a dash between them; a single number alone.
func (r Range) span(dash string) string {
	if r.First == r.Last {
		return r.Kind.Format(r.First)
	}
	return r.Kind.Format(r.First) + dash + r.Kind.Format(r.Last)
}

// MarshalText implements encoding.TextMarshaler with [Range.String].
func (r Range) MarshalText() ([]byte, error) {
	if !r.Valid() {
		return nil, fmt.Errorf("writing a range: from %s to %s of %s is none", r.First, r.Last, r.Kind)
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with [ParseRange].
func (r *Range) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRange(string(text))
	return err
}
