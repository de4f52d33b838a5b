// Package nirtest is what a database has to show before a registry is kept in it:
// [Conformance] runs one list of tests on any [Storage]. What is guaranteed is said
// by package nir; here it is tried, with the registry's own code and past it, with
// statements that a person at the database's prompt could type.
//
// Its own tests run the list on SQLite and on a real PostgreSQL, and prove what no
// single run can show: state machines against a model of the policy, histories of
// concurrent processes, and processes and servers killed at any point.
//
// # Properties
//
// What holds in every state that a registry can come to, the tests that look for one
// in which it does not, and the databases that they run on. TestProperties draws
// histories of requests, second opinions, signatures, transfers, returns, imports,
// zones and changes of NIRs, members, windows and pools, and compares after every act
// with a model that was written from the policy and the documents. Tests of other
// packages stand with the package's folder. Of P15, pages of a list while others
// write, there is nothing yet: no list has pages.
//
//	P1   no two delegations of a level overlap                  TestProperties TestConformance             sqlite postgres
//	P2   what is given is aligned, and of one fitting pool      TestProperties nir/alloc.TestProperties    sqlite postgres
//	P3   a pool is what is free, held and in quarantine         TestProperties nir.TestTransferProperties  sqlite postgres
//	P4   refused only if there is no room                       TestProperties TestLinearizable            sqlite postgres
//	P5   what is refused or not approved changes nothing        TestProperties TestConformance             sqlite postgres
//	P6   the same reference is the same request                 TestProperties TestLinearizable            sqlite postgres
//	P7   the audit, replayed, is the state, now and then        TestProperties nir.TestP7_RestoreIsTheRegistry  sqlite postgres
//	P8   what a member has is part of what its NIR has          TestProperties nir.TestTransferProperties  sqlite postgres
//	P9   a number has one manager at every instant              TestProperties nir.TestTransferProperties  sqlite postgres
//	P10  a member's prefixes grow in place where they can       TestProperties nir/alloc.TestProperties    sqlite postgres
//	P11  aggregates are the least cover of delegations          TestProperties nir.TestTransferProperties  sqlite postgres
//	P12  domain objects follow from what is delegated           TestProperties nir.TestP12_OrderDoesNotMatter  sqlite postgres
//	P13  a return frees exactly what it names, once             TestProperties nir.TestP13_ReturnFreesExactlyThat  sqlite postgres
//	P14  a crash leaves the state before or the one after       TestKilled fixtures/crash.TestRegistryKilled  sqlite postgres
//	P16  nothing that is not public is in what is published     TestProperties nir.TestR_SEC_3_Canaries    sqlite postgres
//	P17  who has fewer roles may do no more                     nir.TestP17_RolesAndActs nir.TestP17_EveryMethod  sqlite
//
// That what concurrent processes are told could have been told by one registry that
// does one thing at a time is shown by TestLinearizable here, and with the real
// program by TestRegistryMany in fixtures/crash.
package nirtest

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"testing"
	"time"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// A Storage is a kind of database that a registry may be kept in.
type Storage struct {
	Dialect nir.Dialect
	Driver  string                    // of database/sql; the caller imports it
	New     func(t testing.TB) string // makes an empty database, which ends with the test, and returns its source
	Stride  int                       // only every so many statements a process is cut off; 0 for each
}

func (s Storage) stride() int { return max(s.Stride, 1) }

// Connect opens a database as another process would: with connections of its own.
func (s Storage) Connect(t testing.TB, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(s.Driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Open opens the registry of a database.
func (s Storage) Open(t testing.TB, source string) *nir.DB {
	t.Helper()
	db, err := nir.Open(context.Background(), s.Connect(t, source), s.Dialect, options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// options draw identifiers at random, as a program does: two handles of one
// database never draw the same.
func options() nir.Options {
	return nir.Options{Random: rand.NewChaCha8([32]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())})}
}

// day is when the tests begin: a Wednesday.
var day = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)

func admin(at time.Time) nir.Actor {
	return nir.Actor{Name: "admin", Roles: []nir.Role{nir.Admin, nir.RegistryStaff}, At: at, Reason: "test"}
}

func staff(at time.Time) nir.Actor {
	return nir.Actor{Name: "staff", Roles: []nir.Role{nir.NIRStaff}, NIR: "JPNIC", At: at}
}

func update(t testing.TB, db *nir.DB, a nir.Actor, fn func(*nir.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), a, fn); err != nil {
		t.Fatal(err)
	}
}

// ask is a request of JPNIC for IPv4.
func ask(ref, uid string, size nir.Size) nir.Ask {
	return nir.Ask{
		Request: nir.Request{
			NIR: "JPNIC", Ref: ref, Act: nir.Allocation, Kind: inr.IPv4, Size: size, Type: "allocation", UID: uid,
			Netname: "EXAMPLE-NET", Economy: "JP", AdminC: "AA1-JP", TechC: "TT1-JP", Attested: true,
		},
		Who: nir.Member{Name: "Example " + uid, Economy: "JP"},
	}
}

// submit sends a request in an event of its own.
func submit(db *nir.DB, at time.Time, a nir.Ask) (r nir.Request, err error) {
	err = db.Update(context.Background(), staff(at), func(x *nir.Tx) error {
		r, err = x.Submit(a)
		return err
	})
	return r, err
}

// populate makes JPNIC with a window, pools, and two members with an allocation:
// one event each, an hour apart, the first at day.
func populate(t testing.TB, db *nir.DB) {
	t.Helper()
	update(t, db, admin(day), func(x *nir.Tx) error { return addJPNIC(x, "/20") })
	update(t, db, admin(day.Add(time.Hour)), func(x *nir.Tx) error { return addPool(x, "1.0.0.0/12") })
	for i, uid := range []string{"m1", "m2"} {
		if _, err := submit(db, day.Add(time.Duration(i+2)*time.Hour), ask("r"+uid, uid, "/22")); err != nil {
			t.Fatal(err)
		}
	}
}

func addJPNIC(x *nir.Tx, window nir.Size) error {
	n := nir.NIR{Code: "JPNIC", Name: "Japan", Economy: "JP", Source: "JPNIC", Mntner: "MAINT-JPNIC", Option: 1}
	if _, err := x.PutNIR(n); err != nil {
		return err
	}
	_, err := x.SetWindow("JPNIC", inr.IPv4, window, "first")
	return err
}

func addPool(x *nir.Tx, space string) error {
	r, err := inr.ParseRange(space)
	if err == nil {
		_, err = x.AddPool(nir.Pool{Range: r, Purpose: nir.Regional})
	}
	return err
}
