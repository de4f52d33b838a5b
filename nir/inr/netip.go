package inr

import (
	"fmt"
	"net/netip"
)

// FromAddr returns an address of net/netip as a number. An IPv4-mapped IPv6
// address is an IPv6 address. The zero Addr and an address with a zone are
// errors.
func FromAddr(a netip.Addr) (Kind, Num, error) {
	switch {
	case !a.IsValid():
		return 0, Num{}, fmt.Errorf("address: the zero netip.Addr is none")
	case a.Zone() != "":
		return 0, Num{}, fmt.Errorf("address %s has a zone (RFC 4007): write %s", a, a.WithZone(""))
	case a.Is4():
		b := a.As4()
		return IPv4, Num{Lo: uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])}, nil
	}
	return IPv6, FromBytes(a.As16()), nil
}

// FromPrefix returns a prefix of net/netip as block. Host bits are an error.
func FromPrefix(p netip.Prefix) (Block, error) {
	if !p.IsValid() {
		return Block{}, fmt.Errorf("prefix %s is none", p)
	}
	k, n, err := FromAddr(p.Addr())
	if err != nil {
		return Block{}, err
	}
	return NewBlock(k, n, p.Bits())
}

// Prefix returns the block as prefix of net/netip; the zero Prefix for ASNs.
func (b Block) Prefix() netip.Prefix {
	return netip.PrefixFrom(b.Kind.Addr(b.First), b.Len)
}

// Prefixes returns the minimal list of prefixes that covers the set's addresses,
// without its ASNs.
func (s Set) Prefixes() []netip.Prefix {
	var all []netip.Prefix
	for b := range s.AllBlocks() {
		if b.Kind != ASN {
			all = append(all, b.Prefix())
		}
	}
	return all
}
