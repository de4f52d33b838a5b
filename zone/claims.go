package zone

import (
	"net/netip"
)

// A Claim says that a source may speak for a range of addresses.
type Claim struct {
	Source string
	Prefix netip.Prefix
}

// Claims is the set of all claims, indexed for lookup. A nil *Claims grants
// nothing. It is immutable and may be used by many goroutines.
type Claims struct {
	all []Claim
}

// NewClaims indexes claims. They may come in any order, with duplicates and
// with host bits set, which are cleared.
func NewClaims(claims []Claim) *Claims { return &Claims{all: claims} }

// All returns the claims sorted by source and prefix.
func (c *Claims) All() []Claim { return c.all }

// Covers reports whether p lies wholly inside the union of the source's ranges:
// two adjacent /25s cover their /24.
func (c *Claims) Covers(source string, p netip.Prefix) bool { return false }

// Contested reports whether p touches a range that two or more sources claim.
func (c *Claims) Contested(p netip.Prefix) bool { return false }

// ParseClaims reads a file of claims.
func ParseClaims(file string, data []byte) (*Claims, error) { return nil, nil }

// FormatClaims returns the file that ParseClaims reads back.
func FormatClaims(claims []Claim) []byte { return nil }
