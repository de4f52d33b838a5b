package zone

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var testLimits = Limits{Percent: 5, Least: 10, Most: 100, Last: true, Wide4: 16, Wide6: 32, TotalPercent: 2, ClaimsPercent: 5, Expires: 7 * 24 * time.Hour}

func lostNames(n int) []Name {
	var names []Name
	for i := range n {
		names = append(names, testName(fmt.Sprintf("%d.%d", i%256, i/256)))
	}
	return names
}

// removed makes losses of names that are delegated no more.
func removed(names []Name) []Loss {
	var out []Loss
	for _, n := range names {
		out = append(out, Loss{Kind: KindRemoved, Name: n})
	}
	return out
}

func TestGate(t *testing.T) {
	v6 := Name("0.4.2.ip6.arpa.")
	wide6, narrow6 := Name("1.0.0.0.0.0.4.2.ip6.arpa."), Name("1.1.0.0.0.0.0.4.2.ip6.arpa.")
	for _, tt := range []struct {
		name    string
		changes []SourceChange
		want    string // "zone rule …" a hold
	}{
		{"nothing lost", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 1200, Losses: removed(nil)}}, ""},
		{"within all limits", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 980, Losses: removed(lostNames(20))}}, ""},
		{"5 % is not more than 5 %", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 200, After: 200, Losses: removed(lostNames(10))}}, ""},
		{"over 5 %, but 9", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100, After: 100, Losses: removed(lostNames(9))}}, ""},
		{"over 5 % and 10, replaced by others", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 199, After: 199, Losses: removed(lostNames(10))}}, "202 share: 10 of 199"},
		{"100", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100000, After: 100000, Losses: removed(lostNames(100))}}, "202 most: 100"},
		{"99", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100000, After: 99901, Losses: removed(lostNames(99))}}, ""},
		{"the last one", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1, After: 0, Losses: removed(lostNames(1))}, {Source: "JPNIC", Zone: "203.in-addr.arpa.", Before: 1000, After: 1000, Losses: removed(nil)}}, "202 last: the source's last 1 of 1"},
		{"the last ones, of which others took over most", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 5, After: 0, Losses: removed(lostNames(1))}, {Source: "JPNIC", Zone: "203.in-addr.arpa.", Before: 1000, After: 1000, Losses: removed(nil)}}, "202 last: the source's last 1 of 5"},
		{"the last one went to another source", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1, After: 0, Losses: removed(nil)}}, ""},
		{"a /16", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 999, Losses: removed([]Name{"12.202.in-addr.arpa."})}}, "202 wide: 12.202.in-addr.arpa. is a /16"},
		{"a /32", []SourceChange{{Source: "JPNIC", Zone: v6, Before: 1000, After: 999, Losses: removed([]Name{wide6})}}, "0.4.2 wide"},
		{"a /36", []SourceChange{{Source: "JPNIC", Zone: v6, Before: 1000, After: 999, Losses: removed([]Name{narrow6})}}, ""},
		{"total", []SourceChange{
			{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 980, Losses: removed(lostNames(20))},
			{Source: "JPNIC", Zone: "203.in-addr.arpa.", Before: 1000, After: 979, Losses: removed(lostNames(21))},
			{Source: "JPNIC", Zone: "210.in-addr.arpa.", Before: 10, After: 10, Losses: removed(nil)},
			{Source: "KRNIC", Zone: "203.in-addr.arpa.", Before: 1000, After: 990, Losses: removed(lostNames(10))},
		}, "202 total: 41 of 2010\n203 total: 41 of 2010"},
		{"total made good elsewhere", []SourceChange{
			{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 970, Losses: removed(lostNames(30))},
			{Source: "JPNIC", Zone: "203.in-addr.arpa.", Before: 1000, After: 1000, Losses: removed(nil)},
		}, ""},
		{"total fell because others took over", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 1000, After: 499, Losses: removed(lostNames(1))}}, ""},
		{"several at once", []SourceChange{{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 120, After: 0, Losses: removed(lostNames(120))}}, "202 share: 120 of 120 delegations are 100.0 %, more than 5 % and at least 10; most: 120 delegations, 100 or more; last: the source's last 120 of 120 delegations in the zone; total: 120 of 120 delegations in all zones are 100.0 %, more than 2 %"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			holds := Gate(tt.changes, testLimits, nil, time.Unix(1, 0))
			want := lines(tt.want)
			if len(holds) != len(want) {
				t.Fatalf("holds %+v, want %d", holds, len(want))
			}
			for i, h := range holds {
				zone, _, _ := strings.Cut(h.Zone.File(), ".in-addr")
				if got := strings.TrimSuffix(zone, ".ip6.arpa") + " " + h.Rule; !strings.HasPrefix(got, want[i]) {
					t.Errorf("%s, want %s", got, want[i])
				}
				if h.Kind != "removed" || h.Hash != h.ComputeHash() {
					t.Errorf("hold %+v", h)
				}
			}
			if again := Gate(tt.changes, testLimits, acceptAll(holds), time.Unix(1, 0)); len(again) != 0 {
				t.Errorf("held although accepted: %+v", again)
			}
		})
	}
}

func acceptAll(holds []Hold) Accepts {
	var accepts Accepts
	for _, h := range holds {
		accepts = append(accepts, NewAccept(h, testLimits, "agreed by telephone", "hostmaster", time.Unix(1, 0)))
	}
	return accepts
}

// An accept covers exactly its owners, its source, its zone and its time.
func TestGateAccepted(t *testing.T) {
	change := SourceChange{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100, After: 80, Losses: removed(lostNames(20))}
	h := Gate([]SourceChange{change}, testLimits, nil, time.Unix(1, 0))[0]
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	a := NewAccept(h, testLimits, "renumbering", "hostmaster", now)
	gate := func(c SourceChange, at time.Time) int {
		return len(Gate([]SourceChange{c}, testLimits, Accepts{a}, at))
	}
	other, more, shrunk := change, change, change
	other.Source = "KRNIC"
	more.Losses, more.After = removed(append(lostNames(20), lostNames(1020)[1000:]...)), 60
	shrunk.Losses, shrunk.After = removed(lostNames(19)), 81
	for _, tt := range []struct {
		name string
		got  int
		want int
	}{
		{"its own", gate(change, now), 0},
		{"fewer losses than accepted", gate(shrunk, now), 0},
		{"at its last moment", gate(change, now.Add(testLimits.Expires-1)), 0},
		{"expired", gate(change, now.Add(testLimits.Expires)), 1},
		{"not yet", gate(change, now.Add(-1)), 1},
		{"another source", gate(other, now), 1},
		{"more losses", gate(more, now), 1},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d held, want %d", tt.name, tt.got, tt.want)
		}
	}
	// 14 removed, of which 9 are agreed to, and 6 new: without the 9 the total
	// grew.
	grown := SourceChange{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100, After: 92, Losses: removed(append(lostNames(9), lostNames(1005)[1000:]...))}
	if held := Gate([]SourceChange{grown}, testLimits, Accepts{a}, now); len(held) != 0 {
		t.Errorf("held although the total grew: %+v", held)
	}
	rest := Gate([]SourceChange{more}, testLimits, Accepts{a}, now)[0]
	if len(rest.Losses) != 20 || slices.Contains(rest.Losses, change.Losses[0].Name) {
		t.Errorf("the rest is held as %v", rest.Losses)
	}
}

// TestGateAcceptedSets: who agreed to other records agreed to these, from those; and
// who agreed to additions agreed to no loss.
func TestGateAcceptedSets(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	change := func(was, is string) []SourceChange {
		c := SourceChange{Source: "JPNIC", Zone: "202.in-addr.arpa.", Before: 100, After: 100}
		for _, n := range lostNames(20) {
			c.Losses = append(c.Losses, Loss{Kind: KindNS, Name: n, Was: []string{was}, Is: []string{is}})
		}
		return []SourceChange{c}
	}
	h := Gate(change("NS a.example.", "NS b.example."), testLimits, nil, now)[0]
	agreed := Accepts{NewAccept(h, testLimits, "m", "b", now)}
	for _, tt := range []struct {
		was, is string
		accepts Accepts
		want    int
	}{
		{"NS a.example.", "NS b.example.", agreed, 0},
		{"NS a.example.", "NS c.example.", agreed, 1},
		{"NS c.example.", "NS b.example.", agreed, 1},
		{"NS a.example.", "NS b.example.", Accepts{NewAdditionsOnly(h, testLimits, "m", "b", now)}, 1},
	} {
		if got := len(Gate(change(tt.was, tt.is), testLimits, tt.accepts, now)); got != tt.want {
			t.Errorf("from %s to %s: %d held, want %d", tt.was, tt.is, got, tt.want)
		}
	}
}

func TestHoldHash(t *testing.T) {
	h := Hold{Source: "JPNIC", Zone: "202.in-addr.arpa.", Kind: "removed", Losses: lostNames(3)}
	same := h
	same.Rule, same.Before, same.After, same.Losses = "x", 1, 2, lostNames(3)
	slices.Reverse(same.Losses)
	if h.ComputeHash() != same.ComputeHash() {
		t.Error("the hash depends on more than the losses")
	}
	for _, other := range []Hold{
		{Source: "KRNIC", Zone: h.Zone, Kind: h.Kind, Losses: h.Losses},
		{Source: h.Source, Zone: "203.in-addr.arpa.", Kind: h.Kind, Losses: h.Losses},
		{Source: h.Source, Zone: h.Zone, Kind: "ns", Losses: h.Losses},
		{Source: h.Source, Zone: h.Zone, Kind: h.Kind, Losses: lostNames(4)},
	} {
		if other.ComputeHash() == h.ComputeHash() {
			t.Errorf("%+v has the same hash", other)
		}
	}
	// Fixed, because people paste it and files are named by it.
	if got := h.ComputeHash(); got != wantHoldHash {
		t.Errorf("hash %s, want %s", got, wantHoldHash)
	}
}

const wantHoldHash = "320e083b46b59343fff4cf2b19a19b45285c2b64d59edc64fec4fd865d58bdf0"

func TestParseAccept(t *testing.T) {
	h := Hold{Source: "JPNIC", Zone: "202.in-addr.arpa.", Kind: "removed", Losses: lostNames(2)}
	a := NewAccept(h, testLimits, "renumbering", "hostmaster", time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	got, err := ParseAccept("a.json", a.Encode())
	if err != nil || !cmp.Equal(got, a) {
		t.Fatalf("read back %+v, %v", got, err)
	}
	for _, tt := range []struct{ old, new, want string }{
		{`"version": 2`, `"version": 3`, "version 3"},
		{`"removes": 2`, `"removes": 3`, "3 losses and lists 2"},
		{`0.0.202.in-addr.arpa.`, `7.0.202.in-addr.arpa.`, "not that of its losses"},
		{`"source": "JPNIC"`, `"source": "KRNIC"`, "not that of its losses"},
		{`1.0.202.in-addr.arpa.`, `1.0.202.IN-ADDR.arpa.`, "canonical"},
		{`"expires": "2026`, `"expires": "2025`, "expires at"},
		{`"by"`, `"who"`, "unknown field"},
	} {
		data := strings.Replace(string(a.Encode()), tt.old, tt.new, 1)
		if _, err := ParseAccept("a.json", []byte(data)); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "a.json: ") {
			t.Errorf("%s → %s: %v, want %s", tt.old, tt.new, err, tt.want)
		}
	}
}

func TestSourceChanges(t *testing.T) {
	prev := testZone(t, "JPNIC: 28.12 NS a.example.\nJPNIC: 29.12 NS a.example.\nJPNIC: 30.12 NS a.example.\nKRNIC: 1.13 NS k.example.\nAPNIC: 1.1.14 CNAME x.example.\nJPNIC: 1.15 NS a.example.")
	next := testZone(t, "JPNIC: 28.12 NS b.example.\nAPNIC: 29.12 NS a.example.\nTWNIC: 1.14 NS k.example.\nJPNIC: 15 NS a.example.")
	want := []SourceChange{
		{Source: "APNIC", Zone: testApex.Origin, Before: 1, After: 1, Losses: []Loss{
			{Kind: KindShadowed, Name: "1.1.14.202.in-addr.arpa.", By: "1.14.202.in-addr.arpa. of TWNIC"},
		}},
		{Source: "JPNIC", Zone: testApex.Origin, Before: 4, After: 2, Losses: []Loss{
			{Kind: KindRemoved, Name: "30.12.202.in-addr.arpa."},
			{Kind: KindShadowed, Name: "1.15.202.in-addr.arpa.", By: "15.202.in-addr.arpa. of JPNIC"},
			{Kind: KindNS, Name: "28.12.202.in-addr.arpa.", Was: []string{"NS a.example."}, Is: []string{"NS b.example."}},
		}},
		{Source: "KRNIC", Zone: testApex.Origin, Before: 1, After: 0, Losses: removed([]Name{"1.13.202.in-addr.arpa."})},
		{Source: "TWNIC", Zone: testApex.Origin, Before: 0, After: 1},
	}
	if d := cmp.Diff(want, SourceChanges(prev, next), cmpopts.IgnoreUnexported(Loss{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := SourceChanges(nil, nil); len(got) != 0 {
		t.Errorf("no zones: %v", got)
	}
}

// Counts add up, and nothing is both removed and delegated.
func TestSourceChangesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prev, _ := Merge(drawInput(t))
		next, _ := Merge(drawHistory(t))
		owners, units := map[Name]bool{}, map[Name]bool{}
		for _, e := range next.Entries {
			if e.Type == TypeNS || e.Type == TypeCNAME {
				owners[e.Name], units[unitOf(e.Name)] = true, true
			}
		}
		after := 0
		for _, c := range SourceChanges(prev, next) {
			after += c.After
			if len(c.Losses) > 512*c.Before {
				t.Fatalf("%+v: more lost than there were", c)
			}
			for _, x := range c.Losses {
				if owners[x.Name] != (x.Over || x.Kind != KindRemoved && x.Kind != KindShadowed) {
					t.Fatalf("%+v: delegated: %v", x, owners[x.Name])
				}
			}
		}
		if after != len(units) {
			t.Fatalf("%d counted after, want %d", after, len(units))
		}
	})
}
