package sign

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// BenchmarkWarm signs, verifies and composes a zone in which one delegation
// changes every time, with a warm store; "file" opens and saves the store too.
// It reports the signatures made a run.
func BenchmarkWarm(b *testing.B) {
	b.Run("memory", func(b *testing.B) { warm(b, false) })
	b.Run("file", func(b *testing.B) { warm(b, true) })
}

func warm(b *testing.B, onDisk bool) {
	const name = zone.Name("103.in-addr.arpa.")
	file := filepath.Join(b.TempDir(), name.File())
	z, keys, p := testZone(b, name, benchSize()), testKeys(b, name, algECDSA), testPolicy(algECDSA)
	v := mustBuild(b, z, keys, p, nil, testNow)
	if _, err := v.Store().Save(publish.OS, file, keys, testNow); err != nil {
		b.Fatal(err)
	}
	st, made, i, at := v.Store(), 0, 0, len(z.Entries)/2
	for z.Entries[at].Type != zone.TypeNS || z.Entries[at].Name == z.Entries[at+1].Name {
		at++ // the last of a set, which a longer label keeps it
	}
	b.ReportAllocs()
	c := cpu()
	for b.Loop() {
		i++
		z.Entries[at].Data = zone.NSData(zone.Name("server" + string(rune('a'+i%26)) + ".isp0.example."))
		if onDisk {
			var err error
			if st, err = OpenStore(publish.OS, file, name, keys); err != nil {
				b.Fatal(err)
			}
		}
		v := mustBuild(b, z, keys, p, st, testNow)
		if _, err := v.WriteVerified(io.Discard); err != nil {
			b.Fatal(err)
		}
		if st = v.Store(); onDisk {
			if _, err := st.Save(publish.OS, file, keys, testNow); err != nil {
				b.Fatal(err)
			}
		}
		made += v.Facts().Made
	}
	b.ReportMetric(float64(made)/float64(b.N), "sigs/op")
	b.ReportMetric(float64((cpu()-c).Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
	b.ReportMetric(peakMB(), "peak-MB")
	b.ReportMetric(0, "ns/op")
}

// mustBuild signs and verifies.
func mustBuild(t testing.TB, z *zone.Zone, keys []Key, p zone.SigningConfig, st *Store, now time.Time) *Verified {
	t.Helper()
	w, err := Prepare(z, keys, p, now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Sign(context.Background(), Prior{Serial: 7, Known: true}, st)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), s, z, keys, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
