package inr

import (
	"fmt"
	"iter"
	"math/big"
	"slices"
	"sort"
	"strings"
)

// A Set is a set of number resources of any kinds, in canonical form (see the
// package). It is immutable: operations return new sets, which may share memory.
// The zero value is the empty set. Sets are compared with [Set.Equal].
type Set struct {
	r []Range // sorted, disjoint, not touching
}

// Of returns the union of ranges in any order. It panics if one is not valid:
// ranges from outside are made by [NewRange] or by a parser, which say so.
func Of(ranges ...Range) Set {
	var b Builder
	b.Add(ranges...)
	return b.Set()
}

// OfBlocks returns the union of blocks in any order. It panics if one is not
// valid.
func OfBlocks(blocks ...Block) Set {
	var b Builder
	for _, x := range blocks {
		b.Add(x.Range())
	}
	return b.Set()
}

// A Builder collects ranges for a set: what would be quadratic by repeated
// [Set.Union] is one sort here. The zero value is ready for use. A Builder must
// not be copied, nor used by two goroutines at once.
type Builder struct {
	r      []Range
	unsort bool
}

// Add puts ranges into the set to be. It panics if one is not valid.
func (b *Builder) Add(ranges ...Range) {
	for _, r := range ranges {
		if !r.Valid() {
			panic(fmt.Sprintf("inr: adding a range that is none: %s from %s to %s", r.Kind, r.First, r.Last))
		}
		b.unsort = b.unsort || len(b.r) > 0 && r.Compare(b.r[len(b.r)-1]) < 0
		b.r = append(b.r, r)
	}
}

// AddSet puts all ranges of a set into the set to be.
func (b *Builder) AddSet(s Set) { b.Add(s.r...) }

// Set returns the union of all that was added. The Builder stays as it is and
// may be added to.
func (b *Builder) Set() Set {
	if b.unsort {
		slices.SortFunc(b.r, Range.Compare)
		b.unsort = false
	}
	return Set{coalesce(make([]Range, 0, len(b.r)), b.r)}
}

// coalesce appends sorted ranges to a list in canonical form.
func coalesce(to, sorted []Range) []Range {
	for _, r := range sorted {
		to = join(to, r)
	}
	return to
}

// join appends a range, which starts at or after the last one, to a list in
// canonical form.
func join(to []Range, r Range) []Range {
	if n := len(to) - 1; n >= 0 && to[n].Kind == r.Kind && reaches(to[n].Last, r.First) {
		if to[n].Last.Less(r.Last) {
			to[n].Last = r.Last
		}
		return to
	}
	return append(to, r)
}

// reaches reports whether what ends at last overlaps or touches what starts at
// first, at or after its start.
func reaches(last, first Num) bool { return !last.Less(first) || last.Next() == first }

// IsEmpty reports whether the set holds nothing.
func (s Set) IsEmpty() bool { return len(s.r) == 0 }

// Len returns the number of ranges in canonical form.
func (s Set) Len() int { return len(s.r) }

// Equal reports whether both hold the same.
func (s Set) Equal(o Set) bool { return slices.Equal(s.r, o.r) }

// Ranges returns the ranges in canonical order, as a new slice.
func (s Set) Ranges() []Range { return slices.Clone(s.r) }

// All returns the ranges in canonical order.
func (s Set) All() iter.Seq[Range] { return slices.Values(s.r) }

// Blocks returns the minimal list of blocks that covers exactly the set, in
// canonical order.
func (s Set) Blocks() []Block {
	var all []Block
	for b := range s.AllBlocks() {
		all = append(all, b)
	}
	return all
}

// AllBlocks returns what [Set.Blocks] does, one at a time.
func (s Set) AllBlocks() iter.Seq[Block] {
	return func(yield func(Block) bool) {
		for _, r := range s.r {
			for b := range r.Blocks() {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// Of returns the part of one kind.
func (s Set) Of(k Kind) Set {
	from := sort.Search(len(s.r), func(i int) bool { return s.r[i].Kind >= k })
	to := sort.Search(len(s.r), func(i int) bool { return s.r[i].Kind > k })
	return Set{s.r[from:to:to]}
}

// Count returns how many numbers of one kind the set holds: up to 2¹²⁸.
func (s Set) Count(k Kind) *big.Int {
	n := new(big.Int)
	for _, r := range s.Of(k).r {
		n.Add(n, r.Count())
	}
	return n
}

// find returns the index of the first range that ends at or after a number.
func (s Set) find(k Kind, n Num) int {
	return sort.Search(len(s.r), func(i int) bool { return compareAt(s.r[i].Kind, s.r[i].Last, k, n) >= 0 })
}

// Contains reports whether all of r is in the set.
func (s Set) Contains(r Range) bool {
	i := s.find(r.Kind, r.First)
	return i < len(s.r) && s.r[i].Contains(r)
}

// ContainsSet reports whether all of o is in the set.
func (s Set) ContainsSet(o Set) bool { return o.Subtract(s).IsEmpty() }

// Overlaps reports whether the set holds any number of r.
func (s Set) Overlaps(r Range) bool {
	i := s.find(r.Kind, r.First)
	return i < len(s.r) && s.r[i].Overlaps(r)
}

// Around returns the range of the set that contains all of r.
func (s Set) Around(r Range) (Range, bool) {
	if i := s.find(r.Kind, r.First); i < len(s.r) && s.r[i].Contains(r) {
		return s.r[i], true
	}
	return Range{}, false
}

// String writes the ranges with ", " between them; nothing for the empty set.
func (s Set) String() string {
	var b strings.Builder
	for i, r := range s.r {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.String())
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler with [Set.String].
func (s Set) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with [ParseSet].
func (s *Set) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSet(string(text))
	return err
}
