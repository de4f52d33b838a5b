package zone

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"go4.org/netipx"
)

// A Claim says that a source may speak for a range of addresses.
type Claim struct {
	Source string
	Prefix netip.Prefix
}

func (c Claim) compare(d Claim) int {
	return cmp.Or(strings.Compare(c.Source, d.Source), c.Prefix.Compare(d.Prefix))
}

// Claims is the set of all claims, indexed for lookup. A nil *Claims grants
// nothing. It is immutable and may be used by many goroutines.
type Claims struct {
	all     []Claim
	sources map[string][]netipx.IPRange // disjoint, not touching, ascending
	overlap []overlap                   // disjoint, ascending
}

// An overlap is a range that all of its sources claim, two at least.
type overlap struct {
	from, to netip.Addr
	sources  []string // sorted
}

// NewClaims indexes claims. They may come in any order, with duplicates and
// with host bits set, which are cleared; invalid prefixes are dropped.
func NewClaims(claims []Claim) *Claims {
	all := make([]Claim, 0, len(claims))
	for _, c := range claims {
		if c.Prefix.IsValid() {
			all = append(all, Claim{c.Source, c.Prefix.Masked()})
		}
	}
	slices.SortFunc(all, Claim.compare)
	all = slices.Compact(all)
	c := &Claims{all: all, sources: map[string][]netipx.IPRange{}}
	var edges []edge
	for i := 0; i < len(all); {
		source := all[i].Source
		var b netipx.IPSetBuilder
		for ; i < len(all) && all[i].Source == source; i++ {
			b.AddPrefix(all[i].Prefix)
		}
		set, err := b.IPSet()
		if err != nil {
			panic("zone: indexing claims: " + err.Error()) // only for invalid prefixes
		}
		c.sources[source] = set.Ranges()
		for _, r := range c.sources[source] {
			edges = append(edges, edge{r.From(), source, true}, edge{r.To(), source, false})
		}
	}
	c.overlap = overlaps(edges)
	return c
}

// An edge is the first or last address of a source's range.
type edge struct {
	addr   netip.Addr
	source string
	first  bool
}

// compare puts the first address of a range before the last of another at the
// same place: ranges that share one address overlap.
func (e edge) compare(f edge) int {
	if c := e.addr.Compare(f.addr); c != 0 {
		return c
	}
	if e.first != f.first {
		if e.first {
			return -1
		}
		return 1
	}
	return strings.Compare(e.source, f.source)
}

// overlaps sweeps over the edges of all sources' ranges and returns where two
// or more are open.
func overlaps(edges []edge) []overlap {
	slices.SortFunc(edges, edge.compare)
	var found []overlap
	var open []string  // sorted
	var now netip.Addr // first address that is not dealt with yet; invalid after the last of a family
	emit := func(to netip.Addr) {
		if len(open) >= 2 && now.IsValid() && now.Compare(to) <= 0 {
			found = append(found, overlap{now, to, slices.Clone(open)})
		}
	}
	for _, e := range edges {
		i, _ := slices.BinarySearch(open, e.source)
		if e.first {
			if prev := e.addr.Prev(); prev.IsValid() {
				emit(prev)
			}
			open, now = slices.Insert(open, i, e.source), e.addr
			continue
		}
		emit(e.addr)
		open, now = slices.Delete(open, i, i+1), e.addr.Next()
	}
	return found
}

// All returns the claims sorted by source and prefix.
func (c *Claims) All() []Claim {
	if c == nil {
		return nil
	}
	return slices.Clone(c.all)
}

// Covers reports whether p lies wholly inside the union of the source's ranges:
// two adjacent /25s cover their /24.
func (c *Claims) Covers(source string, p netip.Prefix) bool {
	if c == nil || !p.IsValid() {
		return false
	}
	// A search of our own: the one of netipx.IPSet is linear.
	ranges, r := c.sources[source], netipx.RangeOfPrefix(p)
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].To().Compare(r.To()) >= 0 })
	return i < len(ranges) && ranges[i].From().Compare(r.From()) <= 0
}

// claimants returns the sources of the first range inside p that two or more
// sources claim, not counting one of them, and nil if there is none.
func (c *Claims) claimants(p netip.Prefix, except string) []string {
	for _, o := range c.overlapsIn(p) {
		if others := o.without(except); len(others) >= 2 {
			return others
		}
	}
	return nil
}

// overlapsIn returns the overlaps that touch p.
func (c *Claims) overlapsIn(p netip.Prefix) []overlap {
	if c == nil || len(c.overlap) == 0 || !p.IsValid() {
		return nil
	}
	r := netipx.RangeOfPrefix(p)
	i := sort.Search(len(c.overlap), func(i int) bool { return c.overlap[i].to.Compare(r.From()) >= 0 })
	j := i
	for j < len(c.overlap) && c.overlap[j].from.Compare(r.To()) <= 0 {
		j++
	}
	return c.overlap[i:j]
}

func (o overlap) without(source string) []string {
	i, found := slices.BinarySearch(o.sources, source)
	if !found {
		return o.sources
	}
	return slices.Delete(slices.Clone(o.sources), i, i+1)
}

// String returns the range as one prefix where it is one.
func (o overlap) String() string {
	r := netipx.IPRangeFrom(o.from, o.to)
	if p, ok := r.Prefix(); ok {
		return p.String()
	}
	return r.String()
}

// Touching returns, as text in one order, every claim and every range of
// several sources that touches p: all by which claims can decide anything inside
// p. For an invalid p it is all of them.
func (c *Claims) Touching(p netip.Prefix) []string {
	if c == nil {
		return nil
	}
	var lines []string
	for _, x := range c.all {
		if !p.IsValid() || x.Prefix.Overlaps(p) {
			lines = append(lines, x.Source+"\t"+x.Prefix.String())
		}
	}
	found := c.overlap
	if p.IsValid() {
		found = c.overlapsIn(p)
	}
	for _, o := range found {
		lines = append(lines, strings.Join(o.sources, ",")+"\t"+o.String())
	}
	return lines
}
