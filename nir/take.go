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
		p, c, err := x.chooseIn(list[:n], ask)
		if err != nil {
			return nil, err
		}
		if c.Step != alloc.Exhausted {
			return x.apply(p, c)
		}
		list = list[n:]
	}
	return nil, refuse(Exhausted, "no pool has %s of %s in one piece", r.Size, r.Kind).remedy("nirctl pool list; nirctl pool create")
}

// chooseIn returns the first pool of a list, all of one purpose, in which what the
// member holds grows, else the first that has room.
func (x *Tx) chooseIn(list []Pool, ask alloc.Request) (*Pool, alloc.Choice, error) {
	var first *Pool
	best := alloc.Choice{Step: alloc.Exhausted}
	for i := range list {
		p := &list[i]
		if first != nil && !mayGrow(ask, p.Range) {
			continue
		}
		if err := x.expire(p); err != nil {
			return nil, best, err
		}
		c, err := alloc.Allocate(space{x.View, p.ID}, ask, x.Rules.policy(p), x.Actor.At)
		if err != nil {
			return nil, best, err
		}
		if slices.ContainsFunc(c.Parts, func(b alloc.Part) bool { return b.Step == alloc.Grow }) {
			return p, c, nil
		}
		if first == nil && c.Step != alloc.Exhausted {
			first, best = p, c
		}
	}
	return first, best, nil
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
	c, err := alloc.Expire(space{x.View, p.ID}, x.Actor.At, expired)
	if err != nil {
		return err
	}
	return x.refree(p.ID, c)
}

func (x *Tx) apply(p *Pool, c alloc.Choice) ([]taken, error) {
	if err := x.refree(p.ID, c); err != nil {
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
func (x *Tx) refree(pool string, c alloc.Choice) error {
	for _, f := range c.Removed {
		row, ok, err := freeBlocks.one(x.View, "kind = $1 AND first = $2", f.Block.Kind.String(), numKey(f.Block.First))
		if err == nil && (!ok || row.Len != f.Block.Len) {
			err = fmt.Errorf("free block %s is not there", f.Block)
		}
		if err == nil {
			err = freeBlocks.end(x, row.ID)
		}
		if err != nil {
			return fmt.Errorf("taking out of the pool: %w", err)
		}
	}
	for _, f := range c.Added {
		row := FreeBlock{Pool: pool, Range: f.Block.Range(), Len: f.Block.Len, Member: f.Member, Reserved: f.Since, Expires: f.Expires}
		if err := freeBlocks.put(x, &row); err != nil {
			return err
		}
	}
	return nil
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

// A space is the free blocks of one pool.
type space struct {
	v    *View
	pool string
}

var orders = map[alloc.Order]string{
	alloc.BySize: "len DESC, first", alloc.ByAddress: "first", alloc.ByLargest: "len, first",
}

func (s space) Unreserved(o alloc.Order, shortest, longest, limit int) ([]alloc.Free, error) {
	return s.find(fmt.Sprintf("pool = $1 AND member = '' AND len >= $2 AND len <= $3 ORDER BY %s LIMIT %d", orders[o], limit), s.pool, shortest, longest)
}

func (s space) Reserved(member string, now time.Time, shortest, longest, limit int) ([]alloc.Free, error) {
	return s.find(fmt.Sprintf("pool = $1 AND member <> '' AND len >= $2 AND len <= $3 "+
		"ORDER BY CASE WHEN expires > 0 AND expires <= $4 THEN 0 WHEN member = $5 THEN 1 ELSE 2 END, reserved, len, first LIMIT %d", limit),
		s.pool, shortest, longest, micros(now), member)
}

func (s space) Overlapping(b inr.Block) ([]alloc.Free, error) {
	kind, first, last := b.Kind.String(), numKey(b.First), numKey(b.Last())
	list, err := s.find("kind = $1 AND first < $2 AND pool = $3 ORDER BY first DESC LIMIT 1", kind, first, s.pool)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && list[0].Block.Last().Less(b.First) {
		list = nil
	}
	more, err := s.find("kind = $1 AND first >= $2 AND first <= $3 AND pool = $4 ORDER BY first", kind, first, last, s.pool)
	return append(list, more...), err
}

func (s space) find(where string, args ...any) ([]alloc.Free, error) {
	rows, err := freeBlocks.find(s.v, where, args...)
	list := make([]alloc.Free, len(rows))
	for i, f := range rows {
		list[i] = alloc.Free{Block: inr.BlockAt(f.Range.Kind, f.Range.First, f.Len), Member: f.Member, Since: f.Reserved, Expires: f.Expires}
	}
	return list, err
}
