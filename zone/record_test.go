package zone

import (
	"slices"
	"strings"
	"testing"
)

func TestRecordString(t *testing.T) {
	for _, tc := range []struct {
		r    Record
		want string
	}{
		{Record{"a.", TypeNS, 5, NSData("b.")}, "a.\t5\tIN\tNS\tb."},
		{Record{"a.", TypeNS, 5, NSData(".")}, "a.\t5\tIN\tNS\t."},
		{Record{"a.", TypeNS, 5, "\x01bcd"}, "a.\t5\tIN\tNS\t\\# 4 01626364"},
		{Record{"a.", TypeCNAME, 5, NSData(`x\.y.`)}, "a.\t5\tIN\tCNAME\tx\\.y."},
		{Record{"a.", TypeDS, 5, "\x2a\xdf\x08\x01\x19\xe0"}, "a.\t5\tIN\tDS\t10975 8 1 19E0"},
		{Record{"a.", TypeDS, 5, "\x2a\xdf"}, "a.\t5\tIN\tDS\t\\# 2 2adf"},
		{Record{"a.", TypeA, 5, "\xc0\x00\x02\x01"}, "a.\t5\tIN\tA\t192.0.2.1"},
		{Record{"a.", TypeA, 5, "\xc0\x00\x02\x01\x05"}, "a.\t5\tIN\tA\t\\# 5 c000020105"},
		{Record{"a.", TypeA, 5, ""}, "a.\t5\tIN\tA\t\\# 0 "},
		{Record{"a.", TypeAAAA, 5, "\x20\x01\x0d\xb8" + Data(strings.Repeat("\x00", 11)) + "\x01"}, "a.\t5\tIN\tAAAA\t2001:db8::1"},
		{Record{"a.", TypeTXT, 5, "\x02hi\x01;"}, "a.\t5\tIN\tTXT\t\"hi\" \";\""},
		{Record{"a.", 65280, 5, "\xab\xcd"}, "a.\t5\tIN\tTYPE65280\t\\# 2 abcd"},
		{Record{"a.", 65280, 5, ""}, "a.\t5\tIN\tTYPE65280\t\\# 0 "},
	} {
		if got := tc.r.String(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestHost(t *testing.T) {
	if h, ok := NSData("ns1.example.net.").Host(); !ok || h != "ns1.example.net." {
		t.Errorf("%s, %v", h, ok)
	}
	for _, d := range []Data{"", "\x01", "\x01a", "\x00\x00", "\x01a\x00x"} {
		if h, ok := d.Host(); ok {
			t.Errorf("%q: %s", d, h)
		}
	}
}

func TestRecordCompare(t *testing.T) {
	want := []Record{
		{"a.", TypeNS, 9, NSData("z.")},
		{"a.", TypeDS, 5, "\x00\x01\x08\x02"},
		{"a.", TypeDS, 1, "\x00\x02\x08\x02"},
		{"b.a.", TypeNS, 5, NSData("a.")},
		{"b.", TypeNS, 5, NSData("a.")},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Record.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if a, b := want[0], (Record{"a.", TypeNS, 1, NSData("z.")}); a.Compare(b) != 0 || a == b {
		t.Error("the TTL counts in the order, or not in ==")
	}
}

func TestTypeString(t *testing.T) {
	for typ, want := range map[Type]string{TypeNS: "NS", TypeZONEMD: "ZONEMD", 65280: "TYPE65280"} {
		if typ.String() != want {
			t.Errorf("%s, want %s", typ, want)
		}
	}
}
