package nir

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestImportReplaced: an import that was approved, and then agreed to anew because
// the registry had changed, says so and waits no more.
func TestImportReplaced(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		db.o.Signers = trusting{}
		registrar := Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day.Add(time.Hour)}
		const one, two = "AU|ipv4|202.14.0.0|256|20010101|allocated", "AU|ipv4|202.15.0.0|256|20010101|allocated"
		f, part := statisticsOf(t, "apnic", one, two), statisticsOf(t, "apnic", two)
		propose := func() Import {
			db.o.Rules.ConfirmImports = true
			return doImport(t, db, registrar, f, twoNIRs)
		}
		approve := func(im Import) {
			t.Helper()
			err := db.Update(context.Background(), Actor{Name: "second", Roles: []Role{Approver}, At: registrar.At}, func(x *Tx) error {
				_, err := x.Approve(im.Proposal, "second")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		states := func() (list []string) {
			t.Helper()
			view(t, db, func(v *View) error {
				all, err := v.Imports()
				for _, i := range all {
					if i.SHA256 == f.SHA256 {
						list = append(list, i.State)
					}
				}
				return err
			})
			slices.Sort(list)
			return list
		}
		approve(propose())
		unconfirmed(db)
		doImport(t, db, admin(registrar.At), part, twoNIRs)
		again := propose()
		if again.State != ImportPending {
			t.Fatalf("%+v", again)
		}
		approve(again)
		if got := strings.Join(states(), " "); got != "approved replaced" {
			t.Errorf("agreed to anew: %s", got)
		}
		if im := propose(); im.State != ImportDone {
			t.Errorf("%+v", im)
		}
		if got := strings.Join(states(), " "); got != "done replaced" {
			t.Errorf("done: %s", got)
		}

		// Done by an admin alone, after somebody had agreed to something else.
		const three, four = "AU|ipv4|202.16.0.0|256|20010101|allocated", "AU|ipv4|202.17.0.0|256|20010101|allocated"
		f = statisticsOf(t, "apnic", three, four)
		approve(propose())
		unconfirmed(db)
		doImport(t, db, admin(registrar.At), statisticsOf(t, "apnic", four), twoNIRs)
		doImport(t, db, admin(registrar.At), f, twoNIRs)
		if got := strings.Join(states(), " "); got != "done replaced" {
			t.Errorf("done by an admin: %s", got)
		}
		provenAudit(t, db)
	})
}

// TestImportPlan is read by people: no JSON, and no line about an import of which
// nothing is said.
func TestImportPlan(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "registry.db"))
	smallWorld(t, db)
	db.o.Signers = trusting{}
	db.o.Rules.ConfirmImports = true
	registrar := Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day.Add(time.Hour)}
	im := doImport(t, db, registrar, statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated|A1"), twoNIRs)
	e, err := db.Try(context.Background(), Actor{Name: "second", Roles: []Role{Approver}, At: registrar.At}, func(x *Tx) error {
		_, err := x.Approve(im.Proposal, "second")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	view(t, db, func(v *View) error {
		p, err := v.Plan(e)
		if err != nil {
			return err
		}
		found := false
		for _, line := range p.Effects {
			if strings.ContainsAny(line.Text, `{}"`) {
				t.Errorf("JSON: %s", line.Text)
			}
			found = found || line.Text == "create import run file: counts JPNIC (JP), ipv4: 1 created, 1 new member, registry apnic, serial 20260618, state approved"
		}
		if !found {
			t.Errorf("%+v", p.Effects)
		}
		return nil
	})
}
