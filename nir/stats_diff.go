package nir

import (
	"fmt"
	"slices"

	"nirzone/nir/stats"
)

// Err returns every mistake of the file, nil if it has none.
func (f *Statistics) Err() error {
	if len(f.mistakes.List) == 0 {
		return nil
	}
	return invalid("file", "%v", &f.mistakes)
}

// StatisticsNow returns what [View.Statistics] would write, to be compared with a
// file; name is what differences call it.
func (v *View) StatisticsNow(name string) (*Statistics, error) {
	list, err := v.records(stats.Extended)
	if err != nil {
		return nil, fmt.Errorf("making statistics: %w", err)
	}
	f := &Statistics{File: name}
	for _, r := range list {
		if r.Status.Held() {
			f.records = append(f.records, r)
		} else {
			f.others = append(f.others, r)
		}
	}
	return f, nil
}

// DiffStatistics compares two files number by number: [stats.Diff]. What is
// available or reserved counts if both files say it, as the extended form does.
// Holders are compared if the caller says so: each registry has identifiers of its
// own for them. A file with mistakes is refused: it would look like a difference.
func DiffStatistics(before, after *Statistics, holders bool) ([]stats.Difference, error) {
	for _, f := range []*Statistics{before, after} {
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("comparing %s: %w", f.File, err)
		}
	}
	a, b := before.records, after.records
	if len(before.others) > 0 && len(after.others) > 0 {
		a, b = slices.Concat(a, before.others), slices.Concat(b, after.others)
	}
	return stats.Diff(a, b, holders), nil
}
