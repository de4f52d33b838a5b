package inr

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Kind is a kind of number resource. The zero value is none.
type Kind uint8

// The kinds, in the order in which a [Set] holds them.
const (
	IPv4 Kind = 1 + iota
	IPv6
	ASN
)

// Kinds are all kinds in canonical order.
var Kinds = [...]Kind{IPv4, IPv6, ASN}

var kindNames = [...]string{IPv4: "ipv4", IPv6: "ipv6", ASN: "asn"}

// ParseKind reads "ipv4", "ipv6" or "asn", as in statistics files.
func ParseKind(s string) (Kind, error) {
	for _, k := range Kinds {
		if s == kindNames[k] {
			return k, nil
		}
	}
	return 0, fmt.Errorf("kind of resource %.40q: write ipv4, ipv6 or asn", s)
}

// Valid reports whether k is one of the three kinds.
func (k Kind) Valid() bool { return k >= IPv4 && k <= ASN }

// String returns "ipv4", "ipv6" or "asn".
func (k Kind) String() string {
	if !k.Valid() {
		return "kind " + strconv.Itoa(int(k))
	}
	return kindNames[k]
}

// Bits returns the width of the kind's numbers: 32, 128, 32. It is the length of
// a block that holds a single number.
func (k Kind) Bits() int {
	if k == IPv6 {
		return 128
	}
	return 32
}

// Max returns the kind's greatest number.
func (k Kind) Max() Num { return ones(k.Bits()) }

// Whole returns the block of all numbers of the kind.
func (k Kind) Whole() Block { return Block{Kind: k} }

// Format writes one number of the kind: an IPv4 address, an IPv6 address by
// RFC 5952, or an ASN as "AS64496".
func (k Kind) Format(n Num) string {
	if k == ASN {
		return "AS" + strconv.FormatUint(n.Lo, 10)
	}
	if a := k.Addr(n); a.IsValid() {
		return a.String()
	}
	return k.String() + ":" + n.String()
}

// Addr returns a number of an address kind as netip.Addr, and the zero Addr for
// an ASN or a number that the kind does not have.
func (k Kind) Addr(n Num) netip.Addr {
	b := n.Bytes()
	switch {
	case k == IPv6:
		return netip.AddrFrom16(b)
	case k == IPv4 && !k.Max().Less(n):
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.Addr{}
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) {
	if !k.Valid() {
		return nil, fmt.Errorf("writing a kind of resource: %s is none", k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with [ParseKind].
func (k *Kind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKind(strings.TrimSpace(string(b)))
	return err
}
