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
	known := len(m.owners)
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
		if o := &m.owners[i]; o.state == absent || o.state == fresh && (o.source == s.Source || s.Over) {
			m.hold(o, codeHeld)
		}
	}
	if len(m.owners) > known {
		slices.SortFunc(m.owners, func(a, b owner) int { return strings.Compare(a.key, b.key) })
	}
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
	for i := range below {
		if d := &below[i]; d.state == held && d.code == codeHeld {
			o.state, o.source = absent, ""
			m.note(codeHeld, o.say, "%s would hide %s, whose loss is held; it is not published until that is accepted (zonebuild held)", o.say.name, d.say.name)
			return true
		}
	}
	return false
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
