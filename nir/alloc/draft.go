package alloc

import (
	"slices"
	"time"

	"nirzone/nir/inr"
)

// A draft is a Space with changes that are not made yet, so that the second
// block of a request sees what the first one took. Rows are few.
type draft struct {
	base    Space
	removed map[inr.Block]Free // of base
	added   map[inr.Block]Free // not in base
}

func newDraft(s Space) *draft {
	return &draft{s, map[inr.Block]Free{}, map[inr.Block]Free{}}
}

// choice returns the changes.
func (d *draft) choice() Choice {
	return Choice{Removed: rows(d.removed), Added: rows(d.added)}
}

func rows(m map[inr.Block]Free) []Free {
	var all []Free
	for _, f := range m {
		all = append(all, f)
	}
	slices.SortFunc(all, ByAddress.Compare)
	return all
}

// add puts a free block in. One that had been taken out as it is cancels that.
func (d *draft) add(f Free) {
	if was, ok := d.removed[f.Block]; ok && was == f {
		delete(d.removed, f.Block)
		return
	}
	d.added[f.Block] = f
}

func (d *draft) remove(f Free) {
	if _, ok := d.added[f.Block]; ok {
		delete(d.added, f.Block)
		return
	}
	d.removed[f.Block] = f
}

// merge corrects rows of base by the changes: what was removed is left out, what
// was added and is wanted comes in, in order, at most limit.
func (d *draft) merge(base []Free, limit int, order func(a, b Free) int, wanted func(Free) bool) []Free {
	out := slices.DeleteFunc(base, func(f Free) bool {
		_, gone := d.removed[f.Block]
		return gone
	})
	for _, f := range d.added {
		if wanted(f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, order)
	return out[:min(limit, len(out))]
}

func (d *draft) Unreserved(o Order, shortest, longest, limit int) ([]Free, error) {
	base, err := d.base.Unreserved(o, shortest, longest, limit+len(d.removed))
	if err != nil {
		return nil, err
	}
	return d.merge(base, limit, o.Compare, func(f Free) bool {
		return !f.Reserved() && shortest <= f.Block.Len && f.Block.Len <= longest
	}), nil
}

func (d *draft) Reserved(member string, now time.Time, shortest, longest, limit int) ([]Free, error) {
	base, err := d.base.Reserved(member, now, shortest, longest, limit+len(d.removed))
	if err != nil {
		return nil, err
	}
	return d.merge(base, limit, Turn(member, now), func(f Free) bool {
		return f.Reserved() && shortest <= f.Block.Len && f.Block.Len <= longest
	}), nil
}

func (d *draft) Overlapping(b inr.Block) ([]Free, error) {
	base, err := d.base.Overlapping(b)
	if err != nil {
		return nil, err
	}
	limit := len(base) + len(d.added)
	return d.merge(base, limit, ByAddress.Compare, func(f Free) bool { return f.Block.Overlaps(b) }), nil
}

// take makes b no longer free. What is left of the free blocks there stays as it
// was, reserved or not. The rows are those that overlap b.
func (d *draft) take(b inr.Block, rows []Free) {
	for _, f := range rows {
		d.remove(f)
		for _, rest := range around(f.Block, b) {
			d.add(f.with(rest))
		}
	}
}

// around returns the blocks of outer without inner, the smallest first; none if
// inner is all of it.
func around(outer, inner inr.Block) []inr.Block {
	var rest []inr.Block
	for inner.Len > outer.Len {
		buddy, _ := inner.Buddy()
		rest = append(rest, buddy)
		inner, _ = inner.Parent()
	}
	return rest
}

// free puts b in as unreserved, merged with its unreserved buddies.
func (d *draft) free(b inr.Block) error {
	for {
		buddy, ok := b.Buddy()
		if !ok {
			break
		}
		there, err := d.Overlapping(buddy)
		if err != nil {
			return err
		}
		if len(there) != 1 || there[0].Block != buddy || there[0].Reserved() {
			break
		}
		d.remove(there[0])
		b, _ = b.Parent()
	}
	d.add(Free{Block: b})
	return nil
}

// covered reports whether free blocks that overlap b, by address, leave no number
// of b out.
func covered(rows []Free, b inr.Block) bool {
	next := b.First
	for _, f := range rows {
		if f.Block.Contains(b) {
			return true
		}
		if f.Block.First != next {
			return false
		}
		next = f.Block.Last().Next()
	}
	return len(rows) > 0 && next == b.Last().Next()
}
