package zone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var gateNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// lossesOf makes n losses of a kind, numbered from first.
func lossesOf(kind string, first, n int) []Loss {
	var out []Loss
	for i := range n {
		x := Loss{Kind: kind, Name: lostName(first + i)}
		if kind != KindRemoved && kind != KindShadowed {
			x.Was, x.Is = []string{"was"}, []string{"is"}
		}
		out = append(out, x)
	}
	return out
}

func lostName(i int) Name { return testName(fmt.Sprintf("%d.%d", i%256, i/256)) }

func lapseOf(kind string, before, first, n int, age time.Duration) Ledger {
	if n == 0 {
		return nil
	}
	p := Lapse{Source: "JPNIC", Kind: kind, Time: gateNow.Add(-age), Before: before}
	for i := range n {
		p.Names = append(p.Names, lostName(first+i))
	}
	return Ledger{p}
}

// TestGateKindsAndWindows: every kind, under, at and over every limit, in one run,
// over 24 hours and over 7 days.
func TestGateKindsAndWindows(t *testing.T) {
	limits := Limits{Percent: 5, Least: 10, Most: 100, TotalPercent: 100, Wide4: 8}
	for _, kind := range LossKinds {
		for _, w := range []struct {
			name    string
			past    int           // unheld before
			age     time.Duration // … and how long ago
			over    string
			without time.Duration // the window that does not see them any more
		}{
			{"run", 0, 0, "", 0},
			{"24 h", 5, Day - time.Second, " over 24 h", Day},
			{"7 d", 5, Week - time.Second, " over 7 d", Week},
		} {
			for _, tt := range []struct {
				name   string
				before int
				lost   int
				rule   string
			}{
				{"share under", 1000, 49, ""},
				{"share at", 1000, 50, ""},
				{"share over", 1000, 51, "share"},
				{"least under", 100, 9, ""},
				{"least at", 100, 10, "share"},
				{"most under", 100000, 99, ""},
				{"most at", 100000, 100, "most"},
				{"most over", 100000, 101, "most"},
			} {
				t.Run(kind+"/"+w.name+"/"+tt.name, func(t *testing.T) {
					c := SourceChange{Source: "JPNIC", Zone: testApex.Origin, Before: tt.before, Signed: tt.before, After: tt.before, Losses: lossesOf(kind, 0, tt.lost-w.past)}
					c.Past = lapseOf(kind, tt.before, 5000, w.past, w.age)
					holds := Gate([]SourceChange{c}, limits, nil, gateNow)
					if tt.rule == "" {
						if len(holds) != 0 {
							t.Fatalf("held: %+v", holds)
						}
						return
					}
					if len(holds) != 1 || holds[0].Kind != kind || !strings.Contains(holds[0].Rule, tt.rule+w.over+": ") || len(holds[0].Losses) != tt.lost-w.past {
						t.Fatalf("holds %+v, want %s", holds, tt.rule+w.over)
					}
					if w.past > 0 { // a second later they are out of that window
						c.Past[0].Time = gateNow.Add(-w.without)
						for _, h := range Gate([]SourceChange{c}, limits, nil, gateNow) {
							if strings.Contains(h.Rule, w.over) {
								t.Errorf("still counted: %s", h.Rule)
							}
						}
					}
				})
			}
		}
	}
}

// TestGateTotalWindows: a source's total over all zones, over time.
func TestGateTotalWindows(t *testing.T) {
	limits := Limits{Percent: 100, Most: 1 << 30, TotalPercent: 2, Wide4: 8}
	zone := func(z Name, before, fresh, past int, age time.Duration) SourceChange {
		return SourceChange{Source: "JPNIC", Zone: z, Before: before - past, After: before - past - fresh, Losses: lossesOf(KindRemoved, 0, fresh), Past: lapseOf(KindRemoved, before, 5000, past, age)}
	}
	for _, tt := range []struct {
		name        string
		fresh, past int
		age         time.Duration
		want        string
	}{
		{"at, in a run", 40, 0, 0, ""},
		{"over, in a run", 41, 0, 0, "total: 41 of 2000"},
		{"at, in a day", 20, 20, Day - 1, ""},
		{"over, in a day", 20, 21, Day - 1, "total over 24 h: 41 of 2000"},
		{"over, in a week", 20, 21, Week - 1, "total over 7 d: 41 of 2000"},
		{"over, in more than a week", 20, 21, Week, ""},
	} {
		changes := []SourceChange{zone("202.in-addr.arpa.", 1000, tt.fresh, 0, 0), zone("203.in-addr.arpa.", 1000, 0, tt.past, tt.age)}
		holds := Gate(changes, limits, nil, gateNow)
		if (tt.want == "") != (len(holds) == 0) || tt.want != "" && !strings.Contains(holds[0].Rule, tt.want) {
			t.Errorf("%s: %+v, want %q", tt.name, holds, tt.want)
		}
	}
	over := []SourceChange{zone("202.in-addr.arpa.", 1000, 20, 0, 0), zone("203.in-addr.arpa.", 1000, 0, 21, time.Hour)}
	over[1].Past[0].Kind, over[1].Past[0].Was = KindShadowed, slices.Repeat([]string{overPrefix + "x"}, 21)
	if holds := Gate(over, limits, nil, gateNow); len(holds) != 0 {
		t.Errorf("what others took over counts as a fall: %+v", holds)
	}
	lax := limits
	lax.Totals = []Limit{{Window: Day, Percent: 50}}
	changes := []SourceChange{zone("202.in-addr.arpa.", 1000, 20, 0, 0), zone("203.in-addr.arpa.", 1000, 0, 21, Day-1)}
	if holds := Gate(changes, lax, nil, gateNow); len(holds) != 1 || strings.Contains(holds[0].Rule, "24 h") || !strings.Contains(holds[0].Rule, "7 d") {
		t.Errorf("with a limit of its own for the day: %+v", holds)
	}
}

// TestGateBaseAfterAccept: a source that has shrunk with a person's agreement is
// measured by what is left.
func TestGateBaseAfterAccept(t *testing.T) {
	limits := Limits{Percent: 5, Least: 10, Most: 100, TotalPercent: 100, Wide4: 8}
	c := SourceChange{Source: "JPNIC", Zone: testApex.Origin, Before: 100, After: 100, Losses: lossesOf(KindNS, 0, 5), Past: lapseOf(KindNS, 1000, 5000, 6, time.Hour)}
	if holds := Gate([]SourceChange{c}, limits, nil, gateNow); len(holds) != 1 || !strings.Contains(holds[0].Rule, "11 of 106") {
		t.Errorf("%+v", holds)
	}
}

// TestGateSpecialLimits: a kind and a window may have limits of their own.
func TestGateSpecialLimits(t *testing.T) {
	lim := Limits{Percent: 5, Least: 10, Most: 100, Special: []Limit{{Kind: KindNS, Window: 0, Percent: 5, Least: 10, Most: 20}, {Kind: KindRemoved, Window: Day, Percent: 5, Least: 10, Most: 15}}, TotalPercent: 100}
	for _, tt := range []struct {
		kind       string
		lost, past int
		want       bool
	}{
		{KindNS, 20, 0, true},
		{KindNS, 19, 0, false},
		{KindDSAdded, 20, 0, false},
		{KindRemoved, 14, 0, false},
		{KindRemoved, 15, 0, true}, // the limit of a day is stricter than that of a run
		{KindRemoved, 8, 7, true},
	} {
		c := SourceChange{Source: "JPNIC", Zone: testApex.Origin, Before: 10000, Signed: 10000, After: 10000, Losses: lossesOf(tt.kind, 0, tt.lost), Past: lapseOf(tt.kind, 10000, 5000, tt.past, time.Hour)}
		if holds := Gate([]SourceChange{c}, lim, nil, gateNow); (len(holds) > 0) != tt.want {
			t.Errorf("%+v: %+v", tt, holds)
		}
	}
}

// TestGateSignedShare: the share of DS that change or go is of what is signed.
func TestGateSignedShare(t *testing.T) {
	for kind, want := range map[string]int{KindDSRemoved: 1, KindDSChanged: 1, KindDSAdded: 0, KindNS: 0} {
		c := SourceChange{Source: "JPNIC", Zone: testApex.Origin, Before: 10000, After: 10000, Signed: 70, Losses: lossesOf(kind, 0, 70)}
		if got := Gate([]SourceChange{c}, testLimits, nil, gateNow); len(got) != want {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// TestSourceChangesKinds: each way in which an owner changes.
func TestSourceChangesKinds(t *testing.T) {
	ds, other := "DS "+ds256, "DS "+strings.Replace(ds256, "1 13", "2 13", 1)
	for _, tt := range []struct{ name, before, after, want string }{
		{"nothing", "JPNIC: 28.12 NS a.example.", "JPNIC: 28.12 NS a.example.", ""},
		{"removed", "JPNIC: 28.12 NS a.example.", "", "removed"},
		{"hidden by its own source", "JPNIC: 28.12 NS a.example.", "JPNIC: 12 NS a.example.", "shadowed by 12.202.in-addr.arpa. of JPNIC"},
		{"hidden by another", "JPNIC: 28.12 NS a.example.", "APNIC: 12 NS a.example.", "shadowed by 12.202.in-addr.arpa. of APNIC"},
		{"taken over with the same", "JPNIC: 28.12 NS a.example.", "APNIC: 28.12 NS a.example.", ""},
		{"taken over with others", "JPNIC: 28.12 NS a.example.", "APNIC: 28.12 NS b.example.", "shadowed by APNIC"},
		{"another name server", "JPNIC: 28.12 NS a.example.", "JPNIC: 28.12 NS b.example.", "ns-replaced"},
		{"one more name server", "JPNIC: 28.12 NS a.example.", "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.", "ns-replaced"},
		{"a first DS", "JPNIC: 28.12 NS a.example.", "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 " + ds, "ds-added"},
		{"another DS", "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 " + ds, "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 " + other, "ds-changed"},
		{"no DS", "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 " + ds, "JPNIC: 28.12 NS a.example.", "ds-removed"},
		{"both", "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 " + ds, "JPNIC: 28.12 NS b.example.", "ns-replaced ds-removed"},
		{"glue only", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.2", "ns-replaced"},
		{"the same glue", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", ""},
		{"one address more", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1\nJPNIC: ns.28.12 AAAA 2001:db8::1", "ns-replaced"},
		{"glue gone", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "JPNIC: 28.12 NS ns.28.12", "ns-replaced"},
		{"glue elsewhere", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1\nJPNIC: 29.12 NS ns.28.12\nJPNIC: 30.12 NS x.example.", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.2\nJPNIC: 29.12 NS ns.28.12\nJPNIC: 30.12 NS x.example.", "ns-replaced ns-replaced"},
		{"taken over with other glue", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "APNIC: 28.12 NS ns.28.12\nAPNIC: ns.28.12 A 192.0.2.2", "shadowed by APNIC"},
		{"an alias goes", "APNIC: 0-127.28.12 NS a.example.\nAPNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 0-127.28.12 NS a.example.", "removed"},
		{"an alias of another name", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 1.28.12 CNAME 1.0-63.28.12", "ns-replaced"},
		{"an alias becomes a delegation", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 1.28.12 NS a.example.", "ns-replaced"},
		{"an alias below a new delegation", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 28.12 NS a.example.", "shadowed by 28.12.202.in-addr.arpa. of APNIC"},
		{"the same alias", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 1.28.12 CNAME 1.0-127.28.12", ""},
	} {
		var got []string
		for _, c := range SourceChanges(testZone(t, tt.before), testZone(t, tt.after)) {
			for _, x := range c.Losses {
				s := x.Kind
				if x.By != "" {
					s += " by " + x.By
				}
				got = append(got, s)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// TestLedgerStanding: what came back does not count.
func TestLedgerStanding(t *testing.T) {
	prev := testZone(t, "JPNIC: 1.12 NS a.example.\nJPNIC: 2.12 NS a.example.\nJPNIC: 3.12 NS a.example.\nJPNIC: 3.12 DS "+ds256+"\nJPNIC: 4.12 NS a.example.")
	lost := testZone(t, "JPNIC: 2.12 NS b.example.\nJPNIC: 3.12 NS a.example.\nKRNIC: 4.12 NS k.example.")
	none := func(string, string) bool { return false }
	l := Ledger(nil).Advance(SourceChanges(prev, lost), nil, none, gateNow)
	if len(l) != 4 {
		t.Fatalf("ledger %+v", l)
	}
	for _, tt := range []struct{ name, zone, want string }{
		{"nothing back", "JPNIC: 2.12 NS b.example.\nJPNIC: 3.12 NS a.example.\nKRNIC: 4.12 NS k.example.", "removed shadowed ns-replaced ds-removed"},
		{"all back", "JPNIC: 1.12 NS a.example.\nJPNIC: 2.12 NS a.example.\nJPNIC: 3.12 NS a.example.\nJPNIC: 3.12 DS " + ds256 + "\nJPNIC: 4.12 NS a.example.", ""},
		{"back from another, or otherwise", "KRNIC: 1.12 NS a.example.\nJPNIC: 2.12 NS c.example.\nJPNIC: 3.12 NS z.example.\nJPNIC: 3.12 DS " + ds256 + "\nKRNIC: 4.12 NS a.example.", "ns-replaced"},
		{"back with other servers", "JPNIC: 1.12 NS z.example.", "removed shadowed ns-replaced ds-removed"},
		{"all gone", "", "removed shadowed ns-replaced ds-removed"},
	} {
		var got []string
		for _, p := range l.Standing(testZone(t, tt.zone)) {
			got = append(got, p.Kind)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// TestLedgerAdvance: what is entered, what makes a new baseline, what ages out.
func TestLedgerAdvance(t *testing.T) {
	none := func(string, string) bool { return false }
	change := func(first, n int) []SourceChange {
		return []SourceChange{{Source: "JPNIC", Zone: testApex.Origin, Before: 1000, After: 1000 - n, Losses: lossesOf(KindRemoved, first, n)}}
	}
	one := Ledger(nil).Advance(change(0, 3), nil, none, gateNow)
	if len(one) != 1 || len(one[0].Names) != 3 || one[0].Before != 1000 || !one[0].Time.Equal(gateNow) {
		t.Fatalf("%+v", one)
	}
	if same := one.Advance([]SourceChange{{Source: "JPNIC", Zone: testApex.Origin}}, nil, none, gateNow.Add(2*Week)); len(same) != 1 {
		t.Errorf("without a change it changes: %+v", same)
	}
	two := one.Advance(change(10, 2), nil, none, gateNow.Add(Week-1))
	if len(two) != 2 {
		t.Errorf("%+v", two)
	}
	if aged := one.Advance(change(10, 2), nil, none, gateNow.Add(Week)); len(aged) != 1 || len(aged[0].Names) != 2 {
		t.Errorf("after a week: %+v", aged)
	}
	if reset := two.Advance(nil, nil, func(s, k string) bool { return s == "JPNIC" && k == KindRemoved }, gateNow); len(reset) != 0 {
		t.Errorf("after an accept: %+v", reset)
	}
	h := Gate(change(0, 100), testLimits, nil, gateNow)[0]
	agreed := Accepts{NewAccept(h, testLimits, "x", "y", gateNow)}
	if l := one.Advance(change(0, 100), agreed, none, gateNow); len(l) != 1 || len(l[0].Names) != 3 {
		t.Errorf("what is accepted is entered: %+v", l)
	}
	again := one.Advance(change(0, 1), nil, none, gateNow.Add(time.Hour))
	if len(again) != 2 || len(again[0].Names) != 2 || len(again[1].Names) != 1 {
		t.Errorf("lost twice: %+v", again)
	}
}

// A feedModel is a zone that a gated source fills, with every version that was
// published since a person last accepted something.
type feedModel struct {
	published map[int]int // owner to its NS set
	ledger    Ledger
	accepts   Accepts
	agreed    map[Name]bool // lost with an accept, some of which lost less than it might
	past      []map[int]int
	times     []time.Time
}

var modelLimits = Limits{Percent: 20, Least: 3, Most: 7, TotalPercent: 100, Expires: Week}

func modelZone(names map[int]int) *Zone {
	z := &Zone{Apex: testApex, Inputs: []Input{{Source: "JPNIC", File: "202-JPNIC"}}}
	for _, i := range slices.Sorted(maps.Keys(names)) {
		z.Entries = append(z.Entries, Entry{Record: Record{Name: lostName(i), Type: TypeNS, TTL: 300, Data: NSData(Name(fmt.Sprintf("ns%d.example.", names[i])))}})
	}
	slices.SortFunc(z.Entries, func(a, b Entry) int { return a.Compare(b.Record) })
	return z
}

// run offers a feed: it is published unless something is held.
func (m *feedModel) run(feed map[int]int, now time.Time) []Hold {
	next := modelZone(feed)
	changes := SourceChanges(modelZone(m.published), next)
	standing := m.ledger.Standing(next)
	for i := range changes {
		changes[i].Past = standing.Of("JPNIC")
	}
	if holds := Gate(changes, modelLimits, m.accepts, now); len(holds) > 0 {
		m.publish(m.published, now)
		return holds
	}
	accepted := map[string]bool{}
	for _, a := range m.accepts {
		if a.Happened(next) {
			accepted[a.Kind] = true
		}
	}
	m.ledger = standing.Advance(changes, m.accepts, func(_, kind string) bool { return accepted[kind] }, now)
	for _, a := range m.accepts {
		for _, n := range a.Losses {
			m.agreed[n] = true
		}
	}
	if len(accepted) > 0 {
		m.accepts, m.agreed, m.past, m.times = nil, map[Name]bool{}, nil, nil
	}
	m.publish(feed, now)
	return nil
}

func (m *feedModel) publish(feed map[int]int, now time.Time) {
	m.published = feed
	m.past, m.times = append(m.past, maps.Clone(feed)), append(m.times, now)
}

// check compares every two published versions: a window ends at the later one,
// and begins after the earlier.
func (m *feedModel) check(t *rapid.T) {
	last := len(m.past) - 1
	for i := range last {
		for _, window := range []time.Duration{1, Day, Week} {
			if m.times[last].Sub(m.times[i+1]) >= window {
				continue
			}
			removed, replaced, back, most := m.compare(i, last)
			if allowed := modelAllows(most); removed > allowed || replaced > allowed || removed+replaced+back > 2*allowed {
				t.Fatalf("%d removed, %d replaced, %d otherwise back of %d within %v, between version %d and %d: %v\n%v", removed, replaced, back, most, window, i, last, m.times, m.past)
			}
		}
	}
}

// compare counts the owners of version i that are gone, that were there all the
// time and are others, and that are others after having been gone, which counts
// as one or the other; and the largest version.
func (m *feedModel) compare(i, last int) (removed, replaced, back, most int) {
	for _, p := range m.past[i:last] {
		most = max(most, len(p))
	}
	for n, set := range m.past[i] {
		now, ok := m.past[last][n]
		gap := slices.ContainsFunc(m.past[i:last], func(p map[int]int) bool { _, there := p[n]; return !there })
		switch {
		case m.agreed[lostName(n)] || ok && now == set:
		case !ok:
			removed++
		case gap:
			back++
		default:
			replaced++
		}
	}
	return removed, replaced, back, most
}

// modelAllows is the largest number that passes the limits.
func modelAllows(of int) int {
	n := 0
	for n+1 < modelLimits.Most && (n+1 < modelLimits.Least || float64(n+1)*100 <= modelLimits.Percent*float64(of)) {
		n++
	}
	return n
}

// TestGateNeverExceeded: whatever the sequence of feeds, less is lost without an
// accept than the limits say, within a run, 24 hours and 7 days.
func TestGateNeverExceeded(t *testing.T) {
	held, passed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		feed := map[int]int{}
		for i := range 30 {
			feed[i] = 0
		}
		m := &feedModel{agreed: map[Name]bool{}}
		now := gateNow
		m.publish(maps.Clone(feed), now)
		for range rapid.IntRange(4, 25).Draw(t, "runs") {
			now = now.Add(rapid.SampledFrom([]time.Duration{2 * time.Hour, 2 * time.Hour, 11 * time.Hour, Day - 1, Day, 3 * Day, Week}).Draw(t, "pause"))
			for range rapid.IntRange(1, 8).Draw(t, "changes") {
				switch i := rapid.IntRange(0, 39).Draw(t, "owner"); rapid.IntRange(0, 3).Draw(t, "what") {
				case 0:
					feed[i] = 0
				case 1:
					if _, ok := feed[i]; ok {
						feed[i] = rapid.IntRange(0, 2).Draw(t, "set")
					}
				default:
					delete(feed, i)
				}
			}
			holds := m.run(maps.Clone(feed), now)
			if passed++; len(holds) > 0 {
				held++
				passed--
			}
			m.check(t)
			for _, h := range holds {
				if rapid.IntRange(0, 3).Draw(t, "accept") == 0 {
					m.accepts = append(m.accepts, NewAccept(h, modelLimits, "x", "y", now))
				}
			}
		}
	})
	if held < 20 || passed < 20 {
		t.Errorf("%d held, %d passed: too few to mean anything", held, passed)
	}
}
