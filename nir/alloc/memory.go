package alloc

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"nirzone/nir/inr"
)

// A Memory is a Space in memory, for simulations, tests, and as the reference
// for stores. It is not safe for concurrent use. Its methods return no errors
// except Apply.
type Memory struct {
	rows     []*Free      // by address
	lengths  [129][]*Free // the unreserved ones of each length, by address
	reserved []*Free      // by Since, size, address: the order of Turn within a rank
}

// NewMemory returns a pool of which all is free and unreserved.
func NewMemory(pool inr.Set) *Memory {
	m := &Memory{}
	for b := range pool.AllBlocks() {
		m.insert(Free{Block: b})
	}
	return m
}

// at returns the index of the first row that ends at or after the start of b.
func (m *Memory) at(b inr.Block) int {
	return sort.Search(len(m.rows), func(i int) bool {
		r := m.rows[i].Block
		return r.Kind > b.Kind || r.Kind == b.Kind && !r.Last().Less(b.First)
	})
}

func byAddress(a, b *Free) int { return a.Block.Compare(b.Block) }

func byAge(a, b *Free) int {
	return cmp.Or(a.Since.Compare(b.Since), a.Block.Len-b.Block.Len, a.Block.Compare(b.Block))
}

func (m *Memory) insert(f Free) {
	m.rows = slices.Insert(m.rows, m.at(f.Block), &f)
	list, order := m.index(f)
	i, _ := slices.BinarySearchFunc(*list, &f, order)
	*list = slices.Insert(*list, i, &f)
}

func (m *Memory) remove(f Free) {
	i := m.at(f.Block)
	m.rows = slices.Delete(m.rows, i, i+1)
	list, order := m.index(f)
	i, _ = slices.BinarySearchFunc(*list, &f, order)
	*list = slices.Delete(*list, i, i+1)
}

// index returns the list beside rows that a row belongs to.
func (m *Memory) index(f Free) (*[]*Free, func(a, b *Free) int) {
	if f.Reserved() {
		return &m.reserved, byAge
	}
	return &m.lengths[f.Block.Len], byAddress
}

// Apply makes the changes of a choice. A choice that was made of another state is
// an error, and changes nothing.
func (m *Memory) Apply(c Choice) error {
	for _, f := range c.Removed {
		there, _ := m.Overlapping(f.Block)
		if len(there) != 1 || there[0] != f {
			return fmt.Errorf("applying a choice: %s is not free as it was when the choice was made", f.Block)
		}
	}
	for _, f := range c.Removed {
		m.remove(f)
	}
	for i, f := range c.Added {
		if there, _ := m.Overlapping(f.Block); len(there) > 0 {
			m.undo(c, i)
			return fmt.Errorf("applying a choice: %s is free already", there[0].Block)
		}
		m.insert(f)
	}
	return nil
}

// undo takes back what Apply did before it came to the i-th row to add.
func (m *Memory) undo(c Choice, i int) {
	for _, f := range c.Added[:i] {
		m.remove(f)
	}
	for _, f := range c.Removed {
		m.insert(f)
	}
}

// Free returns all free blocks by address.
func (m *Memory) Free() []Free { return values(m.rows, len(m.rows)) }

// values returns the first rows, at most limit.
func values(rows []*Free, limit int) []Free {
	out := make([]Free, 0, min(limit, len(rows)))
	for _, f := range rows[:min(limit, len(rows))] {
		out = append(out, *f)
	}
	return out
}

// Unreserved implements [Space].
func (m *Memory) Unreserved(o Order, shortest, longest, limit int) ([]Free, error) {
	var out []Free
	for i := shortest; i <= longest; i++ {
		l := i
		if o == BySize {
			l = longest - (i - shortest)
		}
		out = append(out, values(m.lengths[l], limit)...)
		if o != ByAddress && len(out) >= limit {
			break
		}
	}
	slices.SortStableFunc(out, o.Compare)
	return out[:min(limit, len(out))], nil
}

// Reserved implements [Space].
func (m *Memory) Reserved(member string, now time.Time, shortest, longest, limit int) ([]Free, error) {
	var ranks [3][]*Free // of Turn; the rows are in its order within each
	for _, f := range m.reserved {
		rank := 2
		switch {
		case f.Block.Len < shortest || f.Block.Len > longest:
			continue
		case f.Expired(now):
			rank = 0
		case f.Member == member:
			rank = 1
		}
		if len(ranks[rank]) < limit {
			ranks[rank] = append(ranks[rank], f)
		}
	}
	return values(slices.Concat(ranks[0], ranks[1], ranks[2]), limit), nil
}

// Overlapping implements [Space].
func (m *Memory) Overlapping(b inr.Block) ([]Free, error) {
	var out []Free
	for _, f := range m.rows[m.at(b):] {
		if !f.Block.Overlaps(b) {
			break
		}
		out = append(out, *f)
	}
	return out, nil
}
