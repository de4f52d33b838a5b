package zone

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// goodZonelets are taken for 202.in-addr.arpa. or, if they speak of it, for
// 0.4.2.ip6.arpa.; each record is "line record".
var goodZonelets = []struct {
	name, in string
	want     []string
}{
	{"empty zonelet", "TEST.202.in-addr.arpa. IN TXT \"Generated at 2016-03-11 07:47:10Z with 0 NS records from TEST, 0 DS records from TEST.\"\n", nil},
	{"real form", `$TTL 172800
$ORIGIN .


; Source TEST
1.202.in-addr.arpa.         NS        ns1.example.net.
1.202.in-addr.arpa.         NS        ns2.example.net.
1.202.in-addr.arpa.         DS        10975 8 1 19e0bab5

TEST.202.in-addr.arpa.	IN	TXT	"Generated at 2016-03-17 14:24:01Z with 2 NS records from TEST."
TEST.202.in-addr.arpa.	IN	TXT	"Generated at 2016-03-17 14:24:01Z with 1 DS records from TEST."
`, []string{"6 1.202.in-addr.arpa. 172800 NS ns1.example.net.", "7 1.202.in-addr.arpa. 172800 NS ns2.example.net.", "8 1.202.in-addr.arpa. 172800 DS 10975 8 1 19E0BAB5"}},
	{"the policy's form", "$ORIGIN 202.in-addr.arpa.\n1\tNS\tns.example.net.\nTEST\tTXT\t\"Generated at 2016-03-17T14:24:01+09:00 with 1 NS records.\"", []string{"2 1.202.in-addr.arpa. 86400 NS ns.example.net."}},
	{"explicit TTL and class", "122.202.in-addr.arpa.   3600   IN      NS      NS4.P24.DYNECT.NET.\n122.202.in-addr.arpa. in 7200 ns NS4.p24.dynect.net.\n" + tail("2"), []string{"1 122.202.in-addr.arpa. 3600 NS ns4.p24.dynect.net.", "2 122.202.in-addr.arpa. 7200 NS ns4.p24.dynect.net."}},
	{"last TTL stated holds", "1 5 NS a.\n2 NS a.\n3 IN 7 NS a.\n4 NS a.\n" + tail("4"), []string{"1 1.202.in-addr.arpa. 5 NS a.", "2 2.202.in-addr.arpa. 5 NS a.", "3 3.202.in-addr.arpa. 7 NS a.", "4 4.202.in-addr.arpa. 7 NS a."}},
	{"$TTL holds", "$TTL 1d\n1 5 NS a.\n2 NS a.\n$ttl 1H30m\n3 NS a.\n" + tail("3"), []string{"2 1.202.in-addr.arpa. 5 NS a.", "3 2.202.in-addr.arpa. 86400 NS a.", "5 3.202.in-addr.arpa. 5400 NS a."}},
	{"units", "1 1w2d3h4m5s IN NS a.\n1 2147483647 NS b.\n1 0 NS c.\n" + tail("3"), []string{"1 1.202.in-addr.arpa. 788645 NS a.", "2 1.202.in-addr.arpa. 2147483647 NS b.", "3 1.202.in-addr.arpa. 0 NS c."}},
	{"blank owner", "1 NS a.\n\tNS b.\n  3600 IN NS c. ; x\n\n ( NS\n d. )\n" + tail("4"), []string{"1 1.202.in-addr.arpa. 86400 NS a.", "2 1.202.in-addr.arpa. 86400 NS b.", "3 1.202.in-addr.arpa. 3600 NS c.", "5 1.202.in-addr.arpa. 3600 NS d."}},
	{"at", "@ NS @\n$ORIGIN 5\n@ NS ns\n$ORIGIN .\n9.202.in-addr.arpa NS ns\n" + tail("3"), []string{"1 202.in-addr.arpa. 86400 NS 202.in-addr.arpa.", "3 5.202.in-addr.arpa. 86400 NS ns.5.202.in-addr.arpa.", "5 9.202.in-addr.arpa. 86400 NS ns."}},
	{"owner after the general path", "1 NS a.\n2(NS b.)\n1 NS c.\n\tNS d.\n" + tail("4"), []string{"1 1.202.in-addr.arpa. 86400 NS a.", "2 2.202.in-addr.arpa. 86400 NS b.", "3 1.202.in-addr.arpa. 86400 NS c.", "4 1.202.in-addr.arpa. 86400 NS d."}},
	{"same owner, new origin", "1 NS a.\n$ORIGIN 5\n1 NS a.\n" + tail("2"), []string{"1 1.202.in-addr.arpa. 86400 NS a.", "3 1.5.202.in-addr.arpa. 86400 NS a."}},
	{"root target", "1 NS .\n" + tail("1"), []string{"1 1.202.in-addr.arpa. 86400 NS ."}},
	{"address as target", "$ORIGIN .\n1.202.in-addr.arpa. NS 192.0.2.1\n1.202.in-addr.arpa. NS 192.0.2.1.\n" + tail("2"), []string{"2 1.202.in-addr.arpa. 86400 NS 192.0.2.1.", "3 1.202.in-addr.arpa. 86400 NS 192.0.2.1."}},
	{"parentheses and comments", "1 DS ( 1 8 ; tag (\n 2 ; \"\n\n ab cd\n\tEF01 ) ; done\n" + tail("0"), []string{"1 1.202.in-addr.arpa. 86400 DS 1 8 2 ABCDEF01"}},
	{"nested parentheses", "1(NS((a.)))\n" + tail("1"), []string{"1 1.202.in-addr.arpa. 86400 NS a."}},
	{"parenthesis in quotes", "1 TXT \"(;\" \\( ; (\n" + tail("0"), []string{`1 1.202.in-addr.arpa. 86400 TXT "(;" "("`}},
	{"crlf", "$TTL 5\r\n; x\r\n\r\n1 NS a.\r\n1 NS (\r\n b. )\r\n" + tail("2")[:len(tail("2"))-1] + "\r\n", []string{"4 1.202.in-addr.arpa. 5 NS a.", "5 1.202.in-addr.arpa. 5 NS b."}},
	{"no final newline", "1 NS a.\n" + strings.TrimSuffix(tail("1"), "\n"), []string{"1 1.202.in-addr.arpa. 86400 NS a."}},
	{"upper case", "1.202.IN-ADDR.ARPA. IN NS NS1.EXAMPLE.NET.\n1.202.in-addr.arpa. ns ns1.Example.net.\n" + strings.Replace(tail("2"), "TEST", "test", 2), []string{"1 1.202.in-addr.arpa. 86400 NS ns1.example.net.", "2 1.202.in-addr.arpa. 86400 NS ns1.example.net."}},
	{"escapes", "\\065.202.in-addr.arpa. NS \\a\\.b\\032c.\n" + tail("1"), []string{`1 a.202.in-addr.arpa. 86400 NS a\.b\032c.`}},
	{"utf-8 comment", "; 東京\n1 NS a. ; 東京\n" + tail("1"), []string{"2 1.202.in-addr.arpa. 86400 NS a."}},
	{"semantics are for Merge", "1 DS 1 8 2 abcd\n2 DS 1 8 2 00\n@ NS a.\n@ NS a.\n3 CNAME x\n4 A 192.0.2.1\n4 AAAA 2001:DB8::1\n5 MX 10 A.B.\n6 PTR C.\n" + tail("2") + strings.Replace(tail("2"), "NS", "DS", 1), []string{
		"1 1.202.in-addr.arpa. 86400 DS 1 8 2 ABCD", "2 2.202.in-addr.arpa. 86400 DS 1 8 2 00", "3 202.in-addr.arpa. 86400 NS a.", "4 202.in-addr.arpa. 86400 NS a.",
		"5 3.202.in-addr.arpa. 86400 CNAME x.202.in-addr.arpa.", "6 4.202.in-addr.arpa. 86400 A 192.0.2.1", "7 4.202.in-addr.arpa. 86400 AAAA 2001:db8::1", "8 5.202.in-addr.arpa. 86400 MX 10 a.b.", "9 6.202.in-addr.arpa. 86400 PTR c.",
	}},
	{"types by number", "1 TYPE2 a.\n1 CLASS1 TYPE2 \\# 3 016200\n1 TYPE65280 \\# 2 AB cd\n1 TYPE65281 \\# 0\n1 NS \\# 3 ( 0143\n00 )\n" + tail("3"), []string{
		"1 1.202.in-addr.arpa. 86400 NS a.", "2 1.202.in-addr.arpa. 86400 NS b.", `3 1.202.in-addr.arpa. 86400 TYPE65280 \# 2 abcd`, `4 1.202.in-addr.arpa. 86400 TYPE65281 \# 0 `, "5 1.202.in-addr.arpa. 86400 NS c.",
	}},
	{"DS mnemonic", "1 DS 1 RSASHA256 2 ab\n" + tail("0"), []string{"1 1.202.in-addr.arpa. 86400 DS 1 8 2 AB"}},
	{"ordinary TXT", "1 TXT \"hello\"\nTEST.202.in-addr.arpa. TXT \"hello\"\nOTHER TXT \"Generated at noon with 9 NS records from OTHER.\"\n" + tail("0"), []string{`1 1.202.in-addr.arpa. 86400 TXT "hello"`, `2 test.202.in-addr.arpa. 86400 TXT "hello"`, `3 other.202.in-addr.arpa. 86400 TXT "Generated at noon with 9 NS records from OTHER."`}},
	{"trailer in pieces", "TEST.202.in-addr.arpa. TXT ( \"Generated at 2026-03-17 14:24:01Z\"\n \" with 0 NS records from TEST.\" )\n", nil},
	{"ip6", "1.2.0.4.2.ip6.arpa. NS a.\n$ORIGIN 0.4.2.IP6.ARPA.\n3 NS a.\n\tDS 1 13 2 ab\nTEST.0.4.2.ip6.arpa. TXT \"Generated at 2026-03-17 14:24:01Z with 2 NS records from TEST, 1 DS records from TEST.\"\n", []string{"1 1.2.0.4.2.ip6.arpa. 86400 NS a.", "3 3.0.4.2.ip6.arpa. 86400 NS a.", "4 3.0.4.2.ip6.arpa. 86400 DS 1 13 2 AB"}},
}

func TestParseTakes(t *testing.T) {
	for _, tc := range goodZonelets {
		t.Run(tc.name, func(t *testing.T) {
			for _, slow := range []bool{false, true} {
				frag, err := parseFragment("TEST", fuzzZone([]byte(tc.in)), "f", []byte(tc.in), ParseOptions{}, slow)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, l := range frag.Records {
					got = append(got, fmt.Sprintf("%d %s %d %s %s", l.Line, l.Name, l.TTL, l.Type, l.Text()))
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("slow %v (-want +got):\n%s", slow, diff)
				}
			}
		})
	}
}

func TestFragmentFields(t *testing.T) {
	in := []byte(good + tail("1"))
	frag, err := ParseFragment("TEST", "202.in-addr.arpa.", "202-TEST", in, ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Fragment{
		Source: "TEST", Zone: "202.in-addr.arpa.", File: "202-TEST",
		SHA256:  fmt.Sprintf("%x", sha256.Sum256(in)),
		Records: []Located{{Record{"1.202.in-addr.arpa.", TypeNS, 86400, NSData("ns1.example.net.")}, 1}},
		Trailer: Trailer{Generated: time.Date(2026, 3, 17, 14, 24, 1, 0, time.UTC), NS: 1, Lines: 1},
	}
	if diff := cmp.Diff(want, frag); diff != "" {
		t.Error(diff)
	}
	given, err := ParseFragment("TEST", "202.in-addr.arpa.", "202-TEST", in, ParseOptions{SHA256: "given"})
	if err != nil || given.SHA256 != "given" {
		t.Errorf("a digest that is given is not kept: %v", err)
	}
}

func TestTrailerOptional(t *testing.T) {
	opt := ParseOptions{TrailerOptional: true}
	frag, err := ParseFragment("TEST", "202.in-addr.arpa.", "f", []byte(good), opt)
	if err != nil || len(frag.Records) != 1 || frag.Trailer != (Trailer{}) {
		t.Errorf("%v, %v", frag, err)
	}
	_, err = ParseFragment("TEST", "202.in-addr.arpa.", "f", []byte(good+tail("2")), opt)
	wantErrors(t, err, "f:2:31: trailer: it states 2 NS records")
	_, err = ParseFragment("TEST", "202.in-addr.arpa.", "f", nil, opt)
	wantErrors(t, err, "f: zero bytes")
}

func TestTrailerTimes(t *testing.T) {
	want := time.Date(2026, 3, 7, 14, 24, 1, 0, time.UTC)
	for _, s := range []string{
		"2026-03-07 14:24:01Z", "2026-03-07T14:24:01Z", "2026-03-07 23:24:01+09:00", "2026-03-07 14:24:01", "2026-03-07 14:24:01 UTC", "2026-03-07 23:24:01 +0900",
		"Sat Mar  7 14:24:01 2026", "Sat Mar  7 14:24:01 UTC 2026", "Sat Mar  7 23:24:01 +0900 2026", "Sat, 07 Mar 2026 14:24:01 GMT", "Sat, 07 Mar 2026 23:24:01 +0900", "20260307142401",
	} {
		if got, err := parseTrailerTime(s); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "noon", "2026-13-07 14:24:01Z", "Sat Mar  7 14:24:01 JST 2026"} {
		if got, err := parseTrailerTime(s); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}

func TestParseLimits(t *testing.T) {
	long := good + ";" + strings.Repeat("x", 70000) + "\n" + tail("1")
	many := strings.Repeat("1.203.in-addr.arpa. NS a.\n", 60) + tail("0")
	wide := good + "2 NS (" + strings.Repeat("\n", 70000) + "a. )\n" + tail("2")
	for _, tc := range []struct {
		name, in string
		lim      ParseLimits
		want     string
	}{
		{"bytes", good + tail("1"), ParseLimits{MaxBytes: 10}, "f: 135 bytes, at most 10 are read; raise the source's max_bytes"},
		{"records", good + good + good + tail("3"), ParseLimits{MaxRecords: 2}, "f:3:1: more than 2 records"},
		{"line", long, ParseLimits{}, "f:2:1: line of more than 65536 octets"},
		{"logical line", wide, ParseLimits{}, "f:2:6: the parenthesis that opens here is not closed within 65536 octets"},
		{"record line", strings.Repeat(good, 2) + ";\n", ParseLimits{MaxLine: 38}, "f:1:1: line of more than 38 octets\nf:2:1: line of more than 38 octets\nf:3:2: the file ends"},
		{"line just", good + tail("1"), ParseLimits{MaxLine: 93}, "f:2:1: line of more than 93 octets\nf:2:95: the file ends"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, slow := range []bool{false, true} {
				_, err := parseFragment("TEST", "202.in-addr.arpa.", "f", []byte(tc.in), ParseOptions{Limits: tc.lim}, slow)
				wantErrors(t, err, strings.Split(tc.want, "\n")...)
			}
		})
	}
	_, err := ParseFragment("TEST", "202.in-addr.arpa.", "f", []byte(many), ParseOptions{})
	errs, ok := err.(*SyntaxErrors)
	if !ok || len(errs.Errors) != 50 || errs.More != 10 || !strings.HasSuffix(err.Error(), "\nf: 10 more mistakes are not shown") {
		t.Errorf("60 mistakes gave %v", err)
	}
	if _, err := ParseFragment("TEST", "202.in-addr.arpa.", "f", []byte(good+tail("1")), ParseOptions{Limits: ParseLimits{MaxLine: 94, MaxRecords: 1}}); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

// What is wrong from end to end is not read to the end.
func TestParseGivesUp(t *testing.T) {
	data := bytes.Repeat([]byte("a A x\n"), 3*maxMistakes)
	_, err := ParseFragment("JPNIC", "202.in-addr.arpa.", "f", data, ParseOptions{})
	var errs *SyntaxErrors
	if !errors.As(err, &errs) || len(errs.Errors) != 50 || errs.More != maxMistakes {
		t.Fatalf("%d mistakes kept, %d counted", len(errs.Errors), errs.More)
	}
}

// Hostile sizes: what is refused is refused in time that grows with the size
// only, which the test's own time limit checks.
func TestParseGarbage(t *testing.T) {
	for name, in := range map[string][]byte{
		"zeros":       make([]byte, 4<<20),
		"parens":      bytes.Repeat([]byte("("), 1<<20),
		"paren lines": bytes.Repeat([]byte("a (\n"), 1<<18),
		"quotes":      bytes.Repeat([]byte("a \"\n"), 1<<18),
		"backslashes": bytes.Repeat([]byte("\\"), 1<<20),
		"one line":    bytes.Repeat([]byte("a"), 10<<20),
		"blank owner": bytes.Repeat([]byte(" x\n"), 1<<18),
		"0xff":        bytes.Repeat([]byte{0xff}, 1<<20),
	} {
		_, err := ParseFragment("TEST", "202.in-addr.arpa.", "f", in, ParseOptions{})
		if errs, ok := err.(*SyntaxErrors); !ok || len(errs.Errors) == 0 || len(err.Error()) > 20000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every real zonelet parses; its records are those of a reader that splits
// lines at white space, in order and with their line numbers.
func TestRealZonelets(t *testing.T) {
	files, types, lines := 0, map[string]int{}, map[int]int{}
	realZonelets(t, func(zone Name, source, file string, data []byte) {
		frag, err := ParseFragment(source, zone, file, data, ParseOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		var got []string
		for _, l := range frag.Records {
			got = append(got, fmt.Sprintf("%d %s 172800 %s %s", l.Line, l.Name, l.Type, l.Text()))
		}
		want, count := splitRecords(data)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-split +parsed):\n%s", file, diff)
		}
		if frag.Trailer.NS != count["NS"] || frag.Trailer.DS != count["DS"] || frag.Trailer.Generated.Year() < 2010 {
			t.Errorf("%s: trailer %+v, lines %v", file, frag.Trailer, count)
		}
		files++
		lines[frag.Trailer.Lines]++
		types["NS"] += count["NS"]
		types["DS"] += count["DS"]
	})
	t.Logf("%d files, %v, files by trailer lines %v", files, types, lines)
	if files != 45 || lines[2] != 42 || lines[1] != 3 {
		t.Errorf("%d files, by trailer lines %v", files, lines)
	}
}

// splitRecords reads NS and DS lines as awk would.
func splitRecords(data []byte) (records []string, count map[string]int) {
	count = map[string]int{}
	for i, line := range strings.Split(string(data), "\n") {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != "NS" && f[1] != "DS" {
			continue
		}
		value := strings.ToLower(f[2])
		if f[1] == "DS" {
			value = strings.ToUpper(strings.Join(f[2:5], " ") + " " + strings.Join(f[5:], ""))
		}
		records = append(records, fmt.Sprintf("%d %s 172800 %s %s", i+1, strings.ToLower(f[0]), f[1], value))
		count[f[1]]++
	}
	return records, count
}

// What is written is read back: names, types, TTLs and data of any kind.
func TestFormatRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom([]Name{"202.in-addr.arpa.", "0.4.2.ip6.arpa."}).Draw(r, "zone")
		records := rapid.SliceOfN(recordIn(zone), 0, 20).Draw(r, "records")
		ttl := rapid.SampledFrom([]uint32{86400, 172800}).Draw(r, "ttl")
		at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(r, "time"), 0).UTC()
		out := FormatZonelet("TEST", zone, at, ttl, records)
		frag, err := ParseFragment("TEST", zone, "f", out, ParseOptions{})
		if err != nil {
			r.Fatalf("%v\n%s", err, out)
		}
		var got []Record
		for _, l := range frag.Records {
			got = append(got, l.Record)
		}
		if diff := cmp.Diff(canonical(records), got, emptyIsNil()); diff != "" {
			r.Fatalf("%s\n%s", diff, out)
		}
		if !frag.Trailer.Generated.Equal(at) {
			r.Fatalf("time %v, want %v", frag.Trailer.Generated, at)
		}
	})
}

func recordIn(zone Name) *rapid.Generator[Record] {
	label := rapid.SliceOfN(rapid.Byte(), 1, 5)
	return rapid.Custom(func(r *rapid.T) Record {
		name := zone
		for _, l := range rapid.SliceOfN(label, 0, 2).Draw(r, "owner") {
			name = nameOfLabel(l) + name
		}
		rec := Record{Name: name, TTL: rapid.Uint32Range(0, maxTTL).Draw(r, "ttl")}
		switch rec.Type = rapid.SampledFrom([]Type{TypeNS, TypeDS, TypeCNAME, TypeA, TypeAAAA, TypeTXT, 65280}).Draw(r, "type"); rec.Type {
		case TypeNS, TypeCNAME:
			rec.Data = NSData(nameOfLabel(label.Draw(r, "host")) + "example.net.")
		case TypeA:
			rec.Data = bytesData(r, 4, 4)
		case TypeAAAA:
			rec.Data = bytesData(r, 16, 16)
		case TypeDS:
			rec.Data = bytesData(r, 5, 60)
		case TypeTXT:
			b := bytesData(r, 0, 100)
			rec.Data = Data(rune(len(b))) + b
		default:
			rec.Data = bytesData(r, 0, 30)
		}
		return rec
	})
}

func bytesData(r *rapid.T, least, most int) Data {
	return Data(rapid.SliceOfN(rapid.Byte(), least, most).Draw(r, "data"))
}

// nameOfLabel makes a name of one label of any octets.
func nameOfLabel(l []byte) Name {
	var b strings.Builder
	appendLabel(&b, string(l))
	return Name(b.String() + ".")
}

func TestFormatZonelet(t *testing.T) {
	at := time.Date(2016, 3, 17, 14, 24, 1, 0, time.UTC)
	ds := Data("\x2a\xdf\x08\x01\x19\xe0")
	got := FormatZonelet("AFRINIC", "102.in-addr.arpa.", at, 172800, []Record{
		{"10.102.in-addr.arpa.", TypeNS, 172800, NSData("b.")},
		{"2.102.in-addr.arpa.", TypeDS, 3600, ds},
		{"2.102.in-addr.arpa.", TypeNS, 172800, NSData("z.")},
		{"2.102.in-addr.arpa.", TypeNS, 172800, NSData("z.")},
	})
	want := `$TTL 172800
$ORIGIN .


; Source AFRINIC
10.102.in-addr.arpa.	NS	b.

; Source AFRINIC
2.102.in-addr.arpa.	NS	z.
2.102.in-addr.arpa.	NS	z.
2.102.in-addr.arpa.	3600	DS	10975 8 1 19E0
AFRINIC.102.in-addr.arpa.	IN	TXT	"Generated at 2016-03-17 14:24:01Z with 3 NS records from AFRINIC."
AFRINIC.102.in-addr.arpa.	IN	TXT	"Generated at 2016-03-17 14:24:01Z with 1 DS records from AFRINIC."
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	empty := FormatZonelet("AFRINIC", "200.in-addr.arpa.", at, 172800, nil)
	want = `$TTL 172800
$ORIGIN .


AFRINIC.200.in-addr.arpa.	IN	TXT	"Generated at 2016-03-17 14:24:01Z with 0 NS records from AFRINIC, 0 DS records from AFRINIC."
`
	if diff := cmp.Diff(want, string(empty)); diff != "" {
		t.Error(diff)
	}
}
