package nir

import (
	"path/filepath"
	"slices"
	"strings"
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

// trial is a registry in which TWNIC is in probation and has half of a /24, of
// which JPNIC has the other half; each has a name server in its own.
func trial(t *testing.T) *DB {
	t.Helper()
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		n := NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "MAINT-TWNIC", Option: 2, Email: "hm@twnic.example"}
		if _, _, err := x.Onboard(Onboarding{NIR: n, Windows: map[inr.Kind]Size{inr.IPv4: "/22"}}); err != nil {
			return err
		}
		for _, p := range [][3]string{{"JPNIC", "203.10.0.0/25", "0-127"}, {"TWNIC", "203.10.0.128/25", "128-255"}} {
			if _, err := x.AddPool(Pool{Range: aRange(t, p[1]), Purpose: NIRExisting, NIR: p[0]}); err != nil {
				return err
			}
			for _, c := range []string{"contact AA1-JP", "contact TT1-JP"} {
				if err := x.DeclareExternal(p[0], c, "test"); err != nil {
					return err
				}
			}
			if _, err := x.PutWhois(strings.ReplaceAll(activeDomain(p[2]+".0.10.203.in-addr.arpa"), "TWNIC", p[0])); err != nil {
				return err
			}
		}
		return nil
	})
	return db
}

// TestProbationOfAPart: of a /24 that an NIR in probation shares, its part is not
// published and the other one stays.
func TestProbationOfAPart(t *testing.T) {
	db := trial(t)
	out := fileOf(exportFrom(t, db, ExportOptions{Zones: zones("203.in-addr.arpa.")}).Registry, "203.in-addr.arpa-APNIC")
	if !strings.Contains(out, "0-127.0.10") || strings.Contains(out, "128-255.0.10") {
		t.Errorf("published is\n%s", out)
	}
}

// TestProbationIsNotLeft: an NIR that leaves before it was admitted does not come
// into the zones by that.
func TestProbationIsNotLeft(t *testing.T) {
	db := trial(t)
	update(t, db, admin(day), func(x *Tx) error { _, err := x.Offboard("TWNIC"); return err })
	e := exportFrom(t, db, ExportOptions{Zones: zones("203.in-addr.arpa.")})
	if list := fileOf(e.Registry, "probation"); !strings.Contains(list, "TWNIC") {
		t.Errorf("in probation are\n%s", list)
	}
	if out := fileOf(e.Registry, "203.in-addr.arpa-APNIC"); strings.Contains(out, "128-255.0.10") {
		t.Errorf("published is\n%s", out)
	}
	update(t, db, admin(day), func(x *Tx) error { _, err := x.Offboard("JPNIC"); return err })
	e = exportFrom(t, db, ExportOptions{Zones: zones("203.in-addr.arpa.")})
	if out := fileOf(e.Registry, "203.in-addr.arpa-APNIC"); !strings.Contains(out, "0-127.0.10") || strings.Contains(fileOf(e.Registry, "probation"), "JPNIC") {
		t.Errorf("of who was active before it left\n%s", out)
	}
}

// TestR_NIR_32_NotStuckAnyMore: that a request cannot be allocated for its member is
// told until it can, also if no pool has room then.
func TestR_NIR_32_NotStuckAnyMore(t *testing.T) {
	db := approving(t)
	held := requestIn(t, db, HeldRequest, "r1")
	told := func() string { return noticeCodes(openNotices(t, db, "")) }
	serve := func(nir string) {
		update(t, db, admin(day), func(x *Tx) error {
			if err := x.Serve(held.Member, nir); err != nil {
				return err
			}
			_, err := x.RetryAll()
			return err
		})
	}
	update(t, db, admin(day), func(x *Tx) error { _, err := x.Join(held.Member, "", "came"); return err })
	serve("")
	if got := told(); !strings.Contains(got, "request-stuck") {
		t.Errorf("notices: %s", got)
	}
	serve("JPNIC")
	if got := told(); strings.Contains(got, "request-stuck") || !strings.Contains(got, "pool-exhausted") {
		t.Errorf("notices: %s", got)
	}
}

// TestR_NIR_30_DividedAndShared: of a zone that is divided, a /24 may be of several:
// all who hold parts of it are told.
func TestR_NIR_30_DividedAndShared(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	var q Request
	update(t, db, admin(day), func(x *Tx) (err error) {
		a := ask("r1", "d1", inr.IPv4, "/16")
		a.NIR = ""
		q, err = x.Submit(a)
		return err
	})
	zones, err := ReverseZones(q.Ranges[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, admin(day), put(strings.ReplaceAll(strings.ReplaceAll(activeDomain(zones[0].Name.File()), "MAINT-TWNIC", "APNIC-HM"), "TWNIC", "APNIC")))
	moveTo(t, db, "", "TWNIC", q.Member, inr.BlockAt(inr.IPv4, q.Ranges[0].First, 26).Range())
	for _, code := range []string{"zone-divided", "zone-shared"} {
		if list := toldOf(t, db, code); !slices.Equal(list, []string{"APNIC", "TWNIC"}) {
			t.Errorf("of %s are told %v", code, list)
		}
	}
}

// TestR_NIR_30_SharedZoneDeleted: a /24 of two members of an NIR that the NIR deletes
// is shared no more.
func TestR_NIR_30_SharedZoneDeleted(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	name := twZone(t, db, "r1")
	setZone(t, db, name, day)
	w := zonesIn(t, db, aRange(t, "0.0.0.0/0"))[name]
	update(t, db, admin(day), func(x *Tx) error {
		d, err := delegations.get(x.View, w.DerivedFrom)
		if err != nil {
			return err
		}
		_, l, err := x.AddTransfer(TransferAsk{
			Transfer: Transfer{Source: "TWNIC", Destination: "TWNIC", Member: d.Member, UID: "two", Who: Member{Name: "Two", Economy: "TW"}},
			Lines:    []TransferLine{{Range: inr.BlockAt(inr.IPv4, w.Range.First, 26).Range()}},
		})
		if err != nil {
			return err
		}
		_, err = x.CompleteLine(l[0].ID)
		return err
	})
	if list := toldOf(t, db, "zone-shared"); !slices.Equal(list, []string{"TWNIC"}) {
		t.Errorf("told are %v", list)
	}
	update(t, db, twStaff(day), func(x *Tx) error { return x.DeleteWhois("domain", name, "TWNIC") })
	if list := toldOf(t, db, "zone-shared"); len(list) > 0 {
		t.Errorf("still told are %v", list)
	}
}

// TestR_NIR_25_MemberWithoutContacts: a zone of a member of whom no contact is known
// gets servers and loses them; who writes the object whole names contacts.
func TestR_NIR_25_MemberWithoutContacts(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		m, err := x.AddMember("TWNIC", "m1", Member{Name: "One", Economy: "TW"})
		if err != nil {
			return err
		}
		for _, l := range []Level{RIRToNIR, NIRToMember} {
			d := Delegation{Level: l, Range: aRange(t, "61.56.0.0/24"), Type: "allocation", Economy: "TW", NIR: "TWNIC", Date: day, Evidence: ByImport}
			if l == NIRToMember {
				d.Member = m.ID
			}
			if err := x.addDelegation(&d); err != nil {
				return err
			}
		}
		_, err = x.DescribeMissing(10)
		return err
	})
	const name = "0.56.61.in-addr.arpa"
	set := func(want string, ns, ds []string) {
		t.Helper()
		var w WhoisObject
		update(t, db, twStaff(day), func(x *Tx) (err error) { w, err = x.SetDomain(name, ns, ds); return err })
		if w.State != want || strings.Contains(w.Text, "-c:") {
			t.Errorf("%s:\n%s", w.State, w.Text)
		}
	}
	set(DomainActive, []string{"ns1.example.net"}, []string{"1 13 2 " + strings.Repeat("AB", 32)})
	set(DomainInactive, nil, nil)
	fails(t, db, twStaff(day), Invalid, func(x *Tx) error {
		_, err := x.PutWhois("domain: " + name + "\ndescr: x\nnserver: ns1.example.net\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n")
		return err
	})
	verify(t, db)
}

// TestUndescribedBatches: a batch of delegations without whois objects is found in
// the order of an index: it does not cost sorting all that are left.
func TestUndescribedBatches(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	view(t, db, func(v *View) error {
		rows, err := v.query("EXPLAIN QUERY PLAN SELECT " + delegations.list + " FROM delegation WHERE until IS NULL AND " + undescribed + undescribedOrder + " LIMIT 5")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, none int
			var detail string
			if err := rows.Scan(&id, &parent, &none, &detail); err != nil {
				return err
			}
			if strings.Contains(detail, "ORDER BY") {
				t.Error(detail)
			}
		}
		return rows.Err()
	})
}
