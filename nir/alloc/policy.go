package alloc

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"nirzone/nir/inr"
)

// A Strategy is the way in which a pool is filled.
type Strategy string

// The strategies. All end with steps 4 and 5: none refuses while there is space.
const (
	// Soft is steps 1 to 3, the smallest block that fits; for IPv4.
	Soft Strategy = "soft"
	// Sparse grows as Soft does; otherwise it takes the start of the largest
	// unreserved block that holds up to 8 times factor·n, or else of the
	// smallest one beyond, and reserves factor·n there; if no block holds that,
	// as much as the largest one has. So such a block is filled at 0, ½, ¼, ¾,
	// ⅛ … of its size, which leaves the greatest distances (the idea of
	// RFC 3531), and what is larger stays whole; for IPv6.
	Sparse Strategy = "sparse"
	// Lowest takes the lowest free address, without steps 1 and 2; for ASNs.
	Lowest Strategy = "lowest"
	// FirstFit is Lowest by the name that comparisons use.
	FirstFit Strategy = "first-fit"
	// BestFit is steps 1 and 3, without reservations; for comparison.
	BestFit Strategy = "best-fit"
)

// Strategies are all strategies.
var Strategies = []Strategy{Soft, Sparse, Lowest, FirstFit, BestFit}

// ParseStrategy reads the name of a strategy.
func ParseStrategy(s string) (Strategy, error) {
	if slices.Contains(Strategies, Strategy(s)) {
		return Strategy(s), nil
	}
	names := make([]string, len(Strategies))
	for i, x := range Strategies {
		names[i] = string(x)
	}
	return "", fmt.Errorf("strategy %.40q: write one of %s", s, strings.Join(names, ", "))
}

// grows reports whether a strategy has step 1.
func (s Strategy) grows() bool { return s == Soft || s == Sparse || s == BestFit }

// order returns which block the strategy takes in step 3.
func (s Strategy) order() Order {
	if s == Lowest || s == FirstFit {
		return ByAddress
	}
	return BySize
}

// spread is how far apart Sparse puts members, as a power of two of what it
// reserves: 8 times. Halving the largest block without such a limit kept members
// no better together, and cut up the pool so that the first large request was
// refused at 2 % full (docs/allocation.md).
const spread = 3

// A Policy is how a pool is filled.
type Policy struct {
	Strategy Strategy
	// Factor is how much is reserved, as a multiple of the size asked for, that
	// size included: 1 (nothing), 2, 4, 8 … 256. Strategies without step 2 take
	// no notice.
	Factor int
	// Hold is how long a reservation lasts; 0: for ever.
	Hold time.Duration
}

// DefaultPolicy returns the policy of a kind: soft with factor 2 for IPv4, sparse
// with factor 8 for IPv6 (a /32 grows to a /29), lowest for ASNs. Reservations
// last for ever: no simulation has shown a time that is better.
func DefaultPolicy(k inr.Kind) Policy {
	switch k {
	case inr.IPv6:
		return Policy{Strategy: Sparse, Factor: 8}
	case inr.ASN:
		return Policy{Strategy: Lowest, Factor: 1}
	}
	return Policy{Strategy: Soft, Factor: 2}
}

// Check returns an error if the policy is none.
func (p Policy) Check() error {
	if _, err := ParseStrategy(string(p.Strategy)); err != nil {
		return err
	}
	if p.Factor < 1 || p.Factor > 256 || bits.OnesCount(uint(p.Factor)) != 1 {
		return fmt.Errorf("reservation factor %d: write 1 (none), 2, 4, 8, 16, 32, 64, 128 or 256", p.Factor)
	}
	if p.Hold < 0 {
		return errors.New("reservations cannot last less than nothing: write 0 for ever, or a time")
	}
	return nil
}

// reserving returns the length of the block to reserve for one of a length.
func (p Policy) reserving(length int) int {
	if p.Strategy != Soft && p.Strategy != Sparse {
		return length
	}
	return max(0, length-bits.TrailingZeros(uint(p.Factor)))
}

// Lengths returns the minimal list of block lengths that add up to a count of
// numbers, largest block first: 768 IPv4 addresses are a /23 and a /24.
func Lengths(k inr.Kind, count inr.Num) ([]int, error) {
	if !k.Valid() || count.IsZero() || k.Max().Less(count.Prev()) {
		return nil, fmt.Errorf("a request for %s numbers of %s: ask for 1 to %s", count, k, inr.Range{Kind: k, Last: k.Max()}.Count())
	}
	var lengths []int
	b := count.Bytes()
	for i, octet := range b {
		for j := range 8 {
			if octet>>(7-j)&1 == 1 {
				lengths = append(lengths, k.Bits()-127+8*i+j)
			}
		}
	}
	return lengths, nil
}
