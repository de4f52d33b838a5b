package zone

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"unsafe"
)

// benchFragments makes a zone with 61 440 delegations by seven sources and the
// registry, in shuffled /20s, two or three NS each, and the claims for it.
func benchFragments(tb testing.TB) MergeInput {
	tb.Helper()
	rng := rand.New(rand.NewSource(1))
	sources := []string{"APNIC", "CNNIC", "IDNIC", "IRINN", "JPNIC", "KRNIC", "TWNIC", "VNNIC"}
	frags := map[string]*Fragment{}
	for _, s := range sources {
		frags[s] = &Fragment{Source: s, Zone: testApex.Origin, File: "202-" + s, SHA256: strings.Repeat("0", 64)}
	}
	var claims []string
	for block := range 16 * 256 * 15 / 16 {
		source := sources[rng.Intn(len(sources))]
		claims = append(claims, fmt.Sprintf("%s 202.%d.%d.0/20", source, block/16, block%16*16))
		f := frags[source]
		for i := range 16 {
			name := testName(fmt.Sprintf("%d.%d", block%16*16+i, block/16))
			for j := range 2 + rng.Intn(2) {
				host := Name(fmt.Sprintf("ns%d.isp%d.example.", j, rng.Intn(3000)))
				f.Records = append(f.Records, Located{Record{name, TypeNS, 86400, NSData(host)}, uint32(len(f.Records) + 1)})
			}
			if rng.Intn(140) == 0 {
				f.Records = append(f.Records, Located{testRecord(tb, string(name)+" DS "+ds256), uint32(len(f.Records) + 1)})
			}
		}
	}
	in := MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(tb, claims...)}
	for _, s := range sources {
		in.Fragments = append(in.Fragments, frags[s])
	}
	return in
}

func TestEntrySize(t *testing.T) {
	if size := unsafe.Sizeof(Entry{}); size > 64 {
		t.Errorf("an Entry has %d octets, 64 are planned for: 150 000 of them are one zone", size)
	}
}

func BenchmarkMerge(b *testing.B) {
	in := benchFragments(b)
	z, _ := Merge(in)
	b.ReportAllocs()
	for b.Loop() {
		Merge(in)
	}
	b.ReportMetric(float64(len(z.Entries)), "records")
}

func BenchmarkDiff(b *testing.B) {
	in := benchFragments(b)
	prev, _ := Merge(in)
	in.Fragments[4].Records = in.Fragments[4].Records[500:]
	next, _ := Merge(in)
	b.ReportAllocs()
	for b.Loop() {
		Diff(prev, next)
		SourceChanges(prev, next)
	}
}
