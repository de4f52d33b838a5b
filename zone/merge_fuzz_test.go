package zone

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzMerge gives the merge whatever the parser takes, from an NIR and from the
// registry, on top of what an earlier run published.
func FuzzMerge(f *testing.F) {
	for i := range 12 {
		f.Add("28.12.202.in-addr.arpa. NS a.example.\n12.202.in-addr.arpa. NS 192.0.2.1.\n", "28.12.202.in-addr.arpa. NS a.example.\n", uint8(i))
	}
	f.Add("$TTL 300\n28.12.202.in-addr.arpa. NS ns.28.12.202.in-addr.arpa.\nns.28.12.202.in-addr.arpa. A 192.0.2.1\n", "1.28.12.202.in-addr.arpa. CNAME x.0-127.28.12.202.in-addr.arpa.\n0-127.28.12.202.in-addr.arpa. NS a.example.\n", uint8(3))
	f.Add("28.12.202.in-addr.arpa. DS 1 8 2 00\n*.12.202.in-addr.arpa. TXT x\n", "12.202.in-addr.arpa. NS remove.this.nserver.to.enable.zone.at.apnic.net.\n", uint8(7))
	claims := [][]string{jpnic, {"KRNIC 202.0.0.0/8"}, {"JPNIC 202.0.0.0/8", "KRNIC 202.12.28.0/23"}, nil}
	f.Fuzz(func(t *testing.T, nir, registry string, choice uint8) {
		in := MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, claims[choice%4]...)}
		opt := ParseOptions{Limits: DefaultParseLimits, TrailerOptional: true}
		for _, s := range [][2]string{{"JPNIC", nir}, {"APNIC", registry}} {
			frag, err := ParseFragment(s[0], testApex.Origin, "202-"+s[0], []byte(s[1]), opt)
			if err != nil {
				return
			}
			in.Fragments = append(in.Fragments, frag)
		}
		first := in
		first.Claims = claimsOf(t, "JPNIC 202.0.0.0/8")
		first.Fragments = in.Fragments[:choice/4%3]
		in.Published, _ = Merge(first)
		z, _ := Merge(in)
		checkZone(t, z)
		in.Published = ZoneFromKept(testApex, z.KeptRecords())
		again, _ := Merge(in)
		if d := cmp.Diff(z, again); d != "" {
			t.Fatalf("replayed from what was kept (-built +replayed):\n%s", d)
		}
	})
}
