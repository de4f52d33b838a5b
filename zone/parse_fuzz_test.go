package zone

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fuzzSeeds adds every input of the tables, and fails if there is none.
func fuzzSeeds(f *testing.F) {
	f.Helper()
	if len(goodZonelets) == 0 || len(badZonelets) == 0 {
		f.Fatal("no seeds")
	}
	for _, g := range goodZonelets {
		f.Add([]byte(g.in))
	}
	for _, b := range badZonelets {
		f.Add([]byte(b.in))
	}
}

var fuzzOptions = ParseOptions{TrailerOptional: true, Limits: ParseLimits{MaxBytes: 1 << 16, MaxRecords: 64, MaxLine: 512, MaxErrors: 8}}

// FuzzScannerAgrees: the scanner and the general path give the same records
// with the same lines, or the same refusal at the same places.
func FuzzScannerAgrees(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if diff := pathsDiffer(data); diff != "" {
			t.Error(diff)
		}
	})
}

// pathsDiffer returns how the two paths differ over data, "" if they agree: in
// records with their lines, in mistakes with their places, and in what they
// take from a file that is refused in the end.
func pathsDiffer(data []byte) string {
	var frags [2]*Fragment
	var errs [2]error
	for i, slowOnly := range []bool{true, false} {
		p := newParser("TEST", fuzzZone(data), "f", data, fuzzOptions)
		p.read(fuzzOptions, slowOnly)
		frags[i], errs[i] = p.f, p.err()
	}
	if diff := cmp.Diff(errs[0], errs[1]); diff != "" {
		return "mistakes differ (-general +scanner):\n" + diff
	}
	return cmp.Diff(frags[0], frags[1])
}

// The same over lines made of the words that lines are made of, which random
// octets seldom become.
func TestScannerAgreesOnWords(t *testing.T) {
	words := []string{
		"1", "2", "1.202.in-addr.arpa.", "1.202.IN-ADDR.arpa.", "1.203.in-addr.arpa.", "@", "a\\.b", "$TTL", "$ORIGIN", ".", "5", "5.202.in-addr.arpa.",
		"3600", "1h", "2147483648", "007", "IN", "in", "CH", "NS", "ns", "DS", "TXT", "ns1.example.net.", "NS1.example.net.", "ns2", "a..b.", "192.0.2.1",
		"10975 8 2", "65536", "256", "abcd", "ABC", "0g", "\"a b\"", "(", ")", "; x", "\r", "\x7f", "\x00", "\xff", "TEST.202.in-addr.arpa.",
		strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("b.", 60), tail("1"), "1 NS a.\n", "1.202.in-addr.arpa. 10 IN NS ns1.example.net.\n",
		"1.202.in-addr.arpa. DS 1 8 2 abcd\n",
	}
	part := rapid.SampledFrom(words)
	gap := rapid.SampledFrom([]string{" ", "\t", " ", "  ", "\n", "\r\n", ""})
	rapid.Check(t, func(r *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 40).Draw(r, "words") {
			b.WriteString(part.Draw(r, "word"))
			b.WriteString(gap.Draw(r, "gap"))
		}
		if diff := pathsDiffer([]byte(b.String())); diff != "" {
			r.Fatalf("%q: %s", b.String(), diff)
		}
	})
}

// fuzzZone takes the zone that the tables use for what is in data.
func fuzzZone(data []byte) Name {
	if strings.Contains(string(data), "ip6") {
		return "0.4.2.ip6.arpa."
	}
	return "202.in-addr.arpa."
}

// FuzzParseFragment: no input makes it panic; what it takes is inside the zone
// and canonical; and what is written of it is read back as the same.
func FuzzParseFragment(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		zone := fuzzZone(data)
		frag, err := ParseFragment("TEST", zone, "f", data, fuzzOptions)
		if err != nil {
			checkErrors(t, err)
			return
		}
		if len(frag.Records) > fuzzOptions.Limits.MaxRecords {
			t.Fatalf("%d records", len(frag.Records))
		}
		var records []Record
		for _, l := range frag.Records {
			if n, err := ParseName(string(l.Name)); err != nil || n != l.Name || !n.Within(zone) {
				t.Fatalf("owner %q (%v)", l.Name, err)
			}
			if strings.HasPrefix(joinStrings(l.Data), "Generated at") {
				return // written, a TXT record may become the trailer
			}
			records = append(records, l.Record)
		}
		checkRewrite(t, zone, records)
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	errs, ok := err.(*SyntaxErrors)
	if !ok || len(errs.Errors) == 0 || len(errs.Errors) > fuzzOptions.Limits.MaxErrors {
		t.Fatalf("error %#v", err)
	}
	for _, e := range errs.Errors {
		if e.Pos.File != "f" || len(e.Msg) > 2000 || e.Msg == "" || strings.ContainsFunc(e.Msg, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("mistake %v", e)
		}
	}
}

func checkRewrite(t *testing.T, zone Name, records []Record) {
	t.Helper()
	out := FormatZonelet("TEST", zone, time.Unix(1e9, 0), 3600, records)
	back, err := ParseFragment("TEST", zone, "f", out, ParseOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var again []Record
	for _, l := range back.Records {
		again = append(again, l.Record)
	}
	if diff := cmp.Diff(canonical(records), again, emptyIsNil()); diff != "" {
		t.Fatalf("records differ after writing (-was +is):\n%s\n%s", diff, out)
	}
}

func emptyIsNil() cmp.Option {
	return cmp.Transformer("empty", func(r []Record) []Record { return append([]Record{}, r...) })
}
