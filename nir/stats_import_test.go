package nir

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// smallWorld is world with an existing pool of JPNIC, a second NIR, and imports
// that need no second person.
func smallWorld(t testing.TB, db *DB) {
	t.Helper()
	unconfirmed(db)
	world(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.PutNIR(NIR{Code: "KRNIC", Name: "Korea", Economy: "KR", Source: "KRNIC", Mntner: "MNT-KRNIC-AP", Option: 2}); err != nil {
			return err
		}
		r, err := inr.ParseRange("61.0.0.0/16")
		if err == nil {
			_, err = x.AddPool(Pool{Range: r, Purpose: NIRExisting, NIR: "JPNIC"})
		}
		return err
	})
}

var twoNIRs = ImportOptions{NIRs: map[string]string{"JP": "JPNIC", "KR": "KRNIC"}}

// managers lists who has what, as text.
func managers(t testing.TB, db *DB) string {
	t.Helper()
	var list []string
	view(t, db, func(v *View) error {
		var all []Delegation
		if err := v.EachDelegation(func(d *Delegation) error { all = append(all, *d); return nil }); err != nil {
			return err
		}
		for i := range all {
			d := &all[i]
			who := d.NIR
			if d.Member != "" {
				m, err := v.Member(d.Member)
				if err != nil {
					return err
				}
				who += "/" + m.handle()
			}
			list = append(list, strings.Join([]string{string(d.Level), d.Range.String(), who, d.Economy, d.Type, v.Rules.day(d).String()}, " "))
		}
		return nil
	})
	return strings.Join(list, "\n")
}

func want(t testing.TB, got, want string) {
	t.Helper()
	if got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

// TestR_NIR_13_RecordsCreatedUpdatedMoved: a file creates records, a later one
// updates them and moves them between registries; the same file again does
// nothing.
func TestR_NIR_13_RecordsCreatedUpdatedMoved(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		first := statisticsOf(t, "apnic",
			"JP|ipv4|202.12.0.0|4096|20010101|allocated|A1", "KR|ipv4|202.16.0.0|768|20010102|assigned|A2",
			"AU|ipv4|202.20.0.0|256|00000000|assigned|A1", "JP|ipv4|61.0.1.0|256|20020101|allocated", "AU|asn|131072|2|20030101|allocated", "KR|ipv6|2400::|32|20040101|allocated")
		im := doImport(t, db, admin(day.Add(time.Hour)), first, twoNIRs)
		if n := im.sum(); n.Created != 6 || n.Members != 3 || im.State != ImportDone {
			t.Errorf("%+v: %+v", im.State, n)
		}
		want(t, managers(t, db), `
nir-member 61.0.1.0/24 JPNIC JP allocation 20020101
nir-member 202.12.0.0/20 JPNIC/A1 JP allocation 20010101
nir-member 202.16.0.0-202.16.2.255 KRNIC/A2 KR assignment 20010102
rir-member AS131072-AS131073  AU allocation 20030101
rir-member 202.20.0.0/24 /A1 AU assignment 00000000
rir-nir 61.0.0.0/16 JPNIC  allocation 20260304
rir-nir 202.12.0.0/20 JPNIC JP allocation 20010101
rir-nir 202.16.0.0-202.16.2.255 KRNIC KR assignment 20010102
rir-nir 2400::/32 KRNIC KR allocation 20040101`)
		checkConservation(t, db)

		before := lastEvent(t, db)
		if im := doImport(t, db, admin(day.Add(2*time.Hour)), first, twoNIRs); im.State != ImportNothing || im.sum().Unchanged != 6 || lastEvent(t, db) != before {
			t.Errorf("the same file again: %s, %+v", im.State, im.sum())
		}

		second := statisticsOf(t, "apnic",
			"JP|ipv4|202.12.0.0|2048|20010101|allocated|A1", // a half of it stays
			"KR|ipv4|202.12.8.0|2048|20010101|allocated|A5", // the other moves
			"AU|ipv4|202.16.0.0|768|20010102|assigned|A2",   // an NIR's member becomes a direct one
			"AU|ipv4|202.20.0.0|256|20050505|allocated|A1", "JP|ipv4|61.0.1.0|256|20020101|allocated|A7", "KR|ipv6|2400::|32|20040101|allocated")
		im = doImport(t, db, admin(day.Add(3*time.Hour)), second, twoNIRs)
		if n := im.sum(); n.Created != 0 || n.Updated != 2 || n.Moved != 3 || n.Ended != 1 || n.Missing != 1 || n.Unchanged != 1 {
			t.Errorf("%+v", n)
		}
		want(t, managers(t, db), `
nir-member 61.0.1.0/24 JPNIC/A7 JP allocation 20020101
nir-member 202.12.0.0/21 JPNIC/A1 JP allocation 20010101
nir-member 202.12.8.0/21 KRNIC/A5 KR allocation 20010101
rir-member AS131072-AS131073  AU allocation 20030101
rir-member 202.16.0.0-202.16.2.255 /A2 AU assignment 20010102
rir-member 202.20.0.0/24 /A1 AU allocation 20050505
rir-nir 61.0.0.0/16 JPNIC  allocation 20260304
rir-nir 202.12.0.0/21 JPNIC JP allocation 20010101
rir-nir 202.12.8.0/21 KRNIC KR allocation 20010101
rir-nir 2400::/32 KRNIC KR allocation 20040101`)
		checkConservation(t, db)
		provenAudit(t, db)
	})
}

// lastEvent returns the number of the last event.
func lastEvent(t testing.TB, db *DB) int64 {
	t.Helper()
	var n int64
	view(t, db, func(v *View) (err error) {
		n, err = v.Event()
		return err
	})
	return n
}

// TestImportMistakes: all at once with file, line and what to do, and nothing
// changes; with partial the rest is imported.
func TestImportMistakes(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	update(t, db, staff(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.Submit(ask("r1", "m1", inr.IPv6, "/32"))
		return err
	})
	before := lastEvent(t, db)
	text := strings.Join([]string{
		"2|apnic|20260618|8|||", "apnic|*|ipv4|*|6|summary", "apnic|*|ipv6|*|2|summary",
		"apnic|AU|ipv4|202.1.0.0|256|20010101|assigned",   // 4: right
		"apnic|AU|ipv4|10.0.0.0|256|20010101|assigned",    // 5: special
		"apnic|AU|ipv4|202.1.0.128|128|20010101|assigned", // 6: overlaps 4
		"apnic|AU|ipv4|61.0.1.0|256|20010101|assigned",    // 7: in JPNIC's pool
		"apnic|KR|ipv4|61.0.2.0|256|20010101|assigned",    // 8: likewise
		"apnic|AU|ipv4|202.2.0.0|256|2001|assigned",       // 9: date
		"apnic|KR|ipv6|2400::|32|20010101|allocated",      // 10: JPNIC's by request
		"apnic|KR|ipv6|2401::|32|20010101|allocated",      // 11: right
	}, "\n") + "\n"
	f, err := ParseStatistics("file", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(context.Background(), admin(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.Import(f, twoNIRs)
		return err
	})
	for _, w := range []string{
		"file:5: 10.0.0.0/24 holds 10.0.0.0/8 (private use, RFC 1918), which is nobody's to delegate (APNIC-103, section 2.6)",
		"file:6: 202.1.0.128/25 overlaps 202.1.0.0/24 of line 4",
		"file:7: 61.0.1.0/24 is in pool 61.0.0.0/16, which JPNIC held before, and the record is of APNIC",
		"file:8: 61.0.2.0/24 is in pool 61.0.0.0/16, which JPNIC held before, and the record is of KRNIC",
		`file:9: date "2001": write a day`,
		"file:10: 2400::/32 of KRNIC contradicts 2400::/32 of JPNIC, which is here by request since 2026-03-04: correct the file, or transfer it first",
	} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %s", err, w)
		}
	}
	var m *importMistakes
	if CodeOf(err) != Invalid || !errors.As(err, &m) || m.Len() != 6 || lastEvent(t, db) != before {
		t.Errorf("code %q, %v, event %d", CodeOf(err), err, lastEvent(t, db))
	}

	o := twoNIRs
	o.Partial = true
	im := doImport(t, db, admin(day.Add(time.Hour)), f, o)
	if im.sum().Created != 2 || im.LeftOut != 6 || im.Mistakes == nil {
		t.Errorf("partial: %+v, %d left out", im.sum(), im.LeftOut)
	}
	checkConservation(t, db)
	provenAudit(t, db)
}

// TestImportOptions: what cannot be meant is refused, and who may not import is.
func TestImportOptions(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	own := statisticsOf(t, "apnic", "AU|ipv4|202.1.0.0|256|20010101|assigned")
	other := statisticsOf(t, "arin", "US|ipv4|12.1.0.0|256|20010101|assigned")
	for _, c := range []struct {
		f    *Statistics
		o    ImportOptions
		who  Actor
		code Code
	}{
		{other, ImportOptions{}, admin(day), Invalid},
		{own, ImportOptions{Source: "ARIN"}, admin(day), Invalid},
		{other, ImportOptions{Source: "APNIC"}, admin(day), Invalid},
		{statisticsOf(t, "nro"), ImportOptions{}, admin(day), Invalid},
		{own, ImportOptions{NIRs: map[string]string{"JP": "XXNIC"}}, admin(day), NotFound},
		{own, ImportOptions{NIRs: map[string]string{"jp": "JPNIC"}}, admin(day), Invalid},
		{own, ImportOptions{}, staff(day), Forbidden},
		{own, ImportOptions{}, Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day}, Forbidden}, // without a second person: an admin alone
	} {
		err := db.Update(context.Background(), c.who, func(x *Tx) error {
			_, err := x.Import(c.f, c.o)
			return err
		})
		if CodeOf(err) != c.code {
			t.Errorf("%s with %+v by %s: %v", c.f.Header.Registry, c.o, c.who.Name, err)
		}
	}
}

// TestR_NIR_2_SpecialSpaceRefused: neither a pool nor an import may hold it, nor a
// request get it.
func TestR_NIR_2_SpecialSpaceRefused(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	for _, e := range inr.SpecialEntries() {
		err := db.Update(context.Background(), admin(day), func(x *Tx) error {
			_, err := x.AddPool(Pool{Range: e.Range, Purpose: Regional})
			return err
		})
		if CodeOf(err) != Invalid || !strings.Contains(err.Error(), "section 2.6") {
			t.Errorf("pool of %s: %v", e, err)
		}
		var lines []string
		for b := range e.Range.Blocks() {
			start, value, _ := b.Range().Statistics()
			lines = append(lines, "AU|"+b.Kind.String()+"|"+start+"|"+value+"|20010101|assigned")
		}
		err = db.Update(context.Background(), admin(day), func(x *Tx) error {
			_, err := x.Import(statisticsOf(t, "apnic", lines...), ImportOptions{})
			return err
		})
		if m := new(importMistakes); CodeOf(err) != Invalid || !errors.As(err, &m) || m.Len() != len(lines) || !strings.Contains(err.Error(), "file:5: ") {
			t.Errorf("import of %s: %v", e, err)
		}
	}
	// What is asked for is a size: it comes out of pools, none of which can hold
	// special space.
	view(t, db, func(v *View) error {
		list, err := v.Pools()
		for _, p := range list {
			if inr.Special().Overlaps(p.Range) {
				t.Errorf("pool %s", p.Range)
			}
		}
		return err
	})
}

// TestR_NIR_27_ExistingPoolsFirst: an NIR's existing pool is used up for its own
// members before the regional pool, and nothing new ever enters it.
func TestR_NIR_27_ExistingPoolsFirst(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	// All but a /20 of the existing pool is given away.
	f := statisticsOf(t, "apnic", "JP|ipv4|61.0.16.0|61440|20010101|allocated|A1")
	doImport(t, db, admin(day), f, twoNIRs)
	submit := func(ref string, a Ask) Request {
		var r Request
		update(t, db, staff(day.Add(time.Hour)), func(x *Tx) (err error) {
			r, err = x.Submit(a)
			return err
		})
		return r
	}
	old := inr.Of(rng(t, "61.0.0.0/20"))
	if r := submit("a", ask("a", "m1", inr.IPv4, "/21")); len(r.Ranges) != 1 || !old.Contains(r.Ranges[0]) {
		t.Errorf("the first allocation is %v: not of what the NIR held", r.Ranges)
	}
	if r := submit("b", ask("b", "m2", inr.IPv4, "/20")); len(r.Ranges) != 1 || old.Overlaps(r.Ranges[0]) {
		t.Errorf("what the existing pool has no room for is %v", r.Ranges)
	}
	for _, p := range []Pool{
		{Range: rng(t, "202.128.0.0/16"), Purpose: NIRExisting, NIR: "JPNIC"}, // of the regional pool
		{Range: rng(t, "61.0.0.0/20"), Purpose: Regional},                     // of the existing one
		{Range: rng(t, "61.1.0.0/16"), Purpose: NIRExisting},                  // of nobody
	} {
		err := db.Update(context.Background(), admin(day.Add(2*time.Hour)), func(x *Tx) error {
			_, err := x.AddPool(p)
			return err
		})
		if CodeOf(err) == "" { // the database refuses overlaps, too
			t.Errorf("pool %s of %q for %q was taken", p.Range, p.Purpose, p.NIR)
		}
	}
	view(t, db, func(v *View) error {
		list, err := v.Pools()
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].Purpose != NIRExisting {
				continue
			}
			got, err := v.Within(RIRToNIR, list[i].Range)
			if err != nil {
				return err
			}
			if len(got) != 1 || got[0].Range != list[i].Range || got[0].Evidence != ByExistingPool {
				t.Errorf("pool %s is delegated to %s as %+v", list[i].Range, list[i].NIR, got)
			}
		}
		return nil
	})
	checkConservation(t, db)
}

// TestPoolOfDelegatedSpace: a pool that comes after the delegations in it has the
// rest free.
func TestPoolOfDelegatedSpace(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	doImport(t, db, admin(day), statisticsOf(t, "apnic", "AU|ipv4|27.0.1.0|768|20010101|assigned", "JP|ipv4|27.255.0.0|131072|20010101|assigned"), twoNIRs)
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: rng(t, "27.0.0.0/8"), Purpose: Regional})
		return err
	})
	checkConservation(t, db)
	provenAudit(t, db)
}
