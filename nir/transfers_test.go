package nir

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// A vouch stands for the list of signers: a signature is a name.
type vouch struct{}

func (vouch) VerifySignature(role Role, text []byte, signature string, _ time.Time) (string, string, error) {
	if name, ok := strings.CutPrefix(signature, string(role)+":"); ok {
		return name, "key of " + name, nil
	}
	return "", "", fmt.Errorf("%q is not the signature of a %s", signature, role)
}

func aRange(t testing.TB, text string) inr.Range {
	t.Helper()
	r, err := inr.ParseRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A scene is a registry with two NIRs, a direct member and a member of JPNIC that
// hold a /20 each; the first three of a /8, in the order they came.
type scene struct {
	t              testing.TB
	db             *DB
	direct, member string    // identifiers
	mine, theirs   inr.Range // what the direct member, and the NIR's, hold
}

func newScene(t testing.TB, db *DB) *scene {
	t.Helper()
	db.o.Signers = vouch{}
	world(t, db)
	s := &scene{t: t, db: db}
	s.update(0, func(x *Tx) error {
		_, err := x.PutNIR(NIR{Code: "KRNIC", Name: "Korea", Economy: "KR", Source: "KRNIC", Mntner: "MAINT-KRNIC", Option: 2})
		return err
	})
	a := ask("a1", "lir", inr.IPv4, "/20")
	a.NIR = ""
	s.update(time.Hour, func(x *Tx) error {
		r, err := x.Submit(a)
		s.direct, s.mine = r.Member, r.Ranges[0]
		return err
	})
	s.update(2*time.Hour, func(x *Tx) error {
		r, err := x.Submit(ask("b1", "jp-lir", inr.IPv4, "/20"))
		s.member, s.theirs = r.Member, r.Ranges[0]
		return err
	})
	return s
}

func (s *scene) update(after time.Duration, fn func(x *Tx) error) {
	s.t.Helper()
	update(s.t, s.db, admin(day.Add(after)), fn)
}

func (s *scene) try(after time.Duration, fn func(x *Tx) error) error {
	return s.db.Update(context.Background(), admin(day.Add(after)), fn)
}

func (s *scene) transfer(after time.Duration, a TransferAsk) Transfer {
	s.t.Helper()
	var t Transfer
	s.update(after, func(x *Tx) (err error) {
		t, _, err = x.AddTransfer(a)
		return err
	})
	return t
}

func (s *scene) run(after time.Duration) Ran {
	s.t.Helper()
	r, err := s.db.RunDue(context.Background(), admin(day.Add(after)))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// authority returns who answers for the first number of a range.
func (s *scene) authority(at time.Duration, r inr.Range) Authority {
	s.t.Helper()
	var a Authority
	err := s.db.AsOf(context.Background(), day.Add(at), func(v *View) (err error) {
		a, _, err = v.AuthorityAt(r.Kind, r.First)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// sound checks what has to hold after every event, and the chain.
func (s *scene) sound() {
	s.t.Helper()
	view(s.t, s.db, func(v *View) error {
		for _, check := range []func() ([]Fault, error){v.CheckPools, v.CheckDelegations} {
			f, err := check()
			if err != nil {
				return err
			}
			for _, f := range f {
				s.t.Errorf("%s: %s", f.Subject, f.Text)
			}
		}
		return nil
	})
	if _, err := s.db.VerifyAudit(context.Background()); err != nil {
		s.t.Error(err)
	}
}

func (s *scene) serves(member string) string {
	s.t.Helper()
	at := "nobody"
	view(s.t, s.db, func(v *View) error {
		list, err := v.Memberships(member)
		for _, m := range list {
			if m.Serves {
				at = v.registryName(m.NIR)
			}
		}
		return err
	})
	return at
}

// TestR_NIR_30_ToAnNIR: at the instant, and not before, manager, source, maintainer
// and reverse DNS are the NIR's; the date is kept; the regional registry serves the
// member no more; nothing is charged before the next renewal.
func TestR_NIR_30_ToAnNIR(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		due := 100 * time.Hour
		tr := s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7", Whole: true, Reason: "national service"}, Due: day.Add(due),
		})
		if r := s.run(due - time.Minute); len(r.Lines) != 0 {
			t.Fatalf("before it is due: %+v", r)
		}
		r := s.run(due)
		if len(r.Lines) != 1 || r.Lines[0].Range != s.mine || len(r.Blocked) != 0 {
			t.Fatalf("%+v", r)
		}
		want := Authority{"JPNIC", "JPNIC", "MAINT-JPNIC", "JPNIC", 1, s.direct}
		if a := s.authority(due, s.mine); a != want {
			t.Errorf("at the instant %+v, want %+v", a, want)
		}
		if a := s.authority(due-time.Second, s.mine); a != (Authority{"APNIC", "APNIC", "APNIC-HM", "APNIC", 0, s.direct}) {
			t.Errorf("before it %+v", a)
		}
		if at := s.serves(s.direct); at != "JPNIC" {
			t.Errorf("served by %s", at)
		}
		view(t, db, func(v *View) error {
			list, err := v.At(inr.IPv4, s.mine.First)
			for _, d := range list {
				if !d.Date.Equal(day.Add(time.Hour)) || d.Evidence != ByTransfer || d.Request != tr.ID {
					t.Errorf("%+v", d)
				}
			}
			if len(list) != 2 {
				t.Errorf("%d delegations, want that to the NIR and that to its member", len(list))
			}
			if versions, err := v.DelegationVersions(list[0].ID); err != nil || len(versions) != 2 || versions[0].Evidence != ByRequest {
				t.Errorf("the record does not go back to its request: %+v, %v", versions, err)
			}
			_, ship, err2 := v.MemberOf("", "lir")
			if ship.Ended.IsZero() {
				t.Error("the membership at the source goes on")
			}
			f, err3 := v.Fee("JPNIC", 2026)
			if k := f.Kinds[0]; k.Charged != 4096 || k.Exempt != 4096 || k.Next != 8192 {
				t.Errorf("fees: %+v", f)
			}
			return errors.Join(err, err2, err3)
		})
		a := ask("a2", "lir", inr.IPv4, "/24")
		a.NIR = ""
		if err := s.try(due+time.Hour, func(x *Tx) error { _, err := x.Submit(a); return err }); CodeOf(err) != Conflict {
			t.Errorf("the regional registry serves it still: %v", err)
		}
		s.sound()
	})
}

// TestR_NIR_31_ToTheRegionalRegistry: the mirror of it; the LIR becomes a member
// there, and its tier is assessed at the next renewal, by all it has there.
func TestR_NIR_31_ToTheRegionalRegistry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		due := 50 * time.Hour
		s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Source: "JPNIC", Destination: "APNIC", Member: s.member, UID: "new-lir", Whole: true}, Due: day.Add(due),
		})
		if a := s.authority(due-time.Hour, s.theirs); a.Manager != "JPNIC" {
			t.Errorf("before: %+v", a)
		}
		s.run(due)
		if a := s.authority(due, s.theirs); a != (Authority{"APNIC", "APNIC", "APNIC-HM", "APNIC", 0, s.member}) {
			t.Errorf("after: %+v", a)
		}
		s.update(due+time.Hour, func(x *Tx) error { // it is served as a direct member, and gets more
			a := ask("c1", "new-lir", inr.IPv4, "/19")
			a.NIR = ""
			_, err := x.Submit(a)
			return err
		})
		view(t, db, func(v *View) error {
			a, err := v.Assess(s.member, day.Add(due+time.Hour))
			if a.Tier != "" || a.NextTier != "medium" || a.IPv4 != "12288" || !a.Transferred.Equal(inr.Of(s.theirs)) {
				t.Errorf("in the year of the transfer %+v", a)
			}
			if a.Next != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) {
				t.Errorf("the next renewal is %s", a.Next)
			}
			next, err2 := v.Assess(s.member, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
			if next.Tier != "medium" || !next.Transferred.IsEmpty() {
				t.Errorf("a year later %+v", next)
			}
			if _, err := v.Assess(s.direct, day); err != nil {
				t.Error(err)
			}
			return errors.Join(err, err2)
		})
		if at := s.serves(s.member); at != "APNIC" {
			t.Errorf("served by %s", at)
		}
		s.sound()
	})
}

// TestR_NIR_32_Gradual: each line at its own time, a part of a delegation each; the
// member belongs to both and is served by one.
func TestR_NIR_32_Gradual(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		b, _ := s.mine.Block()
		var quarter []inr.Range
		for q := range b.Subblocks(22) {
			quarter = append(quarter, q.Range())
		}
		tr := s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7"},
			Lines:    []TransferLine{{Range: quarter[1], Due: day.Add(10 * time.Hour)}, {Range: quarter[3], Due: day.Add(20 * time.Hour)}},
		})
		s.run(10 * time.Hour)
		managers := func(at time.Duration) (list []string) {
			for _, q := range quarter {
				list = append(list, s.authority(at, q).Manager)
			}
			return list
		}
		if m := fmt.Sprint(managers(10 * time.Hour)); m != "[APNIC JPNIC APNIC APNIC]" {
			t.Errorf("after the first line %s", m)
		}
		view(t, db, func(v *View) error {
			list, err := v.Holdings(s.direct, inr.IPv4)
			if len(list) != 3 || list[2].Range.Count().Int64() != 2048 {
				t.Errorf("split into %+v", list)
			}
			return err
		})
		if at := s.serves(s.direct); at != "APNIC" {
			t.Errorf("served by %s: it stays where it was", at)
		}
		s.update(11*time.Hour, func(x *Tx) error { return x.Serve(s.direct, "JPNIC") })
		for _, c := range []struct {
			nir, uid string
			ok       bool
		}{{"", "lir", false}, {"JPNIC", "jp-7", true}} {
			a := ask("d1"+c.nir, c.uid, inr.IPv4, "/24")
			a.NIR = c.nir
			if err := s.try(12*time.Hour, func(x *Tx) error { _, err := x.Submit(a); return err }); (err == nil) != c.ok {
				t.Errorf("a request through %q: %v", c.nir, err)
			}
		}
		s.run(21 * time.Hour) // cron was late
		if m := fmt.Sprint(managers(21 * time.Hour)); m != "[APNIC JPNIC APNIC JPNIC]" {
			t.Errorf("after the second line %s", m)
		}
		view(t, db, func(v *View) error {
			got, _, err := v.Transfer(tr.ID)
			if got.State != TransferDone {
				t.Errorf("%+v", got)
			}
			for nir, want := range map[string]Direction{"": Outbound, "JPNIC": Inbound} {
				list, err := v.TransfersOf(nir)
				if err != nil || len(list) != 1 || list[0].Direction != want || len(list[0].Lines) != 2 {
					t.Errorf("%q sees %+v, %v", nir, list, err)
				}
			}
			if list, err := v.TransfersOf("KRNIC"); err != nil || len(list) != 0 {
				t.Errorf("KRNIC sees %+v", list)
			}
			return err
		})
		s.sound()
	})
}

// TestR_NIR_13_MoveOnTransfer: between NIRs too the record moves, with what the
// delegation above was split for.
func TestR_NIR_13_MoveOnTransfer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		b, _ := s.theirs.Block()
		half, _, _ := b.Halves()
		s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Source: "JPNIC", Destination: "KRNIC", Member: s.member, UID: "kr-1", Serve: true},
			Lines:    []TransferLine{{Range: half.Range()}},
		})
		s.run(3 * time.Hour)
		want := Authority{"KRNIC", "KRNIC", "MAINT-KRNIC", "KRNIC", 2, s.member}
		if a := s.authority(4*time.Hour, s.theirs); a != want {
			t.Errorf("%+v", a)
		}
		view(t, db, func(v *View) error {
			for nir, n := range map[string]int64{"JPNIC": 2048, "KRNIC": 2048} {
				set, err := v.managedAt(RIRToNIR, nir)
				if err != nil || set.Count(inr.IPv4).Int64() != n {
					t.Errorf("%s manages %s, %v", nir, set, err)
				}
			}
			return nil
		})
		if at := s.serves(s.member); at != "KRNIC" {
			t.Errorf("served by %s", at)
		}
		s.sound()
	})
}

// TestR_NIR_29_Fees: what is transferred in costs nothing in that year, counts at
// the next renewal, and the report of a year is the same whenever it is made.
func TestR_NIR_29_Fees(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7"}, Lines: []TransferLine{{Range: s.mine}},
		})
		s.run(4 * time.Hour)
		report := func(at time.Time, year int) (f FeeReport) {
			t.Helper()
			if err := db.AsOf(context.Background(), at, func(v *View) (err error) { f, err = v.Fee("JPNIC", year); return err }); err != nil {
				t.Fatal(err)
			}
			return f
		}
		first := report(day.Add(5*time.Hour), 2026)
		if k := first.Kinds[0]; k.Renewed != 0 || k.Added != 4096 || k.Exempt != 4096 || k.Charged != 4096 || k.Next != 8192 || first.Fee != "4096" {
			t.Errorf("the year of the transfer: %+v", first)
		}
		later := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
		update(t, db, admin(later), func(x *Tx) error { // it leaves again: charged since the renewal
			_, _, err := x.AddTransfer(TransferAsk{Transfer: Transfer{Source: "JPNIC", Destination: "KRNIC", Member: s.direct, UID: "kr-2"}, Lines: []TransferLine{{Range: s.mine}}})
			return err
		})
		if _, err := db.RunDue(context.Background(), admin(later)); err != nil {
			t.Fatal(err)
		}
		second := report(later, 2027)
		if k := second.Kinds[0]; k.Renewed != 8192 || k.Added != 0 || k.Exempt != 0 || k.Charged != 8192 || k.Next != 4096 {
			t.Errorf("the year after: %+v", second)
		}
		if again := report(later, 2026); fmt.Sprint(again.Kinds) != fmt.Sprint(first.Kinds) {
			t.Errorf("asked a year later %+v, then %+v", again, first)
		}
	})
}

func TestTransferRefusals(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	b, _ := s.mine.Block()
	half, other, _ := b.Halves()
	base := Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7"}
	mod := func(fn func(*TransferAsk)) TransferAsk {
		a := TransferAsk{Transfer: base, Lines: []TransferLine{{Range: half.Range()}}}
		fn(&a)
		return a
	}
	for name, c := range map[string]struct {
		ask  TransferAsk
		code Code
		says string
	}{
		"unknown NIR":         {mod(func(a *TransferAsk) { a.Destination = "XXNIC" }), Invalid, "XXNIC"},
		"type":                {mod(func(a *TransferAsk) { a.Type = "gift" }), Invalid, "gift"},
		"whois":               {mod(func(a *TransferAsk) { a.Whois = "burn" }), Invalid, "burn"},
		"nothing changes":     {mod(func(a *TransferAsk) { a.Destination = "" }), Invalid, "neither the registry nor the holder"},
		"not a member":        {mod(func(a *TransferAsk) { a.Source, a.Destination = "KRNIC", "JPNIC" }), Conflict, "not a member of KRNIC"},
		"no uid":              {mod(func(a *TransferAsk) { a.UID = "" }), Invalid, "what does JPNIC call"},
		"another's uid":       {mod(func(a *TransferAsk) { a.UID = "jp-lir" }), Conflict, "calls another member"},
		"not held":            {mod(func(a *TransferAsk) { a.Lines[0].Range = aRange(t, "202.200.0.0/24") }), Conflict, "section 4.1"},
		"another's":           {mod(func(a *TransferAsk) { a.Lines[0].Range = s.theirs }), Conflict, "not all delegated"},
		"partly held":         {mod(func(a *TransferAsk) { p, _ := b.Parent(); a.Lines[0].Range = p.Range() }), Conflict, "section 4.1"},
		"past":                {mod(func(a *TransferAsk) { a.Lines[0].Due = day }), Invalid, "is past"},
		"no lines":            {mod(func(a *TransferAsk) { a.Lines = nil }), Invalid, "nothing to transfer"},
		"lines overlap":       {mod(func(a *TransferAsk) { a.Lines = append(a.Lines, TransferLine{Range: b.Range()}) }), Invalid, "overlap"},
		"whole, not all":      {mod(func(a *TransferAsk) { a.Whole = true }), Invalid, "leaves nothing out"},
		"between strangers":   {mod(func(a *TransferAsk) { a.Source, a.Destination, a.Member = "RIPE", "ARIN", "" }), Invalid, "no part"},
		"from abroad, ours":   {mod(func(a *TransferAsk) { a.Source, a.Member, a.Who = "RIPE", "", Member{Name: "N", Economy: "JP"} }), Invalid, "already"},
		"from abroad, no who": {mod(func(a *TransferAsk) { a.Source, a.Member = "RIPE", "" }), Invalid, "name"},
		"abroad with uid":     {mod(func(a *TransferAsk) { a.Destination = "RIPE" }), Invalid, "registers who receives"},
	} {
		err := s.try(3*time.Hour, func(x *Tx) error { _, _, err := x.AddTransfer(c.ask); return err })
		if CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nirStaff := func(nir string) Actor {
		return Actor{Name: "s", Roles: []Role{NIRStaff}, NIR: nir, At: day.Add(3 * time.Hour)}
	}
	for _, nir := range []string{"", "JPNIC", "KRNIC"} {
		err := s.db.Update(context.Background(), nirStaff(nir), func(x *Tx) error { _, _, err := x.AddTransfer(mod(func(*TransferAsk) {})); return err })
		if CodeOf(err) != Forbidden {
			t.Errorf("staff of %q gave away what the regional registry manages: %v", nir, err)
		}
	}
	s.transfer(3*time.Hour, TransferAsk{Transfer: base, Lines: []TransferLine{{Range: half.Range(), Due: day.Add(9 * time.Hour)}}})
	err := s.try(4*time.Hour, func(x *Tx) error {
		_, _, err := x.AddTransfer(TransferAsk{Transfer: base, Lines: []TransferLine{{Range: half.Range()}, {Range: other.Range()}}})
		return err
	})
	if CodeOf(err) != Conflict || !strings.Contains(err.Error(), "is scheduled for") {
		t.Errorf("scheduled twice: %v", err)
	}
	s.sound()
}
