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
	rows     []*Free            // by address
	lengths  [129][]*Free       // the unreserved ones of each length, by address
	reserved []*Free            // by Since, size, address: the order of Turn within a rank
	own      map[string][]*Free // of reserved, each member's
	expiring int                // how many of reserved have an end
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
	if !f.Reserved() {
		put(&m.lengths[f.Block.Len], &f, byAddress)
		return
	}
	if m.own == nil {
		m.own = map[string][]*Free{}
	}
	own := m.own[f.Member]
	put(&own, &f, byAge)
	m.own[f.Member] = own
	put(&m.reserved, &f, byAge)
	m.expiring += one(!f.Expires.IsZero())
}

func (m *Memory) remove(f Free) {
	i := m.at(f.Block)
	m.rows = slices.Delete(m.rows, i, i+1)
	if !f.Reserved() {
		cut(&m.lengths[f.Block.Len], &f, byAddress)
		return
	}
	own := m.own[f.Member]
	cut(&own, &f, byAge)
	m.own[f.Member] = own
	cut(&m.reserved, &f, byAge)
	m.expiring -= one(!f.Expires.IsZero())
}

func put(list *[]*Free, f *Free, order func(a, b *Free) int) {
	i, _ := slices.BinarySearchFunc(*list, f, order)
	*list = slices.Insert(*list, i, f)
}

func cut(list *[]*Free, f *Free, order func(a, b *Free) int) {
	i, _ := slices.BinarySearchFunc(*list, f, order)
	*list = slices.Delete(*list, i, i+1)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
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
	var out []*Free
	pick := func(from []*Free, wanted func(f *Free) bool) {
		for _, f := range from {
			if len(out) == limit {
				return
			}
			if shortest <= f.Block.Len && f.Block.Len <= longest && wanted(f) {
				out = append(out, f)
			}
		}
	}
	if m.expiring > 0 {
		pick(m.reserved, func(f *Free) bool { return f.Expired(now) })
	}
	pick(m.own[member], func(f *Free) bool { return !f.Expired(now) })
	pick(m.reserved, func(f *Free) bool { return !f.Expired(now) && f.Member != member })
	return values(out, limit), nil
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
