package main

import (
	"bytes"
	"fmt"
	"slices"

	"nirzone/zone"
)

// stand makes a zone that cannot be merged from what is published, so that its
// signatures are renewed whatever happened to the inputs. The zone counts as
// carried; if this does not work either, its file is taken over.
func (b *batch) stand(j *job) {
	if j.prev == nil || j.group == nil {
		return
	}
	z, err := b.standing(j)
	if err != nil {
		j.carried += fmt.Sprintf("; nor can it be signed again as it is: %v", err)
		return
	}
	j.next = z
}

// standing reads the delegations of a zone back from its published file, which
// has to be the one that was written and verified.
func (b *batch) standing(j *job) (*zone.Zone, error) {
	f, size, err := b.publishedRecords(j.prev)
	if err != nil {
		return nil, err
	}
	z := &zone.Zone{Apex: j.group.Apex(j.zone), Inputs: []zone.Input{{Source: b.cfg.RIR, File: j.zone.File(), SHA256: j.prev.SHA256, Size: size}}}
	for _, r := range f.Records {
		z.Entries = append(z.Entries, zone.Entry{Record: r.Record, Line: r.Line})
	}
	slices.SortStableFunc(z.Entries, func(x, y zone.Entry) int { return x.Compare(y.Record) })
	if got := total(counts(z)); got != j.prev.Delegations {
		return nil, fmt.Errorf("the published file holds %s, not %d", countOf(got, "1 delegation", "%d delegations"), j.prev.Delegations)
	}
	return z, nil
}

// maxZonefile bounds a published file: ten times the largest of today.
const maxZonefile = 2 << 30

// delegations returns the lines of a published file that the merge made: not
// those of the apex, not those of DNSSEC. Every record has a line of its own,
// with owner, TTL, class and type.
func delegations(apex zone.Name, data []byte) []byte {
	var out []byte
	for line := range bytes.Lines(data) {
		f := bytes.Fields(line)
		if len(f) < 5 || string(f[0]) == string(apex) {
			continue
		}
		switch string(f[3]) {
		case "NS", "DS", "A", "AAAA", "CNAME":
			out = append(out, line...)
		}
	}
	return out
}

func total(counts []zone.SourceCount) int {
	n := 0
	for _, c := range counts {
		n += c.Delegations
	}
	return n
}

// standingEntry is what generation.json says of a zone that was signed again as
// it was published: where its records come from has not changed.
func (j *job) standingEntry(e zone.GenerationZone) zone.GenerationZone {
	e.Delegations, e.Counts, e.Inputs, e.Kept = j.prev.Delegations, j.prev.Counts, j.prev.Inputs, j.prev.Kept
	e.Claims, e.Pinned, e.Carried = j.prev.Claims, j.prev.Pinned, j.carried
	e.Ledger, e.PinnedSince = j.prev.Ledger, j.prev.PinnedSince
	return e
}
