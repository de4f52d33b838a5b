package zone

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

var testApex = Apex{Origin: "202.in-addr.arpa.", NS: []Name{"ns1.registry.example."}, TTL: TTL{Fixed: 86400}}

// name expands "28.12" to 28.12.202.in-addr.arpa.
func testName(s string) Name {
	if !strings.HasSuffix(s, ".") {
		s += ".202.in-addr.arpa."
	}
	return Name(s)
}

// testRecord reads "28.12 NS ns1.example." or "28.12 300 DS 1 8 2 AB…".
func testRecord(t testing.TB, line string) Record {
	t.Helper()
	f := strings.Fields(line)
	r := Record{Name: testName(f[0]), TTL: 172800}
	if ttl, err := strconv.Atoi(f[1]); err == nil {
		r.TTL = uint32(ttl)
		f = f[1:]
	}
	switch f[1] {
	case "NS", "CNAME":
		r.Type = TypeNS
		if f[1] == "CNAME" {
			r.Type = TypeCNAME
		}
		r.Data = NSData(testName(f[2]))
	case "DS":
		var tag, alg, kind int
		fmt.Sscan(f[2], &tag)
		fmt.Sscan(f[3], &alg)
		fmt.Sscan(f[4], &kind)
		digest, err := hex.DecodeString(f[5])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r.Type, r.Data = TypeDS, Data([]byte{byte(tag >> 8), byte(tag), byte(alg), byte(kind)})+Data(digest)
	case "A", "AAAA":
		a := netip.MustParseAddr(f[2])
		r.Type, r.Data = TypeA, Data(a.AsSlice())
		if f[1] == "AAAA" {
			r.Type = TypeAAAA
		}
	case "TXT":
		r.Type, r.Data = TypeTXT, Data("\x01"+f[2][:1])
	default:
		t.Fatalf("%s: unknown type", line)
	}
	return r
}

// testFragment reads lines of testRecord, numbered as they stand.
func testFragment(t testing.TB, source, text string) *Fragment {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	f := &Fragment{Source: source, Zone: testApex.Origin, File: "202-" + source, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) != "" {
			f.Records = append(f.Records, Located{testRecord(t, line), uint32(i + 1)})
		}
	}
	return f
}

// testZone reads "SOURCE: record" lines as a published zone.
func testZone(t testing.TB, text string) *Zone {
	t.Helper()
	var kept []KeptRecord
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		source, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		r := testRecord(t, rest)
		kept = append(kept, KeptRecord{Name: r.Name, Type: r.Type, TTL: 86400, Data: []byte(r.Data), Line: uint32(i + 100), Input: Input{Source: source, File: "202-" + source, SHA256: strings.Repeat("0", 64), Size: 1}})
	}
	return ZoneFromKept(testApex, kept)
}

// show writes entries as "SOURCE: 28.12 NS ns1.example." with the reason if
// kept, and checks what is true of every zone.
func show(t testing.TB, z *Zone) []string {
	t.Helper()
	checkZone(t, z)
	var out []string
	for _, e := range z.Entries {
		s := fmt.Sprintf("%s: %s %s %s", z.Source(e), strings.TrimSuffix(string(e.Name), ".202.in-addr.arpa."), e.Type, strings.TrimSuffix(e.Text(), ".202.in-addr.arpa."))
		if e.Kept != "" {
			s += " (" + e.Kept + ")"
		}
		out = append(out, s)
	}
	return out
}

// checkZone fails the test unless entries are sorted and unique, sets have one
// TTL, and nothing but glue lies below a delegation.
func checkZone(t interface{ Fatalf(string, ...any) }, z *Zone) {
	var cut Name
	for i, e := range z.Entries {
		if i > 0 {
			prev := z.Entries[i-1]
			if prev.Compare(e.Record) >= 0 {
				t.Fatalf("%v is not before %v", prev.Record, e.Record)
			}
			if prev.Name == e.Name && prev.Type == e.Type && prev.TTL != e.TTL {
				t.Fatalf("%s %s has two TTLs", e.Name, e.Type)
			}
		}
		if !e.Name.Within(z.Origin) || e.Name == z.Origin {
			t.Fatalf("%s is not below %s", e.Name, z.Origin)
		}
		if int(e.Input) >= len(z.Inputs) {
			t.Fatalf("%v counts into no input", e)
		}
		below := cut != "" && e.Name != cut && e.Name.Within(cut)
		switch e.Type {
		case TypeNS:
			if below {
				t.Fatalf("%s is hidden by %s", e.Name, cut)
			}
			cut = e.Name
		case TypeA, TypeAAAA:
		case TypeDS:
			if e.Name != cut {
				t.Fatalf("DS without NS at %s", e.Name)
			}
		default:
			if below || e.Name == cut {
				t.Fatalf("%v is hidden by %s", e.Record, cut)
			}
		}
	}
}

// lines splits a test's expectation.
func lines(s string) []string {
	var out []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
