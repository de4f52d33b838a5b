package inr

import (
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// many returns ranges in random order, far apart.
func many(n int) []Range {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]Range, n)
	for i := range all {
		first := N(uint64(i) << 14)
		all[i] = Range{IPv4, first, first.Add(N(rng.Uint64N(1 << 13)))}
	}
	rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

const benchmarked = 100_000

func BenchmarkOf(b *testing.B) {
	all := many(benchmarked)
	b.ReportAllocs()
	for b.Loop() {
		if Of(all...).Len() != benchmarked {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkSubtract(b *testing.B) {
	all := many(benchmarked)
	s, half := Of(all...), Of(all[:benchmarked/2]...)
	b.ReportAllocs()
	for b.Loop() {
		if s.Subtract(half).Len() != benchmarked/2 {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkUnion(b *testing.B) {
	all := many(benchmarked)
	x, y := Of(all[:benchmarked/2]...), Of(all[benchmarked/2:]...)
	b.ReportAllocs()
	for b.Loop() {
		if x.Union(y).Len() != benchmarked {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkContains(b *testing.B) {
	all := many(benchmarked)
	s := Of(all...)
	for i := 0; b.Loop(); i++ {
		if !s.Contains(all[i%len(all)]) {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkParseRange(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRange("202.12.28.0/22"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRealSpace reads the statistics of a regional registry: nothing that it
// delegated is special, or delegated twice.
func TestRealSpace(t *testing.T) {
	data := realStatistics(t)
	var b Builder
	records := 0
	sum := map[Kind]*big.Int{IPv4: {}, IPv6: {}, ASN: {}}
	for line := range strings.Lines(data) {
		c := strings.Split(strings.TrimSpace(line), "|")
		if len(c) != 7 || c[1] == "*" || strings.HasPrefix(line, "2|") {
			continue
		}
		k, err := ParseKind(c[2])
		if err != nil {
			t.Fatal(err)
		}
		r, err := FromStatistics(k, c[3], c[4])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if start, value, ok := r.Statistics(); !ok || start != c[3] || value != c[4] {
			t.Errorf("%s is written %s|%s", line, start, value)
		}
		if e, special := WhySpecial(r); special {
			t.Errorf("%s meets %s", r, e)
		}
		b.Add(r)
		sum[k].Add(sum[k], r.Count())
		records++
	}
	s := b.Set()
	for _, k := range Kinds {
		t.Logf("%s: %d ranges, %d blocks, %s numbers", k, s.Of(k).Len(), len(s.Of(k).Blocks()), s.Count(k))
		if s.Count(k).Cmp(sum[k]) != 0 {
			t.Errorf("%s: the records have %s numbers, their union %s", k, sum[k], s.Count(k))
		}
	}
	if records != 85300 {
		t.Errorf("%d records", records)
	}
	if again, err := ParseSet(s.String()); err != nil || !again.Equal(s) {
		t.Errorf("the whole does not read back: %v", err)
	}
}

func realStatistics(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const name = "delegated-apnic-latest-20260618.txt"
	for ; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "shared", "data", name))
		if err == nil {
			return string(data)
		}
		if dir == filepath.Dir(dir) {
			t.Skipf("DATA NOT AT HAND: no shared/data/%s beside the module: nothing real was read", name)
		}
	}
}
