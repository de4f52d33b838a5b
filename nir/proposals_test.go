package nir

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestProposalsExpire: a proposal may be approved for as long as the rules have
// it; then it is expired, for those who look and those who sign, and the next run
// records that once.
func TestProposalsExpire(t *testing.T) {
	db := approving(t)
	db.o.Rules.ProposalDays = 3
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/19"))
	var p Proposal
	update(t, db, hostmaster(day), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
	end := day.Add(72 * time.Hour)
	if !p.Expires.Equal(end) || p.StateAt(end.Add(-time.Second)) != ProposalOpen || p.StateAt(end) != ProposalExpired {
		t.Errorf("%+v", p)
	}
	recorded := func() (state string) {
		view(t, db, func(v *View) error {
			now, err := v.Proposal(p.Hash)
			state = now.State
			return err
		})
		return state
	}
	run := func(at time.Time) int {
		ran, err := db.RunDue(context.Background(), admin(at))
		if err != nil {
			t.Fatal(err)
		}
		return ran.Expired
	}
	if n := run(end.Add(-time.Second)); n != 0 || recorded() != ProposalOpen {
		t.Errorf("before its time %d expired, it is %s", n, recorded())
	}
	sign := func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "anna", p)); return err }
	wantCode(t, do(db, hostmaster(end), sign), Conflict, "expired at")
	if e, err := db.Try(context.Background(), admin(end), func(x *Tx) error { _, err := x.RunDue(end); return err }); err != nil || !strings.Contains(e.Act, "proposal.expire") {
		t.Errorf("%+v, %v", e, err)
	}
	if n := run(end); n != 1 || recorded() != ProposalExpired {
		t.Errorf("%d expired, it is %s", n, recorded())
	}
	before := lastEvent(t, db)
	if n := run(end); n != 0 || lastEvent(t, db) != before {
		t.Errorf("%d expired again", n)
	}
	wantCode(t, do(db, hostmaster(end), sign), Conflict, "expired at")
	update(t, db, hostmaster(end), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
	update(t, db, hostmaster(end), sign)
	verify(t, db)
}
