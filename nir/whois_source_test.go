package nir

import (
	"path/filepath"
	"testing"

	"nirzone/nir/inr"
)

// TestR_NIR_15_SourceNamesTheNIR: whatever answers for a number of an NIR names
// it: the object of an allocation, that of an existing pool, what is written for a
// delegation without objects, and what its own whois says.
func TestR_NIR_15_SourceNamesTheNIR(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	jp := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24")).Ranges[0]
	tw := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/24")).Ranges[0]
	number := submit(t, db, twStaff(day), ask("r2", "m1", inr.ASN, "1")).Ranges[0]
	pool, imported := rng(t, "61.0.0.0/16"), rng(t, "61.60.0.0/16")
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.AddPool(Pool{Range: pool, Purpose: NIRExisting, NIR: "TWNIC"}); err != nil {
			return err
		}
		d := Delegation{Level: RIRToNIR, Range: imported, Type: "allocation", Economy: "TW", NIR: "TWNIC", Date: day, Evidence: ByImport}
		return x.addDelegation(&d)
	})
	answers := func(r inr.Range, source string) {
		t.Helper()
		view(t, db, func(v *View) error {
			w, err := v.WhoisCovering(r)
			o, bad := w.RPSL()
			if bad == nil && (w.Source != source || o.Get("source") != source) {
				t.Errorf("%s: source %s, want %s:\n%s", r, w.Source, source, w.Text)
			}
			if bad != nil {
				return bad
			}
			return err
		})
	}
	for r, source := range map[inr.Range]string{jp: "JPNIC", tw: "TWNIC", number: "TWNIC", pool: "TWNIC", imported: "TWNIC"} {
		answers(r, source)
	}
	mirror(t, db, dumpOf(day, assigned(jp, 3, "THEIRS")), day)
	answers(inr.Range{Kind: inr.IPv4, First: jp.First.Add(inr.N(3)), Last: jp.First.Add(inr.N(3))}, "JPNIC")
}
