package nir

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

// poolOf returns the pool that a number is in.
func (s *scene) poolOf(text string) Pool {
	s.t.Helper()
	r := aRange(s.t, text)
	var list []Pool
	view(s.t, s.db, func(v *View) (err error) { list, err = v.poolsOver(r); return err })
	if len(list) != 1 {
		s.t.Fatalf("%s is in %d pools", text, len(list))
	}
	return list[0]
}

func (s *scene) faults() string {
	s.t.Helper()
	var all []string
	view(s.t, s.db, func(v *View) error {
		f, err := v.CheckPools()
		for _, f := range f {
			all = append(all, f.Subject+": "+f.Text)
		}
		return err
	})
	return strings.Join(all, "\n")
}

func TestPoolUse(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	var u PoolUse
	view(t, s.db, func(v *View) (err error) { u, err = v.PoolUse(s.poolOf("202.0.0.0/24").ID); return err })
	// Two /20, each with as much reserved behind it.
	if u.Held.Int64() != 8192 || u.Reserved.Int64() != 8192 || u.Free.Int64() != 1<<24-8192 || u.Quarantined.Sign() != 0 {
		t.Errorf("%+v", u)
	}
	if u.Largest != 9 || u.Unreserved != 9 || fmt.Sprintf("%.6f", u.Utilisation) != "0.000488" {
		t.Errorf("%+v", u)
	}
	sum, blocks := 0, 0
	for _, l := range u.ByLength {
		sum += l.Blocks << (32 - l.Len)
		blocks += l.Reserved
	}
	if sum != 1<<24-8192 || blocks != 2 {
		t.Errorf("by length %+v", u.ByLength)
	}
	r := s.giveBack(3*time.Hour, Return{NIR: "JPNIC", Member: s.member, Ranges: []inr.Range{s.theirs}})
	if err := s.sign(4*time.Hour, r.Plan, "second"); err != nil {
		t.Fatal(err)
	}
	view(t, s.db, func(v *View) error {
		all, err := v.PoolUses()
		if len(all) != 3 || all[1].Held.Int64() != 4096 || all[1].Quarantined.Int64() != 4096 {
			t.Errorf("%+v", all)
		}
		return err
	})
}

// TestPoolsSplitShrinkMerge: whatever is done to pools, nothing is lost, and merged
// again they are what they were.
func TestPoolsSplitShrinkMerge(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		s := newScene(t, db)
		was, free, reserved := s.poolOf("202.0.0.0/24"), s.free(), s.reserved()
		var part Pool
		s.update(3*time.Hour, func(x *Tx) (err error) {
			part, err = x.SplitPool(was.ID, aRange(t, "202.0.24.0-202.0.39.255"), Reserved) // through both members' reservations
			return err
		})
		if !s.free().Equal(free) || s.poolOf("202.0.30.0/24").Purpose != Reserved || s.poolOf("202.0.0.0/24").ID != was.ID {
			t.Errorf("split: free %s", s.free())
		}
		s.sound()
		for _, other := range []string{"202.200.0.0/24", "202.0.30.0/24"} { // first the far side: it does not touch
			err := s.try(4*time.Hour, func(x *Tx) error { _, err := x.MergePools(was.ID, s2(x, t, other)); return err })
			if CodeOf(err) != Conflict {
				t.Errorf("merged with %s: %v", other, err)
			}
		}
		s.update(5*time.Hour, func(x *Tx) error {
			part.Purpose = Regional
			if _, err := x.ChangePool(part); err != nil {
				return err
			}
			if _, err := x.MergePools(was.ID, part.ID); err != nil {
				return err
			}
			_, err := x.MergePools(was.ID, s2(x, t, "202.200.0.0/24"))
			return err
		})
		if now := s.poolOf("202.0.30.0/24"); now.ID != was.ID || now.Range != was.Range || !s.free().Equal(free) {
			t.Errorf("merged: %+v", now)
		}
		if now := s.reserved(); !now.Equal(reserved) || reserved.IsEmpty() {
			t.Errorf("reserved were %s, and are %s", reserved, now)
		}
		s.sound()
		held := s.try(6*time.Hour, func(x *Tx) error { return x.ShrinkPool(was.ID, aRange(t, "202.0.0.0/16")) })
		if CodeOf(held) != Conflict || !strings.Contains(held.Error(), s.mine.String()) {
			t.Errorf("shrunk by what is held: %v", held)
		}
		gone := aRange(t, "202.128.0.0/9")
		s.update(6*time.Hour, func(x *Tx) error { return x.ShrinkPool(was.ID, gone) })
		if want := free.Subtract(inr.Of(gone)); !s.free().Equal(want) {
			t.Errorf("shrunk: free %s, want %s", s.free(), want)
		}
		s.sound()
		intoExisting := s.try(7*time.Hour, func(x *Tx) error { _, err := x.SplitPool(was.ID, aRange(t, "202.64.0.0/16"), NIRExisting); return err })
		if CodeOf(intoExisting) != Conflict || !strings.Contains(intoExisting.Error(), "section 3.5") {
			t.Errorf("new space for an existing pool: %v", intoExisting)
		}
	})
}

// reserved is what is free and kept for a member.
func (s *scene) reserved() inr.Set {
	s.t.Helper()
	var b inr.Builder
	view(s.t, s.db, func(v *View) error {
		list, err := freeBlocks.find(v, "member <> ''")
		for _, f := range list {
			b.Add(f.Range)
		}
		return err
	})
	return b.Set()
}

// TestPoolsOfOneKindMerge: pools that differ in anything but their range stay two,
// and no part of what an NIR held of old becomes another's.
func TestPoolsOfOneKindMerge(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	was := s.poolOf("202.0.0.0/24")
	var part, old Pool
	s.update(3*time.Hour, func(x *Tx) (err error) {
		if part, err = x.SplitPool(was.ID, aRange(t, "202.128.0.0/9"), Regional); err == nil {
			old, err = x.AddPool(Pool{Range: aRange(t, "201.0.0.0/16"), Purpose: NIRExisting, NIR: "JPNIC"})
		}
		return err
	})
	merge := func() error {
		return s.try(4*time.Hour, func(x *Tx) error { _, err := x.MergePools(was.ID, part.ID); return err })
	}
	for name, set := range map[string]func(*Pool){
		"strategy": func(p *Pool) { p.Strategy = string(alloc.BestFit) },
		"factor":   func(p *Pool) { p.Factor = 4 },
		"purpose":  func(p *Pool) { p.Purpose = Reserved },
	} {
		other := part
		set(&other)
		s.update(4*time.Hour, func(x *Tx) error { _, err := x.ChangePool(other); return err })
		if err := merge(); CodeOf(err) != Conflict {
			t.Errorf("of another %s: %v", name, err)
		}
		s.update(4*time.Hour, func(x *Tx) error { _, err := x.ChangePool(part); return err })
	}
	for name, do := range map[string]func(x *Tx) error{
		"split":   func(x *Tx) error { _, err := x.SplitPool(old.ID, aRange(t, "201.0.1.0/24"), Regional); return err },
		"changed": func(x *Tx) error { old.Purpose = Regional; _, err := x.ChangePool(old); return err },
		"shrunk":  func(x *Tx) error { return x.ShrinkPool(old.ID, aRange(t, "201.0.1.0/24")) },
	} {
		if err := s.try(4*time.Hour, do); CodeOf(err) != Conflict || !strings.Contains(err.Error(), "is delegated to JPNIC") {
			t.Errorf("an existing pool %s: %v", name, err)
		}
	}
	if err := s.try(5*time.Hour, func(x *Tx) error { _, err := x.MergePools(was.ID, part.ID); return err }); err != nil {
		t.Errorf("of one kind: %v", err)
	}
	s.sound()
}

func s2(x *Tx, t testing.TB, text string) string {
	list, err := x.poolsOver(aRange(t, text))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %d pools, %v", text, len(list), err)
	}
	return list[0].ID
}

// TestPoolsAtRandom splits and merges pools at random ends, with allocations
// between, and merges them all at the end: what is free is then the same, in the
// same blocks, as if no pool had ever been split.
func TestPoolsAtRandom(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range peers.Rounds(25) {
		at := time.Duration(i+3) * time.Hour
		p := s.poolOf(fmt.Sprintf("202.%d.0.0/32", random.IntN(256)))
		size := p.Range.Last.Sub(p.Range.First).Lo
		from := p.Range.First.Add(inr.N(random.Uint64N(size)))
		r := inr.Range{Kind: inr.IPv4, First: from, Last: from.Add(inr.N(random.Uint64N(1 << 20)))}
		if p.Range.Last.Less(r.Last) {
			r.Last = p.Range.Last
		}
		s.update(at, func(x *Tx) error { _, err := x.SplitPool(p.ID, r, Regional); return err })
		s.update(at, func(x *Tx) error {
			_, err := x.Submit(ask(fmt.Sprint("z", i), fmt.Sprint("m", i%5), inr.IPv4, Size(fmt.Sprint("/", 20+random.IntN(5)))))
			return err
		})
		if f := s.faults(); f != "" {
			t.Fatal(f)
		}
	}
	free := s.free()
	s.update(100*time.Hour, func(x *Tx) error {
		list, err := x.poolsOver(aRange(t, "202.0.0.0/8"))
		for _, p := range list[1:] {
			if err == nil {
				_, err = x.MergePools(list[0].ID, p.ID)
			}
		}
		return err
	})
	if p := s.poolOf("202.9.9.9/32"); p.Range != aRange(t, "202.0.0.0/8") || !s.free().Equal(free) {
		t.Errorf("%+v", p)
	}
	s.sound()
}

// TestCheckPoolsFinds seeds each fault that is looked for.
func TestCheckPoolsFinds(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(x *Tx, s *scene) error
		says   string
	}{
		"lost": {func(x *Tx, s *scene) error {
			f, _, err := freeBlocks.one(x.View, "len = 9")
			return errorsOf(err, freeBlocks.end(x, f.ID))
		}, "neither free nor held"},
		"free and held": {func(x *Tx, s *scene) error { return x.release(s.poolIn(x), inr.Of(s.mine).Blocks()) }, "is free and held"},
		"not merged": {func(x *Tx, s *scene) error {
			f, _, err := freeBlocks.one(x.View, "len = 9")
			b, _ := f.Range.Block()
			low, high, _ := b.Halves()
			for _, h := range []inr.Block{low, high} {
				n := FreeBlock{Pool: f.Pool, Range: h.Range(), Len: h.Len}
				err = errorsOf(err, freeBlocks.end(x, f.ID), freeBlocks.put(x, &n))
			}
			return err
		}, "are not merged"},
		"no pool": {func(x *Tx, s *scene) error {
			n := FreeBlock{Pool: "pool_none", Range: aRange(s.t, "201.0.0.0/24"), Len: 24}
			return freeBlocks.put(x, &n)
		}, "a pool that is not there"},
		"quarantine": {func(x *Tx, s *scene) error { return x.isolate(s.mine, "ret_none") }, "in quarantine, and delegated"},
		"outside": {func(x *Tx, s *scene) error {
			n := FreeBlock{Pool: s.poolIn(x), Range: aRange(s.t, "201.0.0.0/24"), Len: 24}
			return freeBlocks.put(x, &n)
		}, "not in its pool"},
		"length": {func(x *Tx, s *scene) error {
			f, _, err := freeBlocks.one(x.View, "len = 9")
			f.Len = 10
			return errorsOf(err, freeBlocks.put(x, &f))
		}, "no block of length"},
	} {
		s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
		if f := s.faults(); f != "" {
			t.Fatal(f)
		}
		s.update(3*time.Hour, func(x *Tx) error { x.act("test"); return c.break_(x, s) })
		if f := s.faults(); !strings.Contains(f, c.says) {
			t.Errorf("%s: found %q", name, f)
		}
	}
}

func (s *scene) poolIn(x *Tx) string { return s2(x, s.t, "202.0.0.0/24") }

func TestCheckDelegationsFinds(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	s.update(3*time.Hour, func(x *Tx) error {
		x.act("test")
		d := Delegation{Level: RIRToNIR, Range: s.mine, NIR: "JPNIC", Date: day, Evidence: ByImport}
		o, _, err := delegations.one(x.View, "level = 'nir-member'")
		o.Parent = "del_none"
		return errorsOf(err, delegations.put(x, &d), delegations.put(x, &o))
	})
	view(t, s.db, func(v *View) error {
		f, err := v.CheckDelegations()
		if len(f) != 2 || !strings.Contains(f[0].Text, "two managers") || !strings.Contains(f[1].Text, "not part of") {
			t.Errorf("%+v", f)
		}
		return err
	})
}

// TestChangePool: a strategy that is none is refused.
func TestChangePool(t *testing.T) {
	s := newScene(t, openSQLite(t, t.TempDir()+"/r.db"))
	p := s.poolOf("202.0.0.0/24")
	p.Strategy = "hope"
	if err := s.try(3*time.Hour, func(x *Tx) error { _, err := x.ChangePool(p); return err }); CodeOf(err) != Invalid {
		t.Error(err)
	}
	p.Strategy, p.Description = string(alloc.BestFit), "for a while"
	s.update(3*time.Hour, func(x *Tx) error { _, err := x.ChangePool(p); return err })
	if now := s.poolOf("202.0.0.0/24"); now.Strategy != "best-fit" || now.Description != "for a while" {
		t.Errorf("%+v", now)
	}
	s.sound()
}
