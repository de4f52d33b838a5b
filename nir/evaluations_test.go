package nir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"nirzone/fixtures/peers"
	"nirzone/nir/inr"
)

// TestR_NIR_5_AboveTheWindow: a plain request above the window is refused with
// the code of its own, and nothing has changed: not even the member is there.
func TestR_NIR_5_AboveTheWindow(t *testing.T) {
	db := approving(t)
	before, err := db.VerifyAudit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = do(db, staff(day), func(x *Tx) error {
		_, err := x.Submit(ask("r1", "m1", inr.IPv4, "/19"))
		return err
	})
	wantCode(t, err, SecondOpinion, "/19 is more than the allocation window of JPNIC, /20")
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/19"))
	if r.State != Evaluating || len(r.Ranges) != 0 || r.Window != "/20" {
		t.Errorf("%+v", r)
	}
	view(t, db, func(v *View) error {
		return v.EachDelegation(func(d *Delegation) error { t.Errorf("%s is delegated", d.Range); return nil })
	})
	after, err := db.VerifyAudit(context.Background())
	if err != nil || after.Events != before.Events+1 {
		t.Errorf("%d events, then %d, %v", before.Events, after.Events, err)
	}
	err = do(db, staff(day), func(x *Tx) error { _, err := x.Submit(opinion("r2", "m1", "/20")); return err })
	wantCode(t, err, Conflict, "within the allocation window")
}

// TestR_NIR_6_EverythingToRegister: a request that misses what is to be
// registered is refused, with every miss named; one that has it needs no more.
func TestR_NIR_6_EverythingToRegister(t *testing.T) {
	db := approving(t)
	good := ask("r1", "m1", inr.IPv4, "/24")
	for field, clear := range map[string]func(*Ask){
		"ref":     func(a *Ask) { a.Ref = "" },
		"netname": func(a *Ask) { a.Netname = "" },
		"admin_c": func(a *Ask) { a.AdminC = "" },
		"tech_c":  func(a *Ask) { a.TechC = "" },
		"economy": func(a *Ask) { a.Economy = "" },
		"type":    func(a *Ask) { a.Type = "" },
		"size":    func(a *Ask) { a.Size = "" },
		"act":     func(a *Ask) { a.Act = "" },
		"name":    func(a *Ask) { a.Who.Name = "" },
	} {
		a := good
		clear(&a)
		err := do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err })
		wantCode(t, err, Invalid, field)
	}
	err := do(db, staff(day), func(x *Tx) error {
		_, err := x.Submit(Ask{Request: Request{NIR: "JPNIC", Act: Allocation, Kind: inr.IPv4}})
		return err
	})
	for _, f := range []string{"ref", "uid", "netname", "admin_c", "tech_c", "economy", "type", "size", "attested"} {
		wantCode(t, err, Invalid, f+": ")
	}
	if r := sendIn(t, db, staff(day), good); r.State != Registered {
		t.Errorf("state %s", r.State)
	}
}

// TestR_NIR_7_UniqueIdentifier: the member's identifier is required, and the same
// identifier is the same member for ever, also of another NIR's naming.
func TestR_NIR_7_UniqueIdentifier(t *testing.T) {
	db := approving(t)
	a := ask("r0", "", inr.IPv4, "/24")
	wantCode(t, do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err }), Invalid, "uid: ")
	a = ask("r0", "a b", inr.IPv4, "/24")
	wantCode(t, do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err }), Invalid, "uid: ")
	first := sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	again := ask("r2", "m1", inr.IPv4, "/24")
	again.Who = Member{Name: "Somebody else", Economy: "JP"}
	second := sendIn(t, db, staff(day), again)
	if first.Member != second.Member {
		t.Errorf("one identifier, members %s and %s", first.Member, second.Member)
	}
	view(t, db, func(v *View) error {
		m, _, err := v.MemberOf("JPNIC", "m1")
		if m.Name != "Example m1" {
			t.Errorf("the member became %q", m.Name)
		}
		return err
	})
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.PutNIR(NIR{Code: "KRNIC", Name: "Korea", Economy: "KR", Source: "KRNIC", Mntner: "MNT-KRNIC", Option: 1}); err != nil {
			return err
		}
		m, err := x.AddMember("KRNIC", "m1", Member{Name: "Of Korea", Economy: "KR"})
		if m.ID == first.Member {
			t.Error("two NIRs' identifiers are one member")
		}
		return err
	})
}

// TestR_NIR_8_AggregatesByMember: what one member gets later grows what it has,
// what another gets does not lie between.
func TestR_NIR_8_AggregatesByMember(t *testing.T) {
	db := approving(t)
	for i := range 4 {
		for _, m := range []string{"m1", "m2", "m3"} {
			sendIn(t, db, staff(day), ask(fmt.Sprint(m, "-", i), m, inr.IPv4, "/24"))
		}
	}
	view(t, db, func(v *View) error {
		for _, uid := range []string{"m1", "m2", "m3"} {
			m, _, err := v.MemberOf("JPNIC", uid)
			if err != nil {
				return err
			}
			set, err := v.heldBy(m.ID, inr.IPv4)
			if err != nil {
				return err
			}
			// Two soft reservations of twice the size: four /24 are at most two blocks.
			if n := len(set.Blocks()); n > 2 {
				t.Errorf("%s holds four /24 as %d blocks: %v", uid, n, set)
			}
		}
		return nil
	})
}

// TestR_NIR_8_GrowsInALaterPool: a member's space grows where it lies, also when a
// pool that is tried before has room; who has nothing there gets the first pool.
func TestR_NIR_8_GrowsInALaterPool(t *testing.T) {
	db := approving(t)
	first := sendIn(t, db, staff(day), ask("a1", "m1", inr.IPv4, "/24")).Ranges[0]
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: rng(t, "27.0.0.0/16"), Purpose: Regional})
		return err
	})
	b, _ := first.Block()
	want, _ := b.Buddy()
	if got := sendIn(t, db, staff(day), ask("a2", "m1", inr.IPv4, "/24")).Ranges[0]; got != want.Range() {
		t.Errorf("behind %s comes %s, want %s", first, got, want)
	}
	if got := sendIn(t, db, staff(day), ask("b1", "m2", inr.IPv4, "/24")).Ranges[0]; !rng(t, "27.0.0.0/16").Contains(got) {
		t.Errorf("who holds nothing gets %s", got)
	}
	// What the NIR had before is used first all the same (section 3.5).
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: rng(t, "61.0.0.0/24"), Purpose: NIRExisting, NIR: "JPNIC"})
		return err
	})
	if got := sendIn(t, db, staff(day), ask("b2", "m2", inr.IPv4, "/24")).Ranges[0]; got != rng(t, "61.0.0.0/24") {
		t.Errorf("of the existing pool comes %s", got)
	}
	verify(t, db)
}

// TestR_NIR_9_TheNIRKeepsTheJustification: the NIR says that it does; what is
// stored here stays, in every version, and nothing deletes it.
func TestR_NIR_9_TheNIRKeepsTheJustification(t *testing.T) {
	db := approving(t)
	a := ask("r1", "m1", inr.IPv4, "/24")
	a.Attested = false
	wantCode(t, do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err }), Invalid, "attested: ")
	r := sendIn(t, db, staff(day), opinion("r2", "m1", "/19"))
	update(t, db, staff(day), func(x *Tx) error { _, err := x.Withdraw(r.ID, "no longer wanted"); return err })
	view(t, db, func(v *View) error {
		list, err := requests.versions(v, r.ID)
		if len(list) != 2 || list[0].Justification != "two new cities" || list[1].Justification != "two new cities" {
			t.Errorf("%d versions: %+v", len(list), list)
		}
		steps, err2 := v.Evaluations(r.ID)
		if len(steps) != 1 || steps[0].Text != "no longer wanted" || steps[0].Author != "staff" {
			t.Errorf("%+v", steps)
		}
		if err == nil {
			err = err2
		}
		return err
	})
	for _, table := range []string{"request", "evaluation"} {
		if slices.ContainsFunc(txMethods(), func(m string) bool {
			return strings.HasPrefix(m, "Delete") && strings.Contains(strings.ToLower(m), table)
		}) {
			t.Errorf("there is a way to delete a %s", table)
		}
	}
}

// TestR_NIR_10_SecondOpinionIsFull: justification, evaluation and size have to be
// there, and nothing is taken until they are.
func TestR_NIR_10_SecondOpinionIsFull(t *testing.T) {
	db := approving(t)
	for field, clear := range map[string]func(*Ask){
		"justification": func(a *Ask) { a.Justification = "" },
		"assessment":    func(a *Ask) { a.Assessment = "" },
		"size":          func(a *Ask) { a.Size = "" },
		"netname":       func(a *Ask) { a.Netname = "" },
	} {
		a := opinion("r1", "m1", "/19")
		clear(&a)
		wantCode(t, do(db, staff(day), func(x *Tx) error { _, err := x.Submit(a); return err }), Invalid, field+": ")
	}
	view(t, db, func(v *View) error {
		list, err := v.Requests("", "")
		if len(list) > 0 {
			t.Errorf("taken: %+v", list)
		}
		return err
	})
}

// TestR_NIR_11_Evaluation walks a second opinion through question, answer and
// approval: nothing is allocated before, all of it with the signature.
func TestR_NIR_11_Evaluation(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
		r := sendIn(t, db, staff(hour(0)), opinion("r1", "m1", "/18"))
		wantCode(t, do(db, staff(hour(1)), func(x *Tx) error { _, err := x.AskAbout(r.ID, AskNIR, "why?"); return err }), Forbidden, "registry-staff")
		wantCode(t, do(db, staff(hour(1)), func(x *Tx) error { _, err := x.ProposeApproval(r.ID); return err }), Forbidden, "registry-staff")
		var early Proposal
		update(t, db, hostmaster(hour(1)), func(x *Tx) (err error) { early, err = x.ProposeApproval(r.ID); return err })
		update(t, db, hostmaster(hour(2)), func(x *Tx) error { _, err := x.AskAbout(r.ID, AskApplicant, "how many customers?"); return err })
		wantCode(t, do(db, hostmaster(hour(3)), func(x *Tx) error { _, err := x.Approve(early.Hash, signed(t, "anna", early)); return err }), Conflict, "withdrawn")
		view(t, db, func(v *View) error {
			n, err := v.Notices("JPNIC", false)
			if len(n) != 1 || n[0].Code != "question" || n[0].Text != "how many customers?" {
				t.Errorf("notices %+v", n)
			}
			return err
		})
		update(t, db, staff(hour(50)), func(x *Tx) (err error) { r, err = x.Answer(r.ID, "4000"); return err })
		if r.State != Evaluating || r.PausedFor != 48*time.Hour || !r.Due.Equal(day.Add(96*time.Hour+48*time.Hour)) {
			t.Errorf("state %s, paused for %v, due %v", r.State, r.PausedFor, r.Due) // Wednesday, two days and two, over a weekend
		}
		var p, same Proposal
		update(t, db, hostmaster(hour(51)), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
		if err := do(db, hostmaster(hour(51)), func(x *Tx) (err error) { same, err = x.ProposeApproval(r.ID); return err }); err != nil || same.ID != p.ID {
			t.Errorf("proposed again: %s, %s, %v", p.ID, same.ID, err)
		}
		for _, c := range []struct{ name, want string }{
			{"hostmaster", "another person has to approve"}, // proposed it
			{"staff", "staff submitted request r1"},
			{"carl", "is not in signers"},
		} {
			wantCode(t, do(db, hostmaster(hour(52)), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, c.name, p)); return err }), Forbidden, c.want)
		}
		update(t, db, hostmaster(hour(53)), func(x *Tx) error { _, err := x.Approve(p.Hash[:12], signed(t, "ben", p)); return err })
		view(t, db, func(v *View) error {
			r, err := v.Request(r.ID)
			if r.State != Registered || r.Plan != p.Hash || len(r.Ranges) != 1 || r.Ranges[0].Count().Int64() != 1<<14 || !r.Answered.Equal(hour(53)) {
				t.Errorf("%+v", r)
			}
			steps, err2 := v.Evaluations(r.ID)
			var words []string
			for _, s := range steps {
				words = append(words, fmt.Sprint(s.N, s.Verdict, s.Author))
			}
			if got, want := strings.Join(words, " "), "1ask-applicanthostmaster 2answerstaff 3approveben"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			p, err3 := v.Proposal(p.Hash)
			if p.State != ProposalDone || !strings.Contains(p.Result, r.Ranges[0].String()) {
				t.Errorf("%+v", p)
			}
			if err == nil {
				err = err2
			}
			if err == nil {
				err = err3
			}
			return err
		})
		if _, err := db.VerifyAudit(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestR_NIR_11_Refusal: a refusal says why, is told to the NIR, and ends it.
func TestR_NIR_11_Refusal(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/18"))
	wantCode(t, do(db, hostmaster(day), func(x *Tx) error { _, err := x.Refuse(r.ID, " "); return err }), Invalid, "reason: it is missing")
	update(t, db, hostmaster(day), func(x *Tx) (err error) { r, err = x.Refuse(r.ID, "not justified"); return err })
	again := sendIn(t, db, staff(day), opinion("r1", "m1", "/18"))
	if again.State != Refused || again.ID != r.ID || len(again.Ranges) != 0 {
		t.Errorf("%+v", again)
	}
}

// TestR_NIR_11_WindowOfSubmission: the window that counts is the one in force when
// the request came, whatever it is when it is approved.
func TestR_NIR_11_WindowOfSubmission(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/19"))
	for _, size := range []Size{"/16", "/24"} {
		update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, size, "review"); return err })
	}
	var p Proposal
	at := day.Add(2 * time.Hour)
	update(t, db, hostmaster(at), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
	update(t, db, hostmaster(at), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "anna", p)); return err })
	if again := sendIn(t, db, staff(at), opinion("r1", "m1", "/19")); again.State != Registered || again.Window != "/20" || len(again.Ranges) != 1 {
		t.Errorf("%+v", again)
	}
}

// TestApprovalVerifiesOffline: what is stored of an approval is enough for anybody
// with OpenSSH and the list of signers.
func TestApprovalVerifiesOffline(t *testing.T) {
	peers.Need(t, "ssh-keygen")
	db := approving(t)
	r := sendIn(t, db, staff(day), opinion("r1", "m1", "/19"))
	var p Proposal
	update(t, db, hostmaster(day), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
	update(t, db, hostmaster(day), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "anna", p)); return err })
	dir := t.TempDir()
	view(t, db, func(v *View) error {
		p, err := v.Proposal(p.Hash)
		if err != nil {
			return err
		}
		list, err := v.Approvals(p.ID)
		if err != nil || len(list) != 1 || list[0].Signer != "anna" || list[0].Role != Approver {
			t.Fatalf("%+v, %v", list, err)
		}
		public, err := ssh.NewPublicKey(keyOf(t, "anna").Public())
		if err != nil {
			return err
		}
		signers := "anna " + string(ssh.MarshalAuthorizedKey(public))
		return errors.Join(os.WriteFile(filepath.Join(dir, "signers"), []byte(signers), 0o600), os.WriteFile(filepath.Join(dir, "sig"), []byte(list[0].Signature), 0o600))
	})
	for text, good := range map[string]bool{string(p.Text()): true, string(p.Text()) + " ": false} {
		cmd := exec.Command(peers.Path("ssh-keygen"), "-Y", "verify", "-f", "signers", "-I", "anna", "-n", "approver@nirzone", "-s", "sig")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); (err == nil) != good {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// requestIn returns a request in a state.
func requestIn(t *testing.T, db *DB, state, ref string) Request {
	t.Helper()
	if state == Registered || state == ClosedRequest {
		r := sendIn(t, db, staff(day), ask(ref, "m1", inr.IPv4, "/24"))
		if state == ClosedRequest {
			update(t, db, staff(day), func(x *Tx) (err error) { r, err = x.CloseRequest(r.ID); return err })
		}
		return r
	}
	if state == HeldRequest { // more than any pool has
		r := sendIn(t, db, staff(day), opinion(ref, "m1", "/7"))
		var p Proposal
		update(t, db, hostmaster(day), func(x *Tx) (err error) { p, err = x.ProposeApproval(r.ID); return err })
		update(t, db, hostmaster(day), func(x *Tx) error { _, err := x.Approve(p.Hash, signed(t, "anna", p)); return err })
		return r
	}
	r := sendIn(t, db, staff(day), opinion(ref, "m1", "/19"))
	update(t, db, hostmaster(day), func(x *Tx) (err error) {
		switch state {
		case InfoRequested:
			_, err = x.AskAbout(r.ID, AskNIR, "why?")
		case Refused:
			_, err = x.Refuse(r.ID, "no")
		case Withdrawn:
			_, err = x.Withdraw(r.ID, "")
		}
		return err
	})
	return r
}

// TestRequestMatrix tries every step in every state: it is taken where the table
// says so, and refused elsewhere with the state named and nothing changed.
func TestRequestMatrix(t *testing.T) {
	allowed := map[string][]Verdict{ // written out, not computed from moves
		Evaluating:    {Approve, AskApplicant, AskNIR, Refuse, Withdraw},
		InfoRequested: {Answer, Withdraw},
		HeldRequest:   {Retry, Withdraw},
		Registered:    {Close},
		ClosedRequest: nil,
		Refused:       nil,
		Withdrawn:     nil,
	}
	steps := map[Verdict]func(x *Tx, id string) error{
		AskNIR:       func(x *Tx, id string) error { _, err := x.AskAbout(id, AskNIR, "why?"); return err },
		AskApplicant: func(x *Tx, id string) error { _, err := x.AskAbout(id, AskApplicant, "why?"); return err },
		Answer:       func(x *Tx, id string) error { _, err := x.Answer(id, "so"); return err },
		Approve:      func(x *Tx, id string) error { _, err := x.ProposeApproval(id); return err },
		Refuse:       func(x *Tx, id string) error { _, err := x.Refuse(id, "no"); return err },
		Withdraw:     func(x *Tx, id string) error { _, err := x.Withdraw(id, ""); return err },
		Retry:        func(x *Tx, id string) error { _, err := x.RetryHeld(id); return err },
		Close:        func(x *Tx, id string) error { _, err := x.CloseRequest(id); return err },
	}
	db := approving(t)
	for state, list := range allowed {
		if got := Verdicts(state); !slices.Equal(got, list) {
			t.Errorf("%s: %v, want %v", state, got, list)
		}
		ours := slices.DeleteFunc(slices.Clone(list), func(v Verdict) bool { return v != Answer && v != Withdraw && v != Close })
		if got := VerdictsFor(state, Actor{Roles: []Role{NIRStaff}, NIR: "JPNIC"}); !slices.Equal(got, ours) {
			t.Errorf("staff of an NIR, %s: %v, want %v", state, got, ours)
		}
		if got := VerdictsFor(state, Actor{Roles: []Role{Auditor}}); len(got) > 0 {
			t.Errorf("an auditor, %s: %v", state, got)
		}
		r := requestIn(t, db, state, "ref-"+state)
		for v, step := range steps {
			a := admin(day)
			err := do(db, a, func(x *Tx) error {
				if err := step(x, r.ID); err != nil {
					return err
				}
				return errUndone
			})
			if slices.Contains(list, v) {
				if err != errUndone {
					t.Errorf("%s in state %s: %v", v, state, err)
				}
				continue
			}
			wantCode(t, err, Conflict, "is "+state+": "+string(v)+" needs it to be ")
		}
		view(t, db, func(v *View) error {
			now, err := v.Request(r.ID)
			if now.State != state {
				t.Errorf("%s became %s", state, now.State)
			}
			return err
		})
	}
}

var errUndone = fmt.Errorf("undone")

// TestHeldRequestIsAllocatedLater: without room a request is held and the
// registry told; with room it is allocated, and the notice closes.
func TestHeldRequestIsAllocatedLater(t *testing.T) {
	db := approving(t)
	r := requestIn(t, db, HeldRequest, "r1")
	update(t, db, hostmaster(day), func(x *Tx) error {
		list, err := x.RetryAll()
		if len(list) != 0 {
			t.Errorf("%+v", list)
		}
		return err
	})
	update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error {
		for _, text := range []string{"60.0.0.0/7"} {
			rng, err := inr.ParseRange(text)
			if err != nil {
				return err
			}
			if _, err := x.AddPool(Pool{Range: rng, Purpose: Regional}); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, db, hostmaster(day.Add(2*time.Hour)), func(x *Tx) error {
		list, err := x.RetryAll()
		if len(list) != 1 || list[0].State != Registered || !list[0].Answered.Equal(day) {
			t.Errorf("%+v", list)
		}
		return err
	})
	view(t, db, func(v *View) error {
		n, err := v.Notices("", true)
		if len(n) != 1 || n[0].Code != "pool-exhausted" || n[0].Closed.IsZero() {
			t.Errorf("%+v", n)
		}
		d, err2 := delegations.find(v, "request = $1", r.ID)
		if len(d) != 2 {
			t.Errorf("%d delegations", len(d))
		}
		steps, err3 := v.Evaluations(r.ID)
		if len(steps) != 2 || steps[0].Verdict != Approve || steps[1].Verdict != Retry || err3 != nil {
			t.Errorf("steps %+v, %v", steps, err3)
		}
		if err == nil {
			err = err2
		}
		return err
	})
	if _, err := db.VerifyAudit(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestR_NIR_12_TwoStepsRecorded: one request makes two delegations of the same
// range, the NIR's and the member's, and the second names the first.
func TestR_NIR_12_TwoStepsRecorded(t *testing.T) {
	db := approving(t)
	r := sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22"))
	view(t, db, func(v *View) error {
		list, err := delegations.find(v, "request = $1 ORDER BY level", r.ID)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d delegations, %v", len(list), err)
		}
		member, nir := list[0], list[1]
		if nir.Level != RIRToNIR {
			member, nir = nir, member
		}
		if member.Level != NIRToMember || nir.Level != RIRToNIR || member.Range != nir.Range || member.Parent != nir.ID ||
			nir.Member != "" || member.Member != r.Member || nir.NIR != "JPNIC" || member.NIR != "JPNIC" || member.Since != nir.Since {
			t.Errorf("%+v\n%+v", nir, member)
		}
		return nil
	})
}
