package zone

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDelegations(t *testing.T) {
	sha1 := strings.Repeat("ab", 20)
	sha256 := strings.Repeat("CD", 32)
	got, err := ParseDelegations("d.txt", []byte(`# what we delegate
202.12.28.0/24 ns1.example.net NS2.example.net. ds:10975,8,1,`+sha1+` ; comment
28.12.202.in-addr.arpa ns ns3.example.net # again
29.12.202.IN-ADDR.ARPA. DS 1 RSASHA256 2 `+sha256[:20]+` `+sha256[20:]+`
	2400:1::/32	ns1.example.net`+"\r\n"+`
202.13.0.0/16 DS:1,13,2,`+sha256))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var at []uint32
	for _, r := range got {
		at = append(at, r.Line)
		lines = append(lines, strings.ReplaceAll(r.String(), "\t", " "))
	}
	want := []string{
		"28.12.202.in-addr.arpa. 86400 IN NS ns1.example.net.",
		"28.12.202.in-addr.arpa. 86400 IN NS ns2.example.net.",
		"28.12.202.in-addr.arpa. 86400 IN DS 10975 8 1 " + strings.ToUpper(sha1),
		"28.12.202.in-addr.arpa. 86400 IN NS ns3.example.net.",
		"29.12.202.in-addr.arpa. 86400 IN DS 1 8 2 " + sha256,
		"1.0.0.0.0.0.4.2.ip6.arpa. 86400 IN NS ns1.example.net.",
		"13.202.in-addr.arpa. 86400 IN DS 1 13 2 " + sha256,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint32{2, 2, 2, 3, 4, 5, 7}, at); diff != "" {
		t.Error(diff)
	}
}

// TestParseDelegationsOfRanges: a prefix between two boundaries is its names at the
// next one, and has no DS.
func TestParseDelegationsOfRanges(t *testing.T) {
	for prefix, want := range map[string][]string{
		"202.12.28.0/22": {"28.12.202.in-addr.arpa.", "29.12.202.in-addr.arpa.", "30.12.202.in-addr.arpa.", "31.12.202.in-addr.arpa."},
		"61.56.0.0/15":   {"56.61.in-addr.arpa.", "57.61.in-addr.arpa."},
		"2400:8::/31":    {"8.0.0.0.0.0.4.2.ip6.arpa.", "9.0.0.0.0.0.4.2.ip6.arpa."},
		"2400:8000::/35": {"0.0.0.0.8.0.0.4.2.ip6.arpa.", "1.0.0.0.8.0.0.4.2.ip6.arpa."},
		"202.12.28.0/24": {"28.12.202.in-addr.arpa."},
	} {
		records, err := ParseDelegations("d", []byte(prefix+" a.example b.example\n"+prefix+" NS c.example"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, r := range records {
			if r.Type != TypeNS || r.Line != uint32(1+i*3/len(records)/2) {
				t.Errorf("%s: line %d: %v", prefix, r.Line, r)
			}
			got = append(got, string(r.Name))
		}
		slices.Sort(got)
		if len(got) != 3*len(want) || !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%s: %q, want %q", prefix, got, want)
		}
	}
	for prefix, n := range map[string]int{"10.0.0.0/9": 128, "10.0.0.0/17": 128, "2400::/29": 8, "2400::/33": 8} {
		if records, err := ParseDelegations("d", []byte(prefix+" a.example")); err != nil || len(records) != n {
			t.Errorf("%s: %d records, %v", prefix, len(records), err)
		}
	}
	_, err := ParseDelegations("d", []byte("202.12.28.0/22 a.example ds:1,8,1,"+strings.Repeat("ab", 20)+"\n202.12.28.0/22 192.0.2.1"))
	wantErrors(t, err, "d:1:1: 202.12.28.0/22 is 4 names, and a DS is of one zone's key", "d:2:16: 192.0.2.1 is an address")
}

// TestParseDelegationsBounded: a few lines of large prefixes make no more names
// than a zonelet may hold.
func TestParseDelegationsBounded(t *testing.T) {
	p := delegationParser{file: "d", records: make([]Located, DefaultParseLimits.MaxRecords-127)}
	p.line(1, []byte("10.0.0.0/9 a.example"))
	wantErrors(t, &p.errs, "d:1:1: more than 2000000 records")
}

func TestParseDelegationsRefuses(t *testing.T) {
	in := `202.12.28.0/25 ns1.example.net
202.12.28.1/24 ns1.example.net
202.12.28/24 ns1.example.net
example.net ns1.example.net
0-127.28.12.202.in-addr.arpa NS ns1.example.net
202.12.28.0/24
28.12.202.in-addr.arpa NS
28.12.202.in-addr.arpa NS a.b c.d
202.12.28.0/24 192.0.2.1 ns1 a..b ns_1.example.net -a.example.net
28.12.202.in-addr.arpa DS 1 8 2
28.12.202.in-addr.arpa DS 1 8 2 abc
28.12.202.in-addr.arpa DS x 8 2 ab
28.12.202.in-addr.arpa DS 1 8 2 abcd
28.12.202.in-addr.arpa DS 1 8 9 abcd
202.12.28.0/24 ds:1,8,2 ds:1,8,2,zz ds:
202.12.28.0/24 ns1.example.net` + "\x00" + `
202.12.28.0/24 ns1.exämple.net
28..202.in-addr.arpa NS a.b
2000::/3 ns1.example.net
202.12.28.0/24 ds:1,8,1,` + strings.Repeat("0", 40) + ` 1.2.0.192.in-addr.arpa
`
	records, err := ParseDelegations("d.txt", []byte(in))
	if records != nil {
		t.Error("records beside mistakes")
	}
	wantErrors(t, err,
		"d.txt:1:1: prefix 202.12.28.0/25: its length is not a multiple of 8",
		"d.txt:2:1: prefix 202.12.28.1/24: not a network address",
		`d.txt:3:1: "202.12.28/24" is no prefix`,
		`d.txt:4:1: "example.net" is neither a prefix nor a name`,
		`d.txt:5:1: "0-127.28.12.202.in-addr.arpa" is neither`,
		"d.txt:6:15: no name server follows",
		"d.txt:7:24: NS with 0 values",
		"d.txt:8:24: NS with 2 values",
		"d.txt:9:16: 192.0.2.1 is an address",
		`d.txt:9:26: "ns1" has one label`,
		`d.txt:9:30: name "a..b"`,
		`d.txt:9:35: "ns_1.example.net": it is no host name`,
		`d.txt:9:52: "-a.example.net": it is no host name`,
		"d.txt:10:24: DS with 3 values",
		"d.txt:11:33: DS record: digest of 3 hex digits",
		`d.txt:12:27: DS record: key tag "x"`,
		"d.txt:13:33: the digest has 2 octets, type 2 has 32",
		"d.txt:14:31: digest type 9 is not known",
		`d.txt:15:16: "ds:1,8,2" has 3 fields`,
		"d.txt:15:34: DS record: digest: 'z' is no hex digit",
		`d.txt:15:37: "ds:" has 1 fields`,
		"d.txt:16:31: octet 0x00",
		"d.txt:17:22: octet 0xc3",
		`d.txt:18:1: name "28..202.in-addr.arpa"`,
		"d.txt:19:1: prefix 2000::/3: its length is not a multiple of 4",
		"d.txt:20:25: the digest is all zero",
		`d.txt:20:66: "1.2.0.192.in-addr.arpa": it looks like an address under $ORIGIN`,
	)
	_, err = ParseDelegations("d.txt", []byte(strings.Repeat("x\n", 60)))
	if !strings.HasSuffix(err.Error(), "10 more mistakes are not shown") {
		t.Error(err)
	}
}

func FuzzParseDelegations(f *testing.F) {
	f.Add([]byte("202.12.28.0/24 ns1.example.net ds:1,8,1,ab\n28.12.202.in-addr.arpa DS 1 8 2 ab ; x\n"))
	f.Add([]byte("2400::/32 a.b # c\r\n 0.4.2.ip6.arpa ns a.b."))
	f.Fuzz(func(t *testing.T, data []byte) {
		located, err := ParseDelegations("d", data)
		if err == nil { // every owner is in the reverse tree
			var records []Record
			for _, l := range located[:min(len(located), 20)] {
				records = append(records, l.Record)
			}
			checkRewrite(t, "arpa.", records)
		}
	})
}
