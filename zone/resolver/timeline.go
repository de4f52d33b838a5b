package resolver

import (
	"fmt"
	"slices"
	"time"
)

// A Timeline is what a zone and its parent publish, in any order. Sets of one
// kind may be published at the same time: of data there are many, and of a DS
// set that a parent may or may not change both outcomes are possible.
type Timeline struct {
	DS, DNSKEY, Data []Set

	Delay       time.Duration // until every server of the zone serves what is published
	ParentDelay time.Duration // the same of the parent's servers
	Skew        time.Duration // how much a resolver's clock may be fast or slow
}

// Bogus returns every combination of sets that a resolver may hold between two
// times and that does not validate, the earliest first; none if the zone is safe.
// Combinations that differ in nothing but the time are one. A zero until is the
// end of time.
func (t *Timeline) Bogus(from, until time.Time) []State {
	f := finder{t: t, span: window{from, end(until)}, seen: map[string]int{}}
	for i := range t.DS {
		ds := &t.DS[i]
		w := ds.held(t.ParentDelay).and(f.span)
		if len(ds.Keys) == 0 || w.empty() {
			continue
		}
		for j := range t.DNSKEY {
			f.keys(ds, &t.DNSKEY[j], w)
		}
	}
	slices.SortStableFunc(f.found, func(a, b State) int { return a.From.Compare(b.From) })
	return f.found
}

// A finder collects bogus states.
type finder struct {
	t     *Timeline
	span  window
	seen  map[string]int // identity of a state → its place in found
	found []State
}

// keys judges a DNSKEY set under a DS set, and then the data under both.
func (f *finder) keys(ds, keys *Set, w window) {
	w = w.and(keys.held(f.t.Delay))
	if w.empty() {
		return
	}
	if why := broken(ds, keys); why != "" {
		f.add(w, ds, keys, nil, why)
		return // nothing below it can be better
	}
	f.times(w, ds, keys, nil)
	for i := range f.t.Data {
		data := &f.t.Data[i]
		v := w.and(data.held(f.t.Delay))
		if v.empty() {
			continue
		}
		if why := unsigned(keys, data); why != "" {
			f.add(v, ds, keys, data, why)
			continue
		}
		f.times(v, ds, keys, data)
	}
}

// times judges the validity of the signatures of the data or, without, of the
// DNSKEY set.
func (f *finder) times(w window, ds, keys, data *Set) {
	s, what := keys, "the DNSKEY set"
	if data != nil {
		s, what = data, "the data"
	}
	if v := w.and(s.early(f.t.Skew)); !v.empty() {
		f.add(v, ds, keys, data, fmt.Sprintf("the signatures of %s are not valid before %s (RFC 4035, section 5.3.1)", what, stamp(s.Inception)))
	}
	if v := w.and(s.late(f.t.Delay, f.t.Skew)); !v.empty() {
		f.add(v, ds, keys, data, fmt.Sprintf("the signatures of %s have expired at %s (RFC 4035, section 5.3.1)", what, stamp(s.Expires)))
	}
}

// broken says why a DNSKEY set is not trusted under a DS set.
func broken(ds, keys *Set) string {
	for _, alg := range algorithms(ds.Keys) {
		if !slices.ContainsFunc(ds.Keys, func(k Key) bool {
			return k.Algorithm == alg && slices.Contains(keys.Keys, k) && slices.Contains(keys.Signers, k)
		}) {
			return fmt.Sprintf("no DS of algorithm %d points to a key that is in the DNSKEY set and signs it (RFC 4035, sections 2.2 and 5.2)", alg)
		}
	}
	return ""
}

// unsigned says why data is not trusted under a DNSKEY set.
func unsigned(keys, data *Set) string {
	for _, alg := range algorithms(keys.Keys) {
		if !slices.ContainsFunc(data.Signers, func(k Key) bool { return k.Algorithm == alg && slices.Contains(keys.Keys, k) }) {
			return fmt.Sprintf("of algorithm %d, no signature of the data is by a key of the DNSKEY set (RFC 4035, sections 2.2 and 5.3.1)", alg)
		}
	}
	return ""
}
