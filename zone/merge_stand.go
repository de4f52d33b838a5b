package zone

import (
	"slices"
	"strings"
)

// KeptHeld is the code under which an owner stands whose loss is held.
const KeptHeld = codeHeld

// A Stand says that an owner keeps its published state because its loss is held,
// as long as that state is of this source. With Over it stands even over what
// another source says of the owner, and over a delegation above it that would
// hide it anew.
type Stand struct {
	Source string
	Over   bool
}

// addStanding gives the owners whose loss is held their published state, be they
// spoken of or not.
func (m *merger) addStanding() {
	if len(m.in.Stand) == 0 {
		return
	}
	known, servers := len(m.owners), m.servers()
	for _, name := range standingNames(m.in.Stand) {
		s := m.in.Stand[name]
		p, ok := m.pub.lookup(name)
		if !ok || m.pub.source(p) != s.Source || !name.Within(m.in.Apex.Origin) || name == m.in.Apex.Origin {
			continue
		}
		key := name.SortKey()
		i, found := slices.BinarySearchFunc(m.owners[:known], key, func(o owner, k string) int { return strings.Compare(o.key, k) })
		if !found {
			o := owner{key: key, say: say{name: name}}
			m.hold(&o, codeHeld)
			m.owners = append(m.owners, o)
			continue
		}
		m.standUp(&m.owners[i], p, s, servers)
	}
	if len(m.owners) > known {
		slices.SortFunc(m.owners, func(a, b owner) int { return strings.Compare(a.key, b.key) })
	}
}

// standUp gives an owner its published state, unless another source has the right
// to it, or its own says just that.
func (m *merger) standUp(o *owner, p span, s Stand, servers map[Name]*owner) {
	same := o.state == fresh && m.sameSay(o, p) && m.sameGlue(o, p, servers)
	if o.state == absent || o.state == fresh && (s.Over || o.source == s.Source && !same) {
		m.hold(o, codeHeld)
		o.same = same
	}
}

// relax lets go of owners that stood only against being hidden, where nothing
// would hide them any more.
func (m *merger) relax() {
	if len(m.in.Stand) == 0 {
		return
	}
	for i := range m.owners {
		if o := &m.owners[i]; o.state == held && o.code == codeHeld && o.same && !o.shielded {
			o.state = fresh
		}
	}
}

// sameSay reports whether a fresh owner is from the source that it is published
// from and has the same records: then nothing of it is held any more.
func (m *merger) sameSay(o *owner, p span) bool {
	var was []Entry
	for _, e := range m.pub.zone.Entries[p.from:p.to] {
		if e.Name == o.say.name && !isAddress(e.Record) {
			was = append(was, e)
		}
	}
	return o.source == m.pub.source(p) && slices.EqualFunc(was, m.set(&o.say), func(a, b Entry) bool { return a.Type == b.Type && a.Data == b.Data })
}

// sameGlue reports whether a fresh owner comes with the addresses that it is
// published with. Those of hosts that are no name servers do not get in.
func (m *merger) sameGlue(o *owner, p span, servers map[Name]*owner) bool {
	var was, is []Record
	for _, e := range m.pub.entries(p) {
		if isAddress(e.Record) {
			was = append(was, Record{Name: e.Name, Type: e.Type, Data: e.Data})
		}
	}
	i, _ := slices.BinarySearchFunc(m.glue, o.key, func(g glueSet, k string) int { return strings.Compare(g.key, k) })
	for ; i < len(m.glue) && strings.HasPrefix(m.glue[i].key, o.key); i++ {
		g := &m.glue[i]
		if g.frag != o.say.frag || servers[g.name] == nil {
			continue
		}
		for _, e := range m.arena[g.from:min(g.to, g.from+maxSet)] {
			is = append(is, Record{Name: e.Name, Type: e.Type, Data: e.Data})
		}
	}
	return slices.Equal(was, is)
}

func standingNames(stand map[Name]Stand) []Name {
	names := make([]Name, 0, len(stand))
	for n := range stand {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// settleAboveHeld keeps out an owner that would hide one whose loss is held. It
// cannot be published itself: the published zone has no delegation below another.
func (m *merger) settleAboveHeld(o *owner, below []owner) bool {
	var first *owner
	for i := range below {
		if d := &below[i]; d.state == held && d.code == codeHeld {
			d.shielded = true
			if first == nil {
				first = d
			}
		}
	}
	if first == nil {
		return false
	}
	o.state, o.source = absent, ""
	m.note(codeHeld, o.say, "%s would hide %s, whose loss is held; it is not published until that is accepted (zonebuild held)", o.say.name, first.say.name)
	return true
}

// StandsOf returns what stands in a published zone because its loss was held, as
// [Merge] needs it to make the same zone again.
func StandsOf(kept []KeptRecord) map[Name]Stand {
	var stands map[Name]Stand
	for _, k := range kept {
		if k.Why == codeHeld && (k.Type == TypeNS || k.Type == TypeCNAME) {
			if stands == nil {
				stands = map[Name]Stand{}
			}
			stands[k.Name] = Stand{Source: k.Input.Source, Over: true}
		}
	}
	return stands
}
