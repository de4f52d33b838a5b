package nir

import (
	"fmt"
	"time"

	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

// poolsOver returns the pools that share numbers with a range, in order.
func (v *View) poolsOver(r inr.Range) ([]Pool, error) {
	before, ok, err := pools.one(v, "kind = $1 AND first < $2 ORDER BY first DESC LIMIT 1", r.Kind.String(), numKey(r.First))
	if err != nil {
		return nil, err
	}
	var list []Pool
	if ok && before.Range.Overlaps(r) {
		list = append(list, before)
	}
	more, err := pools.find(v, "kind = $1 AND first >= $2 AND first <= $3 ORDER BY first", r.Kind.String(), numKey(r.First), numKey(r.Last))
	return append(list, more...), err
}

// cutPool takes a range out of a pool. It becomes the pool own, with what is free
// of it, or no pool at all. Of what stays the lower range keeps the identifier. A
// delegation's Pool is where it came from, and stays.
func (x *Tx) cutPool(p Pool, in inr.Range, own *Pool) error {
	free, err := x.FreeBlocks(p.ID)
	if err != nil {
		return err
	}
	rest := inr.Of(p.Range).Subtract(inr.Of(in)).Ranges()
	parts := make([]Pool, len(rest), len(rest)+1)
	for i, r := range rest {
		parts[i] = p
		parts[i].Range = r
		if i > 0 {
			parts[i].Row = Row{}
		}
	}
	if len(rest) == 0 {
		if err := pools.end(x, p.ID); err != nil {
			return err
		}
	}
	if own != nil {
		own.Range = in
		parts = append(parts, *own)
	}
	for i := range parts { // the one that shrinks first: no two overlap
		if err := pools.put(x, &parts[i]); err != nil {
			return fmt.Errorf("pool %s: %w", parts[i].Range, err)
		}
	}
	if own != nil {
		*own = parts[len(parts)-1]
	}
	return x.refit(free, parts)
}

// refit gives free blocks to the pools that their numbers are of now, cut at the
// pools' ends; reservations stay. What is of no pool is no longer free.
func (x *Tx) refit(free []FreeBlock, parts []Pool) error {
	var come []FreeBlock
	for _, f := range free {
		inside := 0
		var cut []FreeBlock
		for _, p := range parts {
			for b := range inr.Of(p.Range).Intersect(inr.Of(f.Range)).AllBlocks() {
				n := f
				n.Row, n.Pool, n.Range, n.Len = Row{}, p.ID, b.Range(), b.Len
				cut = append(cut, n)
				if n.Range == f.Range && n.Pool == f.Pool {
					inside++
				}
			}
		}
		if inside == 1 {
			continue // it is as it was
		}
		if err := freeBlocks.end(x, f.ID); err != nil {
			return err
		}
		come = append(come, cut...)
	}
	for i := range come {
		if err := freeBlocks.put(x, &come[i]); err != nil {
			return err
		}
	}
	return nil
}

// SplitPool makes a range of a pool a pool of its own, of a purpose: regional,
// reserved or quarantine. What is new never enters an NIR's existing pool
// (APNIC-103, section 3.5).
func (x *Tx) SplitPool(id string, r inr.Range, purpose Purpose) (Pool, error) {
	p, err := x.poolToChange(id)
	if err != nil {
		return p, err
	}
	if !p.Range.Contains(r) || r == p.Range {
		return p, invalid("range", "%s is not a part of pool %s", r, p.Range).by(poolRule)
	}
	own := p
	own.Row, own.Purpose = Row{}, purpose
	if err := x.checkPurpose(&p, &own, r); err != nil {
		return p, err
	}
	x.act("pool.split")
	return own, x.cutPool(p, r, &own)
}

// poolRule is the section of the policy on what pools there are.
const poolRule = "APNIC-103, section 3.5"

func (x *Tx) poolToChange(id string) (Pool, error) {
	if err := x.Actor.need("change a pool", Admin); err != nil {
		return Pool{}, citing(err, poolRule)
	}
	p, err := x.Pool(id)
	return p, citing(err, poolRule)
}

// checkPurpose refuses a purpose that a part of a pool cannot get.
func (x *Tx) checkPurpose(was, p *Pool, r inr.Range) error {
	switch p.Purpose {
	case was.Purpose:
		return nil
	case NIRExisting:
		return refuse(Conflict, "%s is not what an NIR held of old", r).in("purpose").by(poolRule)
	case Regional, Reserved, Quarantine:
	default:
		return invalid("purpose", "%.20q is not regional, reserved or quarantine", p.Purpose).by(poolRule)
	}
	if was.Purpose == NIRExisting {
		return refuse(Conflict, "%s is delegated to %s", r, was.NIR).in("purpose").by(poolRule).remedy("nirctl return create")
	}
	return nil
}

// ChangePool changes how a pool is filled, what it is for, its description, and
// until when a quarantine lasts. Range and NIR stay.
func (x *Tx) ChangePool(p Pool) (Pool, error) {
	was, err := x.poolToChange(p.ID)
	if err != nil {
		return p, err
	}
	var m mistakes
	p.Range, p.NIR = was.Range, was.NIR
	p.FreeFrom = p.FreeFrom.UTC().Truncate(time.Microsecond)
	m.add(x.checkPurpose(&was, &p, p.Range))
	policy := x.Rules.policy(&p)
	if err := policy.Check(); err != nil {
		m.add(invalid("strategy", "%v", err).by(poolRule))
	}
	if err := m.err(); err != nil {
		return p, err
	}
	if p.Row = was.Row; p.FreeFrom.Equal(was.FreeFrom) {
		if p.FreeFrom = was.FreeFrom; p == was {
			return p, nil
		}
	}
	x.act("pool.change")
	return p, pools.put(x, &p)
}

// ShrinkPool takes a range out of a pool for good: the registry allocates it no
// more. All of it has to be free.
func (x *Tx) ShrinkPool(id string, r inr.Range) error {
	p, err := x.poolToChange(id)
	if err != nil {
		return err
	}
	if !p.Range.Contains(r) {
		return invalid("range", "%s is not in pool %s", r, p.Range).by(poolRule)
	}
	if p.Purpose == NIRExisting {
		return refuse(Conflict, "%s is delegated to %s", r, p.NIR).in("range").by(poolRule)
	}
	free, err := x.freeSet(p.ID)
	if err != nil {
		return err
	}
	if held := inr.Of(r).Subtract(free); !held.IsEmpty() {
		return refuse(Conflict, "of %s, %s is held or in quarantine", r, held).in("range").by(poolRule).remedy("nirctl pool view " + p.ID)
	}
	x.act("pool.shrink")
	return x.cutPool(p, r, nil)
}

func (v *View) freeSet(pool string) (inr.Set, error) {
	var b inr.Builder
	err := freeBlocks.each(v, "pool = $1", []any{pool}, func(f *FreeBlock) error {
		b.Add(f.Range)
		return nil
	})
	return b.Set(), err
}

// MergePools makes two pools that touch, of one purpose and filled in the same
// way, one: that of the first identifier. Free blocks at the seam are merged.
func (x *Tx) MergePools(id, other string) (Pool, error) {
	p, err := x.poolToChange(id)
	if err != nil {
		return p, err
	}
	o, err := x.Pool(other)
	if err != nil {
		return p, err
	}
	both := inr.Of(p.Range, o.Range).Ranges()
	same := p.Purpose == o.Purpose && p.NIR == o.NIR && p.Strategy == o.Strategy && p.Factor == o.Factor && p.FreeFrom.Equal(o.FreeFrom)
	if len(both) != 1 || p.ID == o.ID || !same {
		return p, refuse(Conflict, "pools %s and %s do not touch, or are not for the same purpose and filled in the same way", p.Range, o.Range).by(poolRule)
	}
	free, err := x.FreeBlocks(o.ID)
	if err != nil {
		return p, err
	}
	for _, f := range free {
		if err := freeBlocks.end(x, f.ID); err != nil {
			return p, err
		}
	}
	if err := pools.end(x, o.ID); err != nil {
		return p, err
	}
	p.Range = both[0]
	x.act("pool.merge")
	if err := pools.put(x, &p); err != nil {
		return p, err
	}
	return p, x.pour(p.ID, free)
}

// pour puts free blocks into a pool: reserved ones as they are, others merged.
func (x *Tx) pour(pool string, free []FreeBlock) error {
	var blocks []inr.Block
	for _, f := range free {
		b := inr.BlockAt(f.Range.Kind, f.Range.First, f.Len)
		if f.Member == "" {
			blocks = append(blocks, b)
			continue
		}
		f.Row, f.Pool = Row{}, pool
		if err := freeBlocks.put(x, &f); err != nil {
			return err
		}
	}
	return x.release(pool, blocks)
}

// release makes blocks of a pool free, merged with what is free around them.
func (x *Tx) release(pool string, blocks []inr.Block) error {
	s := x.space(pool)
	c, err := alloc.Release(s, blocks...)
	if err != nil {
		return err
	}
	return x.refree(s, c)
}
