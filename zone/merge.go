package zone

import (
	"cmp"
	"slices"
	"strings"
)

// MergeInput is everything that decides what a parent zone becomes.
type MergeInput struct {
	Apex      Apex
	Registry  string      // name of the registry's own source: its delegations win
	Claims    *Claims     // who may speak for which ranges; the registry needs none
	Fragments []*Fragment // at most one a source, in any order; nil ones are skipped
	Published *Zone       // what is published now; nil if nothing is
	// Ask, if not nil, is called for it when the first question about what is
	// published comes, at most once. If it is not called the zone is the same
	// whatever is published.
	Ask func() *Zone
	// Released are the owners that staff let go although their claims moved
	// and no new manager has asserted them.
	Released map[Name]bool
	// Stand are the owners that keep their published state because their loss is
	// held.
	Stand map[Name]Stand
}

// Merge joins what the sources say into the parent zone. It is total: it always
// finishes, and says what it decided in sorted notices, whose codes [Codes]
// documents: at most 10 000 a source, and then one that counts the rest. The order of the fragments does not matter.
//
// Owners are decided one by one, from what the fragments and the claims say of
// them and from their own published state, and then from the top of the tree
// down:
//
//   - What the registry delegates is the registry's, NS and DS together, and so
//     is everything below it (policy APNIC-103, appendix).
//   - A source speaks for ranges wholly inside its claims. The registry needs
//     no claims, and its own never contest another's.
//   - An owner with an impossible set, one in a range that several sources
//     claim, and one above a name of the registry keep their published state,
//     present or absent. So does a delegation whose source asserts it still but
//     lost the claims, until the new manager asserts the owner or something
//     below it, or staff release it.
//   - An owner in Stand keeps its published state, and a delegation that would
//     hide it stays out.
//   - Of two delegations one above the other the upper one stands; the lower
//     one would be hidden by it.
//
// Published state that stands is marked in [Entry.Kept], even where the inputs
// happen to say the same. Because every decision reads the published state of
// its own owner alone, and only to keep it, Merge gives the same zone for the
// full published zone as for a zone with nothing but the records it kept, and
// then it needs to know of no release, and of what stands only [StandsOf] those:
// that is how a build is replayed.
func Merge(in MergeInput) (*Zone, []Notice) {
	m := newMerger(in)
	m.readAll()
	m.addContested()
	m.addStanding()
	m.resolveTree()
	m.relax()
	z := m.assemble()
	m.noteMore()
	SortNotices(m.notices)
	return z, m.notices
}

// A merger is the state of one Merge.
type merger struct {
	in      MergeInput
	frags   []*Fragment // the registry's first, then by source
	arena   []Entry     // records of says, Input counting into frags
	owners  []owner     // in canonical order
	glue    []glueSet   // in canonical order
	hosts   map[hostOf]bool
	pub     *published
	buf     []Located // of one say, reused
	says    []say     // of one owner, reused
	notices []Notice
	told    map[string]*told // by source
}

// A hostOf is a host that a fragment gives an address for.
type hostOf struct {
	frag int32
	name Name
}

// A say is what one source says of one owner, after cleaning.
type say struct {
	name     Name
	frag     int32
	from, to int32  // NS, DS and CNAME records in the arena
	line     uint32 // the first
	fault    *fault // why the set is impossible, nil if it is not
}

// A fault says why a set is impossible.
type fault struct {
	code string
	line uint32
	text string
}

// A state says what an owner gets.
type state uint8

const (
	absent state = iota // nothing
	fresh               // what its say says
	held                // its published state
)

// An owner is a name with its decision. There is one for nearly every name of
// the zone: it is kept small.
type owner struct {
	key      string
	say      say    // if fresh; and what a source says if held. It always has the name
	pub      span   // if held
	source   string // of the records it gets
	code     string // if held: why
	state    state
	moved    bool // held because the claims moved; say is of the source that lost them
	registry bool // the registry says something of it
	asserted bool // a source with the right to says something possible of it
	same     bool // if held by Stand: say is what is published
	shielded bool // … and would be hidden
}

// A glueSet holds the addresses that a source gives for a host.
type glueSet struct {
	key      string
	name     Name
	frag     int32
	from, to int32
	line     uint32
	used     bool
}

func newMerger(in MergeInput) *merger {
	m := &merger{in: in, pub: newPublished(in), told: map[string]*told{}}
	frags := slices.DeleteFunc(slices.Clone(in.Fragments), func(f *Fragment) bool { return f == nil })
	slices.SortFunc(frags, func(a, b *Fragment) int {
		if (a.Source == in.Registry) != (b.Source == in.Registry) {
			if a.Source == in.Registry {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.File, b.File), strings.Compare(a.SHA256, b.SHA256))
	})
	for _, f := range frags {
		if n := len(m.frags); n > 0 && m.frags[n-1].Source == f.Source {
			m.notices = append(m.notices, Notice{
				Code: codeSecondFile, Severity: severities[codeSecondFile], Source: f.Source, Zone: in.Apex.Origin, Pos: Pos{File: f.File},
				Text: "a second file of the same source for this zone is ignored, " + m.frags[n-1].File + " counts; give the merge one file a source",
			})
			continue
		}
		m.frags = append(m.frags, f)
	}
	return m
}

func (m *merger) isRegistry(frag int32) bool { return m.frags[frag].Source == m.in.Registry }

// set returns the delegation's records of a say.
func (m *merger) set(s *say) []Entry { return m.arena[s.from:s.to] }

// of returns the TTL that a set with a TTL of its own gets in the zone.
func (t TTL) of(source uint32) uint32 {
	if !t.FromSource {
		return t.Fixed
	}
	return min(max(source, t.Min), t.Max)
}
