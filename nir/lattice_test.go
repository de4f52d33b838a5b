package nir

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// txMethods are the names of everything that a Tx can do and a View cannot.
func txMethods() []string {
	var names []string
	t, v := reflect.TypeFor[*Tx](), reflect.TypeFor[*View]()
	for i := range t.NumMethod() {
		if _, reads := v.MethodByName(t.Method(i).Name); !reads {
			names = append(names, t.Method(i).Name)
		}
	}
	return names
}

// byRule are acts on which a role of the actor does not decide: a signature does,
// or who proposed it, or the operation.
var byRule = []string{"Approve", "WithdrawProposal"}

// silent are methods that write nothing.
var silent = []string{"With"}

var allRoles = []Role{NIRStaff, RegistryStaff, Approver, Auditor, Admin}

// roleSets are all sets of roles.
func roleSets() [][]Role {
	var sets [][]Role
	for bits := range 1 << len(allRoles) {
		var set []Role
		for i, r := range allRoles {
			if bits>>i&1 == 1 {
				set = append(set, r)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// shut are acts that the lattice's registry refuses to whoever may: the member
// holds resources, nothing is held of a mirror, or the arguments are too few.
var shut = []string{"Leave", "ReleaseMirror", "ChangePool", "MergePools", "ShrinkPool", "SplitPool", "Import", "AddReturn", "AddTransfer", "AddLine", "ResendDigest"}

// lives are identifiers of what there is in the lattice's registry.
type lives struct {
	member, open, asked, held, done, disclosure string
	transfer, line, back, notice                string
}

// tries call each act of the table with what there is.
var tries = map[string]func(x *Tx, w *lives) error{
	"PutNIR": func(x *Tx, w *lives) error {
		n, err := x.NIR("JPNIC")
		if err == nil {
			_, err = x.PutNIR(n)
		}
		return err
	},
	"SetWindow": func(x *Tx, w *lives) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "r"); return err },
	"AddPool": func(x *Tx, w *lives) error {
		r, err := inr.ParseRange("210.0.0.0/12")
		if err == nil {
			_, err = x.AddPool(Pool{Range: r, Purpose: Regional})
		}
		return err
	},
	"Onboard": func(x *Tx, _ *lives) error {
		_, _, err := x.Onboard(Onboarding{NIR: NIR{Code: "VNNIC", Name: "Viet Nam", Economy: "VN", Source: "VNNIC", Mntner: "M", Option: 1}})
		return err
	},
	"ProposeKey": func(x *Tx, _ *lives) error { _, err := x.ProposeKey("JPNIC", strings.Repeat("A0", 20)); return err },
	"Activate":   func(x *Tx, _ *lives) error { _, err := x.Activate("TWNIC"); return err },
	"Offboard":   func(x *Tx, _ *lives) error { _, err := x.Offboard("TWNIC"); return err },
	"AddMember": func(x *Tx, w *lives) error {
		_, err := x.AddMember("JPNIC", "new", Member{Name: "n", Economy: "JP"})
		return err
	},
	"ChangeMember": func(x *Tx, w *lives) error {
		m, err := x.Member(w.member)
		if err == nil {
			_, err = x.ChangeMember(m)
		}
		return err
	},
	"Join":            func(x *Tx, w *lives) error { _, err := x.Join(w.member, "JPNIC", "m1"); return err },
	"Serve":           func(x *Tx, w *lives) error { return x.Serve(w.member, "JPNIC") },
	"Leave":           func(x *Tx, w *lives) error { return x.Leave(w.member, "JPNIC") },
	"Submit":          func(x *Tx, w *lives) error { _, err := x.Submit(ask("l", "m1", inr.IPv4, "/24")); return err },
	"Answer":          func(x *Tx, w *lives) error { _, err := x.Answer(w.asked, "so"); return err },
	"Withdraw":        func(x *Tx, w *lives) error { _, err := x.Withdraw(w.open, ""); return err },
	"CloseRequest":    func(x *Tx, w *lives) error { _, err := x.CloseRequest(w.done); return err },
	"AskAbout":        func(x *Tx, w *lives) error { _, err := x.AskAbout(w.open, AskNIR, "why?"); return err },
	"Refuse":          func(x *Tx, w *lives) error { _, err := x.Refuse(w.open, "no"); return err },
	"ProposeApproval": func(x *Tx, w *lives) error { _, err := x.ProposeApproval(w.open); return err },
	"RetryHeld":       func(x *Tx, w *lives) error { _, err := x.RetryHeld(w.held); return err },
	"RetryAll":        func(x *Tx, w *lives) error { _, err := x.RetryAll(); return err },
	"NoticeOverdue":   func(x *Tx, w *lives) error { return x.NoticeOverdue() },
	"Register": func(x *Tx, w *lives) error {
		d, err := delegations.find(x.View, "member = $1 AND level = 'nir-member'", w.member)
		if err != nil {
			return err
		}
		g, err := x.Registration(d[0].ID)
		if err == nil {
			err = x.Register(g)
		}
		return err
	},
	"PutWhois": func(x *Tx, w *lives) error {
		_, err := x.PutWhois(person("LL9-JP", "JPNIC", "MAINT-JPNIC"))
		return err
	},
	"DeleteWhois": func(x *Tx, w *lives) error { return x.DeleteWhois("person", "LL2-JP", "JPNIC") },
	"ValidateIRT": func(x *Tx, w *lives) error { return x.ValidateIRT("IRT-JP", "JPNIC") },
	"SetDomain": func(x *Tx, w *lives) error {
		list, err := x.Domains("JPNIC")
		if err == nil {
			_, err = x.SetDomain(list[0].Key, nil, nil)
		}
		return err
	},
	"SwitchOption":    func(x *Tx, w *lives) error { return x.SwitchOption("JPNIC", 1, nil, 0) },
	"DeclareExternal": func(x *Tx, w *lives) error { return x.DeclareExternal("JPNIC", "mntner MAINT-X", "r") },
	"DescribeMissing": func(x *Tx, w *lives) error { _, err := x.DescribeMissing(9); return err },
	"RemindIRT":       func(x *Tx, w *lives) error { return x.RemindIRT() },
	"MirrorWhois": func(x *Tx, w *lives) error {
		_, err := x.MirrorWhois(Dump{NIR: "JPNIC", File: "f", Data: []byte("person: X\nnic-hdl: XX1-JP\nsource: JPNIC\n"), Time: day})
		return err
	},
	"CheckMirrors":  func(x *Tx, w *lives) error { return x.CheckMirrors() },
	"ReleaseMirror": func(x *Tx, w *lives) error { return x.ReleaseMirror("JPNIC", "0123456789", 1) },

	"ChangePool": func(x *Tx, w *lives) error { _, err := x.ChangePool(Pool{}); return err },
	"MergePools": func(x *Tx, w *lives) error { _, err := x.MergePools("", ""); return err },
	"ShrinkPool": func(x *Tx, w *lives) error { return x.ShrinkPool("", inr.Range{}) },
	"SplitPool":  func(x *Tx, w *lives) error { _, err := x.SplitPool("", inr.Range{}, Reserved); return err },
	"Import":     func(x *Tx, w *lives) error { _, err := x.Import(&Statistics{}, ImportOptions{}); return err },
	"AddReturn":  func(x *Tx, w *lives) error { _, err := x.AddReturn(Return{NIR: "JPNIC"}); return err },
	"AddTransfer": func(x *Tx, w *lives) error {
		_, _, err := x.AddTransfer(TransferAsk{Transfer: Transfer{Source: "JPNIC"}})
		return err
	},
	"RunDue":         func(x *Tx, w *lives) error { _, err := x.RunDue(day); return err },
	"AddLine":        func(x *Tx, w *lives) error { _, err := x.AddLine(w.transfer, TransferLine{}); return err },
	"Reschedule":     func(x *Tx, w *lives) error { _, err := x.Reschedule(w.line, day.Add(time.Hour)); return err },
	"CompleteLine":   func(x *Tx, w *lives) error { _, err := x.CompleteLine(w.line); return err },
	"CancelLine":     func(x *Tx, w *lives) error { _, err := x.CancelLine(w.line); return err },
	"CancelTransfer": func(x *Tx, w *lives) error { _, err := x.CancelTransfer(w.transfer); return err },
	"WithdrawReturn": func(x *Tx, w *lives) error { _, err := x.WithdrawReturn(w.back); return err },
	"ReviewReturn":   func(x *Tx, w *lives) error { _, err := x.ReviewReturn(w.back); return err },
	"AckNotice":      func(x *Tx, w *lives) error { _, err := x.AckNotice(w.notice); return err },
	"ResendDigest":   func(x *Tx, w *lives) error { _, err := x.ResendDigest("", MailPolicy{}); return err },
	"RecordFeeds":    func(x *Tx, w *lives) error { _, err := x.RecordFeeds(&zone.Manifest{Version: 1, Run: 1}); return err },
	"ImportNotices":  func(x *Tx, w *lives) error { _, err := x.ImportNotices(nil, false); return err },

	"RecordDisclosure": func(x *Tx, w *lives) error { _, err := x.RecordDisclosure(police("L", MLAT)); return err },
	"AnswerPublic": func(x *Tx, w *lives) error {
		_, err := x.AnswerPublic(w.disclosure, []DisclosedItem{{"member", w.member, []string{"name"}}})
		return err
	},
	"RefuseDisclosure": func(x *Tx, w *lives) error { _, err := x.RefuseDisclosure(w.disclosure, "no"); return err },
	"ProposeRelease": func(x *Tx, w *lives) error {
		_, err := x.ProposeRelease(w.disclosure, []DisclosedItem{{"member", w.member, []string{"phone"}}})
		return err
	},
}

func latticeWorld(t *testing.T) (*DB, *lives) {
	db := approving(t)
	w := &lives{
		open: requestIn(t, db, Evaluating, "open").ID, asked: requestIn(t, db, InfoRequested, "asked").ID,
		held: requestIn(t, db, HeldRequest, "held").ID, done: requestIn(t, db, Registered, "done").ID,
	}
	update(t, db, staff(day), func(x *Tx) error {
		_, err := x.PutWhois(person("LL1-JP", "JPNIC", "MAINT-JPNIC"))
		if err == nil {
			_, err = x.PutWhois(person("LL2-JP", "JPNIC", "MAINT-JPNIC"))
		}
		if err == nil {
			err = x.SwitchOption("JPNIC", 2, nil, 0)
		}
		if err == nil {
			_, err = x.PutWhois("irt: IRT-JP\naddress: x\ne-mail: irt@jp.example\nabuse-mailbox: abuse@jp.example\nadmin-c: LL1-JP\ntech-c: LL1-JP\nauth: PGPKEY-1\nmnt-by: MAINT-JPNIC\nsource: JPNIC\n")
		}
		return err
	})
	update(t, db, admin(day), func(x *Tx) error {
		n := NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "M", Option: 2, Email: "dns@twnic.example"}
		_, _, err := x.Onboard(Onboarding{NIR: n, Windows: map[inr.Kind]Size{inr.IPv4: "/22"}})
		return err
	})
	update(t, db, hostmaster(day), func(x *Tx) error {
		r, err := x.Request(w.done)
		if err != nil {
			return err
		}
		w.member = r.Member
		d, err := x.RecordDisclosure(police("A1", MLAT))
		w.disclosure = d.ID
		return err
	})
	w.moving(t, db)
	return db, w
}

// moving adds a transfer that is scheduled, a return that waits and a notice.
func (w *lives) moving(t *testing.T, db *DB) {
	goes := sendIn(t, db, staff(day), ask("goes", "t1", inr.IPv4, "/24"))
	back := sendIn(t, db, staff(day), ask("back", "t2", inr.IPv4, "/24"))
	update(t, db, staff(day), func(x *Tx) error {
		tr, lines, err := x.AddTransfer(TransferAsk{
			Transfer: Transfer{Source: "JPNIC", Member: goes.Member, UID: "d1"},
			Lines:    []TransferLine{{Range: goes.Ranges[0], Due: day.Add(2 * time.Hour)}},
		})
		if err != nil {
			return err
		}
		w.transfer, w.line = tr.ID, lines[0].ID
		r, err := x.AddReturn(Return{NIR: "JPNIC", Member: back.Member, Ranges: back.Ranges})
		w.back = r.ID
		return err
	})
	view(t, db, func(v *View) error {
		list, err := v.Notices("JPNIC", false)
		if len(list) > 0 {
			w.notice = list[0].ID
		}
		return err
	})
}

// TestEveryActIsInTheTable: a method that writes says in allowed.go who may, unless
// another rule decides.
func TestEveryActIsInTheTable(t *testing.T) {
	for _, name := range txMethods() {
		if _, ok := acts[name]; !ok && !slices.Contains(byRule, name) && !slices.Contains(silent, name) {
			t.Errorf("%s is not in the table of acts (allowed.go)", name)
		}
	}
}

// TestP17_RolesAndActs tries every act of the table with every set of roles: it is
// allowed exactly to sets with one of its roles, so fewer roles never allow more;
// and staff of another NIR, or of none, may do nothing that is an NIR's.
func TestP17_RolesAndActs(t *testing.T) {
	db, w := latticeWorld(t)
	for name, roles := range acts {
		try, ok := tries[name]
		if !ok {
			t.Errorf("%s is in the table and not tried", name)
			continue
		}
		if !slices.Contains(txMethods(), name) {
			t.Errorf("%s is in the table and is no method", name)
		}
		for _, set := range roleSets() {
			a := Actor{Name: "somebody", Roles: set, NIR: "JPNIC", At: day}
			_, err := db.Try(context.Background(), a, func(x *Tx) error { return try(x, w) })
			allowed := slices.ContainsFunc(set, func(r Role) bool { return slices.Contains(roles, r) })
			if forbidden := CodeOf(err) == Forbidden; forbidden == allowed {
				t.Errorf("%s as %v: %v", name, set, err)
			}
			if allowed && err != nil && !slices.Contains(shut, name) {
				t.Errorf("%s as %v, which may: %v", name, set, err)
			}
		}
		for _, nir := range []string{"KRNIC", ""} {
			_, err := db.Try(context.Background(), Actor{Name: "other", Roles: []Role{NIRStaff}, NIR: nir, At: day}, func(x *Tx) error { return try(x, w) })
			if CodeOf(err) != Forbidden {
				t.Errorf("%s as staff of %q: %v", name, nir, err)
			}
		}
	}
}

// TestP17_EveryMethod calls every method that writes, with empty arguments, with
// every set of roles: one more role never forbids, and nobody writes who has no
// role or is an auditor. It needs no table, so it covers what is added later.
func TestP17_EveryMethod(t *testing.T) {
	db, _ := latticeWorld(t)
	for _, name := range txMethods() {
		if slices.Contains(byRule, name) {
			continue
		}
		if m, _ := reflect.TypeFor[*Tx]().MethodByName(name); m.Type.NumOut() == 0 {
			t.Logf("%s returns no error: it cannot forbid", name)
			continue
		}
		may := map[string]bool{}
		for _, set := range roleSets() {
			may[fmt.Sprint(set)] = emptyCall(db, name, set)
		}
		for _, set := range [][]Role{nil, {Auditor}, {Approver}, {Approver, Auditor}} {
			if may[fmt.Sprint(set)] {
				t.Errorf("%s is not forbidden to %v", name, set)
			}
		}
		for _, set := range roleSets() {
			for _, more := range roleSets() {
				if subset(set, more) && may[fmt.Sprint(set)] && !may[fmt.Sprint(more)] {
					t.Errorf("%s: %v may, %v may not", name, set, more)
				}
			}
		}
	}
}

func subset(a, b []Role) bool {
	return !slices.ContainsFunc(a, func(r Role) bool { return !slices.Contains(b, r) })
}

// emptyCall reports whether a call with empty arguments gets past the question of
// roles, whatever becomes of it then. What is no argument at all, and what is not
// found, may be said before it: it tells nothing of the registry.
func emptyCall(db *DB, name string, set []Role) (may bool) {
	_, err := db.Try(context.Background(), Actor{Name: "somebody", Roles: set, NIR: "JPNIC", At: day}, func(x *Tx) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		m := reflect.ValueOf(x).MethodByName(name)
		args := make([]reflect.Value, m.Type().NumIn())
		for i := range args {
			if args[i] = reflect.Zero(m.Type().In(i)); args[i].Kind() == reflect.Pointer {
				args[i] = reflect.New(m.Type().In(i).Elem())
			}
		}
		if m.Type().IsVariadic() {
			args = args[:len(args)-1]
		}
		out := m.Call(args)
		err, _ = out[len(out)-1].Interface().(error)
		return err
	})
	return !slices.Contains([]Code{Forbidden, NotFound, Invalid}, CodeOf(err))
}

// TestP17_NoNIR: staff of no NIR are not staff of the regional registry, whose
// direct members have no NIR either.
func TestP17_NoNIR(t *testing.T) {
	db := approving(t)
	a := ask("r1", "m1", inr.IPv4, "/24")
	a.NIR = ""
	err := do(db, Actor{Name: "nobody", Roles: []Role{NIRStaff}, At: day}, func(x *Tx) error { _, err := x.Submit(a); return err })
	wantCode(t, err, Forbidden, "")
}
