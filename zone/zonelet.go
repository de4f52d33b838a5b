package zone

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// DefaultTTL is the TTL in seconds of a record for which a file states none.
const DefaultTTL = 86400

// trailerTime is how a trailer's time is written; more forms are read.
const trailerTime = "2006-01-02 15:04:05Z07:00"

// FormatZonelet writes a zonelet as registries publish it (policy APNIC-103,
// appendix): absolute names, records grouped by owner in canonical order, a TTL
// only where it differs from ttl, and the trailer of source with the number of
// NS and DS records, duplicates included. A zonelet without records has the
// trailer alone: it says that the source delegates nothing. What it writes,
// [ParseFragment] reads back as the same records in canonical order, if they
// are inside zone and no SOA is among them.
func FormatZonelet(source string, zone Name, generated time.Time, ttl uint32, records []Record) []byte {
	f := formatter{source: source, ttl: ttl}
	f.b.Grow(64*len(records) + 256)
	fmt.Fprintf(&f.b, "$TTL %d\n$ORIGIN .\n\n\n", ttl)
	var owner Name
	for _, r := range canonical(records) {
		if r.Name != owner {
			owner = r.Name
			f.owner()
		}
		f.record(r)
	}
	f.trailer(zone, generated, records)
	return f.b.Bytes()
}

// canonical returns the records sorted by name, type and data. Names are
// compared by sort keys made once each, because most of them repeat.
func canonical(records []Record) []Record {
	type keyed struct {
		key string
		at  int // in records
	}
	order := make([]keyed, len(records))
	for i := range records {
		if i > 0 && records[i].Name == records[i-1].Name {
			order[i] = keyed{order[i-1].key, i}
		} else {
			order[i] = keyed{records[i].Name.SortKey(), i}
		}
	}
	slices.SortFunc(order, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		x, y := &records[a.at], &records[b.at]
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Data, y.Data), cmp.Compare(a.at, b.at))
	})
	sorted := make([]Record, len(order))
	for i, k := range order {
		sorted[i] = records[k.at]
	}
	return sorted
}

// A formatter writes one zonelet.
type formatter struct {
	b      bytes.Buffer
	source string
	ttl    uint32
	groups int
}

// owner starts the group of an owner.
func (f *formatter) owner() {
	if f.groups > 0 {
		f.b.WriteByte('\n')
	}
	f.groups++
	fmt.Fprintf(&f.b, "; Source %s\n", f.source)
}

func (f *formatter) record(r Record) {
	f.b.WriteString(string(r.Name))
	if r.TTL != f.ttl {
		f.b.WriteByte('\t')
		f.b.WriteString(strconv.FormatUint(uint64(r.TTL), 10))
	}
	switch r.Type {
	case TypeNS, TypeDS, TypeA, TypeAAAA, TypeCNAME:
		f.b.WriteByte('\t')
		f.b.WriteString(r.Type.String())
		f.b.WriteByte('\t')
		f.b.WriteString(r.Text())
	default: // the form that every reader takes for every type (RFC 3597, section 5)
		fmt.Fprintf(&f.b, "\tTYPE%d\t\\# %d %x", uint16(r.Type), len(r.Data), string(r.Data))
	}
	f.b.WriteByte('\n')
}

// trailer writes two lines as most registries do, one for an empty zonelet.
func (f *formatter) trailer(zone Name, generated time.Time, records []Record) {
	ns, ds := 0, 0
	for _, r := range records {
		switch r.Type {
		case TypeNS:
			ns++
		case TypeDS:
			ds++
		}
	}
	at := generated.UTC().Format(trailerTime)
	line := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		fmt.Fprintf(&f.b, "%s.%s\tIN\tTXT\t\"Generated at %s with %s.\"\n", f.source, zone, at, text)
	}
	if len(records) == 0 {
		line("0 NS records from %s, 0 DS records from %s", f.source, f.source)
		return
	}
	line("%d NS records from %s", ns, f.source)
	line("%d DS records from %s", ds, f.source)
}
