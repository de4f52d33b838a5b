package inr

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		"10.0.0.0/8", "192.0.2.0 - 192.0.2.9", "192.0.2.1", "2001:db8::/32", "::ffff:1.2.3.4", "::/0", "AS64496-AS64511", "64496", "as1",
		"10/8", "AS1.10", "fe80::1%a", "010.0.0.1", "10.0.0.0/8, 2001:db8::/32 AS1", "1-2-3", "-", "/", "AS", ",,", "1.2.3.4/", "a-b", " 1 - 2 ,3",
	} {
		f.Add(s)
	}
}

// FuzzParseRange: what is read is valid and reads back from each form it is
// written in; net/netip reads the same prefixes and addresses.
func FuzzParseRange(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRange(s)
		if err != nil {
			if r != (Range{}) || len(err.Error()) > 2000 {
				t.Fatalf("%q: %s with %v", s, r, err)
			}
			p, err := netip.ParsePrefix(s)
			a, err2 := netip.ParseAddr(s)
			if err == nil && p == p.Masked() || err2 == nil && a.Zone() == "" {
				t.Fatalf("%q is refused, and net/netip reads %s%s", s, p, a)
			}
			return
		}
		if !r.Valid() {
			t.Fatalf("%q: %+v", s, r)
		}
		for _, form := range []string{r.String(), r.RPSL()} {
			if again, err := ParseRange(form); err != nil || again != r {
				t.Fatalf("%q: %q reads back as %s, %v", s, form, again, err)
			}
		}
		if p, err := netip.ParsePrefix(s); err == nil && r.String() != p.String() {
			t.Fatalf("%q: %s, net/netip has %s", s, r, p)
		}
		if start, value, ok := r.Statistics(); ok {
			if again, err := FromStatistics(r.Kind, start, value); err != nil || again != r {
				t.Fatalf("%q: %s|%s reads back as %s, %v", s, start, value, again, err)
			}
		}
	})
}

// FuzzParseSet: a set reads back, and holds exactly the ranges of the list.
func FuzzParseSet(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		set, err := ParseSet(s)
		if err != nil {
			return
		}
		if again, err := ParseSet(set.String()); err != nil || !again.Equal(set) {
			t.Fatalf("%q: %q reads back as %q, %v", s, set, again, err)
		}
		list, err := ParseRanges(s)
		if err != nil || !Of(list...).Equal(set) {
			t.Fatalf("%q: %v, %v", s, list, err)
		}
		for _, r := range list {
			if !set.Contains(r) {
				t.Fatalf("%q: %s is not in %s", s, r, set)
			}
		}
		if !OfBlocks(set.Blocks()...).Equal(set) || strings.Contains(set.String(), " - ") {
			t.Fatalf("%q: %s", s, set)
		}
	})
}

// TestAddresses compares reading and writing of addresses with net/netip, whose
// text is RFC 5952's.
func TestAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom([]Kind{IPv4, IPv6}).Draw(t, "kind")
		n := drawNum.Draw(t, "n").and(k.Max())
		if rapid.Bool().Draw(t, "sparse") { // groups of zeros, for ::
			n = n.and(Num{rapid.SampledFrom([]uint64{0, 0xffff, 0xffff << 48, 0xffff0000}).Draw(t, "hi"), ^uint64(0)})
		}
		a := k.Addr(n)
		if k.Format(n) != a.String() {
			t.Fatalf("%s, net/netip has %s", k.Format(n), a)
		}
		for _, form := range []string{a.String(), a.StringExpanded()} {
			kind, back, err := ParseNumber(form)
			if err != nil || kind != k || back != n {
				t.Fatalf("%s reads back as %s of %s, %v", form, back, kind, err)
			}
		}
	})
}

func TestFromNetip(t *testing.T) {
	if _, _, err := FromAddr(netip.Addr{}); err == nil {
		t.Error("the zero address is read")
	}
	if _, _, err := FromAddr(netip.MustParseAddr("fe80::1%a")); err == nil || !strings.Contains(err.Error(), "write fe80::1") {
		t.Errorf("got %v", err)
	}
	if _, err := FromPrefix(netip.Prefix{}); err == nil {
		t.Error("the zero prefix is read")
	}
	if _, err := FromPrefix(netip.MustParsePrefix("10.0.0.1/8")); err == nil || !strings.Contains(err.Error(), "write 10.0.0.0/8") {
		t.Errorf("got %v", err)
	}
	s, _ := ParseSet("10.0.0.0-10.0.2.255, 2001:db8::/32, AS1")
	want := []string{"10.0.0.0/23", "10.0.2.0/24", "2001:db8::/32"}
	for i, p := range s.Prefixes() {
		if p.String() != want[i] {
			t.Errorf("%s, want %s", p, want[i])
		}
	}
	if p := mustRange("AS1"); p.Kind.Addr(p.First).IsValid() || len(s.Prefixes()) != 3 {
		t.Error("an ASN is an address")
	}
}
