package alloc

import (
	"slices"
	"testing"
	"time"

	"nirzone/nir/inr"

	"pgregory.net/rapid"
)

const (
	cells = 64 // addresses of the small world
	shift = 26 // its length
)

var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	base  = inr.N(0x01000000)
)

// A cell is one address of the model.
type cell struct {
	pool           bool
	holder         string // "" if free
	member         string // whom it is reserved for
	since, expires time.Time
}

func (c cell) free() bool       { return c.pool && c.holder == "" }
func (c cell) unreserved() bool { return c.free() && c.member == "" }

// A world is the independent model: a bitmap of addresses, without blocks,
// merging or indexes.
type world [cells]cell

func span(b inr.Block) (from, to int) {
	return int(b.First.Sub(base).Lo), int(b.Last().Sub(base).Lo) + 1
}

// every reports whether a condition holds in all aligned cells from i on, n of
// them.
func (w *world) every(i, n int, f func(cell) bool) bool {
	for _, c := range w[i : i+n] {
		if !f(c) {
			return false
		}
	}
	return true
}

// blocks returns the aligned starts of n cells that all meet a condition.
func (w *world) blocks(n int, f func(cell) bool) (starts []int) {
	for i := 0; i+n <= cells; i += n {
		if w.every(i, n, f) {
			starts = append(starts, i)
		}
	}
	return starts
}

// prefixes counts the minimal prefixes of what a member holds, by taking the
// greatest aligned piece at each address.
func (w *world) prefixes(member string) (count int) {
	held := func(c cell) bool { return c.holder == member }
	for i := 0; i < cells; {
		n := 0
		for s := 1; s <= cells && i%s == 0 && i+s <= cells && w.every(i, s, held); s *= 2 {
			n = s
		}
		if n > 0 {
			count++
		}
		i += max(n, 1)
	}
	return count
}

func (w *world) held(member string) inr.Set {
	var b inr.Builder
	for i, c := range w {
		if c.holder == member {
			n := base.Add(inr.N(uint64(i)))
			b.Add(inr.Range{Kind: inr.IPv4, First: n, Last: n})
		}
	}
	return b.Set()
}

// growing returns where step 1 may go: the starts of n cells, not reserved for
// others, that do not raise the count of prefixes; those that are all the
// member's own reservation first.
func (w *world) growing(member string, n int) []int {
	var own, other []int
	before := w.prefixes(member)
	for _, i := range w.blocks(n, func(c cell) bool { return c.free() && (c.member == "" || c.member == member) }) {
		after := *w
		for j := range n {
			after[i+j].holder = member
		}
		if after.prefixes(member) > before {
			continue
		}
		if w.every(i, n, func(c cell) bool { return c.member == member }) {
			own = append(own, i)
		} else {
			other = append(other, i)
		}
	}
	return append(own, other...)
}

// unreserved returns the greatest aligned pieces of unreserved space, as start
// and size.
func (w *world) unreserved() (pieces [][2]int) {
	for n := cells; n >= 1; n /= 2 {
		for _, i := range w.blocks(n, cell.unreserved) {
			inside := slices.ContainsFunc(pieces, func(p [2]int) bool { return p[0] <= i && i < p[0]+p[1] })
			if !inside {
				pieces = append(pieces, [2]int{i, n})
			}
		}
	}
	return pieces // the largest first, then by address
}

// fitting returns the smallest piece of at least n cells, or the lowest.
func (w *world) fitting(s Strategy, n int) (piece [2]int, ok bool) {
	for _, p := range w.unreserved() {
		better := !ok || p[1] < piece[1]
		if s == Lowest || s == FirstFit {
			better = !ok || p[0] < piece[0]
		}
		if p[1] >= n && better {
			piece, ok = p, true
		}
	}
	return piece, ok
}

// largest returns the first of the largest pieces within limits.
func (w *world) largest(least, most int) (piece [2]int, ok bool) {
	for _, p := range w.unreserved() {
		if p[1] >= least && p[1] <= most {
			return p, true
		}
	}
	return piece, false
}

// reserving returns the piece for n cells with reservation.
func (w *world) reserving(p Policy, n int) (piece [2]int, ok bool) {
	if p.Strategy == Soft {
		return w.fitting(Soft, n*p.Factor)
	}
	if piece, ok = w.largest(n*p.Factor, n*p.Factor*8); ok {
		return piece, ok
	}
	if piece, ok = w.fitting(Soft, n*p.Factor); ok {
		return piece, ok
	}
	return w.largest(2*n, cells)
}

// expect returns what the first block of a request has to be; -1: any that is
// reserved.
func (w *world) expect(member string, n int, p Policy) (int, Step) {
	soft := p.Strategy == Soft || p.Strategy == Sparse
	if grow := w.growing(member, n); len(grow) > 0 && (soft || p.Strategy == BestFit) {
		return grow[0], Grow
	}
	if soft && p.Factor > 1 {
		if piece, ok := w.reserving(p, n); ok {
			return piece[0], Reserve
		}
	}
	if piece, ok := w.fitting(p.Strategy, n); ok {
		return piece[0], Fit
	}
	if len(w.blocks(n, cell.free)) > 0 {
		return -1, Cannibalise
	}
	return 0, Exhausted
}

// apply does a choice in the model, row by row.
func (w *world) apply(t *rapid.T, member string, c Choice) {
	for _, p := range c.Parts {
		from, to := span(p.Block)
		for i := from; i < to; i++ {
			if !w[i].free() { // P1, P2: inside the pool, no overlap
				t.Fatalf("%s is not free: %+v", p.Block, w[i])
			}
			w[i] = cell{pool: true, holder: member}
		}
	}
	for _, f := range c.Added {
		from, to := span(f.Block)
		for i := from; i < to; i++ {
			w[i].member, w[i].since, w[i].expires = f.Member, f.Since, f.Expires
		}
	}
}

// agree fails unless the pool's free blocks are the model's free cells (P3),
// disjoint, aligned, and merged where unreserved.
func (w *world) agree(t *rapid.T, m *Memory) {
	var seen [cells]bool
	rows := m.Free()
	for _, f := range rows {
		if !f.Block.Valid() {
			t.Fatalf("%+v is no block", f.Block)
		}
		from, to := span(f.Block)
		for i := from; i < to; i++ {
			c := w[i]
			if seen[i] || !c.free() || c.member != f.Member || !c.since.Equal(f.Since) || !c.expires.Equal(f.Expires) {
				t.Fatalf("%+v against cell %d: %+v, seen %t", f, i, c, seen[i])
			}
			seen[i] = true
		}
		if buddy, ok := f.Block.Buddy(); ok && !f.Reserved() && slices.Contains(rows, Free{Block: buddy}) {
			t.Fatalf("%s and %s are not merged", f.Block, buddy)
		}
	}
	for i, c := range w {
		if c.free() != seen[i] {
			t.Fatalf("cell %d: free %t, in a row %t", i, c.free(), seen[i])
		}
	}
}

// A state is the machine under test beside the model.
type state struct {
	memory *Memory
	world  world
	policy Policy
	now    time.Time
	steps  map[Step]int
}

func newState(t *rapid.T, steps map[Step]int) *state {
	whole := inr.Block{Kind: inr.IPv4, First: base, Len: shift}
	hole := inr.BlockAt(inr.IPv4, base.Add(inr.N(rapid.Uint64Range(0, cells-1).Draw(t, "hole"))), rapid.IntRange(28, 32).Draw(t, "hole length"))
	pool := inr.OfBlocks(whole).Subtract(inr.OfBlocks(hole))
	s := &state{memory: NewMemory(pool), now: start, steps: steps}
	s.policy = Policy{
		Strategy: rapid.SampledFrom(Strategies).Draw(t, "strategy"),
		Factor:   rapid.SampledFrom([]int{1, 2, 4, 8}).Draw(t, "factor"),
		Hold:     rapid.SampledFrom([]time.Duration{0, 5 * time.Hour}).Draw(t, "hold"),
	}
	for r := range pool.All() {
		for i := r.First.Sub(base).Lo; i <= r.Last.Sub(base).Lo; i++ {
			s.world[i].pool = true
		}
	}
	return s
}

var drawMember = rapid.SampledFrom([]string{"a", "b", "c", "d"})

func (s *state) allocate(t *rapid.T) {
	member := drawMember.Draw(t, "member")
	count := rapid.OneOf(rapid.SampledFrom([]uint64{1, 2, 4, 8, 16}), rapid.Uint64Range(1, 20)).Draw(t, "count")
	lengths, err := Lengths(inr.IPv4, inr.N(count))
	if err != nil {
		t.Fatal(err)
	}
	before := s.world
	n := 1 << (32 - lengths[0])
	where, step := before.expect(member, n, s.policy)
	c, err := Allocate(s.memory, Request{member, before.held(member), inr.IPv4, lengths}, s.policy, s.now)
	if err != nil {
		t.Fatal(err)
	}
	s.agree(t, "asking")
	s.steps[c.Step]++
	if c.Step == Exhausted {
		s.refused(t, c, lengths, step)
		return
	}
	s.first(t, c.Parts[0], where, step, n)
	total := uint64(0)
	for i, p := range c.Parts {
		if p.Block.Len != lengths[i] || !p.Block.Valid() {
			t.Fatalf("part %d is %s, asked for /%d", i, p.Block, lengths[i])
		}
		total += 1 << (32 - p.Block.Len)
	}
	if total != count {
		t.Fatalf("%d numbers for %d", total, count)
	}
	s.world.apply(t, member, c)
	if err := s.memory.Apply(c); err != nil {
		t.Fatal(err)
	}
	if len(c.Parts) == 1 && c.Step == Grow && s.world.prefixes(member) > before.prefixes(member) {
		t.Fatalf("P10: %s raises the prefixes of %s", c.Parts[0].Block, member)
	}
	s.losers(t, before, member, c)
	s.agree(t, "allocating")
}

func (s *state) agree(t *rapid.T, what string) {
	t.Logf("after %s", what)
	s.world.agree(t, s.memory)
}

// refused is P4, and that a refusal changes nothing.
func (s *state) refused(t *rapid.T, c Choice, lengths []int, step Step) {
	if len(c.Parts)+len(c.Removed)+len(c.Added)+len(c.Notices) > 0 {
		t.Fatalf("a refusal changes %+v", c)
	}
	if len(lengths) == 1 && step != Exhausted {
		t.Fatalf("P4: refused, and step %s is there", step)
	}
	// Aligned blocks, largest first: wherever one goes, if there is a way for the
	// rest there is one then too. So any way that fails shows that there is none.
	after := s.world
	for _, l := range lengths {
		n := 1 << (32 - l)
		free := after.blocks(n, cell.free)
		if len(free) == 0 {
			return
		}
		for i := range n {
			after[free[0]+i].holder = "asking"
		}
	}
	t.Fatalf("P4: refused %v, and all of it is free", lengths)
}

// first compares the first part with the model.
func (s *state) first(t *rapid.T, p Part, where int, step Step, n int) {
	from, _ := span(p.Block)
	if p.Step != step || where >= 0 && from != where {
		t.Fatalf("%s by %s at %d, want %s at %d", p.Block, p.Step, from, step, where)
	}
	if from%n != 0 {
		t.Fatalf("P2: %s is not aligned", p.Block)
	}
}

// losers checks the notices: exactly the cells that were reserved for others and
// are the member's now.
func (s *state) losers(t *rapid.T, before world, member string, c Choice) {
	noted := map[int]string{}
	for _, n := range c.Notices {
		from, to := span(n.Block)
		for i := from; i < to; i++ {
			noted[i] = n.Member
		}
		if n.For != member || !n.Since.Equal(before[from].since) {
			t.Fatalf("%+v", n)
		}
	}
	for i, c := range before {
		want := ""
		if s.world[i].holder != c.holder && c.member != member {
			want = c.member
		}
		if noted[i] != want {
			t.Fatalf("cell %d was reserved for %q, noted for %q", i, c.member, noted[i])
		}
	}
}

// release gives back a part of what a member holds (P13).
func (s *state) release(t *rapid.T) {
	held := s.world.held(drawMember.Draw(t, "member")).Blocks()
	if len(held) == 0 {
		t.Skip("holds nothing")
	}
	b := rapid.SampledFrom(held).Draw(t, "block")
	if lower, upper, ok := b.Halves(); ok {
		b = rapid.SampledFrom([]inr.Block{b, lower, upper}).Draw(t, "part")
	}
	c, err := Release(s.memory, b)
	if err != nil {
		t.Fatal(err)
	}
	from, to := span(b)
	for i := from; i < to; i++ {
		s.world[i] = cell{pool: true}
	}
	if err := s.memory.Apply(c); err != nil {
		t.Fatal(err)
	}
	if _, err := Release(s.memory, b); err == nil {
		t.Fatalf("%s is released twice", b)
	}
}

// expire lets time pass and ends what is over.
func (s *state) expire(t *rapid.T) {
	s.now = s.now.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "hours")) * time.Hour)
	for range cells {
		c, err := Expire(s.memory, s.now, rapid.IntRange(1, 10).Draw(t, "limit"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.memory.Apply(c); err != nil {
			t.Fatal(err)
		}
		if len(c.Removed) == 0 {
			break
		}
	}
	for i, c := range s.world {
		if c.member != "" && !c.expires.IsZero() && !c.expires.After(s.now) {
			s.world[i] = cell{pool: true}
		}
	}
}

// TestProperties runs P1 to P4, P10 and P13 against the model.
func TestProperties(t *testing.T) {
	steps := map[Step]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := newState(t, steps)
		t.Repeat(map[string]func(*rapid.T){
			"allocate":  s.allocate,
			"allocate2": s.allocate,
			"allocate3": s.allocate,
			"release":   s.release,
			"expire":    s.expire,
			"":          func(t *rapid.T) { s.agree(t, "a step") },
		})
	})
	for step := Grow; step <= Exhausted; step++ {
		if steps[step] == 0 {
			t.Errorf("no run came to step %s", step)
		}
	}
	t.Logf("steps: %v", steps)
}
