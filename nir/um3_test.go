package nir

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestProbationOfASharedZone: a /24 of an NIR in probation is not published either
// when half of it goes to another NIR, by an import or by a transfer: it stays with
// the NIR that it is of, and so do its name servers. A /24 of an active NIR goes on
// being published when the one in probation gets half of it.
func TestProbationOfASharedZone(t *testing.T) {
	half := []string{"KR|ipv4|202.16.0.0|128|20010101|allocated|A1", "JP|ipv4|202.16.0.128|128|20010101|allocated|A2", "JP|ipv4|202.17.0.0|256|20010101|allocated|A2"}
	for name, move := range map[string]func(*testing.T, *DB){
		"import": func(t *testing.T, db *DB) {
			doImport(t, db, admin(day.Add(time.Hour)), statisticsOf(t, "apnic", half...), twoNIRs)
		},
		"transfer": func(t *testing.T, db *DB) {
			moveTo(t, db, "KRNIC", "JPNIC", memberAt(t, db, "202.16.0.0/24"), aRange(t, "202.16.0.128/25"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := trialImported(t)
			published := func(name string, want bool) {
				t.Helper()
				out := fileOf(exportFrom(t, db, ExportOptions{Zones: zones("202.in-addr.arpa.")}).Registry, "202.in-addr.arpa-APNIC")
				if strings.Contains(out, name) != want {
					t.Errorf("%s is published: %t\n%s", name, !want, out)
				}
			}
			published("0.16.202", false)
			move(t, db)
			if w := zonesIn(t, db, aRange(t, "202.16.0.0/24"))["0.16.202.in-addr.arpa"]; w.State != DomainActive || w.NIR != "KRNIC" {
				t.Fatalf("the zone is %q of %s", w.State, w.NIR)
			}
			published("0.16.202", false)
			doImport(t, db, admin(day.Add(90*time.Minute)), statisticsOf(t, "apnic", append(half[:2:2], "KR|ipv4|202.17.0.0|128|20010101|allocated|A1", "JP|ipv4|202.17.0.128|128|20010101|allocated|A2")...), twoNIRs)
			if w := zonesIn(t, db, aRange(t, "202.17.0.0/24"))["0.17.202.in-addr.arpa"]; w.NIR != "JPNIC" {
				t.Fatalf("the neighbour's zone is of %s", w.NIR)
			}
			published("0.17.202", true)
			update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { _, err := x.Activate("KRNIC"); return err })
			published("0.16.202", true)
		})
	}
}

// TestProbationMovesNoZone: what an NIR in probation does to a zone that it shares
// does not move the time of the zonelet, also when it ends it.
func TestProbationMovesNoZone(t *testing.T) {
	db := trialImported(t)
	moveTo(t, db, "KRNIC", "JPNIC", memberAt(t, db, "202.16.0.0/24"), aRange(t, "202.16.0.128/25"))
	out := func() string {
		return fileOf(exportFrom(t, db, ExportOptions{Zones: zones("202.in-addr.arpa.")}).Registry, "202.in-addr.arpa-APNIC")
	}
	first, kr := out(), Actor{Name: "kr", Roles: []Role{NIRStaff}, NIR: "KRNIC", At: day.Add(2 * time.Hour)}
	update(t, db, kr, func(x *Tx) error {
		_, err := x.SetDomain("0.16.202.in-addr.arpa", []string{"ns7.example.net"}, nil)
		return err
	})
	if got := out(); got != first {
		t.Errorf("after a change\n%s", got)
	}
	update(t, db, kr, func(x *Tx) error { return x.DeleteWhois("domain", "0.16.202.in-addr.arpa", "KRNIC") })
	if got := out(); got != first {
		t.Errorf("after it was deleted\n%s", got)
	}
}

// trialImported is a registry in which KRNIC is in probation and JPNIC is not; each
// has a /24 by an import, with an active domain object.
func trialImported(t *testing.T) *DB {
	t.Helper()
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	unconfirmed(db)
	world(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		n := NIR{Code: "KRNIC", Name: "Korea", Economy: "KR", Source: "KRNIC", Mntner: "MAINT-KRNIC", Option: 2, Email: "hm@krnic.example"}
		_, _, err := x.Onboard(Onboarding{NIR: n, Windows: map[inr.Kind]Size{inr.IPv4: "/22"}})
		return err
	})
	doImport(t, db, admin(day), statisticsOf(t, "apnic", "KR|ipv4|202.16.0.0|256|20010101|allocated|A1", "JP|ipv4|202.17.0.0|256|20010101|allocated|A2"), twoNIRs)
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.DescribeMissing(100); err != nil {
			return err
		}
		for _, p := range [][2]string{{"KRNIC", "0.16.202"}, {"JPNIC", "0.17.202"}} {
			err := errors.Join(x.DeclareExternal(p[0], "contact AA1-JP", "test"), x.DeclareExternal(p[0], "contact TT1-JP", "test"))
			if err != nil {
				return err
			}
			if _, err := x.PutWhois(strings.ReplaceAll(activeDomain(p[1]+".in-addr.arpa"), "TWNIC", p[0])); err != nil {
				return err
			}
		}
		return nil
	})
	return db
}

func memberAt(t *testing.T, db *DB, text string) (member string) {
	t.Helper()
	view(t, db, func(v *View) error {
		list, err := v.Within(NIRToMember, aRange(t, text))
		for _, d := range list {
			member = d.Member
		}
		return err
	})
	return member
}

// TestZoneOfNoNumbers: an active zone of whose numbers its NIR has none any more is
// not shared, and the NIR does not change its servers.
func TestZoneOfNoNumbers(t *testing.T) {
	db := trialImported(t)
	set := func(x *Tx) error {
		_, err := x.SetDomain("0.16.202.in-addr.arpa", []string{"ns7.example.net"}, nil)
		return err
	}
	kr := Actor{Name: "kr", Roles: []Role{NIRStaff}, NIR: "KRNIC", At: day}
	update(t, db, kr, set)
	update(t, db, admin(day), func(x *Tx) error {
		x.act("test.end")
		list, err := x.meeting(aRange(t, "202.16.0.0/24"), levels...)
		for _, d := range list {
			err = errors.Join(err, delegations.end(x, d.ID))
		}
		return err
	})
	fails(t, db, kr, Forbidden, set)
}
