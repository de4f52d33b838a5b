package zone

import "slices"

// Delegations returns what a served zone delegates, as the zone that a merge
// would make of it: NS, DS, the addresses at and below delegations, and CNAMEs.
// source says from which source an owner is taken to be; input is what an entry
// of it is said to be from. What is neither this, nor at the apex, is not in it.
func (s *Served) Delegations(apex Apex, source func(owner Name) Input) *Zone {
	z := &Zone{Apex: apex}
	var in inputTable
	var cut Name
	number := 0
	for i := 0; i < len(s.Records); {
		group, _ := cutOwner(s.Records[i:])
		i += len(group)
		name := group[0].Name
		below := cut != "" && name.Within(cut)
		if name == s.Origin || !below && !delegates(group) {
			continue
		}
		if !below {
			cut = ""
			if slices.ContainsFunc(group, func(r Record) bool { return r.Type == TypeNS }) {
				cut = name
			}
			number = in.add(source(name))
		}
		for _, r := range group {
			if takes(r, below) {
				z.Entries = append(z.Entries, Entry{Record: r, Input: uint16(number)})
			}
		}
	}
	z.Inputs = in.renumber(z.Entries)
	return z
}

// delegates reports whether an owner's records make a delegation or an alias.
func delegates(rs []Record) bool {
	return slices.ContainsFunc(rs, func(r Record) bool { return r.Type == TypeNS || r.Type == TypeCNAME })
}

// takes reports whether a record is one that a merged zone holds.
func takes(r Record, below bool) bool {
	switch r.Type {
	case TypeNS, TypeDS, TypeCNAME:
		return !below
	}
	return isAddress(r)
}

// ServedZone returns a merged zone in the form in which a served one is compared:
// unsigned, and of no serial. The apex NS set has the TTL of delegations (RFC
// 1035 knows none of its own), or of the SOA where that is the sources'.
func ServedZone(z *Zone) *Served {
	s := &Served{Origin: z.Origin, SOA: z.SOA, Denial: "none"}
	s.SOA.Family = 0
	ttl := z.TTL.Fixed
	if ttl == 0 {
		ttl = z.SOA.TTL
	}
	for _, host := range z.NS {
		s.Records = append(s.Records, Record{Name: z.Origin, Type: TypeNS, TTL: ttl, Data: NSData(host)})
	}
	for _, e := range z.Entries {
		s.Records = append(s.Records, e.Record)
	}
	slices.SortStableFunc(s.Records, Record.Compare)
	return s
}
