package inr

import (
	"fmt"
	"strings"
)

// A SpecialEntry is one entry of the space that no pool may hold.
type SpecialEntry struct {
	Range Range
	Use   string // what it is kept for
	RFC   string // the document that keeps it: "RFC 1918"
}

// String writes the entry for an error: "10.0.0.0/8 (private use, RFC 1918)".
func (e SpecialEntry) String() string { return fmt.Sprintf("%s (%s, %s)", e.Range, e.Use, e.RFC) }

// specialText is the table: range, use, document. From IANA's IPv4 and IPv6
// special-purpose address registries (RFC 6890, RFC 8190), the IPv4 multicast
// and IPv6 address space registries, and the special-purpose AS number registry
// (RFC 7249), without entries for parts of an entry with the same fate.
const specialText = `
0.0.0.0/8             this network                    RFC 791
10.0.0.0/8            private use                     RFC 1918
100.64.0.0/10         shared address space            RFC 6598
127.0.0.0/8           loopback                        RFC 1122
169.254.0.0/16        link local                      RFC 3927
172.16.0.0/12         private use                     RFC 1918
192.0.0.0/24          IETF protocol assignments       RFC 6890
192.0.2.0/24          documentation                   RFC 5737
192.31.196.0/24       AS112 service                   RFC 7535
192.52.193.0/24       automatic multicast tunneling   RFC 7450
192.88.99.0/24        6to4 relay anycast, deprecated  RFC 7526
192.168.0.0/16        private use                     RFC 1918
192.175.48.0/24       AS112 service                   RFC 7534
198.18.0.0/15         benchmarking                    RFC 2544
198.51.100.0/24       documentation                   RFC 5737
203.0.113.0/24        documentation                   RFC 5737
224.0.0.0/4           multicast                       RFC 5771
240.0.0.0/4           class E, experimental           RFC 1112
255.255.255.255/32    limited broadcast               RFC 8190

::/3                  outside global unicast          RFC 4291
::/128                unspecified address             RFC 4291
::1/128               loopback                        RFC 4291
::ffff:0:0/96         IPv4-mapped addresses           RFC 4291
64:ff9b::/96          IPv4/IPv6 translation           RFC 6052
64:ff9b:1::/48        IPv4/IPv6 translation           RFC 8215
100::/64              discard only                    RFC 6666
100:0:0:1::/64        dummy prefix                    RFC 9780
2001::/23             IETF protocol assignments       RFC 2928
2001::/32             Teredo                          RFC 4380
2001:2::/48           benchmarking                    RFC 5180
2001:10::/28          ORCHID, deprecated              RFC 4843
2001:20::/28          ORCHIDv2                        RFC 7343
2001:30::/28          drone remote identification     RFC 9374
2001:db8::/32         documentation                   RFC 3849
2002::/16             6to4                            RFC 3056
2620:4f:8000::/48     AS112 service                   RFC 7534
3fff::/20             documentation                   RFC 9637
4000::/2              outside global unicast          RFC 4291
5f00::/16             SRv6 segment identifiers        RFC 9602
8000::/1              outside global unicast          RFC 4291
fc00::/7              unique local                    RFC 4193
fe80::/10             link local                      RFC 4291
fec0::/10             site local, deprecated          RFC 3879
ff00::/8              multicast                       RFC 4291

AS0                   no AS                           RFC 7607
AS112                 AS112 service                   RFC 7534
AS23456               AS_TRANS                        RFC 6793
AS64496-AS64511       documentation                   RFC 5398
AS64512-AS65534       private use                     RFC 6996
AS65535               last 16-bit ASN                 RFC 7300
AS65536-AS65551       documentation                   RFC 5398
AS65552-AS131071      reserved by IANA                RFC 7249
AS4200000000-AS4294967294  private use                RFC 6996
AS4294967295          last ASN                        RFC 7300
`

var (
	specialEntries = readSpecial(specialText)
	specialSet     = specialUnion()
)

// readSpecial reads the table above. It is part of the program: what cannot be
// read is a mistake of ours.
func readSpecial(text string) []SpecialEntry {
	var all []SpecialEntry
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		r, err := ParseRange(f[0])
		if err != nil || len(f) < 4 {
			panic(fmt.Sprintf("inr: reading the table of special space: %q: %v", line, err))
		}
		use, rfc := f[1:len(f)-2], f[len(f)-2:]
		all = append(all, SpecialEntry{r, strings.Join(use, " "), strings.Join(rfc, " ")})
	}
	return all
}

func specialUnion() Set {
	var b Builder
	for _, e := range specialEntries {
		b.Add(e.Range)
	}
	return b.Set()
}

// Special returns the space that may never be in a pool: what is no public
// unicast space, or has a use of its own in the protocols. Policy APNIC-103,
// section 2.6, excludes multicast, RFC 1918 and experimental space by name; the
// rest is kept by the RFCs that [WhySpecial] names.
func Special() Set { return specialSet }

// SpecialEntries returns the entries that Special is made of, IPv4, IPv6 and
// ASNs, as a new slice. Some lie within others.
func SpecialEntries() []SpecialEntry { return append([]SpecialEntry(nil), specialEntries...) }

// WhySpecial returns the entry of special space that a range meets; false if it
// meets none. Of several, it is the smallest that contains all of the range, or
// else the first that overlaps it.
func WhySpecial(r Range) (SpecialEntry, bool) {
	var best SpecialEntry
	for _, e := range specialEntries {
		switch {
		case !e.Range.Overlaps(r):
		case best.RFC == "":
			best = e
		case e.Range.Contains(r) && (!best.Range.Contains(r) || best.Range.Contains(e.Range)):
			best = e
		}
	}
	return best, best.RFC != ""
}
