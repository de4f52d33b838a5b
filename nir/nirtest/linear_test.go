package nirtest

import (
	"context"
	"fmt"
	"math/bits"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// The registry as one thing that does one act at a time: a pool of 32 cells (/28
// each), a window, and what each reference was given. A reference asks for its
// size for ever.
const (
	refs      = 40
	poolCells = 32
)

func refSize(ref int) int { return 1 + ref%4 }

type registry struct {
	window int
	taken  uint64
	given  [refs]uint64 // 0: nothing yet
	held   [refs]bool
}

func (s *step) submit(db *nir.DB) error {
	a := ask(fmt.Sprint("r", s.Ref), fmt.Sprint("m", s.Ref%3), sizeOf(0, refSize(s.Ref)))
	r, err := submit(db, day.Add(9*time.Hour), a)
	if s.Code = string(nir.CodeOf(err)); s.Code != "" {
		return nil
	}
	s.Code = r.State
	for _, rng := range r.Ranges {
		s.Cells |= mask(rng)
	}
	return err
}

func (s *step) window(db *nir.DB) error {
	return db.Update(context.Background(), admin(day.Add(9*time.Hour)), func(x *nir.Tx) error {
		_, err := x.SetWindow("JPNIC", inr.IPv4, sizeOf(0, s.Size), "test")
		return err
	})
}

func (s *step) read(db *nir.DB) error {
	return db.View(context.Background(), func(v *nir.View) error {
		w, err := v.Window("JPNIC", inr.IPv4)
		s.Code = string(w.Size)
		if err != nil {
			return err
		}
		return v.EachDelegation(func(d *nir.Delegation) error {
			if d.Level == nir.NIRToMember {
				s.Cells |= mask(d.Range)
			}
			return nil
		})
	})
}

// mask are the cells of a range of the pool, which begins at 1.0.0.0.
func mask(r inr.Range) uint64 {
	first, last := r.First.Sub(inr.N(0x01000000)).Lo>>4, r.Last.Sub(inr.N(0x01000000)).Lo>>4
	return (1<<(last-first+1) - 1) << first
}

// room reports whether blocks of these cells are free, each aligned.
func room(taken uint64, cells int) bool {
	for n := poolCells; n >= 1; n /= 2 {
		if cells&n == 0 {
			continue
		}
		found := false
		for i := 0; i < poolCells && !found; i += n {
			if block := (uint64(1)<<n - 1) << i; taken&block == 0 {
				taken, found = taken|block, true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// next is the registry after a step, and whether the step could have had its
// result.
func (g registry) next(s step) (bool, registry) {
	switch s.Op {
	case "window":
		g.window = s.Size
		return true, g
	case "read":
		return s.Cells == g.taken && s.Code == string(sizeOf(0, g.window)), g
	}
	size := refSize(s.Ref)
	switch {
	case g.given[s.Ref] != 0:
		return s.Code == nir.Registered && s.Cells == g.given[s.Ref], g
	case g.held[s.Ref]:
		return s.Code == nir.HeldRequest, g
	case size > g.window:
		return s.Code == string(nir.SecondOpinion), g
	case s.Code == nir.HeldRequest:
		g.held[s.Ref] = true
		return !room(g.taken, size), g
	}
	ok := s.Code == nir.Registered && s.Cells&g.taken == 0 && bits.OnesCount64(s.Cells) == size
	g.given[s.Ref], g.taken = s.Cells, g.taken|s.Cells
	return ok, g
}

var sequential = porcupine.Model{
	Init: func() any { return registry{window: 2} },
	Step: func(state, input, _ any) (bool, any) {
		ok, g := state.(registry).next(input.(step))
		return ok, g
	},
	Equal:             func(a, b any) bool { return a.(registry) == b.(registry) },
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
}

// histories lets children work on one registry and returns what they did.
func histories(t *testing.T, s Storage, children, each int, seed uint64) (list []porcupine.Operation) {
	t.Helper()
	source := s.New(t)
	db := s.Open(t, source)
	update(t, db, admin(day), func(x *nir.Tx) error { return addJPNIC(x, sizeOf(0, 2)) })
	update(t, db, admin(day), func(x *nir.Tx) error { return addPool(x, "1.0.0.0/23") })
	results := make([]chan []step, children)
	for c := range children {
		cmd, out := start(t, s, order{Work: "mixed", Source: source, Child: c, To: each, Seed: seed})
		results[c] = make(chan []step, 1)
		go func() {
			said := steps(t, out)
			if err := cmd.Wait(); err != nil {
				t.Errorf("child %d: %v", c, err)
			}
			results[c] <- said
		}()
	}
	for c := range children {
		for _, s := range <-results[c] {
			if s.Begin != 0 {
				list = append(list, porcupine.Operation{ClientId: c, Input: s, Call: s.Begin, Return: s.End})
			}
		}
	}
	verified(t, db)
	return list
}

// overlaps is how many operations began before an earlier one of another process
// ended.
func overlaps(list []porcupine.Operation) (n int) {
	for _, a := range list {
		for _, b := range list {
			if a.ClientId < b.ClientId && a.Call < b.Return && b.Call < a.Return {
				n++
			}
		}
	}
	return n
}

// TestLinearizable: what concurrent processes were told is what one registry could
// have told them that does one thing at a time, each between its call and its
// answer.
func TestLinearizable(t *testing.T) {
	run := func(t *testing.T, s Storage, rounds int) {
		t.Helper()
		for round := range rounds {
			list := histories(t, s, 5, 30, uint64(round))
			given, held, opinions := 0, 0, 0
			for _, o := range list {
				switch o.Input.(step).Code {
				case nir.Registered:
					given++
				case nir.HeldRequest:
					held++
				case string(nir.SecondOpinion):
					opinions++
				}
			}
			n := overlaps(list)
			t.Logf("%d operations, %d pairs at once; %d registered, %d held, %d above the window", len(list), n, given, held, opinions)
			if len(list) != 150 || n < 20 || given == 0 {
				t.Error("too few, or one after the other: it shows nothing")
			}
			if r := porcupine.CheckOperationsTimeout(sequential, list, time.Minute); r != porcupine.Ok {
				t.Errorf("round %d: %s", round, r)
				for _, o := range list {
					t.Logf("%+v", o.Input)
				}
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, sqlite, 3) })
	t.Run("postgres", func(t *testing.T) { run(t, postgres(t), 1) })
}

// TestLinearizableFails shows that the check can fail: with an answer that was
// given too late, one that was given twice, and a read of what was not yet there.
func TestLinearizableFails(t *testing.T) {
	submit := func(ref int, cells uint64, begin, end int64) step {
		return step{Op: "submit", Ref: ref, Code: nir.Registered, Cells: cells, Begin: begin, End: end}
	}
	read := func(cells uint64, begin, end int64) step {
		return step{Op: "read", Code: string(sizeOf(0, 2)), Cells: cells, Begin: begin, End: end}
	}
	for name, c := range map[string]struct {
		steps []step
		want  bool
	}{
		"in order":            {[]step{submit(0, 1, 1, 2), submit(4, 2, 3, 4), read(3, 5, 6)}, true},
		"at once":             {[]step{submit(0, 1, 1, 9), submit(4, 2, 1, 9), read(2, 1, 9)}, true},
		"the same block":      {[]step{submit(0, 1, 1, 9), submit(4, 1, 1, 9)}, false},
		"another answer":      {[]step{submit(0, 1, 1, 2), submit(0, 2, 3, 4)}, false},
		"read before":         {[]step{read(1, 1, 2), submit(0, 1, 3, 4)}, false},
		"not read after":      {[]step{submit(0, 1, 1, 2), read(0, 3, 4)}, false},
		"held, there is room": {[]step{{Op: "submit", Ref: 0, Code: nir.HeldRequest, Begin: 1, End: 2}}, false},
	} {
		var list []porcupine.Operation
		for i, s := range c.steps {
			list = append(list, porcupine.Operation{ClientId: i, Input: s, Call: s.Begin, Return: s.End})
		}
		if got := porcupine.CheckOperations(sequential, list); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
