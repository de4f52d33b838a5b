package nir

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// TestExportOfDomainObjects: domain objects that are active reach the registry's
// zonelet, inactive ones do not, and the file moves with their name servers alone.
func TestExportOfDomainObjects(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		q := ask("r1", "m1", inr.IPv4, "/22")
		q.Economy, q.Who.Economy = "TW", "TW"
		r := submit(t, db, twStaff(day.Add(time.Hour)), q)
		b, _ := r.Ranges[0].Block()
		var names []string
		for s := range b.Subblocks(24) {
			n, err := zone.ReverseName(s.Prefix())
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, n.File())
		}
		o := ExportOptions{Zones: zones("202.in-addr.arpa.")}
		file := func() string { return fileOf(exportFrom(t, db, o).Registry, "202.in-addr.arpa-APNIC") }
		if got := file(); !strings.Contains(got, "with 0 NS records from APNIC, 0 DS") || !strings.Contains(got, "Generated at 2026-03-04 09:00:00Z") {
			t.Errorf("inactive domains yield\n%s", got)
		}
		set := func(at time.Time, ns ...string) {
			t.Helper()
			update(t, db, twStaff(at), func(x *Tx) error {
				_, err := x.SetDomain(names[1], ns, nil)
				return err
			})
		}
		set(day.Add(2*time.Hour), "ns1.example.net", "ns2.example.net")
		active := file()
		if !strings.Contains(active, "\n"+names[1]+".\tNS\tns1.example.net.\n"+names[1]+".\tNS\tns2.example.net.\n") || strings.Contains(active, names[0]) ||
			!strings.Contains(active, "Generated at 2026-03-04 11:00:00Z with 2 NS records") {
			t.Errorf("an active domain yields\n%s", active)
		}
		part := fileOf(exportFrom(t, db, o).NIRs["TWNIC"], "202.in-addr.arpa-TWNIC")
		if want := strings.ReplaceAll(active, "APNIC", "TWNIC"); part != want {
			t.Errorf("the part of TWNIC is\n%s\nwant\n%s", part, want)
		}
		submit(t, db, twStaff(day.Add(3*time.Hour)), func() Ask { q := q; q.Ref, q.Size = "r2", "/24"; return q }())
		if got := file(); got != active {
			t.Errorf("after an event of others:\n%s", got)
		}
		set(day.Add(4 * time.Hour))
		if got := file(); !strings.Contains(got, "Generated at 2026-03-04 13:00:00Z with 0 NS records") {
			t.Errorf("after the end of the only one:\n%s", got)
		}
		view(t, db, func(v *View) error {
			e, err := v.Export(o)
			if err == nil && len(e.Stray) > 0 {
				t.Errorf("stray %v", e.Stray)
			}
			return err
		})
	})
}

// TestImportKeepsWhois: a delegation that an import moves takes its whois objects
// along, and one that is not described yet stays so.
func TestImportKeepsWhois(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	doImport(t, db, admin(day), statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated|A1", "JP|ipv4|202.16.0.0|256|20010101|allocated|A1"), twoNIRs)
	answer := func(text string) WhoisObject {
		var w WhoisObject
		view(t, db, func(v *View) (err error) {
			w, err = v.WhoisCovering(rng(t, text))
			return err
		})
		return w
	}
	if w := answer("202.12.1.0/24"); w.Source != "JPNIC" || w.ID != "" {
		t.Errorf("before it is described: %+v", w)
	}
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.DescribeMissing(100)
		return err
	})
	before := answer("202.16.0.0/24")
	if before.ID == "" {
		t.Fatal("it is not described")
	}
	second := []string{"KR|ipv4|202.12.0.0|2048|20010101|allocated|A2", "AU|ipv4|202.12.8.0|2048|20010101|allocated|A3", "JP|ipv4|202.16.0.0|256|20010101|assigned|A1"}
	doImport(t, db, admin(day.Add(time.Hour)), statisticsOf(t, "apnic", second...), twoNIRs)
	for text, source := range map[string]string{"202.12.1.0/24": "KRNIC", "202.12.9.0/24": "APNIC", "202.16.0.0/24": "JPNIC"} {
		if w := answer(text); w.Source != source || w.ID == "" || w.Range.Contains(rng(t, "202.12.0.0/20")) {
			t.Errorf("%s: %s of %s, %q", text, w.Range, w.Source, w.ID)
		}
	}
	if w := answer("202.16.0.0/24"); !strings.Contains(w.Text, "ASSIGNED") {
		t.Errorf("after the update: %s", w.Text)
	}
	provenAudit(t, db)
}

// BenchmarkExportDomains exports a registry with 50 000 domain objects of its own.
func BenchmarkExportDomains(b *testing.B) {
	db := openSQLite(b, filepath.Join(b.TempDir(), "r.db"))
	world(b, db)
	update(b, db, admin(day), func(x *Tx) error {
		x.act("test.load")
		var list []WhoisObject
		for i := range 50_000 {
			key := fmt.Sprintf("%d.%d.202.in-addr.arpa", i%256, i/256)
			text := fmt.Sprintf("domain:         %s\ndescr:          in-addr.arpa zone for %s\ncountry:        JP\nadmin-c:        AA1-JP\ntech-c:         TT1-JP\nzone-c:         TT1-JP\n"+
				"nserver:        ns1.example%d.net\nnserver:        ns2.example%d.net\nmnt-by:         MAINT-JPNIC\nsource:         JPNIC\n", key, key, i%1000, i%1000)
			list = append(list, WhoisObject{Type: "domain", Key: key, Source: "JPNIC", Origin: KeptHere, Text: text, State: DomainActive, NIR: "JPNIC"})
		}
		return fill(x, whoisObjects, list)
	})
	b.ResetTimer()
	for range b.N {
		view(b, db, func(v *View) error {
			_, err := v.Export(ExportOptions{Zones: zones("202.in-addr.arpa.")})
			return err
		})
	}
	b.ReportMetric(50_000*float64(b.N)/b.Elapsed().Seconds(), "domains/s")
}
