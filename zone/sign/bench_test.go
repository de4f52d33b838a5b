package sign

import (
	"context"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
)

// benchSize is the number of delegations: a large zone with NIRZONE_BENCH=61000.
func benchSize() int {
	if n, err := strconv.Atoi(os.Getenv("NIRZONE_BENCH")); err == nil {
		return n
	}
	return 5000
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, f Facts, start time.Duration) {
	n := float64(f.Signatures) * float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "sigs/s")
	b.ReportMetric(n/(cpu()-start).Seconds(), "sigs/cpu-s")
	b.ReportMetric(float64(f.Size)/1e6, "MB")
	b.ReportMetric(float64(f.Size)/float64(max(f.Delegations, 1)), "B/delegation")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkSign(b *testing.B) {
	const name = zone.Name("103.in-addr.arpa.")
	z, keys := testZone(b, name, benchSize()), testKeys(b, name, algECDSA)
	b.ReportAllocs()
	var s *Signed
	c := cpu()
	for b.Loop() {
		var err error
		if s, err = Sign(context.Background(), z, keys, testPolicy(algECDSA), Prior{}, testNow); err != nil {
			b.Fatal(err)
		}
	}
	report(b, s.Facts(), c)
}

func BenchmarkVerify(b *testing.B) {
	const name = zone.Name("103.in-addr.arpa.")
	z, keys := testZone(b, name, benchSize()), testKeys(b, name, algECDSA)
	s, err := Sign(context.Background(), z, keys, testPolicy(algECDSA), Prior{}, testNow)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	c := cpu()
	for b.Loop() {
		if _, err := Verify(context.Background(), s, z, keys, testNow); err != nil {
			b.Fatal(err)
		}
	}
	report(b, s.Facts(), c)
}

// BenchmarkBuild signs, verifies and writes two zones at a time, as a build
// does, and reports the largest heap that it saw.
func BenchmarkBuild(b *testing.B) {
	names := []zone.Name{"103.in-addr.arpa.", "202.in-addr.arpa."}
	var zones []*zone.Zone
	var keys [][]Key
	for _, n := range names {
		zones, keys = append(zones, testZone(b, n, benchSize())), append(keys, testKeys(b, n, algECDSA))
	}
	b.ReportAllocs()
	var f Facts
	runtime.GC()
	c := cpu()
	for b.Loop() {
		var group errgroup.Group
		for i, z := range zones {
			group.Go(func() error {
				s, err := Sign(context.Background(), z, keys[i], testPolicy(algECDSA), Prior{}, testNow)
				if err != nil {
					return err
				}
				v, err := Verify(context.Background(), s, z, keys[i], testNow)
				if err == nil {
					f = v.Facts()
					_, err = v.WriteVerified(io.Discard)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	f.Signatures *= len(zones)
	report(b, f, c)
	b.ReportMetric(peakMB(), "peak-MB")
}

// peakMB is the most memory that the process has had resident.
func peakMB() float64 {
	data, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	if f := strings.Fields(rest); len(f) > 0 {
		kb, _ := strconv.ParseFloat(f[0], 64)
		return kb / 1024
	}
	return 0
}
