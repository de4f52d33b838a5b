package nir

import (
	"fmt"

	"nirzone/nir/inr"
)

// eventChanges is after how many changes an import begins another event of its
// transaction: an event is one line of the audit, and readers hold it in memory.
const eventChanges = 2500

// runImport writes what a plan says. A crash before the commit leaves nothing of
// it.
func (x *Tx) runImport(p *importPlan, im *Import) error {
	x.act("import.run")
	if im.ID == "" {
		im.ID = x.newID(importRuns.prefix)
	}
	for i := range p.end { // first what gives way: no two of one level overlap
		if err := x.room(); err != nil {
			return err
		}
		if err := delegations.end(x, p.end[i].ID); err != nil {
			return err
		}
	}
	if p.members != nil {
		if err := fill(x, members, p.members.add); err != nil {
			return err
		}
		if err := fill(x, memberships, p.members.join); err != nil {
			return err
		}
	}
	for i := range p.put {
		if err := x.room(); err != nil {
			return err
		}
		p.put[i].Request = im.ID
		if err := delegations.put(x, &p.put[i]); err != nil {
			return err
		}
	}
	for i := range p.add {
		p.add[i].Request = im.ID
		p.touched.Add(p.add[i].Range)
	}
	if err := fill(x, delegations, p.add); err != nil {
		return err
	}
	if err := x.describeImport(p); err != nil {
		return err
	}
	if p.space != nil {
		if err := p.space.run(x, im.ID); err != nil {
			return err
		}
	}
	if err := x.refill(p.pools, p.touched.Set()); err != nil {
		return err
	}
	if err := x.replaces(im); err != nil {
		return err
	}
	im.State, im.Made = ImportDone, x.Actor.At
	return importRuns.put(x, im)
}

// describeImport brings the whois objects of delegations that changed or ended up to
// date. A new delegation has none, unless it takes the place of one that has: for
// all others they are made afterwards ([Tx.DescribeMissing]), because an import by
// the thousand ought not to wait for them.
func (x *Tx) describeImport(p *importPlan) error {
	var went inr.Builder
	var gone []*Delegation
	for i := range p.end {
		has, err := x.isDescribed(&p.end[i])
		if err != nil {
			return err
		}
		if has {
			gone = append(gone, &p.end[i])
			went.Add(p.end[i].Range)
		}
	}
	for _, d := range gone { // before what they are derived from ends: what resolves stays
		if err := x.room(); err != nil {
			return err
		}
		if err := x.splitZones(d.Range); err != nil {
			return err
		}
	}
	for i := range p.put {
		if err := x.room(); err != nil {
			return err
		}
		has, err := x.isDescribed(&p.put[i])
		if err == nil && has {
			err = x.describe(&p.put[i], nil)
		}
		if err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	taken := went.Set()
	for i := range p.add { // what comes before what went: name servers that are in use stay
		if !taken.Overlaps(p.add[i].Range) {
			continue
		}
		if err := x.room(); err != nil {
			return err
		}
		if err := x.describe(&p.add[i], nil); err != nil {
			return err
		}
	}
	for _, d := range gone {
		if err := x.room(); err != nil {
			return err
		}
		if err := x.undescribe(d); err != nil {
			return err
		}
	}
	return nil
}

// isDescribed reports whether a delegation has a whois object.
func (v *View) isDescribed(d *Delegation) (bool, error) {
	_, ok, err := whoisObjects.one(v, "derived_from = $1 AND derived_from <> ''", d.ID)
	return ok, err
}

// room makes room in the event for another change, which has to follow: it begins
// the next event if this one is full.
func (x *Tx) room() error {
	if len(x.changes) < eventChanges {
		return nil
	}
	return x.cut()
}

// fill writes many new objects, as many at once as the event has room for.
func fill[T any, P rower[T]](x *Tx, t *table[T, P], list []T) error {
	for len(list) > 0 {
		if err := x.room(); err != nil {
			return err
		}
		n := min(len(list), eventChanges-len(x.changes))
		if err := t.addAll(x, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// refill makes the free blocks of pools what pools and delegations say, after
// delegations of a set were made or ended by the thousand: each pool once, instead
// of block by block.
func (x *Tx) refill(list []Pool, touched inr.Set) error {
	for i := range list {
		if !touched.Overlaps(list[i].Range) {
			continue
		}
		if err := x.refillPool(&list[i]); err != nil {
			return fmt.Errorf("adjusting pool %s: %w", list[i].Range, err)
		}
	}
	return nil
}

// refillPool ends the free blocks that are not free any more and adds what is: of
// what is reserved for a member the free rest stays reserved, all else is in the
// fewest blocks.
func (x *Tx) refillPool(p *Pool) error {
	held, err := x.heldOf(p)
	if err != nil {
		return err
	}
	have, err := x.FreeBlocks(p.ID)
	if err != nil {
		return err
	}
	quarantined, err := x.stillQuarantined(p.Range, held)
	if err != nil {
		return err
	}
	free := inr.Of(p.Range).Subtract(held).Subtract(quarantined)
	var keep, add []FreeBlock
	var reserved inr.Builder
	for _, f := range have {
		if f.Member == "" {
			continue
		}
		reserved.Add(f.Range)
		if free.Contains(f.Range) {
			keep = append(keep, f)
			continue
		}
		for b := range inr.Of(f.Range).Intersect(free).AllBlocks() {
			add = append(add, FreeBlock{Pool: p.ID, Range: b.Range(), Len: b.Len, Member: f.Member, Reserved: f.Reserved, Expires: f.Expires})
		}
	}
	open := map[inr.Range]bool{}
	for _, f := range have {
		open[f.Range] = f.Member == ""
	}
	for b := range free.Subtract(reserved.Set()).AllBlocks() {
		if open[b.Range()] {
			keep = append(keep, FreeBlock{Range: b.Range()})
			continue
		}
		add = append(add, FreeBlock{Pool: p.ID, Range: b.Range(), Len: b.Len})
	}
	return x.replaceFree(have, keep, add)
}

// replaceFree ends the free blocks that are not kept, and writes new ones.
func (x *Tx) replaceFree(have, keep, add []FreeBlock) error {
	stays := map[inr.Range]bool{}
	for _, f := range keep {
		stays[f.Range] = true
	}
	for _, f := range have {
		if stays[f.Range] {
			continue
		}
		if err := x.room(); err != nil {
			return err
		}
		if err := freeBlocks.end(x, f.ID); err != nil {
			return err
		}
	}
	return fill(x, freeBlocks, add)
}

// heldOf returns what somebody holds of a pool: of one that an NIR held before,
// what it delegated to its members, of all others what the regional registry
// delegated.
func (v *View) heldOf(p *Pool) (inr.Set, error) {
	levels := []Level{RIRToNIR, RIRToMember}
	if p.Purpose == NIRExisting {
		levels = []Level{NIRToMember}
	}
	var b inr.Builder
	first, last := p.Range.First.Bytes(), p.Range.Last.Bytes()
	for _, l := range levels {
		err := v.eachStep(func(s *step) error {
			b.Add(s.rng)
			return nil
		}, "level = $1 AND kind = $2 AND first <= $3 AND last >= $4 ORDER BY first", string(l), p.Range.Kind.String(), last[:], first[:])
		if err != nil {
			return inr.Set{}, err
		}
	}
	return b.Set(), nil
}
