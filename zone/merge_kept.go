package zone

import (
	"slices"
	"strings"
)

// KeptRecords returns the records of a zone that are published state and not
// what the inputs say, in canonical order.
func (z *Zone) KeptRecords() []KeptRecord {
	var kept []KeptRecord
	for _, e := range z.Entries {
		if e.Kept != "" {
			kept = append(kept, KeptRecord{Name: e.Name, Type: e.Type, TTL: e.TTL, Data: []byte(e.Data), Input: z.input(e), Line: e.Line, Why: e.Kept})
		}
	}
	return kept
}

// ZoneFromKept returns the zone that holds exactly the kept records: the
// published state with which [Merge] makes the same zone again.
func ZoneFromKept(apex Apex, kept []KeptRecord) *Zone {
	var in inputTable
	z := &Zone{Apex: apex, Entries: make([]Entry, 0, len(kept))}
	for _, k := range kept {
		z.Entries = append(z.Entries, Entry{
			Record: Record{Name: k.Name, Type: k.Type, TTL: k.TTL, Data: Data(k.Data)},
			Input:  uint16(in.add(k.Input)), Line: k.Line, Kept: k.Why,
		})
	}
	slices.SortStableFunc(z.Entries, func(a, b Entry) int { return a.Compare(b.Record) })
	z.Inputs = in.renumber(z.Entries)
	return z
}

func sortCodes(docs []CodeDoc) {
	slices.SortFunc(docs, func(a, b CodeDoc) int { return strings.Compare(a.Code, b.Code) })
}
