package nir

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
)

// trusting takes every signature that is the signer's name.
type trusting struct{}

func (trusting) VerifySignature(_ Role, _ []byte, signature string, _ time.Time) (signer, key string, err error) {
	if signature == "" {
		return "", "", fmt.Errorf("no signature")
	}
	return signature, "key of " + signature, nil
}

// TestImportByTwoPersons: an import is proposed, approved by another person, and
// then carried out with the file that was approved and with no other.
func TestImportByTwoPersons(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		db.o.Rules.ConfirmImports, db.o.Signers = true, trusting{}
		registrar := Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day.Add(time.Hour)}
		f := statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated|A1", "AU|asn|131072|2|20030101|allocated")
		im := doImport(t, db, registrar, f, twoNIRs)
		if im.State != ImportPending || len(managersOf(t, db)) != 1 {
			t.Fatalf("before a second person agreed: %+v", im)
		}
		n := lastEvent(t, db)
		if again := doImport(t, db, registrar, f, twoNIRs); again.Proposal != im.Proposal || lastEvent(t, db) != n {
			t.Error("the same file is another proposal")
		}
		view(t, db, func(v *View) error {
			p, err := v.Proposal(im.Proposal)
			effects := strings.Join(p.Effects, "\n")
			for _, want := range []string{f.SHA256, "JPNIC (JP), ipv4: 1 created, 1 new member", "direct members (AU), asn: 1 created"} {
				if !strings.Contains(effects, want) {
					t.Errorf("the effects do not say %q:\n%s", want, effects)
				}
			}
			return err
		})
		approve := func(signer string, with *Statistics) error {
			return db.Update(context.Background(), Actor{Name: signer, Roles: []Role{Approver}, At: registrar.At}, func(x *Tx) error {
				if with != nil {
					x.With(with)
				}
				_, err := x.Approve(im.Proposal, signer)
				return err
			})
		}
		if err := approve("registrar", nil); CodeOf(err) != Forbidden {
			t.Errorf("the proposer approved it: %v", err)
		}
		if err := approve("second", nil); err != nil {
			t.Fatal(err)
		}
		if len(managersOf(t, db)) != 1 {
			t.Error("it was carried out without the file")
		}
		registrar.At = day.Add(3 * time.Hour)
		other := statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|4096|20010101|allocated|A9")
		if im := doImport(t, db, registrar, other, twoNIRs); im.State != ImportPending {
			t.Errorf("another file: %+v", im)
		}
		if im := doImport(t, db, registrar, f, twoNIRs); im.State != ImportDone || im.Proposal == "" || len(managersOf(t, db)) != 4 {
			t.Errorf("the approved file: %+v", im)
		}
		if im := doImport(t, db, registrar, f, twoNIRs); im.State != ImportNothing {
			t.Errorf("the approved file again: %+v", im)
		}
		provenAudit(t, db)

		// With the file at hand, the last signature carries it out; if the registry
		// has changed so that it would do something else, it does not.
		im = doImport(t, db, registrar, statisticsOf(t, "apnic", "AU|ipv4|202.13.0.0|256|20010101|allocated"), twoNIRs)
		third := statisticsOf(t, "apnic", "AU|ipv4|202.13.0.0|256|20010101|allocated")
		if err := approve("second", third); err != nil || len(managersOf(t, db)) != 5 {
			t.Errorf("with the file at hand: %v", err)
		}
		fourth := statisticsOf(t, "apnic", "AU|ipv4|202.14.0.0|256|20010101|allocated", "AU|ipv4|202.15.0.0|256|20010101|allocated")
		im = doImport(t, db, registrar, fourth, twoNIRs)
		db.o.Rules.ConfirmImports = false
		doImport(t, db, admin(day.Add(3*time.Hour)), statisticsOf(t, "apnic", "AU|ipv4|202.15.0.0|256|20010101|allocated"), twoNIRs)
		db.o.Rules.ConfirmImports = true
		if err := approve("second", fourth); CodeOf(err) != Conflict || !strings.Contains(err.Error(), "the registry has changed") {
			t.Errorf("it would do something else, and: %v", err)
		}
		view(t, db, func(v *View) error {
			list, err := v.Imports()
			if len(list) != 3 || slices.ContainsFunc(list, func(i Import) bool { return i.State != ImportDone }) {
				t.Errorf("imports: %+v", list)
			}
			return err
		})
		provenAudit(t, db)
	})
}

func managersOf(t testing.TB, db *DB) []string { return strings.Split(managers(t, db), "\n") }

// TestImportOfAnotherRegistry: another registry's statistics are space that it
// manages; a later file ends and adds ranges; claims are cut to the zones.
func TestImportOfAnotherRegistry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		doImport(t, db, admin(day), statisticsOf(t, "apnic", "AU|ipv4|192.1.8.0|256|20010101|assigned"), twoNIRs)
		arin := ImportOptions{Source: "ARIN"}
		im := doImport(t, db, admin(day), statisticsOf(t, "arin", "US|ipv4|192.1.0.0|1024|20010101|assigned|x", "|ipv4|192.1.4.0|1024|20010101|reserved|",
			"US|ipv4|12.0.0.0|65536|20010101|allocated", "US|asn|1|4|19910101|assigned"), arin)
		if n := im.sum(); n.Created != 3 {
			t.Errorf("%+v", n)
		}
		checkClaims(t, db, "APNIC 192.1.8.0/24, APNIC 202.0.0.0/8, APNIC 2400::/12, ARIN 192.1.0.0/21, JPNIC 61.0.0.0/16")
		if im := doImport(t, db, admin(day), statisticsOf(t, "arin", "US|ipv4|192.1.0.0|1024|20010101|assigned|x", "|ipv4|192.1.4.0|1024|20010101|reserved|",
			"US|ipv4|12.0.0.0|65536|20010101|allocated", "US|asn|1|4|19910101|assigned"), arin); im.State != ImportNothing {
			t.Errorf("the same again: %+v", im)
		}
		im = doImport(t, db, admin(day), statisticsOf(t, "arin", "US|ipv4|192.1.0.0|256|20010101|assigned|x", "US|asn|1|4|19910101|assigned"), arin)
		if n := im.sum(); n.Created != 1 || n.Ended != 2 || n.Unchanged != 1 {
			t.Errorf("%+v", n)
		}
		checkClaims(t, db, "APNIC 192.1.8.0/24, APNIC 202.0.0.0/8, APNIC 2400::/12, ARIN 192.1.0.0/24, JPNIC 61.0.0.0/16")
		err := db.Update(context.Background(), admin(day), func(x *Tx) error {
			_, err := x.Import(statisticsOf(t, "ripencc", "NL|ipv4|192.1.0.0|256|20010101|assigned", "NL|ipv4|192.1.8.128|128|20010101|assigned", "NL|ipv4|202.7.0.0|256|20010101|assigned"), ImportOptions{Source: "RIPE"})
			return err
		})
		for _, want := range []string{"file:5: 192.1.0.0/24 is in the statistics of another registry too", "file:6: 192.1.8.128/25 is managed by APNIC", "file:7: 202.7.0.0/24 is managed by APNIC"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %s", err, want)
			}
		}
		provenAudit(t, db)
	})
}

func checkClaims(t *testing.T, db *DB, want string) {
	t.Helper()
	view(t, db, func(v *View) error {
		list, err := v.Claims(zones("192.in-addr.arpa.", "61.in-addr.arpa."))
		var got []string
		for _, c := range list {
			got = append(got, c.Source+" "+c.Prefix.String())
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("claims %s, want %s", s, want)
		}
		return err
	})
}

func planFor(t testing.TB, db *DB, e *Event) (p *Plan) {
	t.Helper()
	view(t, db, func(v *View) (err error) { p, err = v.Plan(e); return err })
	return p
}

func hasEffect(p *Plan, area, text string) bool {
	return slices.Contains(p.Effects, Effect{area, text})
}

// TestImportIsOneTransaction: of an import that fails in its last event nothing is
// there, though it is told in several; and its plan is of them all.
func TestImportIsOneTransaction(t *testing.T) {
	peers.SkipRacing(t)
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	var lines []string
	for i := range 3 * eventChanges {
		lines = append(lines, fmt.Sprintf("AU|ipv4|202.%d.%d.0|256|20010101|assigned", i/256, i%256))
	}
	f := statisticsOf(t, "apnic", lines...)
	before := lastEvent(t, db)
	err := db.Update(context.Background(), admin(day.Add(time.Hour)), func(x *Tx) error {
		if _, err := x.Import(f, twoNIRs); err != nil {
			return err
		}
		if x.cuts < 3 {
			t.Errorf("it is told in %d events", x.cuts+1)
		}
		return context.Canceled
	})
	if err != context.Canceled || lastEvent(t, db) != before {
		t.Errorf("%v, event %d", err, lastEvent(t, db))
	}
	provenAudit(t, db)
	e, err := db.Try(context.Background(), admin(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.Import(f, twoNIRs)
		return err
	})
	if err != nil || e == nil || lastEvent(t, db) != before {
		t.Errorf("tried: %v, event %d", err, lastEvent(t, db))
	}
	p := planFor(t, db, e)
	doImport(t, db, admin(day.Add(time.Hour)), f, twoNIRs)
	if n := lastEvent(t, db); n < before+4 || p.Events != int(n-before) || p.Event != n {
		t.Errorf("event %d after %d, planned were %d, the last %d", n, before, p.Events, p.Event)
	}
	objects := 0
	view(t, db, func(v *View) error {
		return v.Events(before, func(entry, _ []byte) error {
			e, err := decodeEvent(entry)
			objects += len(e.Changes)
			return err
		})
	})
	if p.Objects != objects || !hasEffect(p, OnPools, "pool 202.0.0.0/8 has 1920000 fewer free") || !hasEffect(p, OnDelegations, "create 7500 delegations, beside what follows") {
		t.Errorf("the plan shows %d of %d objects: %+v", p.Objects, objects, p.Effects[:min(len(p.Effects), 40)])
	}
	checkConservation(t, db)
	provenAudit(t, db)
}
