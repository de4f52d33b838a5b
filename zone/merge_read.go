package zone

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A run is a stretch of a fragment's records with the same owner.
type run struct {
	key      string
	frag     int32
	from, to int32
}

// readAll brings all sources' records into canonical order and decides owner by
// owner. A sort key is computed once a run, and never kept in a map.
func (m *merger) readAll() {
	runs, records := m.runs()
	m.arena = make([]Entry, 0, records)
	m.owners = make([]owner, 0, len(runs))
	for i := 0; i < len(runs); {
		key := runs[i].key
		m.says = m.says[:0]
		for i < len(runs) && runs[i].key == key {
			j := i + 1
			for j < len(runs) && runs[j].key == key && runs[j].frag == runs[i].frag {
				j++
			}
			m.read(runs[i:j])
			i = j
		}
		if len(m.says) > 0 {
			m.decide(key)
		}
	}
}

// runs returns the sorted runs of all fragments and the number of records, and
// notes which hosts have addresses.
func (m *merger) runs() ([]run, int) {
	records, changes := 0, 0
	for _, f := range m.frags {
		records += len(f.Records)
		for i := range f.Records {
			if i == 0 || f.Records[i].Name != f.Records[i-1].Name {
				changes++
			}
		}
	}
	runs := make([]run, 0, changes)
	m.hosts = map[hostOf]bool{}
	for fi, f := range m.frags {
		for i := 0; i < len(f.Records); {
			name := f.Records[i].Name
			j := i
			for ; j < len(f.Records) && f.Records[j].Name == name; j++ {
				if isAddress(f.Records[j].Record) {
					m.hosts[hostOf{int32(fi), name}] = true
				}
			}
			runs = append(runs, run{name.SortKey(), int32(fi), int32(i), int32(j)})
			i = j
		}
	}
	slices.SortFunc(runs, func(a, b run) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.frag, b.frag), cmp.Compare(a.from, b.from))
	})
	return runs, records
}

func isAddress(r Record) bool {
	return r.Type == TypeA && len(r.Data) == 4 || r.Type == TypeAAAA && len(r.Data) == 16
}

// read cleans what one source says of one owner: duplicates and types that do
// not belong go, with a notice, and so does the whole owner if its name is none
// that the source may delegate.
func (m *merger) read(runs []run) {
	frag := runs[0].frag
	f := m.frags[frag]
	m.buf = m.buf[:0]
	for _, r := range runs {
		m.buf = append(m.buf, f.Records[r.from:r.to]...)
	}
	sortSet(m.buf)
	s := say{name: m.buf[0].Name, frag: frag, line: firstLine(m.buf)}
	if dups, line := m.dedupe(); dups > 0 {
		m.note(codeDuplicate, s.at(line), "%s of %s; the first counts; write each record once", plural(dups, "duplicate record", "duplicate records"), s.name)
	}
	if s.name == m.in.Apex.Origin {
		m.note(codeApex, s, "%s of the zone's own name ignored: the apex is the registry's (RFC 1034, section 4.2.1); leave %s out", plural(len(m.buf), "record", "records"), s.name)
		return
	}
	if !s.name.Within(m.in.Apex.Origin) {
		m.note(codeOutsideZone, s, "%s is not below %s and is ignored; write it into its own parent zone's file", s.name, m.in.Apex.Origin)
		return
	}
	m.split(&s, runs[0].key)
	if s.from == s.to || !m.ownerAllowed(&s) || m.inactive(&s) {
		return
	}
	s.fault = m.check(&s)
	m.says = append(m.says, s)
}

// sortSet sorts records of one owner by type, data and line.
func sortSet(rs []Located) {
	slices.SortFunc(rs, func(a, b Located) int {
		if c := cmp.Compare(a.Type, b.Type); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.Data), string(b.Data)); c != 0 {
			return c
		}
		return cmp.Compare(a.Line, b.Line)
	})
}

func firstLine(rs []Located) uint32 {
	line := uint32(math.MaxUint32)
	for i := range rs {
		line = min(line, rs[i].Line)
	}
	return line
}

// dedupe removes duplicates from the sorted buffer. The lowest TTL and the
// first line stay. It returns how many went, and the line of the first of them.
func (m *merger) dedupe() (dups int, line uint32) {
	n := 1
	line = math.MaxUint32
	for _, r := range m.buf[1:] {
		last := &m.buf[n-1]
		if r.Type == last.Type && r.Data == last.Data {
			dups, line, last.TTL = dups+1, min(line, r.Line), min(last.TTL, r.TTL)
			continue
		}
		m.buf[n], n = r, n+1
	}
	m.buf = m.buf[:n]
	return dups, line
}

// split moves the buffer's delegation records into the arena as the say's and
// its addresses as a glue set, and notes the rest.
func (m *merger) split(s *say, key string) {
	s.from = int32(len(m.arena))
	for _, r := range m.buf {
		if m.delegates(r.Record, s.frag) {
			m.arena = append(m.arena, Entry{Record: r.Record, Input: uint16(s.frag), Line: r.Line})
		}
	}
	s.to = int32(len(m.arena))
	var other []string
	count, line := 0, uint32(math.MaxUint32)
	for _, r := range m.buf {
		switch {
		case isAddress(r.Record):
			m.arena = append(m.arena, Entry{Record: r.Record, Input: uint16(s.frag), Line: r.Line})
		case !m.delegates(r.Record, s.frag):
			if t := r.Type.String(); !slices.Contains(other, t) {
				other = append(other, t)
			}
			count, line = count+1, min(line, r.Line)
		}
	}
	if n := int32(len(m.arena)); n > s.to {
		m.glue = append(m.glue, glueSet{key: key, name: s.name, frag: s.frag, from: s.to, to: n, line: m.arena[s.to].Line})
	}
	if count > 0 {
		m.note(codeType, s.at(line), "%s of type %s at %s ignored: a zonelet holds NS and DS (policy APNIC-103, appendix); leave them out", plural(count, "record", "records"), strings.Join(other, ", "), s.name)
	}
	m.levelTTL(s)
}

// delegates reports whether a record is of a type that makes a delegation, or a
// CNAME of RFC 2317, which only the registry may write.
func (m *merger) delegates(r Record, frag int32) bool {
	if r.Type == TypeCNAME && m.isRegistry(frag) {
		p, ok := r.Name.Prefix()
		return ok && p.Addr().Is4() && p.Bits() == 32
	}
	return r.Type == TypeNS || r.Type == TypeDS
}

// levelTTL gives each set one TTL, the lowest of its records (RFC 2181, section
// 5.2), and then the zone's.
func (m *merger) levelTTL(s *say) {
	set := m.arena[s.from:]
	differs := Type(0)
	for i := 0; i < len(set); {
		j, low := i, set[i].TTL
		for ; j < len(set) && set[j].Type == set[i].Type; j++ {
			if set[j].TTL != set[i].TTL {
				differs = set[i].Type
			}
			low = min(low, set[j].TTL)
		}
		for ; i < j; i++ {
			set[i].TTL = m.in.Apex.TTL.of(low)
		}
	}
	if differs != 0 {
		m.note(codeTTL, *s, "the %s records of %s differ in TTL, the lowest counts; give a set one TTL (RFC 2181, section 5.2)", differs, s.name)
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
