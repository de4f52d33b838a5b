package inr

// Union returns what is in s, in o, or in both. It takes time linear in the
// number of ranges; for many sets, use a [Builder].
func (s Set) Union(o Set) Set {
	if o.IsEmpty() {
		return s
	}
	if s.IsEmpty() {
		return o
	}
	out := make([]Range, 0, len(s.r)+len(o.r))
	a, b := s.r, o.r
	for len(a) > 0 && len(b) > 0 {
		if a[0].Compare(b[0]) <= 0 {
			out, a = join(out, a[0]), a[1:]
		} else {
			out, b = join(out, b[0]), b[1:]
		}
	}
	return Set{coalesce(coalesce(out, a), b)}
}

// Intersect returns what is both in s and in o, in linear time.
func (s Set) Intersect(o Set) Set {
	var out []Range
	a, b := s.r, o.r
	for len(a) > 0 && len(b) > 0 {
		if a[0].Overlaps(b[0]) {
			out = append(out, common(a[0], b[0]))
		}
		// What ends first meets nothing more.
		if compareAt(a[0].Kind, a[0].Last, b[0].Kind, b[0].Last) <= 0 {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return Set{out}
}

// common returns what two overlapping ranges share.
func common(a, b Range) Range {
	if a.First.Less(b.First) {
		a.First = b.First
	}
	if b.Last.Less(a.Last) {
		a.Last = b.Last
	}
	return a
}

// Subtract returns what is in s and not in o, in linear time.
func (s Set) Subtract(o Set) Set {
	if o.IsEmpty() {
		return s
	}
	var out []Range
	b := o.r
	for _, a := range s.r {
		for len(b) > 0 && compareAt(b[0].Kind, b[0].Last, a.Kind, a.First) < 0 {
			b = b[1:]
		}
		out, b = cut(out, a, b)
	}
	return Set{out}
}

// cut appends what is left of a without the ranges b, of which none ends before
// a, and returns the ranges that may still meet what comes after a.
func cut(out []Range, a Range, b []Range) ([]Range, []Range) {
	for ; len(b) > 0 && a.Overlaps(b[0]); b = b[1:] {
		if a.First.Less(b[0].First) {
			out = append(out, Range{a.Kind, a.First, b[0].First.Prev()})
		}
		if !b[0].Last.Less(a.Last) {
			return out, b
		}
		a.First = b[0].Last.Next()
	}
	return append(out, a), b
}
