package zone

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	prev := testZone(t, `
		JPNIC: 28.12 NS a.example.
		JPNIC: 29.12 NS a.example.
		JPNIC: 29.12 DS `+ds256+`
		JPNIC: 30.12 NS a.example.
		JPNIC: 31.12 NS a.example.
		JPNIC: 31.12 DS `+ds256+`
		JPNIC: 32.12 NS ns.32.12
		JPNIC: ns.32.12 A 192.0.2.1
		JPNIC: 33.12 NS a.example.
		KRNIC: 1.13 NS k.example.
		APNIC: 1.1.14 CNAME x.example.`)
	next := testZone(t, `
		JPNIC: 29.12 NS a.example.
		JPNIC: 30.12 NS b.example.
		JPNIC: 30.12 DS `+ds256+`
		JPNIC: 31.12 NS a.example.
		JPNIC: 31.12 DS `+strings.Replace(ds256, "1 13", "2 13", 1)+`
		JPNIC: 32.12 NS ns.32.12
		JPNIC: ns.32.12 A 192.0.2.2
		APNIC: 33.12 NS a.example.
		KRNIC: 1.13 NS k.example.
		KRNIC: 2.13 NS k.example.
		APNIC: 1.1.14 CNAME y.example.`)
	for i := range next.Entries {
		next.Entries[i].Kept = ""
		if strings.HasPrefix(string(next.Entries[i].Name), "1.13.") {
			next.Entries[i].TTL = 300
		}
	}
	next.NS = []Name{"ns2.registry.example."}
	d := Diff(prev, next)
	want := `202.in-addr.arpa: 1 added, 1 removed, 7 changed
  apex - NS ns1.registry.example.
  apex + NS ns2.registry.example.
  APNIC: 2 changed
    ~ 33.12.202.in-addr.arpa.  source  (was JPNIC)
    ~ 1.1.14.202.in-addr.arpa.  cname  -CNAME x.example.  +CNAME y.example.
  JPNIC: 1 removed, 4 changed
    - 28.12.202.in-addr.arpa.  NS a.example.
    ~ 29.12.202.in-addr.arpa.  ds-removed  -DS 1 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
    ~ 30.12.202.in-addr.arpa.  ns, ds-added  -NS a.example.  +NS b.example.  +DS 1 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
    ~ 31.12.202.in-addr.arpa.  ds-changed  -DS 1 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF  +DS 2 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
    … and 1 owner more: 1 changed
  KRNIC: 1 added, 1 changed
    ~ 1.13.202.in-addr.arpa.  ttl
    + 2.13.202.in-addr.arpa.  NS k.example.
`
	if diff := cmp.Diff(want, d.Text(4)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if !Diff(prev, prev).Empty() || !Diff(nil, nil).Empty() || Diff(prev, prev).Text(0) != "" {
		t.Error("a zone differs from itself")
	}
	js, err := json.Marshal(d)
	if err != nil || !strings.Contains(string(js), `{"name":"28.12.202.in-addr.arpa.","kinds":["removed"],"before":"JPNIC","removed":["NS a.example."]}`) {
		t.Errorf("JSON %s, %v", js, err)
	}
	if n := len(Diff(nil, next).Changes); n != 8 {
		t.Errorf("%d owners in the first version, want 8", n)
	}
	if n := len(Diff(prev, nil).Changes); n != 8 {
		t.Errorf("%d owners in the last version, want 8", n)
	}
}

// A difference is empty just if the zones are the same, and the other way round
// it has as many owners.
func TestDiffProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prev, _ := Merge(drawInput(t))
		in := drawHistory(t)
		next, _ := Merge(in)
		d, back := Diff(prev, next), Diff(next, prev)
		if len(d.Changes) != len(back.Changes) {
			t.Fatalf("%d owners one way, %d the other", len(d.Changes), len(back.Changes))
		}
		same := cmp.Equal(recordsOf(prev), recordsOf(next)) && cmp.Equal(sourcesOf(prev), sourcesOf(next))
		if same != (len(d.Changes) == 0) {
			t.Fatalf("the zones are equal: %v; difference:\n%s", same, d.Text(0))
		}
		for _, c := range d.Changes {
			if len(c.Kinds) == 0 {
				t.Fatalf("%s changed in no way", c.Name)
			}
		}
	})
}

func sourcesOf(z *Zone) []string {
	var out []string
	for _, e := range z.Entries {
		out = append(out, z.Source(e))
	}
	return out
}
