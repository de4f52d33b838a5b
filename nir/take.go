package nir

import (
	"fmt"
	"slices"
	"time"

	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

// taken is a block that was taken out of a pool.
type taken struct {
	rng      inr.Range
	pool     string
	existing bool // of what the NIR held before
}

// take takes what a request asks for out of the first pool that has room for all
// of it: the NIR's own of old, then the regional ones (APNIC-103, section 3.5).
// Among pools of one purpose, one goes first in which the member's space grows in
// place (section 3.2.1).
func (x *Tx) take(r *Request) ([]taken, error) {
	list, err := x.poolsFor(r.NIR, r.Kind)
	if err != nil {
		return nil, err
	}
	held, err := x.heldBy(r.Member, r.Kind)
	if err != nil {
		return nil, err
	}
	ask := alloc.Request{Member: r.Member, Held: held, Kind: r.Kind, Lengths: r.Size.Lengths(r.Kind)}
	for len(list) > 0 {
		n := slices.IndexFunc(list, func(p Pool) bool { return p.Purpose != list[0].Purpose })
		if n < 0 {
			n = len(list)
		}
		p, s, c, err := x.chooseIn(list[:n], ask)
		if err != nil {
			return nil, err
		}
		if c.Step != alloc.Exhausted {
			return x.apply(p, s, c)
		}
		list = list[n:]
	}
	return nil, refuse(Exhausted, "no pool has %s of %s in one piece", r.Size, r.Kind).remedy("nirctl pool list; nirctl pool create")
}

// chooseIn returns the first pool of a list, all of one purpose, in which what the
// member holds grows, else the first that has room.
func (x *Tx) chooseIn(list []Pool, ask alloc.Request) (*Pool, space, alloc.Choice, error) {
	var first *Pool
	var in space
	best := alloc.Choice{Step: alloc.Exhausted}
	for i := range list {
		p := &list[i]
		if first != nil && !mayGrow(ask, p.Range) {
			continue
		}
		if err := x.expire(p); err != nil {
			return nil, in, best, err
		}
		s := x.space(p.ID)
		c, err := alloc.Allocate(s, ask, x.Rules.policy(p), x.Actor.At)
		if err != nil {
			return nil, in, best, err
		}
		if slices.ContainsFunc(c.Parts, func(b alloc.Part) bool { return b.Step == alloc.Grow }) {
			return p, s, c, nil
		}
		if first == nil && c.Step != alloc.Exhausted {
			first, in, best = p, s, c
		}
	}
	return first, in, best, nil
}

// mayGrow reports whether a range has room next to something that the member holds
// and that is as large as a block that is asked for.
func mayGrow(ask alloc.Request, r inr.Range) bool {
	for b := range ask.Held.AllBlocks() {
		buddy, ok := b.Buddy()
		if ok && slices.Contains(ask.Lengths, b.Len) && r.Contains(buddy.Range()) {
			return true
		}
	}
	return false
}

// expired is how many reservations end in one event at most.
const expired = 64

// expire ends reservations of a pool that are over.
func (x *Tx) expire(p *Pool) error {
	if x.Rules.policy(p).Hold == 0 {
		return nil
	}
	s := x.space(p.ID)
	c, err := alloc.Expire(s, x.Actor.At, expired)
	if err != nil {
		return err
	}
	return x.refree(s, c)
}

func (x *Tx) apply(p *Pool, s space, c alloc.Choice) ([]taken, error) {
	if err := x.refree(s, c); err != nil {
		return nil, err
	}
	for _, n := range c.Notices {
		if err := x.notify(Notice{Code: "reservation-used", Subject: n.Block.String(), Severity: "info", Text: n.String()}); err != nil {
			return nil, err
		}
	}
	list := make([]taken, len(c.Parts))
	for i, part := range c.Parts {
		list[i] = taken{part.Block.Range(), p.ID, p.Purpose == NIRExisting}
	}
	return list, nil
}

// refree makes the rows of a pool's free blocks what a choice says.
func (x *Tx) refree(s space, c alloc.Choice) error {
	for _, f := range c.Removed {
		id, ok := s.seen[f.Block]
		if !ok {
			return fmt.Errorf("taking out of the pool: free block %s is not there", f.Block)
		}
		if err := freeBlocks.end(x, id); err != nil {
			return fmt.Errorf("taking out of the pool: %w", err)
		}
	}
	var added []FreeBlock
	for _, f := range c.Added {
		added = append(added, FreeBlock{Pool: s.pool, Range: f.Block.Range(), Len: f.Block.Len, Member: f.Member, Reserved: f.Since, Expires: f.Expires})
	}
	return freeBlocks.addAll(x, added)
}

// heldBy returns what a member holds of a kind, through whomever.
func (v *View) heldBy(member string, k inr.Kind) (inr.Set, error) {
	var b inr.Builder
	err := delegations.each(v, "member = $1 AND kind = $2", []any{member, k.String()}, func(d *Delegation) error {
		b.Add(d.Range)
		return nil
	})
	return b.Set(), err
}

// policy is how a pool is filled.
func (r Rules) policy(p *Pool) alloc.Policy {
	a := alloc.DefaultPolicy(p.Range.Kind)
	if p.Strategy != "" {
		a.Strategy = alloc.Strategy(p.Strategy)
	}
	if p.Factor > 0 {
		a.Factor = p.Factor
	}
	a.Hold = time.Duration(r.ReserveDays) * 24 * time.Hour
	return a
}

func numKey(n inr.Num) []byte {
	b := n.Bytes()
	return b[:]
}

// A space is the free blocks of one pool. What was seen of them are their
// identifiers.
type space struct {
	v    *View
	pool string
	seen map[inr.Block]string
}

func (v *View) space(pool string) space { return space{v, pool, map[inr.Block]string{}} }

func (s space) Unreserved(o alloc.Order, shortest, longest, limit int) ([]alloc.Free, error) {
	const which = "pool = $1 AND member = '' AND len >= $2 AND len <= $3"
	if o == alloc.ByAddress {
		return s.find(fmt.Sprintf(which+" ORDER BY first LIMIT %d", limit), s.pool, shortest, longest)
	}
	// One length at a time: all of them in their order would have to be sorted.
	next := map[alloc.Order]string{alloc.BySize: "max", alloc.ByLargest: "min"}[o]
	var list []alloc.Free
	for len(list) < limit {
		more, err := s.find(fmt.Sprintf("pool = $1 AND member = '' AND len = (SELECT %s(len) FROM free_block WHERE %s AND %s) ORDER BY first LIMIT %d",
			next, s.v.standing(), which, limit-len(list)), s.pool, shortest, longest)
		if err != nil || len(more) == 0 {
			return list, err
		}
		list = append(list, more...)
		if l := more[0].Block.Len; o == alloc.BySize {
			longest = l - 1
		} else {
			shortest = l + 1
		}
	}
	return list, nil
}

func (s space) Reserved(member string, now time.Time, shortest, longest, limit int) ([]alloc.Free, error) {
	return s.find(fmt.Sprintf("pool = $1 AND member <> '' AND len >= $2 AND len <= $3 "+
		"ORDER BY CASE WHEN expires > 0 AND expires <= $4 THEN 0 WHEN member = $5 THEN 1 ELSE 2 END, reserved, len, first LIMIT %d", limit),
		s.pool, shortest, longest, micros(now), member)
}

func (s space) Overlapping(b inr.Block) ([]alloc.Free, error) {
	list, err := s.find("pool = $4 AND kind = $1 AND first <= $3 AND first >= coalesce((SELECT first FROM free_block WHERE "+s.v.standing()+
		" AND kind = $1 AND first <= $2 ORDER BY first DESC LIMIT 1), $2) ORDER BY first", b.Kind.String(), numKey(b.First), numKey(b.Last()), s.pool)
	if len(list) > 0 && list[0].Block.Last().Less(b.First) {
		list = list[1:]
	}
	return list, err
}

func (s space) find(where string, args ...any) ([]alloc.Free, error) {
	rows, err := freeBlocks.find(s.v, where, args...)
	list := make([]alloc.Free, len(rows))
	for i, f := range rows {
		list[i] = alloc.Free{Block: inr.BlockAt(f.Range.Kind, f.Range.First, f.Len), Member: f.Member, Since: f.Reserved, Expires: f.Expires}
		s.seen[list[i].Block] = f.ID
	}
	return list, err
}
