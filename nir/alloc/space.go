package alloc

import (
	"cmp"
	"time"

	"nirzone/nir/inr"
)

// A Free is a free block of a pool: a row of the store. The Block alone names
// it, since free blocks are disjoint.
type Free struct {
	Block   inr.Block
	Member  string    // whom it is softly reserved for; "" if it is unreserved
	Since   time.Time // when the reservation was made; zero if unreserved
	Expires time.Time // when it ends; zero: never
}

// Reserved reports whether the block is reserved for a member.
func (f Free) Reserved() bool { return f.Member != "" }

// Expired reports whether the block's reservation is over.
func (f Free) Expired(now time.Time) bool {
	return f.Reserved() && !f.Expires.IsZero() && !now.Before(f.Expires)
}

// with returns the same reservation on another block.
func (f Free) with(b inr.Block) Free {
	f.Block = b
	return f
}

// A Space is a view of the free blocks of one pool, all of one kind. It does not
// change while a choice is made: in a store, both are in one transaction. Each
// method returns few rows, in a slice that is the caller's to change, and can be
// answered from an index. An error stops the choice and is handed on.
type Space interface {
	// Unreserved returns the first blocks, at most limit, of the unreserved
	// ones with shortest ≤ Len ≤ longest, in an order. A block holds another of
	// a length if its own Len is at most that.
	Unreserved(o Order, shortest, longest, limit int) ([]Free, error)

	// Reserved returns the first blocks, at most limit, of the reserved ones
	// with shortest ≤ Len ≤ longest, in the order of [Turn].
	Reserved(member string, now time.Time, shortest, longest, limit int) ([]Free, error)

	// Overlapping returns all free blocks, reserved or not, that share a number
	// with b, by address: either one that contains b, or those inside b.
	Overlapping(b inr.Block) ([]Free, error)
}

// An Order is an order of free blocks.
type Order int

// The orders of unreserved blocks.
const (
	BySize    Order = iota // the smallest first, then the lowest address
	ByAddress              // the lowest address first
	ByLargest              // the largest first, then the lowest address
)

// Compare compares two blocks.
func (o Order) Compare(a, b Free) int {
	switch {
	case o == BySize && a.Block.Len != b.Block.Len:
		return b.Block.Len - a.Block.Len
	case o == ByLargest && a.Block.Len != b.Block.Len:
		return a.Block.Len - b.Block.Len
	}
	return a.Block.Compare(b.Block)
}

// Turn returns the order in which reserved blocks are cannibalised for a member:
// expired ones, the member's own, then by Since, the larger block, and the lower
// address. In SQL, with Len growing as blocks shrink:
//
//	ORDER BY expires IS NOT NULL AND expires <= now DESC, member = m DESC, since, len, first
func Turn(member string, now time.Time) func(a, b Free) int {
	rank := func(f Free) int {
		switch {
		case f.Expired(now):
			return 0
		case f.Member == member:
			return 1
		}
		return 2
	}
	return func(a, b Free) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Since.Compare(b.Since), a.Block.Len-b.Block.Len, a.Block.Compare(b.Block))
	}
}
