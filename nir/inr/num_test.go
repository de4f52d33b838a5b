package inr

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

var drawNum = rapid.Custom(func(t *rapid.T) Num {
	edge := rapid.SampledFrom([]uint64{0, 1, 1 << 31, 1<<32 - 1, 1 << 63, 1<<64 - 1})
	part := rapid.OneOf(edge, rapid.Uint64())
	return Num{part.Draw(t, "hi"), part.Draw(t, "lo")}
})

// TestNum compares with math/big.
func TestNum(t *testing.T) {
	mod := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawNum.Draw(t, "a"), drawNum.Draw(t, "b")
		x, y := a.Big(), b.Big()
		same := func(what string, got Num, want *big.Int) {
			if got.Big().Cmp(want.Mod(want, mod)) != 0 {
				t.Fatalf("%s: got %s, want %s", what, got, want)
			}
		}
		same("add", a.Add(b), new(big.Int).Add(x, y))
		same("sub", a.Sub(b), new(big.Int).Sub(x, y))
		same("next", a.Next(), new(big.Int).Add(x, big.NewInt(1)))
		same("prev", a.Prev(), new(big.Int).Sub(x, big.NewInt(1)))
		if a.Cmp(b) != x.Cmp(y) || a.Less(b) != (x.Cmp(y) < 0) {
			t.Fatalf("order of %s and %s: %d", a, b, a.Cmp(b))
		}
		if got := FromBytes(a.Bytes()); got != a {
			t.Fatalf("bytes of %s: %s", a, got)
		}
		if a.bitLen() != x.BitLen() || !a.IsZero() && a.trailingZeros() != int(x.TrailingZeroBits()) {
			t.Fatalf("%s: %d bits, %d zeros", a, a.bitLen(), a.trailingZeros())
		}
	})
	for c := range 129 {
		want := new(big.Int).Lsh(big.NewInt(1), uint(c))
		if got := ones(c).Big(); got.Cmp(want.Sub(want, big.NewInt(1))) != 0 {
			t.Errorf("ones(%d) = %s", c, got)
		}
	}
}
