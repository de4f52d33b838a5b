package zone

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// GateClaims holds claims by which a source would lose more than the limit of its
// IPv4 or IPv6 space, sorted by source: one hold a source, with the ranges it
// would lose. The registry's own claims mean nothing and are not looked at.
func GateClaims(registry string, prev, next *Claims, lim Limits) []Hold {
	if prev == nil || next == nil || prev == next {
		return nil
	}
	var sources []string
	for s := range prev.sources {
		if s != registry {
			sources = append(sources, s)
		}
	}
	slices.Sort(sources)
	var holds []Hold
	for _, s := range sources {
		if h := gateClaims(s, prev.sources[s], next.sources[s], lim); h != nil {
			holds = append(holds, *h)
		}
	}
	return holds
}

func gateClaims(source string, prev, next []netipx.IPRange, lim Limits) *Hold {
	lost := rangesWithout(prev, next)
	rule := ""
	for _, v4 := range []bool{true, false} {
		had, gone := space(prev, v4), space(lost, v4)
		if share(gone, had) > lim.ClaimsPercent {
			rule = fmt.Sprintf("claims: %.1f %% of the source's %s space, more than %g %%", share(gone, had), family(v4), lim.ClaimsPercent)
			break
		}
	}
	if rule == "" {
		return nil
	}
	h := &Hold{Source: source, Kind: KindClaims, Rule: rule, Before: prefixes(prev), After: prefixes(next), Losses: []Name{}, Sets: []HeldSet{{Was: prefixTexts(lost)}}}
	h.Hash = h.ComputeHash()
	return h
}

// rangesWithout returns what is in a and not in b.
func rangesWithout(a, b []netipx.IPRange) []netipx.IPRange {
	var s netipx.IPSetBuilder
	for _, r := range a {
		s.AddRange(r)
	}
	for _, r := range b {
		s.RemoveRange(r)
	}
	set, err := s.IPSet()
	if err != nil {
		panic("zone: comparing claims: " + err.Error()) // only for invalid ranges
	}
	return set.Ranges()
}

func family(v4 bool) string {
	if v4 {
		return "IPv4"
	}
	return "IPv6"
}

// space counts the addresses of a family.
func space(ranges []netipx.IPRange, v4 bool) *big.Int {
	sum := new(big.Int)
	for _, r := range ranges {
		if r.From().Is4() == v4 {
			n := new(big.Int).Sub(number(r.To()), number(r.From()))
			sum.Add(sum, n.Add(n, big.NewInt(1)))
		}
	}
	return sum
}

func number(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

// share returns a part in per cent of the whole.
func share(part, whole *big.Int) float64 {
	if whole.Sign() == 0 {
		return 0
	}
	f, _ := new(big.Rat).SetFrac(new(big.Int).Mul(part, big.NewInt(100)), whole).Float64()
	return f
}

func prefixes(ranges []netipx.IPRange) int { return len(prefixTexts(ranges)) }

// prefixTexts returns ranges as the prefixes that make them up.
func prefixTexts(ranges []netipx.IPRange) []string {
	var out []string
	for _, r := range ranges {
		for _, p := range r.Prefixes() {
			out = append(out, p.String())
		}
	}
	return out
}
