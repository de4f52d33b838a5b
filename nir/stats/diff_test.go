package stats

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nirzone/nir/inr"
)

// records reads "range economy date holder", one record a line; the status is
// allocated.
func records(t interface{ Fatal(...any) }, text string) []Record {
	var list []Record
	for line := range strings.Lines(text) {
		f := append(strings.Fields(line), "", "", "")
		if f[0] == "" {
			continue
		}
		r, err := inr.ParseRange(f[0])
		if err != nil {
			t.Fatal(err)
		}
		var date Date
		_, _ = fmt.Sscan(f[2], &date)
		list = append(list, Record{Range: r, Economy: f[1], Date: date, Status: Allocated, Opaque: f[3]})
	}
	return list
}

func written(list []Difference) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s", d.Range)
		for _, s := range []*Said{d.Before, d.After} {
			if s == nil {
				b.WriteString(" -")
			} else {
				fmt.Fprintf(&b, " %s%s", s.Economy, s.Opaque)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		holders       bool
		want          string
	}{
		"same":            {"10.0.0.0/24 JP", "10.0.0.0/24 JP", true, ""},
		"cut otherwise":   {"10.0.0.0/23 JP 20260101", "10.0.0.0/24 JP 20260101\n10.0.1.0/24 JP 20260101", true, ""},
		"new":             {"", "10.0.0.0/24 JP\nAS7 JP", true, "10.0.0.0/24 - JP\nAS7 - JP\n"},
		"gone":            {"10.0.0.0/24 JP", "", true, "10.0.0.0/24 JP -\n"},
		"a part is gone":  {"10.0.0.0/24 JP", "10.0.0.0/25 JP", true, "10.0.0.128/25 JP -\n"},
		"another economy": {"10.0.0.0/24 JP", "10.0.0.0/24 KR", true, "10.0.0.0/24 JP KR\n"},
		"the middle":      {"10.0.0.0-10.0.0.9 JP", "10.0.0.0-10.0.0.2 JP\n10.0.0.3-10.0.0.4 KR\n10.0.0.5-10.0.0.9 JP", true, "10.0.0.3-10.0.0.4 JP KR\n"},
		"joined":          {"", "10.0.0.0/24 JP\n10.0.1.0/24 JP", true, "10.0.0.0/23 - JP\n"},
		"not joined":      {"", "10.0.0.0/24 JP\n10.0.2.0/24 JP", true, "10.0.0.0/24 - JP\n10.0.2.0/24 - JP\n"},
		"holders":         {"10.0.0.0/24 JP 0 a", "10.0.0.0/24 JP 0 b", true, "10.0.0.0/24 JPa JPb\n"},
		"not holders":     {"10.0.0.0/24 JP 0 a", "10.0.0.0/24 JP 0 b", false, ""},
		"date":            {"10.0.0.0/24 JP 20260101", "10.0.0.0/24 JP 20260102", true, "10.0.0.0/24 JP JP\n"},
		"kinds apart":     {"0.0.0.7 JP", "AS7 JP", true, "0.0.0.7/32 JP -\nAS7 - JP\n"},
		"the last number": {"ff00::/8 JP", "fe00::/7 JP", true, "fe00::/8 - JP\n"},
		"all numbers":     {"::/0 JP", "", true, "::/0 JP -\n"},
		"its end":         {"", "ffff::/16 JP\nfffe::/16 KR", true, "fffe::/16 - KR\nffff::/16 - JP\n"},
		"unsorted, twice": {"10.0.1.0/24 JP\n10.0.0.0/24 JP", "10.0.0.0/24 KR\n10.0.1.0/24 KR", true, "10.0.0.0/23 JP KR\n"},
	} {
		if got := written(Diff(records(t, c.before), records(t, c.after), c.holders)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestDiffIsOfNumbers: a difference is exactly where the two files say different
// things, number by number.
func TestDiffIsOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) ([]Record, [64]string) {
			var list []Record
			var says [64]string
			for n := uint64(0); n < 64; {
				n += rapid.Uint64Range(0, 9).Draw(t, label+" gap")
				last := n + rapid.Uint64Range(0, 9).Draw(t, label+" size")
				if last >= 64 {
					break
				}
				e := rapid.SampledFrom([]string{"JP", "KR"}).Draw(t, label)
				list = append(list, Record{Range: inr.Range{Kind: inr.ASN, First: inr.N(n), Last: inr.N(last)}, Economy: e})
				for ; n <= last; n++ {
					says[n] = e
				}
			}
			return list, says
		}
		a, before := draw("before")
		b, after := draw("after")
		list := Diff(a, b, true)
		var differs [64]bool
		for i, d := range list {
			if i > 0 && list[i-1].joins(&d) {
				t.Fatalf("%s and %s are one difference", list[i-1].Range, d.Range)
			}
			for n := d.Range.First.Lo; n <= d.Range.Last.Lo; n++ {
				if differs[n] = true; d.Before != nil && d.Before.Economy != before[n] || d.After != nil && d.After.Economy != after[n] {
					t.Fatalf("%d: %+v", n, d)
				}
			}
		}
		for n := range differs {
			if differs[n] != (before[n] != after[n]) {
				t.Fatalf("%d: %q and %q, different %v", n, before[n], after[n], differs[n])
			}
		}
	})
}
