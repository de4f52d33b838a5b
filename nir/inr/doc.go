// Package inr computes with Internet number resources: IPv4 addresses, IPv6
// addresses and autonomous system numbers (ASNs).
//
// # Values
//
// A [Num] is one address or ASN as an unsigned number of 128 bits. A [Range] is
// a closed interval of one [Kind]. A [Block] is a range whose size is a power
// of two and whose start is a multiple of it: a CIDR prefix; ASNs count as
// numbers of 32 bits and have blocks too. A [Set] holds any ranges of all
// kinds. All are immutable, all arithmetic is exact, and nothing here reads a
// clock, a file or a network.
//
// # Canonical order
//
// A Set has one form only: its ranges are sorted by kind (IPv4, IPv6, ASN) and
// then by first address; they are disjoint, and no two touch. That is the
// canonical form of RFC 3779, sections 2.2.3.6 and 3.2.3.4. Two sets are equal
// if and only if their ranges are the same. [Set.Blocks] is the minimal list of
// prefixes that covers exactly the set.
//
// # Text
//
// Read, in [ParseRange] and those beside it:
//
//	192.0.2.0/24                 prefix (RFC 4632); all four octets, no host bits
//	2001:db8::/32                prefix (RFC 4291, section 2.3)
//	192.0.2.0-192.0.2.9          range
//	192.0.2.0 - 192.0.2.9        range as in RPSL's inetnum (RFC 2622)
//	192.0.2.1  2001:db8::1       one address
//	AS64496  64496               one ASN in asplain (RFC 5396); AS in any case
//	AS64496-AS64511              range of ASNs, spaces around the dash allowed
//
// Lists are separated by commas, white space, or both.
//
// Written: a range that is one prefix as prefix, any other as range without
// spaces; IPv6 by RFC 5952; ASNs with AS before each. What is written reads back
// as the same value. [Range.RPSL] writes RPSL's form.
//
// # Special space
//
// [Special] is the space that can never be in a pool of a registry (policy
// APNIC-103, section 2.6; IANA's special-purpose registries), and [WhySpecial]
// names the RFC.
package inr
