package inr

import (
	"fmt"
	"iter"
	"strconv"
)

// A Block is a range whose size is a power of two and whose first number is a
// multiple of it: the prefix First/Len. Len counts bits from the left, 0 to 32
// for IPv4 and ASNs, 0 to 128 for IPv6, so that the greater block has the lesser
// Len. Two blocks are the same if they are ==. Blocks are made by [NewBlock],
// [ParseBlock], or from a Range or Set; the zero value is none.
type Block struct {
	Kind  Kind
	First Num
	Len   int
}

// NewBlock returns the block of a length that starts at first. A first that is
// not aligned to the length is an error, which names the block around it.
func NewBlock(k Kind, first Num, length int) (Block, error) {
	switch {
	case !k.Valid():
		return Block{}, fmt.Errorf("block: %s is no kind of resource", k)
	case length < 0 || length > k.Bits():
		return Block{}, fmt.Errorf("block %s/%d: the length of %s is 0 to %d", k.Format(first), length, k, k.Bits())
	case k.Max().Less(first):
		return Block{}, fmt.Errorf("block at %s: %s ends at %s", first, k, k.Format(k.Max()))
	}
	if b := BlockAt(k, first, length); b.First != first {
		return Block{}, fmt.Errorf("block %s/%d: bits behind the prefix are set: write %s", k.Format(first), length, b)
	}
	return Block{k, first, length}, nil
}

// BlockAt returns the block of a length that holds a number. The length must be
// one that the kind has.
func BlockAt(k Kind, n Num, length int) Block {
	return Block{k, n.and(ones(k.Bits() - length).not()), length}
}

// Valid reports whether b could come from [NewBlock].
func (b Block) Valid() bool {
	return b.Kind.Valid() && b.Len >= 0 && b.Len <= b.Kind.Bits() &&
		!b.Kind.Max().Less(b.First) && b.First.and(b.host()).IsZero()
}

// host returns the mask of the bits behind the prefix.
func (b Block) host() Num { return ones(b.Kind.Bits() - b.Len) }

// Last returns the last number of the block.
func (b Block) Last() Num { return b.First.or(b.host()) }

// Range returns the block as a range.
func (b Block) Range() Range { return Range{b.Kind, b.First, b.Last()} }

// Parent returns the block of twice the size that holds b; false if b is all of
// its kind.
func (b Block) Parent() (Block, bool) {
	if b.Len == 0 {
		return Block{}, false
	}
	return BlockAt(b.Kind, b.First, b.Len-1), true
}

// Buddy returns the block that together with b makes up b's parent; false if b
// is all of its kind.
func (b Block) Buddy() (Block, bool) {
	p, ok := b.Parent()
	if !ok {
		return Block{}, false
	}
	lower, upper, _ := p.Halves()
	if lower == b {
		return upper, true
	}
	return lower, true
}

// Halves returns the two blocks of half the size; false if b is one number.
func (b Block) Halves() (lower, upper Block, ok bool) {
	if b.Len >= b.Kind.Bits() {
		return Block{}, Block{}, false
	}
	lower = Block{b.Kind, b.First, b.Len + 1}
	upper = lower
	upper.First = lower.Last().Next()
	return lower, upper, true
}

// Ancestor returns the block of a lesser or equal length that holds b.
func (b Block) Ancestor(length int) Block { return BlockAt(b.Kind, b.First, length) }

// Start returns the block of a greater or equal length at the start of b.
func (b Block) Start(length int) Block { return Block{b.Kind, b.First, length} }

// Subblocks returns all blocks of a length in b, from the lowest; none if the
// length is less than b's.
func (b Block) Subblocks(length int) iter.Seq[Block] {
	return func(yield func(Block) bool) {
		if length < b.Len || length > b.Kind.Bits() {
			return
		}
		for s := b.Start(length); yield(s) && s.Last() != b.Last(); {
			s.First = s.Last().Next()
		}
	}
}

// Contains reports whether all of o is in b.
func (b Block) Contains(o Block) bool {
	return b.Kind == o.Kind && b.Len <= o.Len && o.Ancestor(b.Len) == b
}

// Overlaps reports whether b and o share a number: one then contains the other.
func (b Block) Overlaps(o Block) bool { return b.Contains(o) || o.Contains(b) }

// Compare orders blocks by kind, first number, and size, the greater block
// first, so that a block stands before all that it contains.
func (b Block) Compare(o Block) int {
	if c := compareAt(b.Kind, b.First, o.Kind, o.First); c != 0 {
		return c
	}
	return b.Len - o.Len
}

// String writes the block: "192.0.2.0/24", "2001:db8::/32", "AS64496",
// "AS64496-AS64511".
func (b Block) String() string {
	if b.Kind == ASN {
		return b.Range().span("-")
	}
	return b.Kind.Format(b.First) + "/" + strconv.Itoa(b.Len)
}

// MarshalText implements encoding.TextMarshaler with [Block.String].
func (b Block) MarshalText() ([]byte, error) {
	if !b.Valid() {
		return nil, fmt.Errorf("writing a block: %+v is none", struct {
			Kind  Kind
			First Num
			Len   int
		}(b))
	}
	return []byte(b.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with [ParseBlock].
func (b *Block) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBlock(string(text))
	return err
}
