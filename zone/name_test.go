package zone

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

func TestParseName(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 62)+".", 4) // 252 octets, 253 on the wire
	for _, tc := range []struct{ in, want string }{
		{"202.in-addr.arpa.", "202.in-addr.arpa."},
		{"202.IN-ADDR.arpa", "202.in-addr.arpa."},
		{".", "."},
		{"*.a", "*.a."},
		{"0/25.28", "0/25.28."},
		{`a\.b.c`, `a\.b.c.`},
		{`a\.`, `a\..`},
		{`a\\.`, `a\\.`},
		{`\065\066.`, "ab."},
		{`\b\C`, "bc."},
		{`a b`, `a\032b.`},
		{`a"b;(c)@$`, `a\"b\;\(c\)\@\$.`},
		{`\000\255`, `\000\255.`},
		{"\xff", `\255.`},
		{strings.Repeat("a", 63), strings.Repeat("a", 63) + "."},
		{strings.Repeat(`\065`, 63), strings.Repeat("a", 63) + "."},
		{long + "b", long + "b."},
		{long + "B.", long + "b."},
	} {
		if got, err := ParseName(tc.in); err != nil || got != Name(tc.want) {
			t.Errorf("%q: %q, %v, want %q", tc.in, got, err, tc.want)
		}
	}
	for _, tc := range []struct{ in, want string }{
		{"", "empty name"},
		{"..", "a label has 0 octets"},
		{".a", "a label has 0 octets"},
		{"a..b", "a label has 0 octets"},
		{"a..", "a label has 0 octets"},
		{`a\`, `lone "\"`},
		{`a\1`, "escape"},
		{`a\25`, "escape"},
		{`a\256`, "escape"},
		{`a\2x5`, "escape"},
		{strings.Repeat("a", 64), "a label has 64 octets"},
		{strings.Repeat("a", 64) + ".", "a label has 64 octets"},
		{strings.Repeat(`\065`, 64), "a label has 64 octets"},
		{long + "bb", "256 octets, at most 255"},
		{long + "bb.", "256 octets, at most 255"},
	} {
		if got, err := ParseName(tc.in); err == nil || !strings.Contains(err.Error(), tc.want) || got != "" {
			t.Errorf("%q: %q, %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestNameParts(t *testing.T) {
	for _, tc := range []struct {
		name   Name
		labels int
		parent Name
		file   string
	}{
		{".", 0, ".", ""},
		{"arpa.", 1, ".", "arpa"},
		{"28.12.202.in-addr.arpa.", 5, "12.202.in-addr.arpa.", "28.12.202.in-addr.arpa"},
		{`a\.b.c.`, 2, "c.", `a\.b.c`},
		{`a\\.b.c.`, 3, "b.c.", `a\\.b.c`},
		{`a\\\.b.c.`, 2, "c.", `a\\\.b.c`},
	} {
		if tc.name.Labels() != tc.labels || tc.name.Parent() != tc.parent || tc.name.File() != tc.file {
			t.Errorf("%s: %d labels, parent %s, file %s", tc.name, tc.name.Labels(), tc.name.Parent(), tc.name.File())
		}
	}
}

func TestWithin(t *testing.T) {
	for _, tc := range []struct {
		name, parent Name
		want         bool
	}{
		{"a.b.", "b.", true},
		{"b.", "b.", true},
		{"b.", ".", true},
		{".", ".", true},
		{".", "b.", false},
		{"b.", "a.b.", false},
		{"ab.", "b.", false},
		{`a\.b.`, "b.", false},
		{`a\\.b.`, "b.", true},
		{`a\\\.b.`, "b.", false},
		{"1.202.in-addr.arpa.", "02.in-addr.arpa.", false},
	} {
		if got := tc.name.Within(tc.parent); got != tc.want {
			t.Errorf("%s within %s: %v", tc.name, tc.parent, got)
		}
	}
}

// The example of RFC 4034, section 6.1.
func TestCanonicalOrder(t *testing.T) {
	want := []Name{
		"example.", "a.example.", "yljkjljk.a.example.", "z.a.example.", "zabc.a.example.", "z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`,
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Name.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// wireName draws a name by its labels and returns these too.
func wireName(r *rapid.T, label string) (Name, [][]byte) {
	labels := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, 5), 1, 3), 0, 4).Draw(r, label)
	n := Name("")
	for i, l := range labels {
		labels[i] = bytes.ToLower(l)
		n += nameOfLabel(l)
	}
	if n == "" {
		return Root, labels
	}
	return n, labels
}

// The order by sort keys is that of RFC 4034, section 6.1, done literally; a
// name's key begins the keys of the names below it, and no others.
func TestSortKeyProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, nl := wireName(r, "n")
		m, ml := wireName(r, "m")
		slices.Reverse(nl)
		slices.Reverse(ml)
		want := slices.CompareFunc(nl, ml, bytes.Compare)
		if got := n.Compare(m); got != want {
			r.Fatalf("%s and %s: %d, want %d", n, m, got, want)
		}
		if n.Within(m) != strings.HasPrefix(n.SortKey(), m.SortKey()) {
			r.Fatalf("%s within %s: %v, but keys %q and %q", n, m, n.Within(m), n.SortKey(), m.SortKey())
		}
	})
}

// Names go to wire format and to text and come back as they were; the library
// agrees on the wire format.
func TestNameRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		labels := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 20), 0, 6).Draw(r, "labels")
		n := Name("")
		for _, l := range labels {
			n += nameOfLabel(l)
		}
		if n == "" {
			n = Root
		}
		if again, err := ParseName(string(n)); err != nil || again != n {
			r.Fatalf("%q parses as %q, %v", n, again, err)
		}
		wire := n.AppendWire(nil)
		if back, l, err := NameFromWire(string(wire) + "rest"); err != nil || back != n || l != len(wire) {
			r.Fatalf("%q came back as %q, %d, %v", n, back, l, err)
		}
		var buf [300]byte
		l, err := dns.PackDomainName(string(n), buf[:], 0, nil, false)
		if err != nil || !bytes.Equal(buf[:l], wire) {
			r.Fatalf("%q: wire %x, the library's %x (%v)", n, wire, buf[:l], err)
		}
		if n.Labels() != len(labels) {
			r.Fatalf("%q has %d labels, want %d", n, n.Labels(), len(labels))
		}
	})
}

func TestNameFromWire(t *testing.T) {
	if n, l, err := NameFromWire("\x01A\x02b.\x00tail"); err != nil || n != `a.b\..` || l != 6 {
		t.Errorf("%q, %d, %v", n, l, err)
	}
	full := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3) + "\x3d" + strings.Repeat("a", 61) + "\x00"
	if n, l, err := NameFromWire(full); err != nil || l != 255 || len(n) != 254 {
		t.Errorf("255 octets: %q, %d, %v", n, l, err)
	}
	long := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3) + "\x3e" + strings.Repeat("a", 62) + "\x00"
	for _, in := range []string{"", "\x01", "\x01a", "\x02a\x00", "\xc0\x0c", "\x40" + strings.Repeat("a", 64) + "\x00", long} {
		if n, _, err := NameFromWire(in); err == nil {
			t.Errorf("%q: %q, want an error", in, n)
		}
	}
}

func TestReverseName(t *testing.T) {
	for _, tc := range []struct {
		prefix string
		name   Name
	}{
		{"0.0.0.0/0", "in-addr.arpa."},
		{"202.0.0.0/8", "202.in-addr.arpa."},
		{"202.12.28.0/24", "28.12.202.in-addr.arpa."},
		{"192.0.2.1/32", "1.2.0.192.in-addr.arpa."},
		{"::/0", "ip6.arpa."},
		{"2400::/12", "0.4.2.ip6.arpa."},
		{"2001:db8:1::/48", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
		{"2001:db8::567:89ab/128", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
		{"::ffff:192.0.2.0/120", "2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."},
	} {
		p := netip.MustParsePrefix(tc.prefix)
		if got, err := ReverseName(p); err != nil || got != tc.name {
			t.Errorf("%s: %s, %v", p, got, err)
		}
		if back, ok := tc.name.Prefix(); !ok || back != p {
			t.Errorf("%s: %v, %v", tc.name, back, ok)
		}
	}
	for _, p := range []netip.Prefix{
		{},
		netip.MustParsePrefix("202.12.28.0/23"), netip.MustParsePrefix("202.12.28.1/24"),
		netip.MustParsePrefix("2400::/13"), netip.PrefixFrom(netip.MustParseAddr("2400::"), 300),
	} {
		if got, err := ReverseName(p); err == nil {
			t.Errorf("%v: %s, want an error", p, got)
		}
	}
	for _, n := range []Name{
		".", "arpa.", "example.net.", "xin-addr.arpa.", "1in-addr.arpa.", "256.in-addr.arpa.", "01.in-addr.arpa.", "00.in-addr.arpa.", "1.2.3.4.5.in-addr.arpa.",
		"0/25.28.12.202.in-addr.arpa.", "0-127.28.12.202.in-addr.arpa.", "a.in-addr.arpa.", `\.1.in-addr.arpa.`,
		"g.ip6.arpa.", "12.ip6.arpa.", "1ip6.arpa.", "+.ip6.arpa.", Name(strings.Repeat("0.", 33) + "ip6.arpa."), `1\..ip6.arpa.`,
	} {
		if p, ok := n.Prefix(); ok {
			t.Errorf("%s: %v, want none", n, p)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"202.in-addr.arpa.", `A\.b\032.c`, "", ".", `\`, `a\999`, strings.Repeat("a.", 127)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			return
		}
		if again, err := ParseName(string(n)); err != nil || again != n {
			t.Fatalf("%q is %q, which is %q, %v", s, n, again, err)
		}
		wire := n.AppendWire(nil)
		if len(wire) > 255 || len(wire) != wireLength(n) {
			t.Fatalf("%q: %d octets", n, len(wire))
		}
		if back, l, err := NameFromWire(string(wire)); err != nil || back != n || l != len(wire) {
			t.Fatalf("%q came back as %q, %d, %v", n, back, l, err)
		}
		if n != Root && (n.Parent().Labels() != n.Labels()-1 || !n.Within(n.Parent())) {
			t.Fatalf("%q: parent %q", n, n.Parent())
		}
	})
}

func wireLength(n Name) int {
	l, err := dns.PackDomainName(string(n), make([]byte, 300), 0, nil, false)
	if err != nil {
		return -1
	}
	return l
}
