package nir

import (
	"context"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// as is who acts for another; the audit has both names.
func as(a Actor, account string) Actor {
	a.Key = AccountKey + account
	return a
}

// TestR_NIR_11_WhoActsForAnother: who proposes or submits in another's name is not
// the second person either.
func TestR_NIR_11_WhoActsForAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		sign := func(p Proposal, who string) error {
			return do(db, admin(day.Add(time.Hour)), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, who, p)); return err })
		}
		propose := func(a Actor, id string) (p Proposal) {
			update(t, db, a, func(x *Tx) (err error) { p, err = x.ProposeApproval(id); return err })
			return p
		}
		later := day.Add(time.Hour)
		r := sendIn(t, db, staff(later), opinion("r1", "m1", "/16"))
		p := propose(as(hostmaster(later), "anna"), r.ID)
		wantCode(t, sign(p, "anna"), Forbidden, "acting for hostmaster")
		wantCode(t, sign(p, "hostmaster"), Forbidden, "another person")
		if err := sign(p, "ben"); err != nil {
			t.Error(err)
		}
		r = sendIn(t, db, as(staff(later), "anna"), opinion("r2", "m2", "/16"))
		p = propose(hostmaster(later), r.ID)
		wantCode(t, sign(p, "anna"), Forbidden, "acting for staff")
		if err := sign(p, "ben"); err != nil {
			t.Error(err)
		}
		update(t, db, as(admin(later), "anna"), func(x *Tx) error { // in one transaction
			r, err := x.Submit(opinion("r3", "m3", "/16"))
			if err != nil {
				return err
			}
			p, err := x.ProposeApproval(r.ID)
			if err != nil {
				return err
			}
			_, err = x.Approve(p.Hash, signed(t, "anna", p))
			wantCode(t, err, Forbidden, "acting for admin")
			return nil
		})
	})
}

// TestReturnSignedByOthers: who submitted a return does not sign it, also
// after somebody else has reviewed it.
func TestReturnSignedByOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		r := s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs}})
		after := 60 * 24 * time.Hour
		at := day.Add(after)
		update(t, db, as(hostmaster(at), "carol"), func(x *Tx) (err error) { r, err = x.ReviewReturn(r.ID); return err })
		wantCode(t, s.sign(after, r.Plan, "admin"), Forbidden, "admin submitted the return")
		wantCode(t, s.sign(after, r.Plan, "carol"), Forbidden, "acting for hostmaster")
		if err := s.sign(after, r.Plan, "second"); err != nil {
			t.Error(err)
		}
	})
}

// TestR_SEC_4_FirstSignatureStillHolds: of two signatures the first counts only if
// its key is on the list when the second comes; who lost a key may sign again.
func TestR_SEC_4_FirstSignatureStillHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		r := sendIn(t, db, staff(day), ask("r1", "m7", inr.IPv4, "/24"))
		var d Disclosure
		var p Proposal
		at := day.Add(2 * time.Hour)
		update(t, db, hostmaster(at), func(x *Tx) (err error) {
			if d, err = x.RecordDisclosure(police("A1", CourtOrder)); err == nil {
				p, err = x.ProposeRelease(d.ID, []DisclosedItem{{"member", r.Member, []string{"name"}}})
			}
			return err
		})
		state := func(want string, valid int) {
			t.Helper()
			view(t, db, func(v *View) error {
				now, err := v.Disclosure(d.ID)
				list, err2 := v.Approvals(p.ID)
				if now.State != want || len(list) != valid || err2 != nil {
					t.Errorf("%s with %d signatures, want %s with %d", now.State, len(list), want, valid)
				}
				return err
			})
		}
		sign := func(who string) {
			t.Helper()
			update(t, db, hostmaster(at), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, who, p)); return err })
		}
		was := d.State
		sign("anna")
		db.o.Signers = signers(t, "ben") // anna's key is lost
		sign("ben")
		state(was, 1)
		db.o.Signers = signers(t, "ben", "anna")
		sign("anna")
		state(DisclosureReleased, 2)
		verify(t, db)
	})
}

// TestProbationByTheRegistry: what an NIR in probation puts into the registry is
// not published before it is active, and then with a later time; an NIR that came
// that way has Option 1 only with a key that two persons confirmed.
func TestProbationByTheRegistry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		db.o.Signers = signers(t, "yuki")
		world(t, db)
		update(t, db, admin(day), func(x *Tx) error {
			n := NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "MAINT-TWNIC", Option: 2, Email: "hm@twnic.example"}
			if _, _, err := x.Onboard(Onboarding{NIR: n, Windows: map[inr.Kind]Size{inr.IPv4: "/22"}}); err != nil {
				return err
			}
			_, err := x.AddPool(Pool{Range: aRange(t, "203.10.0.0/16"), Purpose: NIRExisting, NIR: "TWNIC"})
			return err
		})
		update(t, db, twStaff(day), func(x *Tx) error {
			for _, c := range []string{"contact AA1-JP", "contact TT1-JP"} {
				if err := x.DeclareExternal("TWNIC", c, "test"); err != nil {
					return err
				}
			}
			_, err := x.PutWhois("domain: 10.203.in-addr.arpa\ndescr: x\nadmin-c: AA1-JP\ntech-c: TT1-JP\nzone-c: TT1-JP\nnserver: ns1.example.net\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n")
			return err
		})
		out := func() string {
			e := exportFrom(t, db, ExportOptions{Zones: zones("203.in-addr.arpa.")})
			return fileOf(e.Registry, "203.in-addr.arpa-APNIC")
		}
		first := out()
		if strings.Contains(first, "ns1.example.net") {
			t.Errorf("published in probation:\n%s", first)
		}
		at := day.Add(time.Hour)
		toOne := func(x *Tx) error { return x.SwitchOption("TWNIC", 1, nil, 1) }
		update(t, db, admin(at), activate)
		then := out()
		if !strings.Contains(then, "ns1.example.net") || !strings.Contains(then, at.Format("2006-01-02 15:04:05Z")) {
			t.Errorf("active:\n%s", then)
		}
		wantCode(t, do(db, twStaff(at), toOne), Conflict, "have not confirmed the key")
		var p Proposal
		update(t, db, admin(at), func(x *Tx) (err error) { p, err = x.ProposeKey("TWNIC", twnicKey); return err })
		wantCode(t, do(db, twStaff(at), toOne), Conflict, "have not confirmed the key")
		update(t, db, admin(at), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "yuki", p)); return err })
		update(t, db, twStaff(at), toOne)
	})
}

// TestKeyConfirmedLast: of two keys the one counts that was confirmed last, not
// proposed last.
func TestKeyConfirmedLast(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		db.o.Signers = signers(t, "yuki")
		world(t, db)
		keys := []string{twnicKey, strings.Repeat("AB", 20)}
		var p [2]Proposal
		for i, k := range keys {
			update(t, db, admin(day.Add(time.Duration(i)*time.Hour)), func(x *Tx) (err error) { p[i], err = x.ProposeKey("JPNIC", k); return err })
		}
		for n, i := range []int{1, 0} {
			update(t, db, admin(day.Add(time.Duration(3+n)*time.Hour)), func(x *Tx) error { _, err := x.Approve(p[i].Hash, signed(t, "yuki", p[i])); return err })
			view(t, db, func(v *View) error {
				got, err := v.KeyOfNIR("JPNIC")
				if got != keys[i] {
					t.Errorf("the key is %s, want %s", got, keys[i])
				}
				return err
			})
		}
	})
}

// TestR_NIR_32_OpenRequestsOfWhoLeft: a request that waited is allocated only if
// its NIR is active and serves the member still; the other held ones go on.
func TestR_NIR_32_OpenRequestsOfWhoLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		held := requestIn(t, db, HeldRequest, "r1")
		free := func(x *Tx) error {
			_, err := x.AddPool(Pool{Range: aRange(t, "60.0.0.0/7"), Purpose: Regional})
			return err
		}
		var other Request
		update(t, db, admin(day), func(x *Tx) error {
			q := ask("d1", "direct", held.Kind, held.Size)
			q.NIR = ""
			var err error
			if other, err = x.Submit(q); err != nil {
				return err
			}
			if _, err := x.Join(held.Member, "", "came"); err != nil {
				return err
			}
			return x.Serve(held.Member, "")
		})
		if other.State != HeldRequest {
			t.Fatalf("the other is %s", other.State)
		}
		at := day.Add(time.Hour)
		update(t, db, admin(at), free)
		wantCode(t, do(db, admin(at), func(x *Tx) error { _, err := x.RetryHeld(held.ID); return err }), Conflict, "does not serve")
		for range 2 {
			update(t, db, admin(at), func(x *Tx) error { _, err := x.RetryAll(); return err })
		}
		look := func(id, want string) {
			t.Helper()
			view(t, db, func(v *View) error {
				r, err := v.Request(id)
				if r.State != want {
					t.Errorf("%s is %s, want %s", r.Ref, r.State, want)
				}
				return err
			})
		}
		look(held.ID, HeldRequest)
		look(other.ID, Registered)
		if got := noticeCodes(openNotices(t, db, "")); strings.Count(got, "request-stuck JPNIC/r1") != 1 {
			t.Errorf("notices: %s", got)
		}
		update(t, db, admin(at), func(x *Tx) error {
			if err := x.Serve(held.Member, "JPNIC"); err != nil {
				return err
			}
			_, err := x.Offboard("JPNIC")
			return err
		})
		wantCode(t, do(db, admin(at), func(x *Tx) error { _, err := x.RetryHeld(held.ID); return err }), Conflict, "is in state leaving")
		update(t, db, admin(at), func(x *Tx) error { _, err := x.Withdraw(held.ID, "gone"); return err })
		if got := noticeCodes(openNotices(t, db, "")); strings.Contains(got, "request-stuck") {
			t.Errorf("notices: %s", got)
		}
	})
}

// TestR_NIR_31_ServiceIsNotTaken: staff of one NIR do not say who serves a member
// that another serves.
func TestR_NIR_31_ServiceIsNotTaken(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		var victim Member
		update(t, db, admin(day), func(x *Tx) error {
			_, err := x.PutNIR(NIR{Code: "KRNIC", Name: "K", Economy: "KR", Source: "KRNIC", Mntner: "MAINT-KR", Option: 1})
			return err
		})
		update(t, db, staff(day), func(x *Tx) (err error) {
			victim, err = x.AddMember("JPNIC", "v1", Member{Name: "Victim", Economy: "JP"})
			return err
		})
		q := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/24"))
		at := day.Add(time.Hour)
		add := func(a Actor, change func(*TransferAsk)) error {
			return do(db, a, func(x *Tx) error {
				one := TransferAsk{Transfer: Transfer{Source: "TWNIC", Destination: "KRNIC", Member: q.Member, Receiver: victim.ID, UID: "zz", Serve: true}, Lines: []TransferLine{{Range: q.Ranges[0]}}}
				change(&one)
				_, _, err := x.AddTransfer(one)
				return err
			})
		}
		wantCode(t, add(twStaff(at), func(*TransferAsk) {}), Forbidden, "served by JPNIC")
		served := func(member, want string) {
			t.Helper()
			at = at.Add(time.Hour)
			if _, err := db.RunDue(context.Background(), admin(at)); err != nil {
				t.Fatal(err)
			}
			view(t, db, func(v *View) error {
				s, ok, err := memberships.one(v, "member = $1 AND serves = 1", member)
				if !ok || s.NIR != want {
					t.Errorf("served by %q, want %q", s.NIR, want)
				}
				return err
			})
		}
		served(victim.ID, "JPNIC")
		update(t, db, admin(at), func(x *Tx) error { // its service moves between request and day
			if _, err := x.Join(q.Member, "JPNIC", "late"); err != nil {
				return err
			}
			return x.Serve(q.Member, "JPNIC")
		})
		whole := func(a *TransferAsk) { a.Receiver, a.Serve, a.Whole = q.Member, false, true }
		if err := add(twStaff(at), whole); err != nil {
			t.Fatal(err)
		}
		served(q.Member, "JPNIC")
		update(t, db, admin(at), func(x *Tx) error { // staff of the regional registry may
			_, l, err := x.AddTransfer(TransferAsk{
				Transfer: Transfer{Source: "KRNIC", Destination: "TWNIC", Member: q.Member, UID: "m1", Serve: true},
				Lines:    []TransferLine{{Range: q.Ranges[0]}},
			})
			if err == nil {
				_, err = x.CompleteLine(l[0].ID)
			}
			return err
		})
		served(q.Member, "TWNIC")
	})
}

// TestPoolOfAnotherRegistry: what another registry manages is no pool here.
func TestPoolOfAnotherRegistry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		add := func(text string) error {
			return do(db, admin(day), func(x *Tx) error {
				_, err := x.AddPool(Pool{Range: aRange(t, text), Purpose: Regional})
				return err
			})
		}
		update(t, db, admin(day), func(x *Tx) error {
			return foreignSpace.put(x, &ForeignRange{Source: "ARIN", Range: aRange(t, "199.4.0.0/16")})
		})
		for _, text := range []string{"199.4.0.0/16", "199.4.9.0/24", "199.0.0.0/8"} {
			wantCode(t, add(text), Conflict, "ARIN manages")
		}
		if err := add("199.5.0.0/16"); err != nil {
			t.Error(err)
		}
	})
}

// TestR_NIR_6_FormsAndLimits: what no whois object can say is refused with its
// field, and so are texts without end.
func TestR_NIR_6_FormsAndLimits(t *testing.T) {
	db := approving(t)
	long := strings.Repeat("x", maxText+1)
	for field, set := range map[string]func(*Ask){
		"netname":       func(a *Ask) { a.Netname = "TWO WORDS" },
		"ref":           func(a *Ask) { a.Ref = strings.Repeat("r", 129) },
		"uid":           func(a *Ask) { a.UID = "u\nv" },
		"admin_c":       func(a *Ask) { a.AdminC = "AA1-JP\nmnt-by: X" },
		"tech_c":        func(a *Ask) { a.TechC = strings.Repeat("t", 129) },
		"descr":         func(a *Ask) { a.Descr = long },
		"justification": func(a *Ask) { a.Justification = long },
		"assessment":    func(a *Ask) { a.Assessment = "a\x00b" },
		"name":          func(a *Ask) { a.Who.Name = long },
		"address":       func(a *Ask) { a.Who.Address = []string{long} },
		"phone":         func(a *Ask) { a.Who.Phone = "\xff" },
	} {
		a := opinion("r1", "m1", "/16")
		set(&a)
		err := do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err })
		wantCode(t, err, Invalid, field+": ")
	}
	a := opinion(strings.Repeat("r", 128), "m1", "/16")
	a.Descr, a.Justification = "two\nlines", strings.Repeat("x", maxText)
	sendIn(t, db, staff(day), a)
}

// TestServerClock: on PostgreSQL an event far ahead of the server's clock is
// refused, before it keeps everybody from writing.
func TestServerClock(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		db.o.ServerClock = true
		add := func(at time.Time) error {
			return do(db, admin(at), func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "test"); return err })
		}
		ahead := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
		if db.dialect == Postgres {
			wantCode(t, add(ahead), Conflict, "the database server's")
		}
		if err := add(day.Add(time.Hour)); err != nil {
			t.Error(err)
		}
	})
}
