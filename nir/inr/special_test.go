package inr

import "testing"

func TestSpecial(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"10.1.0.0/16", "10.0.0.0/8 (private use, RFC 1918)"},
		{"9.0.0.0-10.0.0.0", "10.0.0.0/8 (private use, RFC 1918)"},
		{"239.0.0.1", "224.0.0.0/4 (multicast, RFC 5771)"},
		{"255.255.255.255", "255.255.255.255/32 (limited broadcast, RFC 8190)"},
		{"250.0.0.0/8", "240.0.0.0/4 (class E, experimental, RFC 1112)"},
		{"127.0.0.1", "127.0.0.0/8 (loopback, RFC 1122)"},
		{"100.127.0.0/16", "100.64.0.0/10 (shared address space, RFC 6598)"},
		{"198.51.100.128/25", "198.51.100.0/24 (documentation, RFC 5737)"},
		{"::1", "::1/128 (loopback, RFC 4291)"},
		{"::2", "::/3 (outside global unicast, RFC 4291)"},
		{"::/0", "::/3 (outside global unicast, RFC 4291)"},
		{"fd00::/8", "fc00::/7 (unique local, RFC 4193)"},
		{"2001::1", "2001::/32 (Teredo, RFC 4380)"},
		{"2001:db8:1::/48", "2001:db8::/32 (documentation, RFC 3849)"},
		{"4000::/3", "4000::/2 (outside global unicast, RFC 4291)"},
		{"AS65000", "AS64512-AS65534 (private use, RFC 6996)"},
		{"AS0", "AS0 (no AS, RFC 7607)"},
		{"AS4294967295", "AS4294967295 (last ASN, RFC 7300)"},
	} {
		r := mustRange(c.in)
		e, ok := WhySpecial(r)
		if !ok || e.String() != c.want || !Special().Overlaps(r) {
			t.Errorf("%s: %s, %t; want %s", c.in, e, ok, c.want)
		}
	}
	for _, in := range []string{"1.0.0.0/8", "100.0.0.0/10", "202.12.28.0/24", "172.32.0.0/11", "223.255.255.0/24", "2001:200::/23", "2400::/12", "AS64495", "AS131072", "AS4199999999"} {
		if e, ok := WhySpecial(mustRange(in)); ok || Special().Overlaps(mustRange(in)) {
			t.Errorf("%s meets %s", in, e)
		}
	}
	if !Special().ContainsSet(Of(IPv6.Whole().Range()).Subtract(Of(mustRange("2000::/3")))) {
		t.Error("not all outside 2000::/3 is special")
	}
}

// TestSpecialEntries: the table is in canonical order, so that an entry missing
// or doubled is seen, and every entry names its RFC.
func TestSpecialEntries(t *testing.T) {
	all := SpecialEntries()
	for i, e := range all {
		if len(e.RFC) < 7 || e.RFC[:4] != "RFC " || e.Use == "" {
			t.Errorf("%+v", e)
		}
		if i > 0 && all[i-1].Range.Compare(e.Range) >= 0 {
			t.Errorf("%s stands after %s", e, all[i-1])
		}
	}
	all[0] = SpecialEntry{}
	if SpecialEntries()[0].RFC == "" {
		t.Error("the table can be written to")
	}
}
