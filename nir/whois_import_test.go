package nir

import (
	"testing"

	"nirzone/nir/inr"
)

// TestR_NIR_14_AfterAnImport: what was imported without whois objects is answered
// for at once, with the NIR's source, and then gets its objects.
func TestR_NIR_14_AfterAnImport(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		update(t, db, admin(day), func(x *Tx) error {
			x.act("test.import")
			m, err := x.AddMember("TWNIC", "old", Member{Name: "Old & Sons", Economy: "TW"})
			if err != nil {
				return err
			}
			for _, text := range []string{"61.56.0.0/23", "2400:1::-2400:4:ffff:ffff:ffff:ffff:ffff:ffff", "AS1000-AS1002"} {
				for _, l := range []Level{RIRToNIR, NIRToMember} {
					d := Delegation{Level: l, Range: rng(t, text), Type: "allocation", Economy: "TW", NIR: "TWNIC", Date: day, Evidence: ByImport}
					if l == NIRToMember {
						d.Member = m.ID
					}
					if err := x.addDelegation(&d); err != nil {
						return err
					}
				}
			}
			d := Delegation{Level: RIRToNIR, Range: rng(t, "61.60.0.0/16"), Type: "allocation", Economy: "TW", NIR: "TWNIC", Date: day, Evidence: ByImport}
			return x.addDelegation(&d)
		})
		ask := []string{"61.56.1.7", "2400:1::1", "2400:4::1", "AS1001", "61.60.3.0/24"}
		look := func(made bool) {
			t.Helper()
			view(t, db, func(v *View) error {
				for _, text := range ask {
					w, err := v.WhoisCovering(rng(t, text))
					if err != nil || w.Source != "TWNIC" || (w.ID != "") != made || !w.Range.Contains(rng(t, text)) {
						t.Errorf("%s: %+v, %v", text, w, err)
					}
				}
				if _, err := v.WhoisCovering(rng(t, "9.9.9.9")); CodeOf(err) != NotFound {
					t.Errorf("of nobody: %v", err)
				}
				return nil
			})
		}
		look(false)
		total := 0
		for n := -1; n != 0; {
			update(t, db, admin(day), func(x *Tx) (err error) {
				n, err = x.DescribeMissing(2)
				return err
			})
			if total += n; total > 20 {
				t.Fatal("it never ends")
			}
		}
		if total != 4 { // three to the member, and what the NIR holds itself
			t.Errorf("%d delegations were described", total)
		}
		look(true)
		view(t, db, func(v *View) error {
			w, err := v.WhoisCovering(rng(t, "61.56.0.0/23"))
			if err != nil || w.Range.Kind != inr.IPv4 {
				return err
			}
			list, err := v.Domains("TWNIC")
			if len(list) != 2+(4*1) {
				for _, d := range list {
					t.Log(d.Key)
				}
				t.Errorf("%d domains", len(list))
			}
			return err
		})
		verify(t, db)
	})
}
