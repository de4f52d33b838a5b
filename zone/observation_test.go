package zone

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var observedAt = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

func someObservations() *Observations {
	keys := RRset{Name: "202.in-addr.arpa.", Type: TypeDNSKEY, TTL: 3600, Data: [][]byte{{1, 1, 3, 13, 1, 2, 3}}, Signatures: [][]byte{{9}}}
	ds := RRset{Name: "202.in-addr.arpa.", Type: TypeDS, TTL: 86400, Data: [][]byte{{0, 1, 13, 2, 5}}}
	seen := func(s RRset) []SeenSet {
		return []SeenSet{{Set: s.ID(), First: observedAt, Last: observedAt.Add(time.Hour)}}
	}
	one := Observation{
		Server: "ns1.registry.example.", Address: netip.MustParseAddrPort("192.0.2.1:53"), First: observedAt, Last: observedAt, Asked: observedAt,
		Serial: 7, Highest: 7, Expires: observedAt.AddDate(0, 0, 12), Sampled: 8, Sets: seen(keys),
	}
	two := one
	two.Address, two.Fault, two.Reason, two.Since = netip.MustParseAddrPort("[2001:db8::1]:53"), FaultSilent, "no answer", observedAt
	up := Observation{Server: "a.example.", Address: netip.MustParseAddrPort("192.0.2.9:53"), First: observedAt, Last: observedAt, Asked: observedAt, Sets: seen(ds)}
	return &Observations{
		Version: 1, Run: 3, Time: observedAt, Generation: 9,
		Zones: []ObservedZone{{
			Zone: "202.in-addr.arpa.", Serial: 7, SerialSince: observedAt, Published: []string{keys.ID()}, Servers: []Observation{one, two}, Parent: "in-addr.arpa.",
			Delegation: []Observation{up}, Unknown: []UnknownServer{{Server: "b.example.", Parent: true, Reason: "it has no address"}},
		}},
		Chain: seen(ds), Sets: []RRset{keys, ds},
	}
}

func TestObservationsRoundTrip(t *testing.T) {
	data := someObservations().Encode()
	o, err := ParseObservations("o", data)
	if err != nil {
		t.Fatal(err)
	}
	if again := o.Encode(); !bytes.Equal(again, data) {
		t.Errorf("%s\n%s", data, again)
	}
	want := someObservations()
	want.Encode() // sorts
	if !reflect.DeepEqual(o, want) {
		t.Errorf("%+v\n%+v", o, want)
	}
	// The order in which things were added does not show.
	other := someObservations()
	other.Sets[0], other.Sets[1] = other.Sets[1], other.Sets[0]
	z := &other.Zones[0]
	z.Servers[0], z.Servers[1] = z.Servers[1], z.Servers[0]
	other.Sets = append(other.Sets, other.Sets[0])
	if !bytes.Equal(other.Encode(), data) {
		t.Error("the order shows")
	}
}

func TestObservationsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(o *Observations)
		want  string
	}{
		{"newer", func(o *Observations) { o.Version = 3 }, "version 3"},
		{"zone twice", func(o *Observations) { o.Zones = append(o.Zones, o.Zones[0]) }, "stands twice"},
		{"zone name", func(o *Observations) { o.Zones[0].Zone = "202.IN-ADDR.ARPA" }, "not a canonical name"},
		{"parent", func(o *Observations) { o.Zones[0].Parent = "203.in-addr.arpa." }, "is not above it"},
		{"itself above", func(o *Observations) { o.Zones[0].Parent = o.Zones[0].Zone }, "is not above it"},
		{"no set", func(o *Observations) { o.Sets = o.Sets[:1] }, "is named and not there"},
		{"published", func(o *Observations) { o.Zones[0].Published[0] = "x" }, "is named and not there"},
		{"times", func(o *Observations) { o.Chain[0].Last = observedAt.Add(-1) }, "last seen before it was first seen"},
		{"address", func(o *Observations) { o.Zones[0].Servers[0].Address = netip.MustParseAddrPort("0.0.0.0:53") }, "cannot be asked"},
		{"mapped", func(o *Observations) {
			o.Zones[0].Servers[0].Address = netip.MustParseAddrPort("[::ffff:192.0.2.1]:53")
		}, "cannot be asked"},
		{"address twice", func(o *Observations) { o.Zones[0].Servers[1].Address = o.Zones[0].Servers[0].Address }, "stands twice"},
		{"fault", func(o *Observations) { o.Zones[0].Servers[1].Fault = "odd" }, "is not known"},
		{"missing name", func(o *Observations) { o.Zones[0].Servers[1].Missing = []Name{"a..b."} }, "not a canonical name"},
		{"too many records", func(o *Observations) { o.Sets[0].Data = make([][]byte, maxSetData+1) }, "records and"},
		{"empty set", func(o *Observations) { o.Sets[0].Data = nil }, "0 records"},
		{"long data", func(o *Observations) { o.Sets[0].Data[0] = make([]byte, 1<<16) }, "65536 octets"},
		{"many sets", func(o *Observations) {
			s := &o.Zones[0].Servers[0]
			for range maxSeen {
				s.Sets = append(s.Sets, s.Sets[0])
			}
		}, "65 sets"},
		{"unknown server", func(o *Observations) { o.Zones[0].Unknown[0].Server = "" }, "not a canonical name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := someObservations()
			c.spoil(o)
			got, err := ParseObservations("o", o.Encode())
			if got != nil || err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "o:") {
				t.Errorf("%v, %v, want %q", got, err, c.want)
			}
		})
	}
	if _, err := ParseObservations("o", []byte(`{"version":1,"zones":[],"sets":[],"wings":2}`)); err == nil || !strings.Contains(err.Error(), "wings") {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := ParseObservations("o", make([]byte, MaxObservations+1)); err == nil || !strings.Contains(err.Error(), "octets") {
		t.Errorf("too long: %v", err)
	}
}

func FuzzParseObservations(f *testing.F) {
	seeds, err := filepath.Glob("testdata/observations/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(someObservations().Encode())
	c, err := ParseConfig("nirzone.toml", []byte(configHead+configZones))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObservations("o", data)
		if err != nil {
			return
		}
		// What is read can be judged and written, and what is written is read.
		for _, n := range o.Notices(c, observedAt) {
			if n.Source != "RIR" || n.Text == "" {
				t.Errorf("%+v", n)
			}
		}
		first := o.Encode()
		again, err := ParseObservations("o", first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if !bytes.Equal(again.Encode(), first) {
			t.Errorf("not the same again:\n%s", first)
		}
	})
}

func TestParseAnchors(t *testing.T) {
	good := "; the root\n. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n\nIN-ADDR.arpa. 3600 IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n"
	r, err := ParseAnchors("anchors", []byte(good))
	if err != nil || len(r) != 2 || r[0].Name != Root || r[0].Text() != "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D" || r[1].Name != "in-addr.arpa." {
		t.Fatalf("%v, %v", r, err)
	}
	for text, want := range map[string]string{
		"":                              "holds no DS or DNSKEY record",
		"$INCLUDE /etc/passwd\n":        "anchors:1:1: directives are refused",
		". IN DS 20326 8\n":             "anchors: ",
		". IN NS a.example.\n":          ". NS is no trust anchor",
		". CH DS 20326 8 2 E06D44B8\n":  "is no trust anchor",
		strings.Repeat(good, 200) + "":  "over 256 records",
		"  $GENERATE 1-9 $ DS 1 8 2 AA": "directives are refused",
	} {
		if r, err := ParseAnchors("anchors", []byte(text)); r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, %v", text, r, err)
		}
	}
}

func TestObserveConfig(t *testing.T) {
	c, err := ParseConfig("/etc/nirzone/nirzone.toml", []byte(configHead+configZones+`
[observe]
anchors = "anchors"
resolvers = ["127.0.0.1", "[2001:db8::1]:5353"]
ipv6 = false
[[observe.server]]
host = "NS9.registry.example"
serves = ["202.in-addr.arpa"]
[[observe.server]]
host = "ns1.registry.example"
addresses = ["2001:db8::2", "192.0.2.1"]
[[observe.parent]]
zone = "in-addr.arpa"
host = "a.example.net"
addresses = ["::ffff:192.0.2.7"]
`))
	if err != nil {
		t.Fatal(err)
	}
	o := c.Observe
	if got := fmt.Sprint(o.Anchors, o.Resolvers, o.Servers, o.Parents, o.IPv6); got != "/etc/nirzone/anchors[127.0.0.1:53 [2001:db8::1]:5353] [{ns1.registry.example. [192.0.2.1:53 [2001:db8::2]:53] []} {ns9.registry.example. [] [202.in-addr.arpa.]}] [{in-addr.arpa. a.example.net. [192.0.2.7:53]}] false" {
		t.Error(got)
	}
	for text, want := range map[string]string{
		`resolvers = ["localhost"]`:                                      `observe.resolvers: "localhost" is no address`,
		`resolvers = ["192.0.2.1", "192.0.2.1:53"]`:                      "stands twice",
		`resolvers = ["192.0.2.1:0"]`:                                    "is no address",
		`resolvers = ["fe80::1%eth0"]`:                                   "is no address",
		`sample = -1`:                                                    "observe.sample = -1",
		`rate = 0`:                                                       "observe.rate = 0",
		`fresh_for = "1s"`:                                               "observe.fresh_for",
		"[[observe.server]]\nhost = \"ns1\"":                             "is no host name",
		"[[observe.server]]\nhost = \"a.b\"\naddresses = [\"x\"]":        "observe.server[0].addresses",
		"server = [{ host = \"a.b\" }, { host = \"A.b.\" }]":             "a.b. stands twice",
		"[[observe.parent]]\nhost = \"a.b\"":                             "observe.parent[0].zone: empty name",
		"parent = [{host=\"a.b\",zone=\"x\"},{host=\"a.b\",zone=\"x\"}]": "a.b. of x. stands twice",
	} {
		if _, err := ParseConfig("f", []byte(configHead+configZones+"[observe]\n"+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Every code that observations give is documented, and docs/notices.md says the same.
func TestObserveNoticesDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/notices.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for i, d := range observeDocs {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", d.Code, d.Severity, d.Meaning, d.Remedy)
		if i > 0 && observeDocs[i-1].Code >= d.Code {
			t.Errorf("%s is out of order", d.Code)
		}
	}
	if !strings.Contains(string(doc), "\n"+table.String()) {
		t.Errorf("docs/notices.md does not hold this table:\n%s", table.String())
	}
}
