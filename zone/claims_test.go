package zone

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// claimsOf reads "JPNIC 202.12.0.0/16" and the like.
func claimsOf(t testing.TB, lines ...string) *Claims {
	t.Helper()
	var all []Claim
	for _, l := range lines {
		source, prefix, _ := strings.Cut(l, " ")
		all = append(all, Claim{source, netip.MustParsePrefix(prefix)})
	}
	return NewClaims(all)
}

func TestClaimsCovers(t *testing.T) {
	c := claimsOf(t, "JPNIC 202.12.28.0/25", "JPNIC 202.12.28.128/25", "KRNIC 202.12.29.0/25", "JPNIC 2400::/32", "TWNIC 255.255.255.0/24")
	for _, tt := range []struct {
		source, prefix string
		want           bool
	}{
		{"JPNIC", "202.12.28.0/24", true},
		{"JPNIC", "202.12.28.0/23", false},
		{"JPNIC", "202.12.28.64/26", true},
		{"KRNIC", "202.12.29.0/24", false}, // partly outside is outside
		{"KRNIC", "202.12.28.0/24", false},
		{"JPNIC", "2400::/32", true},
		{"JPNIC", "2400::/28", false},
		{"TWNIC", "255.255.255.0/24", true},
		{"VNNIC", "202.12.28.0/24", false},
	} {
		if got := c.Covers(tt.source, netip.MustParsePrefix(tt.prefix)); got != tt.want {
			t.Errorf("Covers(%s, %s) = %v", tt.source, tt.prefix, got)
		}
	}
	var none *Claims
	if none.Covers("JPNIC", netip.MustParsePrefix("1.0.0.0/8")) || none.claimants(netip.MustParsePrefix("1.0.0.0/8"), "") != nil || none.All() != nil {
		t.Error("nil claims grant something")
	}
}

func TestClaimsContested(t *testing.T) {
	c := claimsOf(t, "JPNIC 202.0.0.0/8", "KRNIC 202.12.0.0/16", "TWNIC 202.12.28.0/24", "VNNIC 203.0.0.0/8",
		"JPNIC 255.0.0.0/8", "KRNIC 255.255.255.0/24", "JPNIC 2400::/12", "KRNIC 2400:1::/32", "APNIC 203.0.0.0/8")
	for _, tt := range []struct{ prefix, except, want string }{
		{"202.12.28.0/24", "", "JPNIC KRNIC TWNIC"},
		{"202.12.28.0/24", "KRNIC", "JPNIC TWNIC"},
		{"202.12.29.0/24", "", "JPNIC KRNIC"},
		{"202.12.29.0/24", "KRNIC", ""},
		{"202.11.0.0/16", "", ""},
		{"202.0.0.0/8", "", "JPNIC KRNIC"},
		{"203.1.0.0/16", "", "APNIC VNNIC"},
		{"203.1.0.0/16", "APNIC", ""},
		{"255.255.255.0/24", "", "JPNIC KRNIC"},
		{"2400:1::/32", "", "JPNIC KRNIC"},
		{"2400:2::/32", "", ""},
	} {
		if got := strings.Join(c.claimants(netip.MustParsePrefix(tt.prefix), tt.except), " "); got != tt.want {
			t.Errorf("claimants(%s, %s) = %s, want %s", tt.prefix, tt.except, got, tt.want)
		}
	}
}

// The index agrees with looking at every claim and every address, over random
// claims on 64 addresses.
func TestClaimsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
			a := netip.AddrFrom4([4]byte{255, 255, 255, byte(rapid.IntRange(192, 255).Draw(t, "a"))})
			return netip.PrefixFrom(a, rapid.IntRange(26, 32).Draw(t, "bits")).Masked()
		})
		claims := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Claim {
			return Claim{rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "source"), prefix.Draw(t, "p")}
		}), 0, 8).Draw(t, "claims")
		p := prefix.Draw(t, "p")
		covered, contested := map[string]bool{"A": true, "B": true, "C": true}, false
		for a := p.Addr(); a.IsValid() && p.Contains(a); a = a.Next() {
			by := map[string]bool{}
			for _, c := range claims {
				if c.Prefix.Contains(a) {
					by[c.Source] = true
				}
			}
			for s := range covered {
				covered[s] = covered[s] && by[s]
			}
			contested = contested || len(by) > 1
		}
		c := NewClaims(claims)
		for s, want := range covered {
			if c.Covers(s, p) != want {
				t.Fatalf("Covers(%s, %s) = %v", s, p, !want)
			}
		}
		if (c.claimants(p, "") != nil) != contested {
			t.Fatalf("contested(%s) = %v", p, !contested)
		}
	})
}

func TestParseClaims(t *testing.T) {
	const good = "# who may speak for what\nJPNIC\t1.0.16.0/20\n\nJPNIC\t202.12.0.0/16  # Tokyo\nJPNIC\t2001:200::/23\nKRNIC\t1.11.0.0/16\n"
	c, err := ParseClaims("claims", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.All()) != 4 || !c.Covers("JPNIC", netip.MustParsePrefix("202.12.28.0/24")) {
		t.Errorf("read %v", c.All())
	}
	again, err := ParseClaims("claims", FormatClaims(c.All()))
	if err != nil || !slices.Equal(again.All(), c.All()) {
		t.Errorf("written and read back: %v, %v", again.All(), err)
	}
	for _, tt := range []struct{ in, pos, want string }{
		{"JPNIC\t1.0.16.1/20\n", "claims:1:7", "write 1.0.16.0/20"},
		{"# x\nJPNIC 1.0.16.0/20\n", "claims:2:1", "SOURCE<TAB>PREFIX"},
		{"JPNIC\n", "claims:1:6", "no prefix"},
		{"JPNIC\t1.0.16.0\n", "claims:1:7", "no IPv4 or IPv6 prefix"},
		{"JPNIC\t\t1.0.16.0/20\n", "claims:1:7", "prefix"},
		{"JPNIC\t::ffff:1.2.3.0/120\n", "claims:1:7", "prefix"},
		{"JPNIC\t1.0.16.0/20\r\n", "claims:1:18", "unknown character '\\r'"},
		{"JPNIC\t1.0.16.0/20\nJPNIC\t1.0.16.0/20\n", "claims:2:1", "twice"},
		{"KRNIC\t1.0.16.0/20\nJPNIC\t1.0.16.0/20\n", "claims:2:1", "sort the lines"},
		{"JPNIC\t2001::/16\nJPNIC\t1.0.16.0/20\n", "claims:2:1", "IPv4 before IPv6"},
		{"JPNIC\t1.0.16.0/2", "claims:1", "cut short"},
		{"JP NIC\t1.0.16.0/20\n", "claims:1:1", "source"},
		{"\xff\n", "claims:1:1", "unknown character"},
		{strings.Repeat("x", 5000) + "\n", "claims:1:1024", "longer"},
	} {
		_, err := ParseClaims("claims", []byte(tt.in))
		var se *SyntaxErrors
		if !errors.As(err, &se) || se.Errors[0].Pos.String() != tt.pos || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseClaims(%.40q) = %v, want %s … %s", tt.in, err, tt.pos, tt.want)
		}
	}
	_, err = ParseClaims("claims", []byte(strings.Repeat("?\n", 500)))
	if err == nil || !strings.Contains(err.Error(), "400 more mistakes") {
		t.Errorf("500 mistakes: %.200v", err)
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add([]byte("JPNIC\t1.0.16.0/20\n# x\nKRNIC\t2001:db8::/32\n"))
	f.Add([]byte("JPNIC\t1.0.16.1/20\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseClaims("claims", data)
		if err != nil {
			return
		}
		again, err := ParseClaims("claims", FormatClaims(c.All()))
		if err != nil || !slices.Equal(again.All(), c.All()) {
			t.Fatalf("written and read back: %v", err)
		}
	})
}

func BenchmarkClaims(b *testing.B) {
	var claims []Claim
	for i := range 50000 {
		a := netip.AddrFrom4([4]byte{byte(i >> 8), byte(i), byte(i % 3 << 6), 0})
		claims = append(claims, Claim{fmt.Sprintf("S%d", i%7), netip.PrefixFrom(a, 18).Masked()})
	}
	b.Run("NewClaims", func(b *testing.B) {
		for b.Loop() {
			NewClaims(claims)
		}
	})
	c := NewClaims(claims)
	b.Run("450000 lookups", func(b *testing.B) {
		for b.Loop() {
			for i := range 450000 {
				p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i >> 8), byte(i), byte(i >> 3), 0}), 24)
				c.Covers("S3", p)
				c.claimants(p, "")
			}
		}
	})
}
