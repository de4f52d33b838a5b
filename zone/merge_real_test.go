package zone

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// realClaims are written by hand: three of the six /8s that are AFRINIC's whole
// are at hand, and of some others a part.
const realClaims = "AFRINIC\t41.0.0.0/8\nAFRINIC\t62.24.0.0/16\nAFRINIC\t62.135.0.0/16\nAFRINIC\t102.0.0.0/8\nAFRINIC\t105.0.0.0/8\nAFRINIC\t129.232.0.0/16\nAFRINIC\t154.0.0.0/8\n" +
	"AFRINIC\t155.12.0.0/16\nAFRINIC\t196.0.0.0/8\nAFRINIC\t197.0.0.0/8\nAFRINIC\t202.123.0.0/20\nAFRINIC\t202.123.16.0/20\nAFRINIC\t217.64.0.0/16\nAFRINIC\t2001:4200::/25\n"

// The real zonelets give what an independent count gives.
func TestMergeReal(t *testing.T) {
	awk, err := exec.LookPath("awk")
	if err != nil {
		t.Skip("SKIP: no awk: the real zonelets are not counted independently")
	}
	claims, err := ParseClaims("claims", []byte(realClaims))
	if err != nil {
		t.Fatal(err)
	}
	dir, total := sharedData(t), realCounts{}
	realZonelets(t, func(zone Name, source, file string, data []byte) {
		f, err := ParseFragment(source, zone, file, data, ParseOptions{Limits: DefaultParseLimits})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		apex := testApex
		apex.Origin = zone
		z, notices := Merge(MergeInput{Apex: apex, Registry: "APNIC", Claims: claims, Fragments: []*Fragment{f}})
		checkZone(t, z)
		got := countReal(t, z, notices)
		want, err := exec.Command(awk, "-v", "zone="+zone.File(), "-f", "testdata/count.awk", filepath.Join(dir, "zonelets", file)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(bytes.TrimSpace(want)) {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
		total.add(got)
	})
	t.Logf("all files: %s", total)
}

type realCounts [7]int

func (c realCounts) String() string {
	return fmt.Sprintf("owners %d ns %d ds %d duplicates %d apex %d single %d outside %d", c[0], c[1], c[2], c[3], c[4], c[5], c[6])
}

func (c *realCounts) add(d realCounts) {
	for i := range c {
		c[i] += d[i]
	}
}

// countReal counts from the zone and from the texts of the notices.
func countReal(t *testing.T, z *Zone, notices []Notice) (c realCounts) {
	last := Name("")
	for _, e := range z.Entries {
		switch e.Type {
		case TypeNS:
			c[1]++
		case TypeDS:
			c[2]++
		}
		if e.Name != last {
			c[0], last = c[0]+1, e.Name
		}
	}
	for _, n := range notices {
		number := 0
		if _, err := fmt.Sscanf(n.Text, "%d", &number); err != nil && (n.Code == "duplicate" || n.Code == "apex") {
			t.Errorf("no number in %q", n.Text)
		}
		switch n.Code {
		case "duplicate":
			c[3] += number
		case "apex":
			c[4] += number
		case "single-ns":
			c[5]++
		case "outside-claims":
			c[6]++
		default:
			t.Errorf("unexpected %v", n)
		}
		if !strings.HasPrefix(n.Pos.String(), z.Inputs[0].File+":") {
			t.Errorf("notice without a place: %v", n)
		}
	}
	return c
}
