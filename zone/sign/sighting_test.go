package sign

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

const childZone zone.Name = "202.in-addr.arpa."

// A tree is root, arpa, in-addr.arpa and a zone below it, each signed.
type tree struct {
	t           *testing.T
	now         time.Time
	root, arpa  *peers.ZoneKey
	parent, zsk *peers.ZoneKey
	child, next *peers.ZoneKey
	ds          []string      // of the zone at its parent
	until       time.Duration // of the parent's signatures, from now
	o           zone.Observations
}

func newTree(t *testing.T) *tree {
	key := func(name string, flags uint16) *peers.ZoneKey { return peers.NewZoneKey(t, name, flags) }
	tr := &tree{
		t: t, now: testNow, root: key(".", 257), arpa: key("arpa", 257), parent: key("in-addr.arpa", 257), zsk: key("in-addr.arpa", 256),
		child: key(string(childZone), 257), next: key(string(childZone), 257), until: 10 * 24 * time.Hour,
	}
	tr.ds = []string{tr.child.DS()}
	return tr
}

// signed is a zone with nothing but an apex and the records given.
func (tr *tree) signed(name string, keys []*peers.ZoneKey, records ...string) string {
	return peers.SignedZone{
		Name: name, Keys: keys, From: tr.now.Add(-24 * time.Hour), Until: tr.now.Add(tr.until),
		Records: append([]string{name + " 3600 IN SOA a.example. b.example. 1 1 1 1 1", name + " 86400 IN NS a.example."}, records...),
	}.Sign(tr.t)
}

// set takes a set with its signatures out of a zone's text.
func (tr *tree) set(text string, name zone.Name, typ zone.Type) zone.RRset {
	tr.t.Helper()
	s := zone.RRset{Name: name, Type: typ}
	for line := range strings.Lines(text) {
		r, err := zone.ParseRecord(line)
		if err != nil {
			tr.t.Fatal(err)
		}
		switch {
		case r.Name != name:
		case r.Type == typ:
			s.TTL = r.TTL
			s.Data = append(s.Data, []byte(r.Data))
		case r.Type == zone.TypeRRSIG && zone.Type(r.Data[0])<<8|zone.Type(r.Data[1]) == typ:
			s.Signatures = append(s.Signatures, []byte(r.Data))
		}
	}
	if len(s.Data) == 0 {
		tr.t.Fatalf("no %s set of %s", typ, name)
	}
	slices.SortFunc(s.Data, bytes.Compare)
	slices.SortFunc(s.Signatures, bytes.Compare)
	return s
}

func (tr *tree) add(s zone.RRset) string {
	id := s.ID()
	if tr.o.Index()[id] == nil {
		tr.o.Sets = append(tr.o.Sets, s)
	}
	return id
}

func (tr *tree) above(s zone.RRset) {
	id := tr.add(s)
	if i := slices.IndexFunc(tr.o.Chain, func(c zone.SeenSet) bool { return c.Set == id }); i >= 0 {
		tr.o.Chain[i].Last = tr.now
		return
	}
	tr.o.Chain = append(tr.o.Chain, zone.SeenSet{Set: id, First: tr.now, Last: tr.now})
}

// observe notes the chain and what each of the addresses, 192.0.2.1 and so on, says
// now: a DS set, or that there is none.
func (tr *tree) observe(dsOf ...[]string) {
	tr.above(tr.set(tr.signed(".", []*peers.ZoneKey{tr.root}, tr.arpa.DS(), "arpa. 86400 IN NS a.example."), ".", zone.TypeDNSKEY))
	tr.above(tr.set(tr.signed(".", []*peers.ZoneKey{tr.root}, tr.arpa.DS(), "arpa. 86400 IN NS a.example."), "arpa.", zone.TypeDS))
	arpa := tr.signed("arpa.", []*peers.ZoneKey{tr.arpa}, tr.parent.DS(), "in-addr.arpa. 86400 IN NS a.example.")
	tr.above(tr.set(arpa, "arpa.", zone.TypeDNSKEY))
	tr.above(tr.set(arpa, "in-addr.arpa.", zone.TypeDS))
	tr.o.Version = zone.ObservationsVersion
	if len(tr.o.Zones) == 0 {
		tr.o.Zones = []zone.ObservedZone{{Zone: childZone, Parent: "in-addr.arpa."}}
	}
	z := &tr.o.Zones[0]
	for i, ds := range dsOf {
		text := tr.signed("in-addr.arpa.", []*peers.ZoneKey{tr.parent, tr.zsk}, append([]string{string(childZone) + " 86400 IN NS ns.example."}, ds...)...)
		tr.above(tr.set(text, "in-addr.arpa.", zone.TypeDNSKEY))
		typ := zone.TypeDS
		if len(ds) == 0 {
			typ = zone.TypeNSEC
		}
		tr.list(text)
		id := tr.add(tr.set(text, childZone, typ))
		if i == len(z.Delegation) {
			z.Delegation = append(z.Delegation, zone.Observation{Server: "a.example.", Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 53), First: tr.now})
		}
		o := &z.Delegation[i]
		o.Last, o.Asked, o.Denied = tr.now, tr.now, len(ds) == 0
		if n := len(o.Sets); n > 0 && o.Sets[n-1].Set == id {
			o.Sets[n-1].Last = tr.now
		} else {
			o.Sets = append(o.Sets, zone.SeenSet{Set: id, First: tr.now, Last: tr.now})
		}
	}
	if _, err := zone.ParseObservations("o", tr.o.Encode()); err != nil {
		tr.t.Fatal(err)
	}
}

// list notes the NS set that a server of the parent gives.
func (tr *tree) list(text string) {
	id := tr.add(tr.set(text, "in-addr.arpa.", zone.TypeNS))
	if len(tr.o.Parents) == 0 {
		tr.o.Parents = []zone.ObservedParent{{Zone: "in-addr.arpa."}}
	}
	p := &tr.o.Parents[0]
	if i := slices.IndexFunc(p.NS, func(c zone.SeenSet) bool { return c.Set == id }); i >= 0 {
		p.NS[i].Last = tr.now
		return
	}
	p.NS = append(p.NS, zone.SeenSet{Set: id, First: tr.now, Last: tr.now})
}

func (tr *tree) anchors(lines ...string) []zone.Record {
	tr.t.Helper()
	out, err := zone.ParseAnchors("anchors", []byte(strings.Join(lines, "\n")))
	if err != nil {
		tr.t.Fatal(err)
	}
	return out
}

func (tr *tree) judge(anchors ...string) *Sightings {
	return NewJudge(&tr.o, tr.anchors(anchors...), tr.now, 24*time.Hour).Zone(childZone)
}

func dsData(t *testing.T, k *peers.ZoneKey) zone.Data {
	r, err := zone.ParseRecord(k.DS())
	if err != nil {
		t.Fatal(err)
	}
	return r.Data
}

// A DS set is believed by every form of anchor, at every height.
func TestSightingsByAnchor(t *testing.T) {
	tr := newTree(t)
	tr.observe(tr.ds, tr.ds)
	for name, anchor := range map[string]string{
		"root DS": tr.root.DS(), "root DNSKEY": tr.root.DNSKEY(), "arpa DS": tr.arpa.DS(), "parent DS": tr.parent.DS(), "parent DNSKEY": tr.parent.DNSKEY(),
	} {
		s := tr.judge(anchor)
		if !s.Complete || len(s.Rows) != 2 || len(s.Rows[1].DS) != 1 || s.TTL() != 24*time.Hour || s.Parent != "in-addr.arpa." {
			t.Errorf("%s: %v %+v", name, s, s)
		}
		if since, ok := s.Since(dsData(t, tr.child)); !ok || !since.Equal(tr.now) {
			t.Errorf("%s: since %v, %v", name, since, ok)
		}
		if _, ok := s.Since(dsData(t, tr.next)); ok {
			t.Errorf("%s: a DS that is not there was seen", name)
		}
	}
}

// What does not validate is not believed, and it is said why.
func TestSightingsRefused(t *testing.T) {
	other := func(tr *tree) string { return peers.NewZoneKey(tr.t, ".", 257).DS() }
	root := func(tr *tree) string { return tr.root.DS() }
	for _, c := range []struct {
		name   string
		spoil  func(tr *tree)
		anchor func(tr *tree) string
		want   string
	}{
		{"wrong anchor", nil, other, "no key of . is one that its trust anchor or DS set names"},
		{"an anchor of the same tag", nil, func(tr *tree) string {
			d := strings.Fields(tr.root.DS())
			d[len(d)-1] = "00" + d[len(d)-1][2:]
			return strings.Join(d, " ")
		}, "no key of . is one that its trust anchor or DS set names"},
		{"a revoked key", func(tr *tree) {
			tr.parent, tr.o = peers.NewZoneKey(tr.t, "in-addr.arpa", 257|128), zone.Observations{}
			tr.observe(tr.ds)
		}, func(tr *tree) string { return tr.parent.DS() }, "is one that its trust anchor or DS set names"},
		{"signed by itself", func(tr *tree) {
			tr.o = zone.Observations{}
			tr.observe(tr.ds)
			text := tr.signed(string(childZone), []*peers.ZoneKey{tr.child}, tr.child.DS())
			tr.above(tr.set(text, childZone, zone.TypeDNSKEY))
			tr.o.Zones[0].Delegation[0].Sets[0].Set = tr.add(tr.set(text, childZone, zone.TypeDS))
		}, root, "has no signature by a zone above it"},
		{"a wildcard's signature", func(tr *tree) {
			text := tr.signed("in-addr.arpa.", []*peers.ZoneKey{tr.parent, tr.zsk}, strings.Replace(tr.child.DS(), "202.", "*.", 1))
			s := tr.set(text, "*.in-addr.arpa.", zone.TypeDS)
			s.Name = childZone
			tr.o.Zones[0].Delegation[0].Sets[0].Set = tr.add(s)
		}, root, "has no signature by a trusted key of in-addr.arpa."},
		{"a proof that says there is a DS", func(tr *tree) {
			text := tr.signed("in-addr.arpa.", []*peers.ZoneKey{tr.parent, tr.zsk}, string(childZone)+" 86400 IN NS ns.example.", tr.child.DS())
			tr.o.Zones[0].Delegation[0].Sets[0].Set, tr.o.Zones[0].Delegation[0].Denied = tr.add(tr.set(text, childZone, zone.TypeNSEC)), true
		}, root, "neither the DS set nor a proof"},
		{"no anchor above", nil, func(tr *tree) string { return tr.child.DS() }, "there is neither a trust anchor for . nor a DS set of it"},
		{"expired", func(tr *tree) {
			tr.until, tr.o = time.Hour, zone.Observations{}
			tr.observe(tr.ds)
			tr.now = tr.now.Add(2 * time.Hour)
		}, root, "ended at"},
		{"not yet valid", func(tr *tree) { tr.now = tr.now.Add(-25 * time.Hour) }, root, "in the future"},
		{"stale", func(tr *tree) { tr.now = tr.now.Add(25 * time.Hour) }, root, "older than observe.fresh_for"},
		{"changed data", func(tr *tree) { tr.spoil(childZone, zone.TypeDS, func(s *zone.RRset) { s.Data[0][10] ^= 1 }) }, root, "does not verify"},
		{"changed signature", func(tr *tree) {
			tr.spoil(childZone, zone.TypeDS, func(s *zone.RRset) {
				for _, sig := range s.Signatures {
					sig[len(sig)-1] ^= 1
				}
			})
		}, root, "does not verify"},
		{"no signature", func(tr *tree) { tr.spoil(childZone, zone.TypeDS, func(s *zone.RRset) { s.Signatures = nil }) }, root, "has no signature by a zone above it"},
		{"link changed", func(tr *tree) { tr.spoil("in-addr.arpa.", zone.TypeDS, func(s *zone.RRset) { s.Data[0][10] ^= 1 }) }, root, "does not verify"},
		{"link lost", func(tr *tree) {
			tr.o.Chain = slices.DeleteFunc(tr.o.Chain, func(c zone.SeenSet) bool { return tr.o.Index()[c.Set].Name == "arpa." })
		}, root, "was observed"},
		{"another name's set", func(tr *tree) { tr.o.Zones[0].Zone = "203.in-addr.arpa." }, root, "never observed"},
		{"a DS set of somebody else", func(tr *tree) {
			tr.o.Zones[0].Delegation[0].Sets[0].Set = tr.add(tr.set(tr.signed("arpa.", []*peers.ZoneKey{tr.arpa}, tr.parent.DS(), "in-addr.arpa. 86400 IN NS a.example."), "in-addr.arpa.", zone.TypeDS))
		}, root, "neither the DS set nor a proof"},
		{"denied without proof", func(tr *tree) { tr.o.Zones[0].Delegation[0].Denied = true }, root, "no proof that there is no DS set"},
		{"signed beside the parent", func(tr *tree) {
			text := tr.signed("arpa.", []*peers.ZoneKey{tr.arpa}, tr.child.DS(), string(childZone)+" 86400 IN NS a.example.")
			tr.o.Zones[0].Delegation[0].Sets[0].Set = tr.add(tr.set(text, childZone, zone.TypeDS))
		}, root, `is signed by arpa., and "in-addr.arpa" is the parent`},
		{"no parent", func(tr *tree) { tr.o.Zones[0].Parent = "" }, root, "is not known"},
		{"a server nobody found", func(tr *tree) {
			tr.o.Zones[0].Unknown = []zone.UnknownServer{{Server: "b.example.", Parent: true, Reason: "it has no address"}}
		}, root, "b.example.: it has no address"},
		{"never answered", func(tr *tree) {
			tr.o.Zones[0].Delegation[0].Sets, tr.o.Zones[0].Delegation[0].Reason = nil, "no answer over UDP in time"
		}, root, "it never answered: no answer over UDP in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t)
			tr.observe(tr.ds)
			if c.spoil != nil {
				c.spoil(tr)
			}
			s := tr.judge(c.anchor(tr))
			if s.Complete || !strings.Contains(strings.Join(s.Missing, "\n"), c.want) {
				t.Errorf("complete %v, missing %q, want %q", s.Complete, s.Missing, c.want)
			}
			if _, ok := s.Since(dsData(t, tr.child)); ok {
				t.Error("the DS is believed")
			}
		})
	}
	if s := NewJudge(nil, nil, testNow, time.Hour).Zone(childZone); s.Complete || !strings.Contains(s.String(), "observe.anchors") {
		t.Errorf("without anchors: %v", s)
	}
}

// spoil changes the set of that name and type, wherever it is named.
func (tr *tree) spoil(name zone.Name, typ zone.Type, change func(*zone.RRset)) {
	for i := range tr.o.Sets {
		s := &tr.o.Sets[i]
		if s.Name != name || s.Type != typ {
			continue
		}
		was := s.ID()
		change(s)
		for _, list := range [][]zone.SeenSet{tr.o.Chain, tr.o.Parents[0].NS, tr.o.Zones[0].Delegation[0].Sets} {
			for j := range list {
				if list[j].Set == was {
					list[j].Set = s.ID()
				}
			}
		}
	}
}

// One address of two has the DS: it was seen, not everywhere. When the other has it
// too, the time counts from then.
func TestSightingsAtOneAddress(t *testing.T) {
	tr := newTree(t)
	both := []string{tr.child.DS(), tr.next.DS()}
	tr.observe(both, tr.ds)
	s := tr.judge(tr.root.DS())
	if _, ok := s.Since(dsData(t, tr.next)); ok || !s.Complete {
		t.Errorf("seen everywhere: %v, %v", ok, s)
	}
	first := tr.now
	tr.now = tr.now.Add(2 * time.Hour)
	tr.observe(both, both)
	if since, ok := tr.judge(tr.root.DS()).Since(dsData(t, tr.next)); !ok || !since.Equal(tr.now) {
		t.Errorf("since %v, %v", since, ok)
	}
	// The old one was there all the time, though under three signatures.
	tr.now = tr.now.Add(2 * time.Hour)
	tr.observe(both, both)
	if since, ok := tr.judge(tr.root.DS()).Since(dsData(t, tr.child)); !ok || !since.Equal(first) {
		t.Errorf("since %v, %v, want %v", since, ok, first)
	}
	// It goes at one address and comes back: the time begins anew.
	tr.now = tr.now.Add(2 * time.Hour)
	tr.observe(both, tr.ds)
	tr.now = tr.now.Add(2 * time.Hour)
	tr.observe(both, both)
	if since, ok := tr.judge(tr.root.DS()).Since(dsData(t, tr.next)); !ok || !since.Equal(tr.now) {
		t.Errorf("since %v, %v, want %v", since, ok, tr.now)
	}
}

// A gap in which nobody looked breaks the time; so does a set in between that never
// validated.
func TestSightingsGap(t *testing.T) {
	tr := newTree(t)
	tr.observe(tr.ds)
	tr.now = tr.now.Add(30 * time.Hour)
	tr.o.Zones[0].Delegation[0].Sets[0].Last = tr.now.Add(-30 * time.Hour)
	tr.observe(tr.ds)
	if since, ok := tr.judge(tr.root.DS()).Since(dsData(t, tr.child)); !ok || !since.Equal(tr.now) {
		t.Errorf("since %v, %v, want %v", since, ok, tr.now)
	}
	forged := tr.o.Zones[0].Delegation[0].Sets[1]
	forged.Set = tr.add(zone.RRset{Name: childZone, Type: zone.TypeDS, TTL: 1, Data: [][]byte{[]byte(dsData(t, tr.next)), []byte(dsData(t, tr.child))}})
	first := tr.now
	tr.now = tr.now.Add(2 * time.Hour)
	tr.observe([]string{tr.child.DS(), tr.next.DS()})
	list := &tr.o.Zones[0].Delegation[0].Sets
	*list = slices.Insert(*list, len(*list)-1, forged)
	s := tr.judge(tr.root.DS())
	if since, ok := s.Since(dsData(t, tr.next)); !ok || since.Equal(first) {
		t.Errorf("since %v, %v: a forged answer counts", since, ok)
	}
}

// The proof that there is no DS is believed as the DS is.
func TestSightingsDenied(t *testing.T) {
	tr := newTree(t)
	tr.observe(nil)
	s := tr.judge(tr.root.DS())
	if !s.Complete || len(s.Rows) != 1 || len(s.Rows[0].DS) != 0 || s.TTL() != time.Hour {
		t.Errorf("%+v", s)
	}
	tr.spoil(childZone, zone.TypeNSEC, func(s *zone.RRset) { s.Data[0][len(s.Data[0])-1] ^= 1 })
	if s := tr.judge(tr.root.DS()); s.Complete {
		t.Errorf("a changed proof: %v", s)
	}
}

// Keys that share a tag cannot make the work grow without end.
func TestSightingsBudget(t *testing.T) {
	tr := newTree(t)
	tr.observe(tr.ds)
	j := NewJudge(&tr.o, tr.anchors(tr.root.DS()), tr.now, time.Hour)
	j.chain.budget = 2
	if s := j.Zone(childZone); s.Complete || !strings.Contains(fmt.Sprint(s), errBudget.Error()) {
		t.Errorf("%v", s)
	}
}
