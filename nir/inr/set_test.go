package inr

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// bits is the independent model: a bitmap over the first and last numbers of
// each kind, where overflow and the borders of kinds show.
const side = 64

type model [3][2 * side]bool

// place returns the number of a position of the bitmap.
func place(k Kind, i int) Num {
	if i < side {
		return N(uint64(i))
	}
	return k.Max().Sub(N(uint64(2*side - 1 - i)))
}

// modelOf fills the bitmap from ranges by asking each number; ranges that span
// the middle fill both sides.
func modelOf(ranges []Range) (m model) {
	for _, r := range ranges {
		for i := range 2 * side {
			if n := place(r.Kind, i); r.First.Cmp(n) <= 0 && n.Cmp(r.Last) <= 0 {
				m[r.Kind-IPv4][i] = true
			}
		}
	}
	return m
}

func (m model) combine(o model, f func(a, b bool) bool) model {
	for k := range m {
		for i := range m[k] {
			m[k][i] = f(m[k][i], o[k][i])
		}
	}
	return m
}

// drawRange never spans the middle, so that the bitmap knows all of it.
var drawRange = rapid.Custom(func(t *rapid.T) Range {
	k := rapid.SampledFrom(Kinds[:]).Draw(t, "kind")
	half := rapid.SampledFrom([]int{0, side}).Draw(t, "half")
	a := rapid.IntRange(0, side-1).Draw(t, "a") + half
	b := rapid.IntRange(0, side-1).Draw(t, "b") + half
	return Range{k, place(k, min(a, b)), place(k, max(a, b))}
})

var drawRanges = rapid.SliceOfN(drawRange, 0, 12)

// canonical fails unless the ranges are sorted, disjoint and not touching.
func canonical(t *rapid.T, s Set) {
	for i, r := range s.r {
		if !r.Valid() {
			t.Fatalf("%+v is not valid", r)
		}
		if i == 0 {
			continue
		}
		p := s.r[i-1]
		if p.Kind > r.Kind || p.Kind == r.Kind && (!p.Last.Less(r.First) || p.Last.Next() == r.First) {
			t.Fatalf("%s before %s", p, r)
		}
	}
}

func TestSetAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawRanges.Draw(t, "x"), drawRanges.Draw(t, "y")
		a, b := Of(x...), Of(y...)
		ma, mb := modelOf(x), modelOf(y)
		for _, c := range []struct {
			name string
			got  Set
			want model
		}{
			{"of", a, ma},
			{"union", a.Union(b), ma.combine(mb, func(a, b bool) bool { return a || b })},
			{"intersect", a.Intersect(b), ma.combine(mb, func(a, b bool) bool { return a && b })},
			{"subtract", a.Subtract(b), ma.combine(mb, func(a, b bool) bool { return a && !b })},
		} {
			canonical(t, c.got)
			if modelOf(c.got.Ranges()) != c.want {
				t.Fatalf("%s of %s and %s: %s", c.name, a, b, c.got)
			}
		}
		if a.Equal(b) != (ma == mb) || a.IsEmpty() != (ma == model{}) {
			t.Fatalf("equality or emptiness of %s and %s", a, b)
		}
		if got := ma.combine(mb, func(a, b bool) bool { return b && !a }) == (model{}); a.ContainsSet(b) != got {
			t.Fatalf("%s contains %s: %t", a, b, !got)
		}
	})
}

func TestSetQueries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, r := drawRanges.Draw(t, "x"), drawRange.Draw(t, "r")
		s, m, q := Of(x...), modelOf(x), modelOf([]Range{r})
		all, some := true, false
		for i, in := range q[r.Kind-IPv4] {
			if in {
				all, some = all && m[r.Kind-IPv4][i], some || m[r.Kind-IPv4][i]
			}
		}
		around, found := s.Around(r)
		if s.Contains(r) != all || s.Overlaps(r) != some || found != all || found && !around.Contains(r) {
			t.Fatalf("%s and %s: contains %t, overlaps %t, around %s", s, r, s.Contains(r), s.Overlaps(r), around)
		}
		for _, k := range Kinds {
			n := int64(0)
			for _, in := range m[k-IPv4] {
				if in {
					n++
				}
			}
			if s.Count(k).Cmp(big.NewInt(n)) != 0 || s.Of(k).Count(k).Cmp(big.NewInt(n)) != 0 {
				t.Fatalf("count of %s in %s: %s, want %d", k, s, s.Count(k), n)
			}
		}
	})
}

// TestSetBlocks: the blocks cover exactly the set, and no two could be one.
func TestSetBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Of(drawRanges.Draw(t, "x")...)
		blocks := s.Blocks()
		if !OfBlocks(blocks...).Equal(s) || !slices.IsSortedFunc(blocks, Block.Compare) {
			t.Fatalf("%s: %v", s, blocks)
		}
		n := 0
		for _, b := range blocks {
			if !b.Valid() {
				t.Fatalf("%+v is not valid", b)
			}
			p, ok := b.Parent()
			if ok && s.Contains(p.Range()) {
				t.Fatalf("%s: %s could be %s", s, b, p)
			}
			n++
		}
		// Minimal: the greedy cover has as many as there are blocks in s whose
		// parent is not in s, counted one number at a time.
		if n != countMaximal(s) {
			t.Fatalf("%s: %d blocks, want %d", s, n, countMaximal(s))
		}
	})
}

// countMaximal counts the blocks in s whose parent is not in s, by asking for
// each number how far its blocks grow.
func countMaximal(s Set) int {
	seen := map[Block]bool{}
	for _, k := range Kinds {
		for i := range 2 * side {
			b := Block{k, place(k, i), k.Bits()}
			if !s.Contains(b.Range()) {
				continue
			}
			for p, ok := b.Parent(); ok && s.Contains(p.Range()); p, ok = b.Parent() {
				b = p
			}
			seen[b] = true
		}
	}
	return len(seen)
}

func TestWhole(t *testing.T) {
	all := Of(IPv4.Whole().Range(), IPv6.Whole().Range(), ASN.Whole().Range())
	if got := all.String(); got != "0.0.0.0/0, ::/0, AS0-AS4294967295" {
		t.Errorf("got %s", got)
	}
	if got := all.Count(IPv6).String(); got != "340282366920938463463374607431768211456" {
		t.Errorf("2¹²⁸ is %s", got)
	}
	if n := len(all.Blocks()); n != 3 {
		t.Errorf("%d blocks", n)
	}
	one := Of(mustRange("::5"))
	if got := all.Subtract(one).Union(one); !got.Equal(all) {
		t.Errorf("got %s", got)
	}
	if n := len(all.Of(IPv6).Subtract(one).Blocks()); n != 128 {
		t.Errorf("%d blocks without one address, want 128", n)
	}
	if !all.Subtract(all).IsEmpty() || len(all.Of(ASN).Ranges()) != 1 {
		t.Error("parts are wrong")
	}
}

func TestOfPanics(t *testing.T) {
	for _, r := range []Range{{}, {IPv4, N(2), N(1)}, {IPv4, N(0), N(1 << 32)}, {4, N(1), N(1)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is taken", r)
				}
			}()
			Of(r)
		}()
		if r.Valid() {
			t.Errorf("%+v is valid", r)
		}
		if _, err := NewRange(r.Kind, r.First, r.Last); err == nil {
			t.Errorf("%+v is made", r)
		}
	}
}

// TestImmutable: what shares memory is not written to.
func TestImmutable(t *testing.T) {
	s := Of(mustRange("10.0.0.0/9"), mustRange("2001:db8::/32"), mustRange("AS1"))
	before := s.String()
	ranges := s.Ranges()
	ranges[0] = Range{}
	v4 := s.Of(IPv4)
	_ = v4.Union(Of(mustRange("10.128.0.0/9")))
	_ = append(v4.r, mustRange("AS9"))
	var b Builder
	b.AddSet(s)
	first := b.Set()
	b.Add(mustRange("10.128.0.0/9"))
	if s.String() != before || first.String() != before || b.Set().String() != "10.0.0.0/8, 2001:db8::/32, AS1" {
		t.Errorf("%s, %s, %s", s, first, b.Set())
	}
}

// TestBlock compares the family relations with net/netip.
func TestBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom([]Kind{IPv4, IPv6}).Draw(t, "kind")
		l := rapid.IntRange(0, k.Bits()).Draw(t, "len")
		n := drawNum.Draw(t, "n").and(k.Max())
		b := BlockAt(k, n, l)
		want := netip.PrefixFrom(k.Addr(n), l).Masked()
		if b.String() != want.String() || b.Prefix() != want || !b.Valid() {
			t.Fatalf("%s, want %s", b, want)
		}
		if back, err := FromPrefix(want); err != nil || back != b {
			t.Fatalf("%s: %s, %v", want, back, err)
		}
		if made, err := NewBlock(k, n, l); (err == nil) != (n == b.First) || err == nil && made != b {
			t.Fatalf("NewBlock of %s/%d: %s, %v", k.Format(n), l, made, err)
		}
		if one, ok := b.Range().Block(); !ok || one != b {
			t.Fatalf("%s as range and back: %s", b, one)
		}
		family(t, b)
	})
}

func family(t *rapid.T, b Block) {
	p, ok := b.Parent()
	if ok != (b.Len > 0) {
		t.Fatalf("%s: parent %t", b, ok)
	}
	if ok {
		buddy, _ := b.Buddy()
		lo, hi, _ := p.Halves()
		if !(lo == b && hi == buddy || lo == buddy && hi == b) || b.Overlaps(buddy) {
			t.Fatalf("%s: parent %s of %s and %s, buddy %s", b, p, lo, hi, buddy)
		}
		if !Of(b.Range(), buddy.Range()).Equal(Of(p.Range())) || !p.Contains(b) || b.Contains(p) || p.Compare(b) > 0 {
			t.Fatalf("%s and %s are not %s", b, buddy, p)
		}
	}
	if _, _, ok := b.Halves(); ok != (b.Len < b.Kind.Bits()) {
		t.Fatalf("%s: halves %t", b, ok)
	}
	n := 0
	for s := range b.Subblocks(min(b.Len+3, b.Kind.Bits())) {
		if !b.Contains(s) || s.Ancestor(b.Len) != b {
			t.Fatalf("%s is not in %s", s, b)
		}
		n++
	}
	if n != 1<<min(3, b.Kind.Bits()-b.Len) {
		t.Fatalf("%s has %d parts", b, n)
	}
}
