package alloc

import (
	"errors"
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Request is what a member asks a pool for.
type Request struct {
	Member  string  // opaque, the same for ever; not empty
	Held    inr.Set // all that the member holds, in this pool and elsewhere
	Kind    inr.Kind
	Lengths []int // the blocks' lengths, see [Lengths]
}

// maxLengths is more than the blocks of any count of numbers.
const maxLengths = 128

func (r Request) check() error {
	switch {
	case r.Member == "":
		return errors.New("allocating: the request names no member")
	case !r.Kind.Valid():
		return fmt.Errorf("allocating: %s is no kind of resource", r.Kind)
	case len(r.Lengths) == 0 || len(r.Lengths) > maxLengths:
		return fmt.Errorf("allocating: %d blocks are asked for, 1 to %d can be", len(r.Lengths), maxLengths)
	}
	for _, l := range r.Lengths {
		if l < 0 || l > r.Kind.Bits() {
			return fmt.Errorf("allocating: a length of %d: %s has 0 to %d", l, r.Kind, r.Kind.Bits())
		}
	}
	return nil
}

// Allocate chooses the blocks of a request, or finds the pool exhausted: then
// Step is [Exhausted] and nothing changes. Reservations that expired count as
// reservations until [Expire] ended them. Errors are those of the Space, and
// requests or policies that are none.
func Allocate(s Space, r Request, p Policy, now time.Time) (Choice, error) {
	if err := errors.Join(r.check(), p.Check()); err != nil {
		return Choice{}, err
	}
	a := &allocation{draft: newDraft(s), member: r.Member, held: r.Held.Of(r.Kind), kind: r.Kind, policy: p, now: now}
	for _, length := range r.Lengths {
		part, err := a.place(length)
		if err != nil {
			return Choice{}, fmt.Errorf("looking for a free block: %w", err)
		}
		if part.Step == Exhausted {
			return Choice{Step: Exhausted}, nil
		}
		a.parts = append(a.parts, part)
		a.held = a.held.Union(inr.OfBlocks(part.Block))
	}
	c := a.choice()
	c.Parts, c.Notices = a.parts, a.notices
	for _, part := range c.Parts {
		c.Step = max(c.Step, part.Step)
	}
	return c, nil
}

// An allocation is a request on its way.
type allocation struct {
	*draft
	member  string
	held    inr.Set
	kind    inr.Kind
	policy  Policy
	now     time.Time
	parts   []Part
	notices []Notice
}

// place takes one block by the first step that finds one.
func (a *allocation) place(length int) (Part, error) {
	for _, try := range []func(length int) (inr.Block, Step, error){a.grow, a.follow, a.reserve, a.fit, a.cannibalise, a.assemble} {
		b, step, err := try(length)
		if err != nil || step != 0 {
			return Part{b, step}, err
		}
	}
	return Part{Step: Exhausted}, nil
}

// grow is step 1.
func (a *allocation) grow(length int) (found inr.Block, step Step, err error) {
	if !a.policy.Strategy.grows() {
		return found, 0, nil
	}
	var take []Free
	for p := range a.held.AllBlocks() {
		buddy, ok := p.Buddy()
		if p.Len != length || !ok {
			continue
		}
		there, err := a.Overlapping(buddy)
		if err != nil {
			return found, 0, err
		}
		usable, own := a.usable(there, buddy)
		if usable && (step == 0 || own) {
			found, step, take = buddy, Grow, there
		}
		if usable && own {
			break
		}
	}
	if step != 0 {
		a.take(found, take)
	}
	return found, step, nil
}

// usable reports whether all of b is free and nothing of it is reserved for
// others, and whether all of it is reserved for the member itself.
func (a *allocation) usable(there []Free, b inr.Block) (usable, own bool) {
	own = true
	for _, f := range there {
		if f.Reserved() && f.Member != a.member {
			return false, false
		}
		own = own && f.Reserved()
	}
	return covered(there, b), own
}

// follow puts a block right behind the one before it of the same request, mostly
// in what was reserved with that one, so that they are one range. It costs the
// member the one prefix that step 2 would cost too.
func (a *allocation) follow(length int) (found inr.Block, step Step, err error) {
	if len(a.parts) == 0 || !a.policy.Strategy.grows() {
		return found, 0, nil
	}
	before := a.parts[len(a.parts)-1].Block
	if before.Len > length || before.Last() == a.kind.Max() {
		return found, 0, nil
	}
	found = inr.Block{Kind: a.kind, First: before.Last().Next(), Len: length}
	there, err := a.Overlapping(found)
	if err != nil {
		return found, 0, err
	}
	if usable, _ := a.usable(there, found); !usable {
		return found, 0, nil
	}
	a.take(found, there)
	return found, Reserve, nil
}

// reserve is step 2.
func (a *allocation) reserve(length int) (inr.Block, Step, error) {
	reserving := a.policy.reserving(length)
	if reserving == length {
		return inr.Block{}, 0, nil
	}
	from, ok, err := a.toReserve(length, reserving)
	if err != nil || !ok {
		return inr.Block{}, 0, err
	}
	whole := from.Block.Start(max(from.Block.Len, reserving))
	a.take(whole, []Free{from})
	b := whole.Start(length)
	a.keep(whole, b)
	return b, Reserve, nil
}

// toReserve returns the unreserved block in which step 2 reserves.
func (a *allocation) toReserve(length, reserving int) (Free, bool, error) {
	if a.policy.Strategy != Sparse {
		return a.first(BySize, 0, reserving)
	}
	far := max(0, reserving-spread)
	if f, ok, err := a.first(ByLargest, far, reserving); ok || err != nil {
		return f, ok, err
	}
	if f, ok, err := a.first(BySize, 0, far); ok || err != nil {
		return f, ok, err
	}
	return a.first(ByLargest, reserving, length-1)
}

// keep reserves what is in whole around b.
func (a *allocation) keep(whole, b inr.Block) {
	f := Free{Member: a.member, Since: a.now}
	if a.policy.Hold > 0 {
		f.Expires = a.now.Add(a.policy.Hold)
	}
	for _, rest := range around(whole, b) {
		a.add(f.with(rest))
	}
}

// first returns the first unreserved block of an order.
func (a *allocation) first(o Order, shortest, longest int) (Free, bool, error) {
	all, err := a.Unreserved(o, shortest, longest, 1)
	if err != nil || len(all) == 0 {
		return Free{}, false, err
	}
	return all[0], true, nil
}

// fit is step 3.
func (a *allocation) fit(length int) (inr.Block, Step, error) {
	from, ok, err := a.first(a.policy.Strategy.order(), 0, length)
	if err != nil || !ok {
		return inr.Block{}, 0, err
	}
	b := from.Block.Start(length)
	a.take(b, []Free{from})
	return b, Fit, nil
}

// cannibalise is step 4 where one reserved block is large enough.
func (a *allocation) cannibalise(length int) (inr.Block, Step, error) {
	all, err := a.Reserved(a.member, a.now, 0, length, 1)
	if err != nil || len(all) == 0 {
		return inr.Block{}, 0, err
	}
	b := inr.BlockAt(a.kind, all[0].Block.Last(), length)
	a.rob(b, all)
	return b, Cannibalise, nil
}

// page is how many reserved blocks are looked at in one go, at first.
const page = 64

// assemble is step 4 where a block has to be put together: reservations end one
// after the other, in their turn, until an aligned block is free; then those
// outside of it are left alone.
func (a *allocation) assemble(length int) (inr.Block, Step, error) {
	whole := map[inr.Block]Free{} // the reserved block whose turn is last; none if not all is free
	for seen, limit := 0, page; ; limit *= 2 {
		all, err := a.Reserved(a.member, a.now, length+1, a.kind.Bits(), limit)
		if err != nil {
			return inr.Block{}, 0, err
		}
		for _, f := range all[min(seen, len(all)):] {
			b := f.Block.Ancestor(length)
			if _, known := whole[b]; !known {
				if whole[b], err = a.youngest(b); err != nil {
					return inr.Block{}, 0, err
				}
			}
			if whole[b] == f {
				there, err := a.Overlapping(b)
				a.rob(b, there)
				return b, Cannibalise, err
			}
		}
		if len(all) < limit {
			return inr.Block{}, 0, nil
		}
		seen = len(all)
	}
}

// youngest returns the reserved block in b whose turn comes last, if all of b is
// free.
func (a *allocation) youngest(b inr.Block) (last Free, err error) {
	there, err := a.Overlapping(b)
	if err != nil || !covered(there, b) {
		return Free{}, err
	}
	turn := Turn(a.member, a.now)
	for _, f := range there {
		if f.Reserved() && (!last.Reserved() || turn(last, f) < 0) {
			last = f
		}
	}
	return last, nil
}

// rob takes b, and notes who loses by it.
func (a *allocation) rob(b inr.Block, there []Free) {
	for _, f := range there {
		if !f.Reserved() || f.Member == a.member {
			continue
		}
		lost := f.Block
		if lost.Contains(b) {
			lost = b
		}
		a.notices = append(a.notices, Notice{Member: f.Member, Block: lost, Since: f.Since, For: a.member})
	}
	a.take(b, there)
}
