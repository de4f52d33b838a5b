package inr

import (
	"strings"
	"testing"
)

func TestParseRange(t *testing.T) {
	for _, c := range []struct{ in, want, rpsl string }{
		{"10.0.0.0/8", "10.0.0.0/8", "10.0.0.0 - 10.255.255.255"},
		{" 10.0.0.0 - 10.255.255.255 ", "10.0.0.0/8", "10.0.0.0 - 10.255.255.255"},
		{"192.0.2.0-192.0.2.9", "192.0.2.0-192.0.2.9", "192.0.2.0 - 192.0.2.9"},
		{"192.0.2.1", "192.0.2.1/32", "192.0.2.1 - 192.0.2.1"},
		{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0 - 255.255.255.255"},
		{"2001:DB8:0:0::/32", "2001:db8::/32", "2001:db8::/32"},
		{"2001:db8::-2001:db8::2", "2001:db8::-2001:db8::2", "2001:db8:: - 2001:db8::2"},
		{"::/0", "::/0", "::/0"},
		{"::", "::/128", "::/128"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1/128", "::ffff:192.0.2.1/128"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1/128", "2001:db8::1:0:0:1/128"},
		{"AS64496", "AS64496", "AS64496"},
		{"as64496", "AS64496", "AS64496"},
		{"64496", "AS64496", "AS64496"},
		{"0", "AS0", "AS0"},
		{"AS64496-AS64511", "AS64496-AS64511", "AS64496 - AS64511"},
		{"AS64496 - 64511", "AS64496-AS64511", "AS64496 - AS64511"},
		{"AS0-AS4294967295", "AS0-AS4294967295", "AS0 - AS4294967295"},
	} {
		got, err := ParseRange(c.in)
		if err != nil || got.String() != c.want || got.RPSL() != c.rpsl {
			t.Errorf("%q: %s, %s, %v; want %s, %s", c.in, got, got.RPSL(), err, c.want, c.rpsl)
		}
		for _, form := range []string{got.String(), got.RPSL()} {
			if again, err := ParseRange(form); err != nil || again != got {
				t.Errorf("%q reads back as %s, %v", form, again, err)
			}
		}
	}
}

// TestParseRangeErrors looks for the remedy in each error.
func TestParseRangeErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "empty range"},
		{strings.Repeat("1", 500), "500 octets"},
		{"10/8", `prefix "10/8" leaves out octets: write 10.0.0.0/8`},
		{"10.20/12", `prefix "10.20/12" leaves out octets: write all four`},
		{"10.16/12", `write 10.16.0.0/12`},
		{"10.16", `"10.16" has 2 of 4 octets: write 10.16.0.0`},
		{"10.0.0/x", "write all four"},
		{"/8", "write all four octets"},
		{"10.0.0.1/8", `prefix "10.0.0.1/8" has bits set behind its length: write 10.0.0.0/8, or 10.0.0.1/32`},
		{"2001:db8::1/32", "write 2001:db8::/32, or 2001:db8::1/128"},
		{"10.0.0.0/33", "0 to 32"},
		{"10.0.0.0/08", "0 to 32"},
		{"10.0.0.0/+8", "0 to 32"},
		{"10.0.0.0/", "0 to 32"},
		{"2001:db8::/129", "0 to 128"},
		{"010.0.0.1", "leading zeros, which some read as octal: write 10.0.0.1"},
		{"10.00.0.1", "write 10.0.0.1"},
		{"256.0.0.1", "neither an address nor an ASN"},
		{"1.2.3.4.5", "neither an address nor an ASN"},
		{"fe80::1%eth0", "has a zone (RFC 4007): write fe80::1"},
		{"2001:db8::/32/33", "0 to 128"},
		{"2001::db8::", "RFC 4291"},
		{"AS1.10", "write AS65546"},
		{"AS", "asplain"},
		{"AS-1", "asplain"},
		{"AS064496", "write AS64496"},
		{"AS4294967296", "the greatest is AS4294967295"},
		{"99999999999999999999999", "the greatest is AS4294967295"},
		{"AS64496/28", "ASNs have no prefix length"},
		{"192.0.2.9-192.0.2.0", "ends before it starts: write 192.0.2.0-192.0.2.9"},
		{"192.0.2.0-255", "from ipv4 to asn: write both ends in full"},
		{"192.0.2.0-2001:db8::", "from ipv4 to ipv6"},
		{"192.0.2.0/24-192.0.3.0/24", "two addresses with a dash"},
		{"192.0.2.0-", "neither an address nor an ASN"},
		{"1-2-3", "neither an address nor an ASN"},
		{"example.net", "neither an address nor an ASN"},
	} {
		r, err := ParseRange(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %s, %v; want %q", c.in, r, err, c.want)
		}
		if r != (Range{}) {
			t.Errorf("%.40q: an error comes with %s", c.in, r)
		}
	}
}

func TestParseBlock(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.0/24":            "192.0.2.0/24",
		"192.0.2.0 - 192.0.2.255": "192.0.2.0/24",
		"AS64496-AS64511":         "AS64496-AS64511",
		"AS64496":                 "AS64496",
	} {
		if b, err := ParseBlock(in); err != nil || b.String() != want {
			t.Errorf("%q: %s, %v", in, b, err)
		}
	}
	_, err := ParseBlock("192.0.2.1-192.0.2.6")
	if want := "192.0.2.1-192.0.2.6 is not one block: it is made of 192.0.2.1/32, 192.0.2.2/31, 192.0.2.4/31, 192.0.2.6/32"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := ParseBlock("::1-ffff::"); err == nil || !strings.HasSuffix(err.Error(), "…") {
		t.Errorf("got %v", err)
	}
}

func TestParseSet(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		" , ,\n ":                              "",
		"10.0.0.0/8,AS1 2001:db8::/32":         "10.0.0.0/8, 2001:db8::/32, AS1",
		"10.1.0.0 - 10.1.0.9, 10.1.0.10":       "10.1.0.0-10.1.0.10",
		"10.0.0.0/9\n10.128.0.0/9 10.3.0.0/16": "10.0.0.0/8",
		"AS5 - AS7 AS1 -AS2 AS3- AS4 AS9":      "AS1-AS7, AS9",
		"255.255.255.255 0.0.0.0 ffff:ffff:: AS0 AS4294967295": "0.0.0.0/32, 255.255.255.255/32, ffff:ffff::/128, AS0, AS4294967295",
	} {
		s, err := ParseSet(in)
		if err != nil || s.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, s, err, want)
		}
		if again, err := ParseSet(s.String()); err != nil || !again.Equal(s) {
			t.Errorf("%q reads back as %q, %v", s, again, err)
		}
	}
}

// TestParseSetErrors: all mistakes are told, up to a limit.
func TestParseSetErrors(t *testing.T) {
	_, err := ParseSet("10.0.0.0/8, 10.0.0.1/8, x, AS1.0")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
	_, err = ParseSet(strings.Repeat("x ", 1000))
	if err == nil || strings.Count(err.Error(), "\n") != maxErrors || !strings.Contains(err.Error(), "reading stops here") {
		t.Errorf("got %v", err)
	}
	if _, err := ParseSet(strings.Repeat("1 ", maxList+1)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
	// A dash does not reach over a comma.
	if _, err := ParseSet("10.0.0.0 -, 10.0.0.1"); err == nil {
		t.Error("read")
	}
}

func TestText(t *testing.T) {
	var r Range
	var b Block
	var s Set
	var k Kind
	for _, c := range []struct {
		to interface {
			UnmarshalText([]byte) error
		}
		from interface{ MarshalText() ([]byte, error) }
		in   string
	}{
		{&r, &r, "192.0.2.0-192.0.2.9"},
		{&b, &b, "2001:db8::/32"},
		{&s, &s, "10.0.0.0/8, AS1"},
		{&k, &k, "asn"},
	} {
		if _, err := c.from.MarshalText(); err == nil && c.to != &s {
			t.Errorf("%T: the zero value is written", c.to)
		}
		if err := c.to.UnmarshalText([]byte(c.in)); err != nil {
			t.Errorf("%q: %v", c.in, err)
		}
		if got, err := c.from.MarshalText(); err != nil || string(got) != c.in {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
		if err := c.to.UnmarshalText([]byte("?")); err == nil {
			t.Errorf("%T reads %q", c.to, "?")
		}
	}
}

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		kind         Kind
		start, value string
		want         string
	}{
		{IPv4, "192.0.2.0", "256", "192.0.2.0/24"},
		{IPv4, "192.0.2.0", "768", "192.0.2.0-192.0.4.255"},
		{IPv4, "0.0.0.0", "4294967296", "0.0.0.0/0"},
		{IPv6, "2001:db8::", "32", "2001:db8::/32"},
		{ASN, "64496", "16", "AS64496-AS64511"},
	} {
		r, err := FromStatistics(c.kind, c.start, c.value)
		if err != nil || r.String() != c.want {
			t.Errorf("%s %s: %s, %v", c.start, c.value, r, err)
		}
		if start, value, ok := r.Statistics(); !ok || start != c.start || value != c.value {
			t.Errorf("%s: %s %s %t", r, start, value, ok)
		}
	}
	for _, c := range []struct {
		kind               Kind
		start, value, want string
	}{
		{IPv4, "192.0.2.0", "0", "1 or more"},
		{IPv4, "192.0.2.0", "-1", "1 or more"},
		{IPv4, "192.0.2.0", "", "1 or more"},
		{IPv4, "255.255.255.0", "257", "at most 256 fit"},
		{IPv4, "2001:db8::", "32", "the record says ipv4"},
		{IPv4, "192.0.2", "256", "write 192.0.2.0"},
		{IPv6, "2001:db8::1", "32", "write 2001:db8::/32"},
		{IPv6, "2001:db8::", "129", "0 to 128"},
		{ASN, "4294967295", "2", "at most 1 fit"},
	} {
		if r, err := FromStatistics(c.kind, c.start, c.value); err == nil || !strings.Contains(err.Error(), c.want) || r != (Range{}) {
			t.Errorf("%s %s: %s, %v; want %q", c.start, c.value, r, err, c.want)
		}
	}
	if _, _, ok := mustRange("::1-::3").Statistics(); ok {
		t.Error("an IPv6 range that is no prefix has a statistics form")
	}
}

func mustRange(s string) Range {
	r, err := ParseRange(s)
	if err != nil {
		panic(err)
	}
	return r
}
