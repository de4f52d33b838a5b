package nir

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func police(ref string, b Basis) Disclosure {
	return Disclosure{
		Ref: ref, Requester: "Police of Example", Contact: "Unit 4", Jurisdiction: "AU", Basis: b, Document: "warrant 7/26, in the safe", Scope: "who holds 202.0.0.0/24",
	}
}

// releaseOne walks one disclosure to its release and returns it.
func releaseOne(t *testing.T, db *DB) Disclosure {
	t.Helper()
	r := sendIn(t, db, staff(day.Add(time.Hour)), ask("for-disclosure", "m7", inr.IPv4, "/24"))
	var d Disclosure
	var p Proposal
	at := day.Add(2 * time.Hour)
	update(t, db, hostmaster(at), func(x *Tx) (err error) { d, err = x.RecordDisclosure(police("A1", CourtOrder)); return err })
	items := []DisclosedItem{{"member", r.Member, []string{"name", "phone", "address"}}, {"request", r.ID, []string{"submitter"}}}
	update(t, db, hostmaster(at), func(x *Tx) (err error) { p, err = x.ProposeRelease(d.ID, items); return err })
	for i, name := range []string{"anna", "ben"} {
		update(t, db, hostmaster(at), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, name, p)); return err })
		view(t, db, func(v *View) (err error) {
			d, err = v.Disclosure(d.ID)
			if released := d.State == DisclosureReleased; released != (i == 1) {
				t.Errorf("after %d signatures it is %s", i+1, d.State)
			}
			return err
		})
	}
	return d
}

// TestR_SEC_4_TwoApprovers: what is not public goes out with a legal basis and two
// approvers who did not propose it, exactly the fields that they signed, and can be
// shown later as it was.
func TestR_SEC_4_TwoApprovers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		d := releaseOne(t, db)
		if strings.Join(d.Approvers, " ") != "anna ben" || d.Decided.IsZero() || len(d.Items) != 2 || d.Recorder != "hostmaster" || d.Proposal == "" {
			t.Errorf("%+v", d)
		}
		var handed string
		view(t, db, func(v *View) error {
			b, err := v.Disclosed(d.ID)
			handed = string(b)
			return err
		})
		for _, want := range []string{`"name": "Example m7"`, `"phone": ""`, `"submitter": "staff"`} {
			if !strings.Contains(handed, want) {
				t.Errorf("%s is not in %s", want, handed)
			}
		}
		if strings.Contains(handed, "email") || strings.Contains(handed, "netname") {
			t.Errorf("more than was signed: %s", handed)
		}
		update(t, db, admin(day.Add(3*time.Hour)), func(x *Tx) error { // the member changes, what was handed out does not
			m, err := x.Member(d.Items[0].ID)
			if err != nil {
				return err
			}
			m.Name = "Renamed"
			_, err = x.ChangeMember(m)
			return err
		})
		view(t, db, func(v *View) error {
			b, err := v.Disclosed(d.ID)
			if string(b) != handed {
				t.Errorf("later it is %s", b)
			}
			return err
		})
		verify(t, db)
	})
}

// TestR_SEC_4_Refuses: no basis, one approver twice, the proposer, changed values,
// and what was decided already.
func TestR_SEC_4_Refuses(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	record := func(ref string, b Basis) (d Disclosure) {
		update(t, db, hostmaster(day), func(x *Tx) (err error) { d, err = x.RecordDisclosure(police(ref, b)); return err })
		return d
	}
	secret := []DisclosedItem{{"member", r.Member, []string{"phone"}}}
	propose := func(id string, items []DisclosedItem) (p Proposal, err error) {
		err = do(db, hostmaster(day), func(x *Tx) (err error) { p, err = x.ProposeRelease(id, items); return err })
		return p, err
	}
	approve := func(p Proposal, name string) error {
		return do(db, hostmaster(day), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, name, p)); return err })
	}
	_, err := propose(record("none", NoBasis).ID, secret)
	wantCode(t, err, Forbidden, "no legal basis")

	d := record("order", CourtOrder)
	if again := record("order", CourtOrder); again.ID != d.ID {
		t.Error("the same reference is two requests")
	}
	other := police("order", CourtOrder)
	other.Scope = "everything"
	wantCode(t, do(db, hostmaster(day), func(x *Tx) error { _, err := x.RecordDisclosure(other); return err }), Conflict, "asks for something else")
	for _, items := range [][]DisclosedItem{nil, {{"member", r.Member, nil}}, {{"member", r.Member, []string{"password"}}}} {
		_, err = propose(d.ID, items)
		wantCode(t, err, Invalid, "")
	}
	_, err = propose(d.ID, []DisclosedItem{{"secret", r.Member, []string{"x"}}})
	wantCode(t, err, NotFound, "no kind of object")
	p, err := propose(d.ID, secret)
	if err != nil || !strings.Contains(strings.Join(p.Effects, "\n"), "phone (not public)") {
		t.Fatalf("%v: %v", p.Effects, err)
	}
	wantCode(t, approve(p, "hostmaster"), Forbidden, "another person")
	if err := approve(p, "anna"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, approve(p, "anna"), Conflict, "has signed")
	update(t, db, admin(day), func(x *Tx) error {
		m, err := x.Member(r.Member)
		if err == nil {
			m.Phone = "+61 7 5550 0000"
			_, err = x.ChangeMember(m)
		}
		return err
	})
	wantCode(t, approve(p, "ben"), Conflict, "has changed since it was signed")
	view(t, db, func(v *View) error {
		_, err := v.Disclosed(d.ID)
		wantCode(t, err, Conflict, "nothing was disclosed")
		return nil
	})
	update(t, db, hostmaster(day), func(x *Tx) error { _, err := x.RefuseDisclosure(d.ID, "withdrawn by the court"); return err })
	_, err = propose(d.ID, secret)
	wantCode(t, err, Conflict, "is refused")
	for _, bad := range []Disclosure{{}, {Requester: "P", Ref: "1", Scope: "s", Jurisdiction: "AU", Basis: "hearsay"}, {Requester: "P", Ref: "1", Scope: "s", Jurisdiction: "AU", Basis: MLAT}} {
		err := do(db, hostmaster(day), func(x *Tx) error { _, err := x.RecordDisclosure(bad); return err })
		wantCode(t, err, Invalid, "R-SEC-4")
	}
}

// TestR_SEC_4_PublicAtOnce: public data needs no approver; a field that is not
// public cannot go that way.
func TestR_SEC_4_PublicAtOnce(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	var d Disclosure
	update(t, db, hostmaster(day), func(x *Tx) (err error) { d, err = x.RecordDisclosure(police("A1", NoBasis)); return err })
	err := do(db, hostmaster(day), func(x *Tx) error {
		_, err := x.AnswerPublic(d.ID, []DisclosedItem{{"member", r.Member, []string{"name", "phone"}}})
		return err
	})
	wantCode(t, err, Forbidden, "field phone of member is not public")
	update(t, db, hostmaster(day), func(x *Tx) (err error) {
		d, err = x.AnswerPublic(d.ID, []DisclosedItem{{"member", r.Member, []string{"name"}}})
		return err
	})
	view(t, db, func(v *View) error {
		b, err := v.Disclosed(d.ID)
		if d.State != DisclosurePublic || !strings.Contains(string(b), "Example m1") {
			t.Errorf("%s: %s", d.State, b)
		}
		return err
	})
	n := 0
	err = db.AsOf(context.Background(), day, func(v *View) error {
		list, err := v.Disclosures("")
		n = len(list)
		return err
	})
	if err != nil || n != 1 {
		t.Errorf("%s", fmt.Sprint(n, err))
	}
}
