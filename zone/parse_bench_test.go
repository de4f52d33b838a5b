package zone

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// synthetic makes a zonelet of n owners, two or three NS records each and a DS
// at every hundredth, its targets as often repeated as in real files.
func synthetic(n int) []byte {
	var b bytes.Buffer
	b.WriteString("$TTL 172800\n$ORIGIN .\n\n\n")
	ns, ds := 0, 0
	for i := range n {
		owner := fmt.Sprintf("%d.%d.103.in-addr.arpa.", i%256, i/256)
		fmt.Fprintf(&b, "; Source TEST\n")
		for k := range 2 + i%2 {
			fmt.Fprintf(&b, "%s         NS        ns%d.provider%d.example.net.\n", owner, k+1, i/8%20000)
			ns++
		}
		if i%100 == 0 {
			fmt.Fprintf(&b, "%s         DS        %d 8 2 %064x\n", owner, i%65536, i)
			ds++
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "TEST.103.in-addr.arpa.\tIN\tTXT\t\"Generated at 2026-03-17 14:24:01Z with %d NS records from TEST.\"\n", ns)
	fmt.Fprintf(&b, "TEST.103.in-addr.arpa.\tIN\tTXT\t\"Generated at 2026-03-17 14:24:01Z with %d DS records from TEST.\"\n", ds)
	return b.Bytes()
}

type benchFile struct {
	name, source string
	zone         Name
	data         []byte
}

func benchFiles(b *testing.B) []benchFile {
	files := []benchFile{
		{"small", "TEST", "103.in-addr.arpa.", synthetic(100)},
		{"million", "TEST", "103.in-addr.arpa.", synthetic(400_000)},
	}
	for dir, _ := os.Getwd(); dir != "/"; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "shared/data/zonelets/197-AFRINIC"))
		if err == nil {
			return append(files, benchFile{"197-AFRINIC", "AFRINIC", "197.in-addr.arpa.", data})
		}
	}
	b.Log("197-AFRINIC is not at hand")
	return files
}

// BenchmarkParseFragment is given the digest of the data, which is no part of
// parsing; BenchmarkParseAndDigest is not.
func BenchmarkParseFragment(b *testing.B) { benchParse(b, strings.Repeat("0", 64)) }

func BenchmarkParseAndDigest(b *testing.B) { benchParse(b, "") }

func benchParse(b *testing.B, digest string) {
	for _, f := range benchFiles(b) {
		b.Run(f.name, func(b *testing.B) {
			benchRecords(b, f, func() int {
				frag, err := ParseFragment(f.source, f.zone, f.name, f.data, ParseOptions{SHA256: digest, Limits: ParseLimits{MaxBytes: 128 << 20}})
				if err != nil {
					b.Fatal(err)
				}
				return len(frag.Records)
			})
			b.ReportMetric(keptBytes(f), "B/record")
		})
	}
}

// BenchmarkMiekg reads the same bytes with the DNS library and drops what it
// reads, which keeping would only make slower.
func BenchmarkMiekg(b *testing.B) {
	for _, f := range benchFiles(b) {
		b.Run(f.name, func(b *testing.B) {
			benchRecords(b, f, func() int {
				n := 0
				zp := dns.NewZoneParser(bytes.NewReader(f.data), string(f.zone), f.name)
				for _, ok := zp.Next(); ok; _, ok = zp.Next() {
					n++
				}
				if zp.Err() != nil {
					b.Fatal(zp.Err())
				}
				return n
			})
		})
	}
}

func benchRecords(b *testing.B, f benchFile, parse func() int) {
	b.SetBytes(int64(len(f.data)))
	b.ReportAllocs()
	records := 0
	before := cpuTime()
	for b.Loop() {
		records += parse()
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(records)/(cpuTime()-before).Seconds(), "records/cpu-s")
}

// cpuTime is what the process has used: on a busy machine it says more than the
// clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// keptBytes is the memory that a fragment holds, a record.
func keptBytes(f benchFile) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	frag, err := ParseFragment(f.source, f.zone, f.name, f.data, ParseOptions{Limits: ParseLimits{MaxBytes: 128 << 20}})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || len(frag.Records) == 0 {
		return 0
	}
	held := float64(after.HeapAlloc) - float64(before.HeapAlloc)
	n := len(frag.Records)
	runtime.KeepAlive(frag)
	return held / float64(n)
}
