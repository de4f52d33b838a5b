package nir

import (
	"context"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

func (s *scene) giveBack(after time.Duration, r Return) Return {
	s.t.Helper()
	s.update(after, func(x *Tx) (err error) {
		r, err = x.AddReturn(r)
		return err
	})
	return r
}

func (s *scene) sign(after time.Duration, hash, who string) error {
	return s.try(after, func(x *Tx) error {
		_, err := x.Approve(hash, string(RegistryStaff)+":"+who)
		return err
	})
}

// free returns all that is free.
func (s *scene) free() inr.Set {
	s.t.Helper()
	var b inr.Builder
	view(s.t, s.db, func(v *View) error {
		return freeBlocks.each(v, "id <> ''", nil, func(f *FreeBlock) error { b.Add(f.Range); return nil })
	})
	return b.Set()
}

// TestP13_ReturnFreesExactlyThat: a return changes nothing until a second person
// has signed; then the block is neither held nor free until the quarantine ends;
// then it is free, and nothing else changed.
func TestP13_ReturnFreesExactlyThat(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		b, _ := s.theirs.Block()
		_, half, _ := b.Halves()
		before := s.free()
		r := s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{half.Range()}})
		if r.State != ReturnReviewed || r.Due.IsZero() {
			t.Errorf("%+v", r)
		}
		view(t, db, func(v *View) error {
			p, err := v.Proposal(r.Plan)
			if text := strings.Join(p.Effects, "\n"); !strings.Contains(text, half.String()) || !strings.Contains(text, "180 days") {
				t.Errorf("what is signed does not say it: %s", text)
			}
			return err
		})
		if err := s.sign(4*time.Hour, r.Plan, "admin"); CodeOf(err) != Forbidden {
			t.Errorf("the one who proposed it signs: %v", err)
		}
		if a := s.authority(4*time.Hour, half.Range()); a.Member != s.member {
			t.Errorf("returned before it was signed: %+v", a)
		}
		if err := s.sign(5*time.Hour, r.Plan, "second"); err != nil {
			t.Fatal(err)
		}
		if a := s.authority(5*time.Hour, half.Range()); a.Manager != "" {
			t.Errorf("held still: %+v", a)
		}
		if !s.free().Equal(before) {
			t.Error("free before the quarantine ended")
		}
		s.sound()
		if err := s.sign(6*time.Hour, r.Plan, "third"); CodeOf(err) != Conflict {
			t.Errorf("carried out twice: %v", err)
		}
		end := day.Add(5*time.Hour).AddDate(0, 0, 180).Sub(day)
		s.run(end - time.Second)
		if !s.free().Equal(before) {
			t.Error("free a second early")
		}
		ran := s.run(end)
		if want := before.Union(inr.OfBlocks(half)); len(ran.Freed) != 1 || !s.free().Equal(want) {
			t.Errorf("freed %+v: now free %s, want %s", ran.Freed, s.free(), want)
		}
		if again := s.run(end + time.Hour); len(again.Freed) != 0 {
			t.Errorf("freed twice: %+v", again)
		}
		s.sound()
	})
}

func TestReturnRefusals(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	for name, c := range map[string]struct {
		r    Return
		says string
	}{
		"nothing":        {Return{NIR: "JPNIC", Member: s.member}, "nothing to return"},
		"not held":       {Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{aRange(t, "202.99.0.0/24")}}, "section 3.5"},
		"another's":      {Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.mine}}, "section 3.5"},
		"twice":          {Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs, s.theirs}}, "overlap"},
		"whois":          {Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs}, Whois: "burn"}, "burn"},
		"no member":      {Return{NIR: "JPNIC", Ranges: []inr.Range{s.theirs}}, "member: it is missing"},
		"wrong registry": {Return{NIR: "", Member: s.member, Ranges: []inr.Range{s.theirs}}, "section 3.5"},
	} {
		err := s.try(3*time.Hour, func(x *Tx) error { _, err := x.AddReturn(c.r); return err })
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs}})
	err := s.try(4*time.Hour, func(x *Tx) error {
		_, _, err := x.AddTransfer(TransferAsk{Transfer: Transfer{Source: "JPNIC", Member: s.member, UID: "u"}, Lines: []TransferLine{{Range: s.theirs}}})
		return err
	})
	if CodeOf(err) != Conflict || !strings.Contains(err.Error(), "waits to be approved") {
		t.Errorf("transferred while it is returned: %v", err)
	}
	s.update(5*time.Hour, func(x *Tx) error { _, err := x.WithdrawReturn(r.ID); return err })
	if err := s.sign(6*time.Hour, r.Plan, "second"); CodeOf(err) != Conflict {
		t.Errorf("signed after it was withdrawn: %v", err)
	}
	if a := s.authority(6*time.Hour, s.theirs); a.Member != s.member {
		t.Errorf("%+v", a)
	}
	s.sound()
}

// TestReturnOfExistingPool: what came from an NIR's existing pool is the NIR's to
// allocate further.
func TestReturnOfExistingPool(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	old := aRange(t, "201.0.0.0/16")
	s.update(3*time.Hour, func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: old, Purpose: NIRExisting, NIR: "JPNIC"})
		return err
	})
	var got inr.Range
	s.update(4*time.Hour, func(x *Tx) error {
		r, err := x.Submit(ask("e1", "old-lir", inr.IPv4, "/20"))
		got = r.Ranges[0]
		r2, err2 := x.AddReturn(Return{NIR: "JPNIC", Member: r.Member, Ranges: []inr.Range{got}})
		if err2 == nil {
			_, err2 = x.Approve(r2.Plan, string(RegistryStaff)+":second")
		}
		return errorsOf(err, err2)
	})
	if !old.Contains(got) {
		t.Fatalf("%s is not of the existing pool", got)
	}
	end := day.Add(4*time.Hour).AddDate(0, 0, 180).Sub(day)
	s.run(end)
	view(t, s.db, func(v *View) error {
		list, err := v.Pools()
		for _, p := range list {
			if u, err := v.PoolUse(p.ID); p.Range == old && (err != nil || p.Purpose != NIRExisting || u.Free.Cmp(old.Count()) != 0) {
				t.Errorf("%+v, %v", u, err)
			}
		}
		set, err2 := v.managedAt(RIRToNIR, "JPNIC")
		if !set.Contains(old) {
			t.Errorf("JPNIC manages %s", set)
		}
		return errorsOf(err, err2)
	})
	s.sound()
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestToAndFromAnotherRegion: what leaves is no longer delegated and in no pool;
// what comes is, with its date and its new holder.
func TestToAndFromAnotherRegion(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		b, _ := s.theirs.Block()
		half, _, _ := b.Halves()
		s.transfer(3*time.Hour, TransferAsk{
			Transfer: Transfer{Type: MergerTransfer, Source: "JPNIC", Destination: "RIPE", Member: s.member}, Lines: []TransferLine{{Range: half.Range()}},
		})
		s.run(3 * time.Hour)
		view(t, db, func(v *View) error {
			list, err := v.At(inr.IPv4, half.First)
			over, err2 := v.poolsOver(half.Range())
			if len(list) > 0 || len(over) > 0 {
				t.Errorf("it left, and there is %+v in %+v", list, over)
			}
			return errorsOf(err, err2)
		})
		s.sound()
		born := time.Date(1994, 5, 6, 0, 0, 0, 0, time.UTC)
		back := s.transfer(4*time.Hour, TransferAsk{
			Transfer: Transfer{Source: "RIPE", Destination: "KRNIC", UID: "kr-9", Who: Member{Name: "Nine", Economy: "KR"}},
			Lines:    []TransferLine{{Range: half.Range(), Type: "allocation", Economy: "KR", Date: born}},
		})
		s.run(4 * time.Hour)
		view(t, db, func(v *View) error {
			list, err := v.At(inr.IPv4, half.First)
			m, _, err2 := v.MemberOf("KRNIC", "kr-9")
			if len(list) != 2 || list[0].Member != m.ID || list[0].NIR != "KRNIC" || !list[0].Date.Equal(born) || list[1].Evidence != ByTransfer {
				t.Errorf("%+v, member %+v", list, m)
			}
			tr, _, err3 := v.Transfer(back.ID)
			if tr.Receiver != m.ID || tr.State != TransferDone {
				t.Errorf("%+v", tr)
			}
			return errorsOf(err, err2, err3)
		})
		if at := s.serves(s.authority(4*time.Hour, half.Range()).Member); at != "KRNIC" {
			t.Errorf("the new member is served by %s", at)
		}
		s.sound()
	})
}

// TestTransferLines: a line that the state forbids keeps no other waiting, tells
// the source once, and is tried again; lines may be moved, cancelled and added; a
// dry run changes nothing.
func TestTransferLines(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	b, _ := s.mine.Block()
	low, high, _ := b.Halves()
	tr := s.transfer(3*time.Hour, TransferAsk{
		Transfer: Transfer{Destination: "KRNIC", Member: s.direct, UID: "kr-1"},
		Lines:    []TransferLine{{Range: low.Range(), Due: day.Add(9 * time.Hour)}},
	})
	var line TransferLine
	view(t, s.db, func(v *View) error { _, l, err := v.Transfer(tr.ID); line = l[0]; return err })
	s.update(4*time.Hour, func(x *Tx) error { _, err := x.Reschedule(line.ID, day.Add(8*time.Hour)); return err })
	s.update(4*time.Hour, func(x *Tx) error {
		_, err := x.AddLine(tr.ID, TransferLine{Range: high.Range(), Due: day.Add(30 * time.Hour)})
		return err
	})
	state := func(to string) {
		s.update(5*time.Hour, func(x *Tx) error {
			n, err := x.NIR("KRNIC")
			n.State = to
			if err == nil {
				_, err = x.PutNIR(n)
			}
			return err
		})
	}
	state(Leaving)
	for range 2 {
		if r := s.run(8 * time.Hour); len(r.Blocked) != 1 || len(r.Lines) != 0 {
			t.Fatalf("%+v", r)
		}
	}
	view(t, s.db, func(v *View) error {
		list, err := v.Notices("", false)
		n := 0
		for _, o := range list {
			if o.Code == "transfer-blocked" && strings.Contains(o.Text, "leaving") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d notices: %+v", n, list)
		}
		return err
	})
	update(t, s.db, admin(day.Add(8*time.Hour)), func(x *Tx) error {
		n, err := x.NIR("KRNIC")
		n.State = Active
		if err == nil {
			_, err = x.PutNIR(n)
		}
		return err
	})
	e, err := s.db.Try(context.Background(), admin(day.Add(9*time.Hour)), func(x *Tx) error { _, err := x.RunDue(day.Add(40 * time.Hour)); return err })
	if err != nil || len(e.Changes) < 6 {
		t.Errorf("a dry run of the future: %d changes, %v", len(e.Changes), err)
	}
	if r := s.run(9 * time.Hour); len(r.Lines) != 1 || r.Lines[0].Range != low.Range() {
		t.Errorf("%+v", r)
	}
	view(t, s.db, func(v *View) error {
		list, err := v.Notices("", false)
		for _, o := range list {
			if o.Code == "transfer-blocked" {
				t.Errorf("open still: %+v", o)
			}
		}
		return err
	})
	s.update(10*time.Hour, func(x *Tx) error { _, err := x.CancelTransfer(tr.ID); return err })
	view(t, s.db, func(v *View) error {
		got, lines, err := v.Transfer(tr.ID)
		if got.State != TransferDone || lines[0].State != TransferDone || lines[1].State != TransferCancelled {
			t.Errorf("%+v %+v", got, lines)
		}
		return err
	})
	if err := s.try(11*time.Hour, func(x *Tx) error { _, err := x.CompleteLine(line.ID); return err }); CodeOf(err) != Conflict {
		t.Errorf("carried out twice: %v", err)
	}
	s.sound()
}
