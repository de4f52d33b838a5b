package zone

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds of difference between two served zones, in the order of a report.
const (
	DiffSOA        = "soa"        // a field other than the serial
	DiffApexNS     = "apex-ns"    // the zone's own name servers
	DiffKeys       = "keys"       // the DNSKEY set
	DiffApex       = "apex"       // another type at the apex
	DiffTTL        = "ttl"        // the same records with another TTL
	DiffMissing    = "missing"    // a delegation of the first that the second lacks
	DiffAdded      = "added"      // a delegation that the first lacks
	DiffNS         = "ns"         // a delegation with other name servers
	DiffDS         = "ds"         // a delegation with another DS set
	DiffGlue       = "glue"       // other addresses of name servers
	DiffOther      = "other"      // any other record below the apex
	DiffDenial     = "denial"     // NSEC, NSEC3 or its parameters, and their TTL
	DiffZONEMD     = "zonemd"     // whether the zone has a digest of itself
	DiffSignatures = "signatures" // how long signatures are valid and who makes them
)

// A Difference is all of one kind between two versions of a zone. Count counts
// the sets that differ; Lines say what, one line for each, or for all that have
// it in common.
type Difference struct {
	Kind  string   `json:"kind"`
	Count int      `json:"count"`
	Lines []string `json:"lines"`
}

// CompareServed returns what differs between two versions of a zone, by kind.
// The serial, the times of signatures and what follows from them are not
// compared: they differ with every signing.
func CompareServed(before, after *Served) []Difference {
	c := servedDiff{origin: before.Origin, found: map[string]*Difference{}, ttls: map[ttlChange]*ttlCount{}}
	c.soa(before.SOA, after.SOA)
	c.records(before.Records, after.Records)
	c.ttlLines()
	c.signing(before, after)
	var list []Difference
	for _, k := range []string{
		DiffSOA, DiffApexNS, DiffKeys, DiffApex, DiffTTL, DiffMissing, DiffAdded, DiffNS, DiffDS, DiffGlue, DiffOther, DiffDenial, DiffZONEMD, DiffSignatures,
	} {
		if d := c.found[k]; d != nil {
			list = append(list, *d)
		}
	}
	return list
}

type servedDiff struct {
	origin Name
	found  map[string]*Difference
	ttls   map[ttlChange]*ttlCount
}

// A ttlChange is what many sets of a zone may have in common.
type ttlChange struct {
	typ      Type
	apex     bool
	from, to uint32
}

type ttlCount struct {
	n     int
	first Name
}

func (c *servedDiff) add(kind, format string, args ...any) {
	c.addMany(kind, 1, format, args...)
}

func (c *servedDiff) addMany(kind string, n int, format string, args ...any) {
	d := c.found[kind]
	if d == nil {
		d = &Difference{Kind: kind}
		c.found[kind] = d
	}
	d.Count += n
	d.Lines = append(d.Lines, fmt.Sprintf(format, args...))
}

func (c *servedDiff) soa(a, b SOA) {
	field := func(name string, x, y any) {
		if x != y {
			c.add(DiffSOA, "%s %v → %v", name, x, y)
		}
	}
	field("mname", a.MName, b.MName)
	field("rname", a.RName, b.RName)
	field("refresh", a.Refresh, b.Refresh)
	field("retry", a.Retry, b.Retry)
	field("expire", a.Expire, b.Expire)
	field("minimum", a.Minimum, b.Minimum)
	field("ttl", a.TTL, b.TTL)
}

// records walks over both, owner by owner.
func (c *servedDiff) records(a, b []Record) {
	for len(a) > 0 || len(b) > 0 {
		var x, y []Record
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		case a[0].Name != b[0].Name:
			order = a[0].Name.Compare(b[0].Name)
		}
		if order <= 0 {
			x, a = cutOwner(a)
		}
		if order >= 0 {
			y, b = cutOwner(b)
		}
		c.owner(x, y)
	}
}

func cutOwner(rs []Record) (owner, rest []Record) {
	n := 1
	for n < len(rs) && rs[n].Name == rs[0].Name {
		n++
	}
	return rs[:n], rs[n:]
}

func cutType(rs []Record, t Type) (set, rest []Record) {
	n := 0
	for n < len(rs) && rs[n].Type == t {
		n++
	}
	return rs[:n], rs[n:]
}

// owner compares all of one name.
func (c *servedDiff) owner(a, b []Record) {
	name := Name("")
	if len(a) > 0 {
		name = a[0].Name
	} else {
		name = b[0].Name
	}
	cutBefore, cutAfter := c.isCut(name, a), c.isCut(name, b)
	if cutBefore != cutAfter {
		kind, sign, all := DiffMissing, "-", a
		if cutAfter {
			kind, sign, all = DiffAdded, "+", b
		}
		c.add(kind, "%s %s %s", sign, name, dataList(all))
	}
	for len(a) > 0 || len(b) > 0 {
		t := Type(0)
		if len(a) > 0 && (len(b) == 0 || a[0].Type <= b[0].Type) {
			t = a[0].Type
		} else {
			t = b[0].Type
		}
		var x, y []Record
		x, a = cutType(a, t)
		y, b = cutType(b, t)
		if cutBefore != cutAfter && (t == TypeNS || t == TypeDS) {
			continue // told of as a whole
		}
		c.set(name, t, x, y)
	}
}

func (c *servedDiff) isCut(name Name, rs []Record) bool {
	return name != c.origin && slices.ContainsFunc(rs, func(r Record) bool { return r.Type == TypeNS })
}

func (c *servedDiff) set(name Name, t Type, a, b []Record) {
	var parts []string
	for _, r := range a {
		if !hasData(b, r) {
			parts = append(parts, "- "+r.Text())
		}
	}
	for _, r := range b {
		if !hasData(a, r) {
			parts = append(parts, "+ "+r.Text())
		}
	}
	if len(parts) > 0 {
		c.add(c.kind(name, t), "%s %s %s", name, t, strings.Join(parts, ", "))
	}
	if len(a) > 0 && len(b) > 0 && a[0].TTL != b[0].TTL {
		key := ttlChange{t, name == c.origin, a[0].TTL, b[0].TTL}
		if c.ttls[key] == nil {
			c.ttls[key] = &ttlCount{first: name}
		}
		c.ttls[key].n++
	}
}

func (c *servedDiff) kind(name Name, t Type) string {
	switch {
	case name == c.origin && t == TypeNS:
		return DiffApexNS
	case name == c.origin && t == TypeDNSKEY:
		return DiffKeys
	case name == c.origin:
		return DiffApex
	case t == TypeNS:
		return DiffNS
	case t == TypeDS:
		return DiffDS
	case t == TypeA || t == TypeAAAA:
		return DiffGlue
	}
	return DiffOther
}

func (c *servedDiff) ttlLines() {
	var keys []ttlChange
	for k := range c.ttls {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b ttlChange) int {
		if a.apex != b.apex {
			if a.apex {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	for _, k := range keys {
		n := c.ttls[k]
		switch {
		case k.apex:
			c.add(DiffTTL, "%s at the apex %d → %d", k.typ, k.from, k.to)
		case n.n == 1:
			c.add(DiffTTL, "%s of %s %d → %d", k.typ, n.first, k.from, k.to)
		default:
			c.addMany(DiffTTL, n.n, "%s of %d delegations %d → %d, such as %s", k.typ, n.n, k.from, k.to, n.first)
		}
	}
}

// signing compares the facts of how the zones are signed.
func (c *servedDiff) signing(a, b *Served) {
	if a.Denial != b.Denial {
		c.add(DiffDenial, "%s → %s", a.Denial, b.Denial)
	} else if a.DenialTTL != b.DenialTTL {
		c.add(DiffDenial, "TTL of %s %d → %d", a.Denial, a.DenialTTL, b.DenialTTL)
	}
	if a.ZONEMD != b.ZONEMD {
		c.add(DiffZONEMD, "%s → %s", present(a.ZONEMD), present(b.ZONEMD))
	}
	if x, y := a.Signatures.validity(), b.Signatures.validity(); x != y {
		c.add(DiffSignatures, "valid for %s → %s", x, y)
	}
	if x, y := a.Signatures.signers(), b.Signatures.signers(); x != y {
		c.add(DiffSignatures, "signed by %s → %s", x, y)
	}
}

func present(b bool) string {
	if b {
		return "present"
	}
	return "none"
}

// validity says how long signatures are valid, in hours: jitter makes more of it
// than there is to know.
func (s ServedSignatures) validity() string {
	if s.Count == 0 {
		return "none"
	}
	a, b := days(s.Shortest), days(s.Longest)
	if a == b {
		return a
	}
	return a + " to " + b
}

func days(d time.Duration) string {
	h := int64(d.Round(time.Hour) / time.Hour)
	if h%24 == 0 {
		return fmt.Sprintf("%dd", h/24)
	}
	return fmt.Sprintf("%dd%dh", h/24, h%24)
}

// signers names the keys and what they sign.
func (s ServedSignatures) signers() string {
	var parts []string
	for _, by := range s.By {
		what := "keys"
		switch {
		case by.Keys > 0 && by.Zone > 0:
			what = "all"
		case by.Zone > 0:
			what = "zone"
		}
		parts = append(parts, fmt.Sprintf("%d/%d (%s)", by.Tag, by.Algorithm, what))
	}
	return cmp.Or(strings.Join(parts, ", "), "nobody")
}

func hasData(rs []Record, r Record) bool {
	return slices.ContainsFunc(rs, func(o Record) bool { return o.Data == r.Data })
}

// dataList writes the records of a delegation on one line.
func dataList(rs []Record) string {
	var parts []string
	for _, r := range rs {
		parts = append(parts, r.Type.String()+" "+r.Text())
	}
	return strings.Join(parts, ", ")
}

// GuessFamily returns the family that a serial looks to be of at a time: a date
// from 1990 to the next day with a count, a time from the last ten years to the
// next day, else a counter.
func GuessFamily(s Serial, now time.Time) Family {
	date, err := time.Parse("20060102", fmt.Sprint(uint32(s)/100))
	if err == nil && date.Year() >= 1990 && date.Before(now.Add(24*time.Hour)) {
		return FamilyDate
	}
	if t := time.Unix(int64(s), 0); t.After(now.AddDate(-10, 0, 0)) && t.Before(now.Add(24*time.Hour)) {
		return FamilyUnixtime
	}
	return FamilyCounter
}
