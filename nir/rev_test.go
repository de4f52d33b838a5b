package nir

import (
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestR_NIR_11_EffectsAsShown: what is signed is what happens. A proposal whose
// effects would be others now is refused, by whatever they differ, and proposed
// again it is another one.
func TestR_NIR_11_EffectsAsShown(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		r := s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs}})
		stale := r.Plan
		db.o.Rules.QuarantineDays = 30
		wantCode(t, s.sign(4*time.Hour, stale, "second"), Conflict, "in quarantine for 30 days")
		s.update(4*time.Hour, func(x *Tx) (err error) { r, err = x.ReviewReturn(r.ID); return err })
		wantCode(t, s.sign(5*time.Hour, stale, "second"), Conflict, "is withdrawn")
		n := lastEvent(t, db)
		s.update(5*time.Hour, func(x *Tx) error { _, err := x.ReviewReturn(r.ID); return err })
		if lastEvent(t, db) != n {
			t.Error("what is as it was is proposed again")
		}
		if err := s.sign(5*time.Hour, r.Plan, "second"); err != nil {
			t.Error(err)
		}
		verify(t, db)
	})
}

// TestR_NIR_11_ApproverAlone: who has the role of an approver and no other signs a
// second opinion, and not one about a member who has another name now.
func TestR_NIR_11_ApproverAlone(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/16"))
	propose := func() (p Proposal) {
		update(t, db, hostmaster(day), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
		return p
	}
	sign := func(p Proposal) error {
		return do(db, Actor{Name: "anna", Roles: []Role{Approver}, At: day}, func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "anna", p)); return err })
	}
	p := propose()
	update(t, db, admin(day), func(x *Tx) error {
		m, err := x.Member(r.Member)
		m.Name = "Somebody Else"
		return errorsOf(err, changeMember(x, m))
	})
	wantCode(t, sign(p), Conflict, "Somebody Else")
	if err := sign(propose()); err != nil {
		t.Error(err)
	}
}

func changeMember(x *Tx, m Member) error {
	_, err := x.ChangeMember(m)
	return err
}
