package zone

import (
	"cmp"
	"slices"
	"strings"
)

// assemble writes the owners that are left, with their glue, as a zone.
func (m *merger) assemble() *Zone {
	m.owners = slices.DeleteFunc(m.owners, func(o owner) bool { return o.state == absent })
	m.matchGlue()
	var in inputTable
	for _, f := range m.frags {
		in.add(Input{Source: f.Source, File: f.File, SHA256: f.SHA256, Size: f.Size})
	}
	z := &Zone{Apex: m.in.Apex, Entries: m.room()}
	next := 0
	for i := range m.owners {
		o := &m.owners[i]
		start := len(z.Entries)
		if o.state == held {
			z.Entries = m.appendHeld(z.Entries, o, &in)
			continue
		}
		z.Entries = append(z.Entries, m.set(&o.say)...)
		for ; next < len(m.glue) && (m.glue[next].key < o.key || strings.HasPrefix(m.glue[next].key, o.key)); next++ {
			if g := &m.glue[next]; g.used {
				z.Entries = append(z.Entries, m.arena[g.from:g.to]...)
			}
		}
		sortOwner(z.Entries[start:], o.say.name)
	}
	z.Inputs = in.renumber(z.Entries)
	return z
}

// room returns the slice that the zone's entries are appended to. If all of
// them stand in the arena in the zone's order already, it is the arena itself:
// they only move down over what was dropped.
func (m *merger) room() []Entry {
	if len(m.glue) == 0 && !slices.ContainsFunc(m.owners, func(o owner) bool { return o.state == held }) {
		return m.arena[:0]
	}
	return make([]Entry, 0, len(m.arena))
}

// appendHeld appends the published state of an owner. It keeps source, file and
// line; the TTL is that of today's configuration.
func (m *merger) appendHeld(es []Entry, o *owner, in *inputTable) []Entry {
	for _, e := range m.pub.entries(o.pub) {
		e.Input = uint16(in.add(m.pub.zone.input(e)))
		e.TTL, e.Kept = m.in.Apex.TTL.of(e.TTL), o.code
		es = append(es, e)
	}
	return es
}

// sortOwner puts the records at the owner itself, which has addresses if it is
// its own name server, into canonical order.
func sortOwner(es []Entry, name Name) {
	n, sorted := 0, true
	for n < len(es) && es[n].Name == name {
		sorted = sorted && (n == 0 || es[n-1].Type <= es[n].Type)
		n++
	}
	if sorted {
		return
	}
	slices.SortFunc(es[:n], func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(string(a.Data), string(b.Data)))
	})
}

// An inputTable numbers inputs.
type inputTable struct {
	list  []Input
	index map[inputKey]int
}

// An inputKey is what tells inputs apart. The rest follows from the digest, and
// not everybody knows it.
type inputKey struct{ source, file, sha256 string }

// add returns the number of an input, and completes what is known of it.
func (t *inputTable) add(in Input) int {
	key := inputKey{in.Source, in.File, in.SHA256}
	i, ok := t.index[key]
	if !ok {
		if t.index == nil {
			t.index = map[inputKey]int{}
		}
		i = len(t.list)
		t.index[key] = i
		t.list = append(t.list, in)
	}
	known := &t.list[i]
	known.Size = max(known.Size, in.Size)
	known.Signer = cmp.Or(known.Signer, in.Signer)
	if known.Seen.IsZero() {
		known.Seen = in.Seen
	}
	return i
}

// renumber sorts the inputs and moves the entries to the new numbers.
func (t *inputTable) renumber(es []Entry) []Input {
	order := make([]int, len(t.list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return t.list[a].compare(t.list[b]) })
	to, sorted := make([]uint16, len(order)), make([]Input, len(order))
	for i, old := range order {
		to[old], sorted[i] = uint16(i), t.list[old]
	}
	for i := range es {
		es[i].Input = to[es[i].Input]
	}
	return sorted
}

func (in Input) compare(other Input) int {
	return cmp.Or(strings.Compare(in.Source, other.Source), strings.Compare(in.File, other.File), strings.Compare(in.SHA256, other.SHA256))
}
