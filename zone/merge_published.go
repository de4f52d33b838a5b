package zone

// A span is a range of indices.
type span struct{ from, to int32 }

// A published is the published zone with an index by owner. The index is made
// when the first question comes: most merges ask none.
type published struct {
	zone  *Zone
	ask   func() *Zone
	cuts  map[Name]span
	order []Name
}

func newPublished(in MergeInput) *published { return &published{zone: in.Published, ask: in.Ask} }

// index finds every delegation and CNAME with what belongs to it: its own
// records and the addresses below.
func (p *published) index() {
	if p.cuts != nil {
		return
	}
	p.cuts = map[Name]span{}
	if p.ask != nil {
		p.zone = p.ask()
	}
	if p.zone == nil {
		return
	}
	es := p.zone.Entries
	for i := 0; i < len(es); {
		name, delegated, cname := es[i].Name, false, false
		j := i
		for ; j < len(es) && es[j].Name == name; j++ {
			delegated = delegated || es[j].Type == TypeNS
			cname = cname || es[j].Type == TypeCNAME
		}
		for delegated && j < len(es) && es[j].Name.Within(name) {
			j++
		}
		if delegated || cname {
			if _, twice := p.cuts[name]; !twice {
				p.order = append(p.order, name)
			}
			p.cuts[name] = span{int32(i), int32(j)}
		}
		i = j
	}
}

// lookup returns the published state of an owner, false if it is absent.
func (p *published) lookup(n Name) (span, bool) {
	p.index()
	s, ok := p.cuts[n]
	return s, ok
}

// source returns the source that a published owner is from: that of its first
// record that makes it one.
func (p *published) source(s span) string {
	for _, e := range p.zone.Entries[s.from:s.to] {
		if e.Type == TypeNS || e.Type == TypeCNAME {
			return p.zone.input(e).Source
		}
	}
	return ""
}

// entries returns the records of a published owner: all of its own, and of the
// names below it the addresses.
func (p *published) entries(s span) []Entry {
	es := p.zone.Entries[s.from:s.to]
	out := make([]Entry, 0, len(es))
	for _, e := range es {
		if e.Name == es[0].Name || isAddress(e.Record) {
			out = append(out, e)
		}
	}
	return out
}

// input returns the input of an entry, the zero value if the zone names none.
func (z *Zone) input(e Entry) Input {
	if int(e.Input) >= len(z.Inputs) {
		return Input{}
	}
	return z.Inputs[e.Input]
}
