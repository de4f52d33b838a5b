package zone

import "net/netip"

// A Claim says that a source may speak for a range of addresses.
type Claim struct {
	Source string
	Prefix netip.Prefix
}
