package alloc

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"nirzone/nir/inr"
)

// A Demand is one request of a history, as a simulation replays it: sizes and
// members are given, addresses are not.
type Demand struct {
	Member  string
	Lengths []int
	At      time.Time
}

// Levels are the fill levels, in percent of the pool, at which a simulation looks
// at what members hold.
var Levels = [...]int{25, 50, 75, 90}

// An Outcome is what a policy made of a history.
type Outcome struct {
	Policy Policy
	// Surplus is the mean number of prefixes that a member with two or more
	// allocations holds beyond the fewest that could hold as much, when the pool
	// was first as full as Levels say; -1 if it never was.
	Surplus [len(Levels)]float64
	// Final is the surplus at the end of the history, and Members the number of
	// members that it is the mean of.
	Final   float64
	Members int
	// FirstRefusal is how full the pool was at the first refusal, in percent; -1
	// if there was none.
	FirstRefusal float64
	// Refused counts requests that came to nothing, Steps the parts of all
	// others by step.
	Refused int
	Steps   map[Step]int
	// Lost counts the reserved blocks of which something went to others.
	Lost int
}

// Simulate replays a history into an empty pool, once for each policy. It depends
// on nothing but its arguments. Refused demands are left out, and the rest goes
// on. Reservations end at the time of the demand at or after their end.
func Simulate(pool inr.Set, history []Demand, policies []Policy) ([]Outcome, error) {
	var outcomes []Outcome
	for _, p := range policies {
		o, err := simulate(pool, history, p)
		if err != nil {
			return nil, fmt.Errorf("simulating %s with factor %d: %w", p.Strategy, p.Factor, err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// A run is one policy's way through a history.
type run struct {
	memory  *Memory
	kind    inr.Kind
	held    map[string]inr.Set
	times   map[string]int // allocations of a member
	taken   *big.Int
	size    *big.Int
	outcome Outcome
}

func simulate(pool inr.Set, history []Demand, p Policy) (Outcome, error) {
	kind, err := onlyKind(pool)
	if err != nil {
		return Outcome{}, err
	}
	r := &run{NewMemory(pool), kind, map[string]inr.Set{}, map[string]int{}, new(big.Int), pool.Count(kind), Outcome{Policy: p, FirstRefusal: -1, Steps: map[Step]int{}}}
	for i := range r.outcome.Surplus {
		r.outcome.Surplus[i] = -1
	}
	for _, d := range history {
		if err := r.demand(d); err != nil {
			return Outcome{}, fmt.Errorf("for %s at %s: %w", d.Member, d.At.UTC().Format(time.DateOnly), err)
		}
	}
	r.outcome.Final, r.outcome.Members = r.surplus()
	return r.outcome, nil
}

// onlyKind returns the kind of a pool.
func onlyKind(pool inr.Set) (inr.Kind, error) {
	for r := range pool.All() {
		if !pool.Of(r.Kind).Equal(pool) {
			return 0, fmt.Errorf("a pool is of one kind: take %s alone", pool.Of(r.Kind))
		}
		return r.Kind, nil
	}
	return 0, fmt.Errorf("the pool is empty")
}

func (r *run) demand(d Demand) error {
	if err := r.expire(d.At); err != nil {
		return err
	}
	c, err := Allocate(r.memory, Request{d.Member, r.held[d.Member], r.kind, d.Lengths}, r.outcome.Policy, d.At)
	if err != nil {
		return err
	}
	if c.Step == Exhausted {
		r.outcome.Refused++
		if r.outcome.FirstRefusal < 0 {
			r.outcome.FirstRefusal = r.full()
		}
		return nil
	}
	for _, p := range c.Parts {
		r.outcome.Steps[p.Step]++
	}
	r.outcome.Lost += len(c.Notices)
	taken := c.Taken()
	r.held[d.Member] = r.held[d.Member].Union(taken)
	r.times[d.Member]++
	before := r.full()
	r.taken.Add(r.taken, taken.Count(r.kind))
	r.look(before)
	return r.memory.Apply(c)
}

// expire ends the reservations that are over.
func (r *run) expire(now time.Time) error {
	if r.outcome.Policy.Hold == 0 {
		return nil
	}
	for {
		c, err := Expire(r.memory, now, page)
		if err != nil || len(c.Removed) == 0 {
			return err
		}
		if err := r.memory.Apply(c); err != nil {
			return err
		}
	}
}

// full returns how full the pool is, in percent.
func (r *run) full() float64 {
	f, _ := new(big.Rat).SetFrac(r.taken, r.size).Float64()
	return 100 * f
}

// look notes the surplus at each level that the last allocation reached.
func (r *run) look(before float64) {
	for i, level := range Levels {
		if before < float64(level) && r.full() >= float64(level) {
			r.outcome.Surplus[i], _ = r.surplus()
		}
	}
}

// surplus returns the mean surplus of the members with two or more allocations,
// and how many they are.
func (r *run) surplus() (mean float64, members int) {
	sum := 0
	for m, times := range r.times {
		if times < 2 {
			continue
		}
		members++
		sum += len(r.held[m].Blocks()) - fewest(r.held[m].Count(r.kind))
	}
	return float64(sum) / float64(max(members, 1)), members
}

// fewest returns the least number of prefixes that hold a count of numbers: its
// ones in binary.
func fewest(count *big.Int) (ones int) {
	for i := range count.BitLen() {
		ones += int(count.Bit(i))
	}
	return ones
}

// Compared returns the policies that a comparison shows beside a pool's own: the
// ways to fill a pool that others use, and reservations of several sizes.
func Compared(own Policy) []Policy {
	all := []Policy{
		own,
		{Strategy: FirstFit, Factor: 1},
		{Strategy: BestFit, Factor: 1},
		{Strategy: Soft, Factor: 2},
		{Strategy: Soft, Factor: 4},
		{Strategy: Soft, Factor: 8},
		{Strategy: Sparse, Factor: 2},
		{Strategy: Sparse, Factor: 8},
	}
	rest := slices.DeleteFunc(all[1:], func(p Policy) bool { return p == own })
	return all[:1+len(rest)]
}
