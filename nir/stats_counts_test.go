package nir

import (
	"slices"
	"testing"

	"nirzone/nir/inr"
)

// TestCountLines: what an import changes comes first, and what is there already is
// one line.
func TestCountLines(t *testing.T) {
	same := ImportCount{Economy: "AU", Kind: inr.IPv4, Unchanged: 3}
	for _, c := range []struct {
		counts []ImportCount
		want   []string
	}{
		{nil, nil},
		{[]ImportCount{same}, []string{"direct members (AU), ipv4: 3 unchanged"}},
		{
			[]ImportCount{
				same,
				{Economy: "FJ", Kind: inr.IPv4, Unchanged: 1, Missing: 2},
				{Economy: "NZ", Kind: inr.IPv4, Unchanged: 4},
				{NIR: "JPNIC", Economy: "JP", Kind: inr.IPv4, Created: 1, Unchanged: 5},
			},
			[]string{
				"JPNIC (JP), ipv4: 1 created, 5 unchanged",
				"direct members (FJ), ipv4: 1 unchanged, 2 of an earlier import not in the file: they stay",
				"all else: 7 unchanged",
			},
		},
	} {
		if got := CountLines(c.counts); !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
