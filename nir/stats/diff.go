package stats

import (
	"cmp"
	"slices"

	"nirzone/nir/inr"
)

// A Said is what a file says of some numbers.
type Said struct {
	Economy string `json:"economy"`
	Status  Status `json:"status"`
	Date    Date   `json:"date"`
	Opaque  string `json:"opaque,omitempty"`
}

// A Difference is a range of which two files say different things, and each the
// same of all its numbers. Before or After is nil where a file says nothing.
type Difference struct {
	Range         inr.Range
	Before, After *Said
}

// Diff compares what two files say of each number, not how they cut ranges into
// records: a /23 is the same as its two /24s of one economy, status and date.
// Holders, the opaque-ids, count if the caller says so. Within a file no two
// records overlap; if they do, the one that begins first counts. The differences are
// in the order of ranges, as long as can be.
func Diff(before, after []Record, holders bool) []Difference {
	var out []Difference
	for _, k := range inr.Kinds {
		a, b := ofKind(before, k, holders), ofKind(after, k, holders)
		cuts := cutsOf(a, b)
		for i := 0; i+1 < len(cuts); i++ {
			was, now := at(&a, cuts[i].n), at(&b, cuts[i].n)
			if was == nil && now == nil || was != nil && now != nil && *was == *now {
				continue
			}
			d := Difference{Range: inr.Range{Kind: k, First: cuts[i].n, Last: cuts[i+1].n.Prev()}, Before: was, After: now}
			if n := len(out); n > 0 && out[n-1].joins(&d) {
				out[n-1].Range.Last = d.Range.Last
				continue
			}
			out = append(out, d)
		}
	}
	return out
}

// A stretch is a record of one kind, on its way through the comparison.
type stretch struct {
	inr.Range
	said Said
}

func ofKind(list []Record, k inr.Kind, holders bool) []stretch {
	var out []stretch
	for i := range list {
		r := &list[i]
		if r.Range.Kind != k {
			continue
		}
		s := stretch{r.Range, Said{r.Economy, r.Status, r.Date, ""}}
		if holders {
			s.said.Opaque = r.Opaque
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b stretch) int { return cmp.Or(a.First.Cmp(b.First), b.Last.Cmp(a.Last)) })
	return out
}

// A cut is where what is said may change; the last one stands behind all numbers,
// and its number wraps around to 0 if the last range ends with the last number.
type cut struct {
	n    inr.Num
	past bool
}

func cutsOf(lists ...[]stretch) []cut {
	var cuts []cut
	for _, list := range lists {
		for i := range list {
			end := list[i].Last.Next()
			cuts = append(cuts, cut{list[i].First, false}, cut{end, end.IsZero()})
		}
	}
	slices.SortFunc(cuts, func(a, b cut) int {
		if a.past != b.past {
			if a.past {
				return 1
			}
			return -1
		}
		return a.n.Cmp(b.n)
	})
	return slices.Compact(cuts)
}

// at returns what a list says of a number, and drops what ends before it.
func at(list *[]stretch, n inr.Num) *Said {
	for len(*list) > 0 && (*list)[0].Last.Less(n) {
		*list = (*list)[1:]
	}
	if len(*list) == 0 || n.Less((*list)[0].First) {
		return nil
	}
	return &(*list)[0].said
}

// joins reports whether a difference goes on where another ends.
func (d *Difference) joins(next *Difference) bool {
	return d.Range.Kind == next.Range.Kind && d.Range.Last.Next() == next.Range.First && same(d.Before, next.Before) && same(d.After, next.After)
}

func same(a, b *Said) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
