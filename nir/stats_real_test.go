package nir

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/nir/inr"
	"nirzone/nir/stats"
	"nirzone/zone"
)

// parents are some of the zones that the registry serves.
func parents(t testing.TB) []zone.Name {
	t.Helper()
	var list []zone.Name
	for _, s := range strings.Fields("1 14 27 36 39 42 43 49 58 59 60 61 101 103 106 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 133 150 153 163 171 175 180 182 183 202 203 210 211 218 219 220 221 222 223") {
		list = append(list, zone.Name(s+".in-addr.arpa."))
	}
	return append(list, "0.4.2.ip6.arpa.", "1.0.0.2.ip6.arpa.")
}

// TestRealStatistics imports the whole statistics of a real day and exports them
// again: the same file, byte for byte, but for its comments. The claims that
// follow are read back by the builder of zones.
func TestRealStatistics(t *testing.T) {
	peers.SkipRacing(t)
	if testing.Short() {
		t.Skip("SKIPPED: the whole file of a real day takes seconds")
	}
	data := realStatistics(t)
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	unconfirmed(db)
	update(t, db, admin(day), sevenNIRs)
	update(t, db, admin(day), realPools)
	f, err := ParseStatistics("delegated", data)
	if err != nil {
		t.Fatal(err)
	}
	im := doImport(t, db, admin(day.Add(time.Hour)), f, ImportOptions{NIRs: economies})
	if im.sum().Created != 85300 {
		t.Errorf("%+v", im.sum())
	}
	n := lastEvent(t, db)
	if again := doImport(t, db, admin(day.Add(2*time.Hour)), f, ImportOptions{NIRs: economies}); again.State != ImportNothing || again.sum().Unchanged != 85300 || lastEvent(t, db) != n {
		t.Errorf("again: %s, %+v", again.State, again.sum())
	}
	checkConservation(t, db)

	brisbane := time.Date(2026, 6, 18, 12, 0, 0, 0, time.FixedZone("", 10*3600))
	view(t, db, func(v *View) error {
		files, err := v.Statistics(StatisticsOptions{Day: brisbane})
		if err != nil {
			return err
		}
		if want := withoutComments(data); !bytes.Equal(files[0].Data, want) || files[0].Name != "delegated-apnic-20260618" {
			t.Errorf("%s: the file is not the one that was imported: %d octets for %d", files[0].Name, len(files[0].Data), len(want))
		}
		e, err := v.Export(ExportOptions{Zones: parents(t)})
		if err != nil {
			return err
		}
		c, err := zone.ParseClaims("claims", e.Registry[0].Data)
		if err != nil {
			return err
		}
		count := map[string]int{}
		all := c.All()
		slices.SortFunc(all, func(a, b zone.Claim) int { return a.Prefix.Compare(b.Prefix) })
		for i, x := range all { // whatever overlaps another overlaps its neighbour
			count[x.Source]++
			if i > 0 && all[i-1].Prefix.Overlaps(x.Prefix) {
				t.Errorf("%s is claimed by %s and %s", x.Prefix, all[i-1].Source, x.Source)
			}
		}
		t.Log(count)
		if len(count) != 8 {
			t.Errorf("claims of %v", count)
		}
		// Each claim is its NIR's in the file: by sets, independently of the export.
		by := map[string]*inr.Builder{}
		for i := range f.records {
			code := economies[f.records[i].Economy]
			if code == "" {
				continue
			}
			if by[code] == nil {
				by[code] = &inr.Builder{}
			}
			by[code].Add(f.records[i].Range)
		}
		for code, b := range by {
			want := len(b.Set().Prefixes())
			if count[code] != want {
				t.Errorf("%s has %d claims, want %d", code, count[code], want)
			}
		}
		return nil
	})
	provenAudit(t, db)
}

// TestRealExtended imports the records of a real day with made-up holders and
// exports the extended form: every record is there again with its holder, in the
// order of the file, which is the export's own. What the export adds is what is
// free; header and summaries count that too.
func TestRealExtended(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: the whole file of a real day takes seconds")
	}
	data := withHolders(realStatistics(t))
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	unconfirmed(db)
	update(t, db, admin(day), sevenNIRs)
	update(t, db, admin(day), realPools)
	f, err := ParseStatistics("delegated", data)
	if err != nil {
		t.Fatal(err)
	}
	if im := doImport(t, db, admin(day.Add(time.Hour)), f, ImportOptions{NIRs: economies}); im.sum().Created != 85300 {
		t.Errorf("%+v", im.sum())
	}
	view(t, db, func(v *View) error {
		files, err := v.Statistics(StatisticsOptions{Form: stats.Extended, Day: day})
		if err != nil {
			return err
		}
		want, got := heldLines(data), heldLines(files[0].Data)
		if len(want) != 85300 || !slices.Equal(got, want) {
			t.Errorf("%d records came back of %d", len(got), len(want))
		}
		return nil
	})
}

// heldLines are the lines of records that somebody holds.
func heldLines(data []byte) []string {
	var list []string
	for l := range strings.Lines(string(data)) {
		if strings.Contains(l, "|allocated|") || strings.Contains(l, "|assigned|") {
			list = append(list, l)
		}
	}
	return list
}

func withoutComments(data []byte) []byte {
	var out []byte
	for l := range bytes.Lines(data) {
		if l[0] != '#' {
			out = append(out, l...)
		}
	}
	return out
}

// manyDomains are made-up delegations: n domains, two name servers each.
func manyDomains(n int) Domains {
	return func(_ *View, fn func(*Domain) error) error {
		heads := strings.Fields("1 14 27 36 39 42 43 49 58 59 60 61 101 103 106 110 111 112 113 114 115 116 117 118 119 120")
		for i := range n {
			name := zone.Name(fmt.Sprintf("%d.%d.%s.in-addr.arpa.", i%256, i/256%256, heads[i/65536%len(heads)]))
			d := Domain{Name: name, Changed: day.Add(time.Duration(i%1000) * time.Minute)}
			for _, h := range []zone.Name{"ns1.example.net.", "ns2.example.net."} {
				d.Records = append(d.Records, zone.Record{Name: name, Type: zone.TypeNS, TTL: zone.DefaultTTL, Data: zone.NSData(h)})
			}
			if err := fn(&d); err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkExport exports what zonebuild reads of the whole real registry, with
// domains made up, and its statistics.
func BenchmarkExport(b *testing.B) {
	db := openSQLite(b, filepath.Join(b.TempDir(), "r.db"))
	unconfirmed(db)
	update(b, db, admin(day), sevenNIRs)
	update(b, db, admin(day), realPools)
	f, err := ParseStatistics("delegated", realStatistics(b))
	if err != nil {
		b.Fatal(err)
	}
	doImport(b, db, admin(day.Add(time.Hour)), f, ImportOptions{NIRs: economies})
	for _, n := range []int{0, 50_000, 450_000} {
		b.Run(fmt.Sprint("registry/", n), func(b *testing.B) {
			for range b.N {
				view(b, db, func(v *View) error {
					_, err := v.Export(ExportOptions{Zones: parents(b), Domains: manyDomains(n)})
					return err
				})
			}
			b.ReportMetric(peak(), "peak-MB")
		})
	}
	for form, name := range map[stats.Form]string{stats.Plain: "plain", stats.Extended: "extended"} {
		b.Run("statistics/"+name, func(b *testing.B) {
			for range b.N {
				view(b, db, func(v *View) error {
					_, err := v.Statistics(StatisticsOptions{Form: form, Day: day})
					return err
				})
			}
		})
	}
}
