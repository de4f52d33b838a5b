package sign

import (
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

// listed is the parent with an NS set of these hosts, signed by its keys.
func (tr *tree) listed(hosts ...string) string {
	records := []string{"in-addr.arpa. 3600 IN SOA a.example. b.example. 1 1 1 1 1"}
	for _, h := range hosts {
		records = append(records, "in-addr.arpa. 86400 IN NS "+h)
	}
	z := peers.SignedZone{Name: "in-addr.arpa.", Keys: []*peers.ZoneKey{tr.parent, tr.zsk}, From: tr.now.Add(-24 * time.Hour), Until: tr.now.Add(tr.until), Records: records}
	return z.Sign(tr.t)
}

// The servers of a parent are those of its own NS set, validated and fresh, and all
// that it named of late; a resolver's word does not make a list complete.
func TestSightingsList(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(tr *tree)
		want  string // "": complete
	}{
		{"its only server was asked", func(*tree) {}, ""},
		{"never asked", func(tr *tree) { tr.o.Parents = nil }, "was never asked of themselves"},
		{"nobody gave it", func(tr *tree) { tr.o.Parents[0].NS = nil }, "none of its servers gave its NS set"},
		{"named by a person", func(tr *tree) { tr.o.Parents = []zone.ObservedParent{{Zone: "in-addr.arpa.", Named: true}} }, ""},
		{"another server in the list", func(tr *tree) { tr.list(tr.listed("a.example.", "b.example.")) }, "b.example.: it serves in-addr.arpa and was not asked"},
		{"… of which a person knows", func(tr *tree) {
			tr.list(tr.listed("a.example.", "b.example."))
			tr.o.Parents[0].Named = true
		}, ""},
		{"no signature", func(tr *tree) { tr.spoil("in-addr.arpa.", zone.TypeNS, func(s *zone.RRset) { s.Signatures = nil }) }, "has no signature by a trusted key of in-addr.arpa."},
		{"made up", func(tr *tree) {
			tr.spoil("in-addr.arpa.", zone.TypeNS, func(s *zone.RRset) { s.Data[0] = zone.Name("c.example.").AppendWire(nil) })
		}, "does not verify"},
		{"another zone's", func(tr *tree) {
			text := tr.signed("arpa.", []*peers.ZoneKey{tr.arpa})
			tr.o.Parents[0].NS[0].Set = tr.add(tr.set(text, "arpa.", zone.TypeNS))
		}, "what stands for its NS set is another"},
		{"old", func(tr *tree) {
			tr.o.Parents[0].NS[0].First, tr.o.Parents[0].NS[0].Last = tr.now.Add(-25*time.Hour), tr.now.Add(-25*time.Hour)
		}, "longer ago than observe.fresh_for"},
		{"to come", func(tr *tree) { tr.o.Parents[0].NS[0].Last = tr.now.Add(time.Hour) }, "one of the clocks is wrong"},
		{"a forged one beside it", func(tr *tree) {
			s := tr.set(tr.listed("z.example."), "in-addr.arpa.", zone.TypeNS)
			s.Signatures = nil
			tr.o.Parents[0].NS = append(tr.o.Parents[0].NS, zone.SeenSet{Set: tr.add(s), First: tr.now, Last: tr.now})
		}, "z.example.: it serves"},
		{"too many", func(tr *tree) {
			for len(tr.o.Parents[0].NS) < zone.MaxParentLists {
				tr.o.Parents[0].NS = append(tr.o.Parents[0].NS, tr.o.Parents[0].NS[0])
			}
		}, "different NS sets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t)
			tr.observe(tr.ds)
			c.spoil(tr)
			s := tr.judge(tr.root.DS())
			if s.Complete != (c.want == "") || !strings.Contains(strings.Join(s.Missing, "\n"), c.want) {
				t.Errorf("complete %v, missing %q, want %q", s.Complete, s.Missing, c.want)
			}
			if _, ok := s.Since(dsData(t, tr.child)); ok != s.Complete {
				t.Error("the DS counts as seen everywhere, and was not")
			}
		})
	}
}

// A list that shrank: the server that it lost counts for a week, and what was found
// of it counts as well.
func TestSightingsListShrinks(t *testing.T) {
	tr := newTree(t)
	tr.observe(tr.ds)
	tr.list(tr.listed("a.example.", "b.example."))
	for hours := 0; hours <= 8*24; hours += 12 {
		if hours > 0 {
			tr.now = tr.now.Add(12 * time.Hour)
			tr.observe(tr.ds)
		}
		s := tr.judge(tr.root.DS())
		if want := hours >= 7*24; s.Complete != want {
			t.Errorf("after %d h: %v", hours, s)
		}
		if _, ok := s.Since(dsData(t, tr.child)); ok != s.Complete {
			t.Errorf("after %d h the DS counts as seen everywhere", hours)
		}
		if !slices.IsSorted(s.Missing) && len(s.Missing) > 1 {
			t.Errorf("%q", s.Missing)
		}
	}
}
