package zone

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	digestA = strings.Repeat("ab", 32)
	digestB = strings.Repeat("0c", 32)
)

func someManifest() *Manifest {
	at := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	return &Manifest{
		Version: 1, Run: 7, Time: at,
		Sources: []SourceEntry{{
			Name: "JPNIC", Last: Attempt{Time: at, Outcome: OutcomeNew},
			Zones: []ZoneEntry{
				{Zone: "202.in-addr.arpa.", Accepted: &Accepted{
					SHA256: digestA, Size: 12, File: "202.in-addr.arpa-JPNIC", URL: "ftp://h/<a>&b", FirstSeen: at, LastChecked: at, Run: 7,
					MD5Object: digestB, Signer: "0123 <a@b>", SignedAt: at, Validators: "x",
				}, Last: Attempt{Time: at, Outcome: OutcomeRace, Reason: "sum", MismatchSince: at}},
				{Zone: "0.4.2.ip6.arpa.", Last: Attempt{Time: at, Outcome: OutcomeAbsent}},
			},
		}},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m := someManifest()
	data := m.Encode()
	got, err := ParseManifest("manifest.json", data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(data), "ftp://h/<a>&b") || !strings.HasSuffix(string(data), "}\n") {
		t.Errorf("%s", data)
	}
	if s := got.Source("JPNIC"); s == nil || s.Zone("202.in-addr.arpa.") == nil || s.Zone("203.in-addr.arpa.") != nil || got.Source("x") != nil {
		t.Error("a lookup by name is wrong")
	}
	if !OutcomeKept.Failed() || !OutcomeAbsent.Failed() || OutcomeRace.Failed() || OutcomeNew.Failed() || OutcomeUnchanged.Failed() {
		t.Error("which outcomes are failures is wrong")
	}
	if ObjectPath(digestA) != "objects/"+digestA {
		t.Error(ObjectPath(digestA))
	}
}

func TestManifestRefuses(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{`"version": 1`, `"version": 2`, "m.json: version 2, this program reads version 1; use the nirzone release that wrote it"},
		{`"version": 1`, `"version": 0`, "m.json: version 0"},
		{`"version": 1,`, ``, "m.json: version 0"},
		{`"version": 1`, `"version": "1"`, "m.json:"},
		{`"run": 7,`, `"run": -7,`, "m.json:"},
		{`"run": 7,`, `"run": 7, "new": 1,`, `m.json: json: unknown field "new"`},
		{digestA, strings.ToUpper(digestA), "m.json: source JPNIC: zone 202.in-addr.arpa.: digest"},
		{digestA, digestA[:62], "m.json: source JPNIC: zone 202.in-addr.arpa.: digest"},
		{digestA, "", "m.json: source JPNIC: zone 202.in-addr.arpa.: digest"},
		{digestA, "../../etc/passwd", "m.json: source JPNIC: zone 202.in-addr.arpa.: digest"},
		{digestB, "x", "m.json: source JPNIC: zone 202.in-addr.arpa.: digest"},
		{`"202.in-addr.arpa-JPNIC"`, `"a/b"`, `m.json: source JPNIC: zone 202.in-addr.arpa.: file "a/b" is not a base name`},
		{`"202.in-addr.arpa-JPNIC"`, `".."`, `m.json: source JPNIC: zone 202.in-addr.arpa.: file ".."`},
		{`"202.in-addr.arpa-JPNIC"`, `"."`, `m.json: source JPNIC: zone 202.in-addr.arpa.: file "."`},
		{`"202.in-addr.arpa-JPNIC"`, `"/"`, `m.json: source JPNIC: zone 202.in-addr.arpa.: file "/"`},
		{`"202.in-addr.arpa-JPNIC"`, `""`, `m.json: source JPNIC: zone 202.in-addr.arpa.: file ""`},
		{`"size": 12`, `"size": -1`, "m.json: source JPNIC: zone 202.in-addr.arpa.: size -1 is negative"},
		{`"202.in-addr.arpa."`, `"202.in-addr.arpa"`, `m.json: source JPNIC: zone "202.in-addr.arpa" is not a canonical name`},
		{`"202.in-addr.arpa."`, `"A."`, `m.json: source JPNIC: zone "A."`},
		{`"202.in-addr.arpa."`, `"0.4.2.ip6.arpa."`, "m.json: source JPNIC: zone 0.4.2.ip6.arpa. stands twice"},
		{`"sources": [`, `"sources": [{"name": "JPNIC"},`, `m.json: source "JPNIC" stands twice`},
	} {
		in := strings.Replace(string(someManifest().Encode()), tc.old, tc.new, 1)
		if m, err := ParseManifest("m.json", []byte(in)); err == nil || !strings.HasPrefix(err.Error(), tc.want) || m != nil {
			t.Errorf("%s for %s: %v, want %s", tc.new, tc.old, err, tc.want)
		}
	}
	for _, in := range []string{"", "null", "[]", "{", `{"version": 1} {}`, `{"version": 1}x`, "\x00"} {
		if _, err := ParseManifest("m.json", []byte(in)); err == nil || !strings.HasPrefix(err.Error(), "m.json:") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func someGeneration() *Generation {
	at := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	in := Input{Source: "JPNIC", File: "202.in-addr.arpa-JPNIC", SHA256: digestA, Size: 12}
	kept := Input{Source: "JPNIC", File: "202.in-addr.arpa-JPNIC", SHA256: digestB, Size: 13}
	return &Generation{
		Version: GenerationVersion, Number: 2, Previous: 1, Time: at, Cause: "build", Config: digestA, Claims: digestA,
		Zones: []GenerationZone{{
			Zone: "202.in-addr.arpa.", Serial: 2026112100, SHA256: digestA, Size: 5, Body: digestA, Delegations: 1,
			Counts: []SourceCount{{"JPNIC", 1}}, Inputs: []Input{in},
			Kept: []KeptRecord{{Name: "1.202.in-addr.arpa.", Type: TypeNS, TTL: 5, Data: []byte("\x00"), Input: kept, Line: 3, Why: "bad-ns"}},
			Keys: []GenerationKey{{1, 13, 257}}, Due: at, Expires: at, Claims: digestA, Basis: digestB,
		}},
		Notices: []OpenNotice{{Notice{Code: "c", Severity: Warning, Source: "JPNIC", Pos: Pos{"f", 1, 2}, Text: "t"}, at}},
		Holds:   []Hold{{Hash: "h", Source: "JPNIC", Zone: "202.in-addr.arpa.", Losses: []Name{"1.202.in-addr.arpa."}}},
		Reload:  []Name{"202.in-addr.arpa."},
	}
}

func TestGenerationRoundTrip(t *testing.T) {
	g := someGeneration()
	got, err := ParseGeneration("generation.json", g.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]bool{digestA: true, digestB: true}, got.Objects()); diff != "" {
		t.Error(diff)
	}
	if got.Zone("202.in-addr.arpa.") == nil || got.Zone("203.in-addr.arpa.") != nil {
		t.Error("a lookup by name is wrong")
	}
}

func TestGenerationRefuses(t *testing.T) {
	zone := `"zone": "202.in-addr.arpa.",
      "serial"`
	for _, tc := range []struct{ old, new, want string }{
		{`"version": 2`, `"version": 3`, "g.json: version 3"},
		{`"basis": "` + digestB, `"basis": "..`, "g.json: zone 202.in-addr.arpa.: digest"},
		{`"number": 2`, `"number": 2, "x": 3`, `g.json: json: unknown field "x"`},
		{`"config": "` + digestA, `"config": "`, "g.json: digest"},
		{`"claims": "` + digestA, `"claims": "../x`, "g.json: digest"},
		{`"body": "` + digestA, `"body": "`, "g.json: zone 202.in-addr.arpa.: digest"},
		{`"sha256": "` + digestB, `"sha256": "..`, "g.json: zone 202.in-addr.arpa.: digest"},
		{`"sha256": "` + digestA, `"sha256": "AB`, "g.json: zone 202.in-addr.arpa.: digest"},
		{zone, strings.Replace(zone, "202.", "A.", 1), "g.json: zone A.in-addr.arpa.: "},
		{`"name": "1.202.in-addr.arpa."`, `"name": "1.203.in-addr.arpa."`, `g.json: zone 202.in-addr.arpa.: kept record "1.203.in-addr.arpa."`},
		{`"name": "1.202.in-addr.arpa."`, `"name": "X.202.in-addr.arpa."`, `g.json: zone 202.in-addr.arpa.: kept record "X`},
		{`"severity": "warning"`, `"severity": "bad"`, "g.json: severity"},
		{`"serial": 2026112100`, `"serial": 4294967296`, "g.json:12:26: json: cannot unmarshal"},
	} {
		in := strings.Replace(string(someGeneration().Encode()), tc.old, tc.new, 1)
		if g, err := ParseGeneration("g.json", []byte(in)); err == nil || !strings.HasPrefix(err.Error(), tc.want) || g != nil {
			t.Errorf("%s: %v, want %s", tc.new, err, tc.want)
		}
	}
	twice := someGeneration()
	twice.Zones = append(twice.Zones, twice.Zones[0])
	if _, err := ParseGeneration("g.json", twice.Encode()); err == nil || err.Error() != "g.json: zone 202.in-addr.arpa. stands twice" {
		t.Error(err)
	}
}

// What parses is written and read back as the same, and its digests are names
// of files that stay in their folder.
func FuzzParseManifest(f *testing.F) {
	f.Add(someManifest().Encode())
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(fmt.Sprintf(`{"version":1,"sources":[{"name":"a","zones":[{"zone":".","accepted":{"sha256":%q,"file":"x"}}]}]}`, digestB)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest("m", data)
		if err != nil {
			return
		}
		back, err := ParseManifest("m", m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := m.Encode(), back.Encode(); string(a) != string(b) {
			t.Errorf("%s is not %s", a, b)
		}
		for _, s := range m.Sources {
			for _, z := range s.Zones {
				if z.Accepted != nil && strings.Trim(z.Accepted.SHA256, "0123456789abcdef") != "" {
					t.Errorf("digest %q", z.Accepted.SHA256)
				}
			}
		}
	})
}

func FuzzParseGeneration(f *testing.F) {
	f.Add(someGeneration().Encode())
	f.Add([]byte(fmt.Sprintf(`{"version":1,"config":%q,"claims":%q,"zones":[{"zone":"."}]}`, digestA, digestB)))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ParseGeneration("g", data)
		if err != nil {
			return
		}
		back, err := ParseGeneration("g", g.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := g.Encode(), back.Encode(); string(a) != string(b) {
			t.Errorf("%s is not %s", a, b)
		}
		for d := range g.Objects() {
			if len(d) != 64 || strings.Trim(d, "0123456789abcdef") != "" {
				t.Errorf("object %q", d)
			}
		}
	})
}
