package zone

import (
	"fmt"
	"strings"
	"testing"
)

// classless is a zone in which the registry has a /25 of one customer in each of n
// /24s, with its 128 aliases, and 300 delegations.
func classless(t testing.TB, n int, without func(host, octet int) bool) *Zone {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "APNIC: %d.%d NS a.example.\n", i%250, i/250)
	}
	for i := range n {
		fmt.Fprintf(&b, "APNIC: 0-127.%d.12 NS a.example.\n", i)
		for k := range 128 {
			if !without(i, k) {
				fmt.Fprintf(&b, "APNIC: %d.%d.12 CNAME %d.0-127.%d.12\n", k, i, k, i)
			}
		}
	}
	return testZone(t, b.String())
}

// TestGateAliases: the aliases of RFC 2317 are lost like delegations, those of one
// /24 as one of them; by name they are counted one by one, and what is agreed to
// has happened when they are gone.
func TestGateAliases(t *testing.T) {
	none := func(int, int) bool { return false }
	before := classless(t, 20, none)
	for _, tt := range []struct {
		name    string
		without func(host, octet int) bool
		count   int // 0: not held
		rule    string
	}{
		{"of 19 /24s", func(i, _ int) bool { return i < 19 }, 19 * 128, "share: 19 of 340 delegations"},
		{"one in each of 19 /24s", func(i, k int) bool { return i < 19 && k == 3 }, 19, "share: 19 of 340 delegations"},
		{"of one customer", func(i, _ int) bool { return i == 3 }, 0, ""},
	} {
		after := classless(t, 20, tt.without)
		changes := SourceChanges(before, after)
		if len(changes) != 1 || changes[0].Before != 300+20+20 {
			t.Fatalf("%s: %d before", tt.name, changes[0].Before)
		}
		holds := Gate(changes, Limits{Percent: 5, Least: 10, Most: 100, TotalPercent: 100, Expires: Week}, nil, gateNow)
		if (tt.count > 0) != (len(holds) == 1) || len(holds) == 1 && (holds[0].Kind != KindRemoved || holds[0].Count() != tt.count || !strings.Contains(holds[0].Rule, tt.rule) || !strings.Contains(holds[0].Text(), "single addresses would be removed")) {
			t.Errorf("%s: %+v", tt.name, holds)
		}
		if len(holds) == 1 {
			a := NewAccept(holds[0], testLimits, "m", "b", gateNow)
			if a.Happened(before) || !a.Happened(after) {
				t.Errorf("%s: happened before %v, after %v", tt.name, a.Happened(before), a.Happened(after))
			}
			if again := Gate(changes, testLimits, Accepts{a}, gateNow); len(again) != 0 {
				t.Errorf("%s: held although accepted: %+v", tt.name, again)
			}
		}
	}
}

// TestGateAliasTotal: a total falls by the /24s of which no alias is left.
func TestGateAliasTotal(t *testing.T) {
	lim := Limits{Percent: 100, Most: 1000, TotalPercent: 2}
	before := classless(t, 20, func(int, int) bool { return false })
	for n, want := range map[int]int{6: 0, 7: 1} {
		after := classless(t, 20, func(i, _ int) bool { return i < n })
		if got := Gate(SourceChanges(before, after), lim, nil, gateNow); len(got) != want {
			t.Errorf("without those of %d /24s: %+v", n, got)
		}
	}
}

// TestGateGlue: one address changes under all delegations that rest on it, and who
// gave it answers for them; what was and would be shows the addresses.
func TestGateGlue(t *testing.T) {
	version := func(address string) *Zone {
		var b strings.Builder
		fmt.Fprintf(&b, "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A %s\n", address)
		for i := range 60 {
			fmt.Fprintf(&b, "JPNIC: %d.13 NS ns.28.12\nKRNIC: %d.14 NS ns.28.12\nKRNIC: %d.15 NS k.example.\n", i, i, i)
		}
		return testZone(t, b.String())
	}
	before, after := version("192.0.2.1"), version("192.0.2.66")
	changes := SourceChanges(before, after)
	holds := Gate(changes, testLimits, nil, gateNow)
	if len(holds) != 1 || holds[0].Source != "JPNIC" || holds[0].Kind != KindNS || holds[0].Count() != 121 {
		t.Fatalf("%+v", holds)
	}
	want := HeldSet{
		Was: []string{"NS ns.28.12.202.in-addr.arpa.", "A ns.28.12.202.in-addr.arpa. 192.0.2.1"},
		Is:  []string{"NS ns.28.12.202.in-addr.arpa.", "A ns.28.12.202.in-addr.arpa. 192.0.2.66"},
	}
	if s := holds[0].Sets[0]; !sameText(s.Was, want.Was) || !sameText(s.Is, want.Is) {
		t.Errorf("%+v", s)
	}
	a := NewAccept(holds[0], testLimits, "m", "b", gateNow)
	if a.Happened(before) || !a.Happened(after) || a.Happened(version("192.0.2.67")) {
		t.Error("it happens with the accepted address, and no other")
	}
	none := func(string, string) bool { return false }
	l := Ledger(nil).Advance(changes, nil, none, gateNow)
	if len(l) != 1 || len(l.Standing(after)) != 1 || len(l.Standing(before)) != 0 {
		t.Errorf("ledger %+v", l)
	}
}

// TestLedgerGlueAndAliases: what was lost with glue or an alias is back with just
// that.
func TestLedgerGlueAndAliases(t *testing.T) {
	none := func(string, string) bool { return false }
	for _, tt := range []struct{ name, before, after, other string }{
		{"glue", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.1", "", "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.2"},
		{"alias", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "", "APNIC: 1.28.12 CNAME x.example."},
		{"alias that pointed elsewhere", "APNIC: 1.28.12 CNAME 1.0-127.28.12", "APNIC: 1.28.12 CNAME y.example.", "APNIC: 1.28.12 CNAME x.example."},
	} {
		before := testZone(t, tt.before)
		l := Ledger(nil).Advance(SourceChanges(before, testZone(t, tt.after)), nil, none, gateNow)
		if len(l) != 1 || len(l.Standing(testZone(t, tt.other))) != 1 || len(l.Standing(before)) != 0 {
			t.Errorf("%s: %+v", tt.name, l)
		}
	}
}

// TestMergeStandsWithGlue: a delegation whose loss is held keeps its glue too, and
// one that has it again stands no longer.
func TestMergeStandsWithGlue(t *testing.T) {
	text := func(address string) string {
		return "28.12 NS ns.28.12\nns.28.12 A " + address + "\nx.28.12 A 192.0.2.99\n29.12 NS ns.28.12"
	}
	first, _ := Merge(MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, jpnic...), Fragments: []*Fragment{testFragment(t, "JPNIC", text("192.0.2.1"))}})
	for address, kept := range map[string]int{"192.0.2.1": 0, "192.0.2.2": 2} {
		in := MergeInput{
			Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, jpnic...), Published: first,
			Fragments: []*Fragment{testFragment(t, "JPNIC", text(address))},
			Stand:     map[Name]Stand{testName("28.12"): {Source: "JPNIC"}, testName("29.12"): {Source: "JPNIC"}},
		}
		z, _ := Merge(in)
		if len(SourceChanges(first, z)[0].Losses) != 0 || len(z.KeptRecords()) != kept {
			t.Errorf("%s: %v", address, show(t, z))
		}
		in.Published, in.Stand = ZoneFromKept(testApex, z.KeptRecords()), StandsOf(z.KeptRecords())
		again, _ := Merge(in)
		if got, want := strings.Join(show(t, again), "\n"), strings.Join(show(t, z), "\n"); got != want {
			t.Errorf("%s: replayed\n%s\nnot\n%s", address, got, want)
		}
	}
}
