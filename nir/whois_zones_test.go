package nir

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nirzone/nir/inr"
)

// TestR_NIR_22_RangeToZones: the vectors of the registries' own documents.
func TestR_NIR_22_RangeToZones(t *testing.T) {
	for _, c := range []struct {
		rng   string
		count int
		names string // the first, the last, and those between if they are few
	}{
		{"10.155.16.0/22", 4, "16.155.10.in-addr.arpa 17.155.10.in-addr.arpa 18.155.10.in-addr.arpa 19.155.10.in-addr.arpa"},
		{"61.56.0.0/13", 8, "56.61.in-addr.arpa 63.61.in-addr.arpa"},
		{"202.12.28.0/14", 0, ""},
		{"202.12.0.0/14", 4, "12.202.in-addr.arpa 13.202.in-addr.arpa 14.202.in-addr.arpa 15.202.in-addr.arpa"},
		{"202.12.16.0/20", 16, "16.12.202.in-addr.arpa 31.12.202.in-addr.arpa"},
		{"10.0.0.0/9", 128, "0.10.in-addr.arpa 127.10.in-addr.arpa"},
		{"10.0.0.0/17", 128, "0.0.10.in-addr.arpa 127.0.10.in-addr.arpa"},
		{"10.0.0.0/8", 256, "0.10.in-addr.arpa 255.10.in-addr.arpa"},
		{"192.0.2.0/24", 1, "2.0.192.in-addr.arpa"},
		{"192.0.2.64/26", 1, "64-127.2.0.192.in-addr.arpa"},
		{"202.12.28.64-202.12.28.127", 1, "64-127.28.12.202.in-addr.arpa"},
		{"192.0.2.7", 1, "7-7.2.0.192.in-addr.arpa"},
		{"192.0.2.0-192.0.3.127", 2, "2.0.192.in-addr.arpa 0-127.3.0.192.in-addr.arpa"},
		{"192.0.2.128-192.0.3.127", 2, "128-255.2.0.192.in-addr.arpa 0-127.3.0.192.in-addr.arpa"},
		{"202.12.255.128-202.14.0.127", 3, "128-255.255.12.202.in-addr.arpa 13.202.in-addr.arpa 0-127.0.14.202.in-addr.arpa"},
		{"2001:db8::/29", 8, "8.b.d.0.1.0.0.2.ip6.arpa f.b.d.0.1.0.0.2.ip6.arpa"},
		{"2001:db8::/35", 2, "0.8.b.d.0.1.0.0.2.ip6.arpa 1.8.b.d.0.1.0.0.2.ip6.arpa"},
		{"2001:db8::/32", 1, "8.b.d.0.1.0.0.2.ip6.arpa"},
	} {
		r, err := inr.ParseRange(c.rng)
		if c.count == 0 {
			if err == nil {
				t.Errorf("%s was read", c.rng)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		list, err := ReverseZones(r, c.count)
		if err != nil || len(list) != c.count {
			t.Errorf("%s: %d zones, want %d (%v)", c.rng, len(list), c.count, err)
			continue
		}
		var names []string
		for i, z := range list {
			if i == 0 || i == len(list)-1 || len(list) < 5 {
				names = append(names, z.Name.File())
			}
			if again, err := ParseReverseZone(z.Name.File()); err != nil || again != z {
				t.Errorf("%s reads back as %+v, %v", z.Name, again, err)
			}
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("%s: %s, want %s", c.rng, got, c.names)
		}
		if _, err := ReverseZones(r, c.count-1); CodeOf(err) != Held && c.count > 1 {
			t.Errorf("%s above the limit: %v", c.rng, err)
		}
	}
	if _, err := ReverseZones(rng(t, "2400::/12"), 4); CodeOf(err) != Held || !strings.Contains(err.Error(), "16 zones") {
		t.Errorf("the number is not shown: %v", err)
	}
	if _, err := ReverseZones(rng(t, "AS1-AS9"), 4); CodeOf(err) != Invalid {
		t.Errorf("of ASNs: %v", err)
	}
}

// TestRangeToZonesProperty: the zones cover exactly the range, in order, without
// overlap, with two classless ones at most.
func TestRangeToZonesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32Range(0, 1<<18).Draw(t, "more")
		r := inr.Range{Kind: inr.IPv4, First: inr.N(uint64(a)), Last: inr.N(min(uint64(a)+uint64(b), 1<<32-1))}
		list, err := ReverseZones(r, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		next, loose := r.First, 0
		for _, z := range list {
			if z.Range.First != next {
				t.Fatalf("%s: %s begins at %s", r, z.Name, z.Range)
			}
			if z.Classless {
				loose++
			}
			again, err := ParseReverseZone(z.Name.File())
			if err != nil || again != z {
				t.Fatalf("%s reads back as %+v: %v", z.Name, again, err)
			}
			next = z.Range.Last.Next()
		}
		if next != r.Last.Next() || loose > 2 {
			t.Fatalf("%s ends before %s, %d are classless", r, inr.IPv4.Format(next), loose)
		}
	})
}

func TestParseReverseZoneRefuses(t *testing.T) {
	for _, name := range []string{
		"", "example.net", "202.in-addr.arpa", "1.28.12.202.in-addr.arpa", "0-255.28.12.202.in-addr.arpa", "9-1.28.12.202.in-addr.arpa",
		"01-5.28.12.202.in-addr.arpa", "1-256.28.12.202.in-addr.arpa", "1/5.28.12.202.in-addr.arpa", "1-5.12.202.in-addr.arpa", "0.4.2.ip6.arpa", "in-addr.arpa", "ip6.arpa",
	} {
		if z, err := ParseReverseZone(name); CodeOf(err) != Invalid {
			t.Errorf("%s is %+v, %v", name, z, err)
		}
	}
	if n := countZones(rng(t, "2000::/3")); n.Cmp(big.NewInt(1<<13)) != 0 {
		t.Errorf("2000::/3 has %s zones", n)
	}
}
