package nir

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestQuickRecords: what is read quickly of a domain object is what the whole
// parser makes of it, and what is no usual object is not read quickly.
func TestQuickRecords(t *testing.T) {
	var q quickReader
	for _, c := range []struct {
		key, servers string
		usual        bool
	}{
		{"1.2.202.in-addr.arpa", "nserver: ns1.example.net\nnserver: ns2.example.net\n", true},
		{"2.2.202.in-addr.arpa", "nserver:        NS1.Example.NET.\n", true},
		{"3.2.202.in-addr.arpa", "NSERVER:ns1.example.net\nremarks: nserver: ns9.example.net\n", true},
		{"8.b.d.0.1.0.0.2.ip6.arpa", "nserver: ns1.example.net\n", true},
		{"4.2.202.in-addr.arpa", "nserver: ns1.example.net # ours\n", false},
		{"5.2.202.in-addr.arpa", "nserver:\n ns1.example.net\n", false},
		{"6.2.202.in-addr.arpa", "nserver:\n+ns1.example.net\n", false},
		{"7.2.202.in-addr.arpa", "nserver: ns1.example.net 192.0.2.1\n", false},
		{"8.2.202.in-addr.arpa", "nserver: ns1.example.net\nds-rdata: 1 13 2 " + strings.Repeat("ab", 32) + "\n", false},
		{"9.2.202.in-addr.arpa", "nserver: " + DummyServer + "\n", false},
		{"10.2.202.in-addr.arpa", "nserver: ns1.example.net\nnserver: NS1.example.net.\n", false},
		{"20.2.202.in-addr.arpa", "nserver: ns1.11.2.202.in-addr.arpa\n", true}, // as another zone's server it is one
		{"11.2.202.in-addr.arpa", "nserver: ns1.11.2.202.in-addr.arpa\n", false},
		{"12.2.202.in-addr.arpa", "remarks: none\n", false},
		{"13.2.202.in-addr.arpa", "nserver: 192.0.2.1\n", false},
		{"64-127.2.2.202.in-addr.arpa", "nserver: ns1.example.net\n", false},
	} {
		text := fmt.Sprintf("domain: %s\ndescr: a zone\nadmin-c: AA1-AP\n%smnt-by: M\nsource: APNIC\n", c.key, c.servers)
		name, err := zone.ParseName(c.key)
		if err != nil {
			t.Fatal(err)
		}
		got, usual := q.records(name, text)
		if usual != c.usual {
			t.Errorf("%s: read quickly: %v", c.key, usual)
		}
		w := WhoisObject{Type: "domain", Key: c.key, Text: text, State: DomainActive}
		if want, err := w.Records(); usual && (err != nil || !slices.Equal(got, want)) {
			t.Errorf("%s: %v, the whole parser says %v, %v", c.key, got, want, err)
		}
	}
}
