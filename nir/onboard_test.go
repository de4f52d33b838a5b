package nir

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

const twnicKey = "0123456789ABCDEF0123456789ABCDEF01234567"

// TestOnboarding: an NIR in probation makes no requests; it becomes active when
// two persons confirmed its key, and only then; and it has left when it has
// nothing any more.
func TestOnboarding(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		db.o.Signers = signers(t, "yuki")
		world(t, db)
		at := day.Add(time.Hour)
		var p Proposal
		update(t, db, admin(at), func(x *Tx) (err error) {
			n := NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "M", Option: 1}
			n, p, err = x.Onboard(Onboarding{NIR: n, Windows: map[inr.Kind]Size{inr.IPv4: "/22"}, Fingerprint: "0123 4567 89ab cdef 0123  4567 89ab cdef 0123 4567"})
			if n.State != Probation {
				t.Errorf("state %s", n.State)
			}
			return err
		})
		if !strings.Contains(string(p.Text()), twnicKey) {
			t.Errorf("the signer is not shown the key:\n%s", p.Text())
		}
		request := func(x *Tx) error {
			a := ask("T-1", "T1", inr.IPv4, "/24")
			a.NIR = "TWNIC"
			_, err := x.Submit(a)
			return err
		}
		refusedFor(t, db, admin(at), Conflict, request)
		refusedFor(t, db, admin(at), Conflict, activate, "have not confirmed the key", "no address for notices")
		update(t, db, admin(at), func(x *Tx) error {
			n, err := x.NIR("TWNIC")
			n.Email = "dns@twnic.example"
			if err == nil {
				_, err = x.PutNIR(n)
			}
			return err
		})
		refusedFor(t, db, admin(at), Conflict, activate, "have not confirmed the key")
		update(t, db, admin(at), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "yuki", p)); return err })
		view(t, db, func(v *View) error {
			if key, err := v.KeyOfNIR("TWNIC"); key != twnicKey || err != nil {
				t.Errorf("key %q, %v", key, err)
			}
			key, err := v.KeyOfNIR("JPNIC")
			if key != "" {
				t.Errorf("the key of another NIR: %s", key)
			}
			return err
		})
		inProbation(t, db, "TWNIC\n")
		update(t, db, admin(at), activate)
		inProbation(t, db, "# no source is in probation\n")
		refusedFor(t, db, admin(at), Conflict, activate, "is not in probation")
		update(t, db, admin(at), request)
		leave(t, db, at)
		if _, err := db.VerifyAudit(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// inProbation checks what an export tells zonebuild of NIRs in probation.
func inProbation(t *testing.T, db *DB, want string) {
	t.Helper()
	e := exportFrom(t, db, ExportOptions{Zones: zones("202.in-addr.arpa.")})
	got := fileOf(e.Registry, "probation")
	if got != want || !strings.Contains(fileOf(e.Registry, "manifest.json"), `"probation"`) {
		t.Errorf("exported %q, want %q, with a digest in\n%s", got, want, fileOf(e.Registry, "manifest.json"))
	}
}

func activate(x *Tx) error { _, err := x.Activate("TWNIC"); return err }

// leave offboards an NIR that has something, and one that has nothing.
func leave(t *testing.T, db *DB, at time.Time) {
	t.Helper()
	var states []string
	for _, code := range []string{"TWNIC", "JPNIC"} {
		update(t, db, admin(at), func(x *Tx) error {
			n, err := x.Offboard(code)
			states = append(states, n.State)
			return err
		})
	}
	if want := []string{Leaving, Left}; !slices.Equal(states, want) {
		t.Errorf("states %q, want %q", states, want)
	}
	view(t, db, func(v *View) error {
		l, err := v.LeftOf("TWNIC")
		if l != (LeftOf{Delegations: 2, Members: 1}) {
			t.Errorf("%+v", l)
		}
		return err
	})
}

// refusedFor wants a refusal of a code that says all of want.
func refusedFor(t *testing.T, db *DB, a Actor, c Code, fn func(*Tx) error, want ...string) {
	t.Helper()
	err := db.Update(context.Background(), a, fn)
	if CodeOf(err) != c {
		t.Fatalf("%v, want %s", err, c)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
}

func TestProposeKeyRefuses(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	for _, bad := range []string{"", "XYZ", twnicKey + "0", strings.Repeat("G", 40)} {
		refusedFor(t, db, admin(day), Invalid, func(x *Tx) error { _, err := x.ProposeKey("JPNIC", bad); return err })
	}
	refusedFor(t, db, admin(day), NotFound, func(x *Tx) error { _, err := x.ProposeKey("NONIC", twnicKey); return err })
	refusedFor(t, db, staff(day), Forbidden, func(x *Tx) error { _, err := x.ProposeKey("JPNIC", twnicKey); return err })
}
