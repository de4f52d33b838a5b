package zone

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGateClaims: the share of a source's space that claims lose, by family.
func TestGateClaims(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, next []string
		want         string // "SOURCE ranges | part of the rule"
	}{
		{"the same", jpnic, jpnic, ""},
		{"more", jpnic, []string{"JPNIC 202.12.0.0/15"}, ""},
		{"at the limit", []string{"JPNIC 202.0.0.0/20", "JPNIC 203.0.0.0/22"}, []string{"JPNIC 202.0.0.0/20"}, "JPNIC 1 | 20.0 %"},
		{"5 % is not more than 5 %", space20("JPNIC", 20), space20("JPNIC", 19), ""},
		{"over", space20("JPNIC", 19), space20("JPNIC", 18), "JPNIC 1 | 5.3 % of the source's IPv4 space, more than 5 %"},
		{"all of it", jpnic, nil, "JPNIC 1 | 100.0 %"},
		{"another source gets it", jpnic, []string{"KRNIC 202.12.0.0/16"}, "JPNIC 1 | 100.0 %"},
		{"written otherwise", []string{"JPNIC 202.12.0.0/16"}, []string{"JPNIC 202.12.0.0/17", "JPNIC 202.12.128.0/17"}, ""},
		{"IPv6 is counted by itself", []string{"JPNIC 202.12.0.0/16", "JPNIC 2400::/12"}, []string{"JPNIC 202.12.0.0/16", "JPNIC 2400::/13"}, "JPNIC 1 | 50.0 % of the source's IPv6 space"},
		{"the registry's mean nothing", []string{"APNIC 202.0.0.0/8"}, nil, ""},
		{"two sources", []string{"JPNIC 202.12.0.0/16", "KRNIC 202.13.0.0/16", "TWNIC 202.14.0.0/16"}, []string{"KRNIC 202.13.0.0/16"}, "JPNIC 1 | 100\nTWNIC 1 | 100"},
	} {
		holds := GateClaims("APNIC", claimsOf(t, tt.before...), claimsOf(t, tt.next...), testLimits)
		want := lines(tt.want)
		if len(holds) != len(want) {
			t.Errorf("%s: %+v", tt.name, holds)
			continue
		}
		for i, h := range holds {
			who, rule, _ := strings.Cut(want[i], " | ")
			if got := h.Source + " " + itoa(h.Count()); got != who || !strings.Contains(h.Rule, rule) || h.Kind != KindClaims || h.Zone != "" || h.Hash != h.ComputeHash() {
				t.Errorf("%s: %+v, want %s", tt.name, h, want[i])
			}
		}
	}
	if GateClaims("APNIC", nil, claimsOf(t), testLimits) != nil {
		t.Error("without earlier claims something is held")
	}
}

func itoa(n int) string { return strings.TrimSuffix(plural(n, "x", "x"), " x") }

// space20 claims n /20s.
func space20(source string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, source+" 202."+itoa(i)+".16.0/20")
	}
	return out
}

// TestClaimsHoldHash: other ranges, another hash.
func TestClaimsHoldHash(t *testing.T) {
	hash := func(next ...string) string {
		return GateClaims("APNIC", claimsOf(t, "JPNIC 202.12.0.0/16", "JPNIC 202.14.0.0/16"), claimsOf(t, next...), testLimits)[0].Hash
	}
	if hash("JPNIC 202.12.0.0/16") == hash("JPNIC 202.14.0.0/16") || hash("JPNIC 202.12.0.0/16") != hash("JPNIC 202.12.0.0/16", "KRNIC 202.14.0.0/16") {
		t.Error("the hash is not that of the lost ranges")
	}
}

// TestGateApex: every change of NS and SOA but the family is held, and counted in
// name servers lost.
func TestGateApex(t *testing.T) {
	a := Apex{Origin: testApex.Origin, NS: []Name{"ns1.example.", "ns2.example."}, SOA: SOA{MName: "ns1.example.", RName: "h.example.", Refresh: 1, Retry: 2, Expire: 3, Minimum: 4, TTL: 5}, TTL: TTL{Fixed: 86400}}
	for _, tt := range []struct {
		name   string
		change func(*Apex)
		count  int // -1: not held
	}{
		{"nothing", func(*Apex) {}, -1},
		{"one more", func(a *Apex) { a.NS = append([]Name{"ns0.example."}, a.NS...) }, 0},
		{"one less", func(a *Apex) { a.NS = a.NS[:1] }, 1},
		{"all others", func(a *Apex) { a.NS = []Name{"x.example.", "y.example."} }, 2},
		{"mname", func(a *Apex) { a.SOA.MName = "x.example." }, 0},
		{"rname", func(a *Apex) { a.SOA.RName = "x.example." }, 0},
		{"refresh", func(a *Apex) { a.SOA.Refresh = 9 }, 0},
		{"retry", func(a *Apex) { a.SOA.Retry = 9 }, 0},
		{"expire", func(a *Apex) { a.SOA.Expire = 9 }, 0},
		{"minimum", func(a *Apex) { a.SOA.Minimum = 9 }, 0},
		{"ttl", func(a *Apex) { a.SOA.TTL = 9 }, 0},
		{"family", func(a *Apex) { a.SOA.Family = FamilyCounter }, -1},
		{"TTL of delegations", func(a *Apex) { a.TTL.Fixed = 9 }, -1},
	} {
		b := a
		tt.change(&b)
		h := GateApex("APNIC", a.Origin, a.Published(), b)
		if (h != nil) != (tt.count >= 0) {
			t.Errorf("%s: %+v", tt.name, h)
			continue
		}
		if h != nil && (h.Count() != tt.count || h.Kind != KindApex || h.Hash != h.ComputeHash()) {
			t.Errorf("%s: %+v", tt.name, h)
		}
		under := a.Published().Under(b)
		if under.SOA.Family != b.SOA.Family || under.TTL != b.TTL || !cmp.Equal(under.Published(), a.Published()) {
			t.Errorf("%s: under %+v", tt.name, under)
		}
	}
	if GateApex("APNIC", a.Origin, nil, a) != nil {
		t.Error("held although nothing is published")
	}
}

// TestAcceptEveryKind: an accept of each kind is read back, and one that was
// edited is refused.
func TestAcceptEveryKind(t *testing.T) {
	set := func(was, is string) []HeldSet { return []HeldSet{{Was: lines(was), Is: lines(is)}} }
	for _, h := range []Hold{
		{Source: "JPNIC", Zone: testApex.Origin, Kind: KindRemoved, Losses: lostNames(1)},
		{Source: "JPNIC", Zone: testApex.Origin, Kind: KindNS, Losses: lostNames(1), Sets: set("NS a.example.", "NS b.example.")},
		{Source: "APNIC", Zone: testApex.Origin, Kind: KindZoneDropped, Losses: []Name{testApex.Origin}, Before: 1234},
		{Source: "APNIC", Zone: testApex.Origin, Kind: KindApex, Sets: set("NS a.example.\nSOA x", "SOA y")},
		{Source: "JPNIC", Kind: KindClaims, Sets: set("202.12.0.0/16\n202.14.0.0/16", "")},
	} {
		a := NewAccept(h, testLimits, "m", "b", gateNow)
		got, err := ParseAccept("a", a.Encode())
		if err != nil || got.Removes != h.Count() || !(Accepts{got}).Agreed(Hold{Hash: h.ComputeHash()}, gateNow) {
			t.Errorf("%s: %+v, %v", h.Kind, got, err)
		}
		only := NewAdditionsOnly(h, testLimits, "m", "b", gateNow)
		if got, err := ParseAccept("a", only.Encode()); kindOrder(h.Kind) >= 0 && (err != nil || !got.AdditionsOnly || (Accepts{got}).Agreed(Hold{Hash: h.ComputeHash()}, gateNow)) {
			t.Errorf("%s, additions only: %+v, %v", h.Kind, got, err)
		}
		for _, edit := range []func(*Accept){
			func(a *Accept) { a.Removes++ },
			func(a *Accept) { a.Kind = KindDSAdded },
			func(a *Accept) { a.Sets = append(a.Sets, HeldSet{Was: []string{"NS z."}}) },
			func(a *Accept) { a.Losses = append(a.Losses, testName("9.9")) },
		} {
			b := *a
			edit(&b)
			if _, err := ParseAccept("a", b.Encode()); err == nil {
				t.Errorf("%s: %+v is taken", h.Kind, b)
			}
		}
	}
	if got, want := NewAccept(Hold{Kind: KindZoneDropped, Before: 1234, Losses: lostNames(1)}, testLimits, "", "", gateNow).Removes, 1234; got != want {
		t.Errorf("a dropped zone is %d, not %d", got, want)
	}
}

// TestGateWideTakenOver: a /16 that another source takes over is delegated still.
func TestGateWideTakenOver(t *testing.T) {
	for over, want := range map[bool]int{true: 0, false: 1} {
		x := Loss{Kind: KindShadowed, Name: testName("12"), Over: over, By: "APNIC"}
		narrow := Loss{Kind: KindShadowed, Name: testName("1.13"), By: "APNIC"}
		c := SourceChange{Source: "JPNIC", Zone: testApex.Origin, Before: 1000, After: 999, Losses: []Loss{x, narrow}}
		if got := Gate([]SourceChange{c}, testLimits, nil, gateNow); len(got) != want {
			t.Errorf("over %v: %+v", over, got)
		}
	}
}

// TestGatesConfig: limits of kinds and windows, what they fall back to, and
// mistakes in them.
func TestGatesConfig(t *testing.T) {
	c, err := ParseConfig("f", []byte(configHead+`[gates]
most = 50
claims_percent = 7.5
removed = { least = 3, week = { most = 300 } }
ds_added = { percent = 1.0 }
day = { most = 60, total_percent = 3.0 }
`+configZones+configSource))
	if err != nil {
		t.Fatal(err)
	}
	g := c.Gates
	for _, tt := range []struct {
		kind   string
		window time.Duration
		want   Limit
	}{
		{KindNS, 0, Limit{Percent: 5, Least: 10, Most: 50}},
		{KindNS, Day, Limit{Percent: 5, Least: 10, Most: 60}},
		{KindNS, Week, Limit{Percent: 5, Least: 10, Most: 50}},
		{KindRemoved, 0, Limit{Percent: 5, Least: 3, Most: 50}},
		{KindRemoved, Day, Limit{Percent: 5, Least: 3, Most: 60}},
		{KindRemoved, Week, Limit{Percent: 5, Least: 3, Most: 300}},
		{KindDSAdded, Week, Limit{Percent: 1, Least: 10, Most: 50}},
	} {
		if got := g.Of(tt.kind, tt.window); got != tt.want {
			t.Errorf("%s over %v: %+v, want %+v", tt.kind, tt.window, got, tt.want)
		}
	}
	if g.Total(0) != 2 || g.Total(Day) != 3 || g.Total(Week) != 2 || g.ClaimsPercent != 7.5 {
		t.Errorf("%+v", g)
	}
	_, err = ParseConfig("f", []byte(configHead+"[gates]\nremoved = { percent = 101.0, most = 0 }\nweek = { least = -1, total_percent = nan }\n"+configZones+configSource))
	for _, want := range []string{"gates.removed.percent", "gates.removed.most", "gates.week.least", "gates.week.total_percent"} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%s is not named once: %v", want, err)
		}
	}
}

// TestLedgerKeepsFirstSet: replaced twice, an owner has come back only with what it
// had first.
func TestLedgerKeepsFirstSet(t *testing.T) {
	var l Ledger
	version := func(host string) *Zone { return testZone(t, "JPNIC: 1.12 NS "+host+".example.") }
	for i, host := range []string{"a", "b"} {
		l = l.Advance(SourceChanges(version(host), version(string(rune('b'+i)))), nil, func(string, string) bool { return false }, gateNow.Add(time.Duration(i)*time.Hour))
	}
	if len(l) != 1 || len(l.Standing(version("b"))) != 1 || len(l.Standing(version("a"))) != 0 {
		t.Errorf("%+v", l)
	}
}
