package nirtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// conserved reports whether a view's IPv4 pools are what is free and what members
// hold, no number twice, and how many delegations to members there are.
func conserved(v *nir.View) (int, error) {
	var space, found inr.Builder
	var parts []inr.Range
	list, err := v.Pools()
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		space.Add(p.Range)
		free, err := v.FreeBlocks(p.ID)
		if err != nil {
			return 0, err
		}
		for _, f := range free {
			parts = append(parts, f.Range)
		}
	}
	held := 0
	err = v.EachDelegation(func(d *nir.Delegation) error {
		if d.Level != nir.RIRToNIR {
			parts = append(parts, d.Range)
			held++
		}
		return nil
	})
	for _, r := range parts {
		if found.Set().Overlaps(r) {
			return held, fmt.Errorf("%s is there twice", r)
		}
		found.Add(r)
	}
	if err == nil && !found.Set().Equal(space.Set()) {
		err = fmt.Errorf("the pools are %s, free and held is %s", space.Set(), found.Set())
	}
	return held, err
}

// readers: a view shows one state, however long it looks and whoever writes.
func readers(t *testing.T, s Storage) {
	source := s.New(t)
	writer := s.Open(t, source)
	populate(t, writer)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		reader := s.Open(t, source)
		wg.Go(func() {
			for seen, looks := 0, 0; ; looks++ {
				select {
				case <-done:
					if looks < 2 {
						t.Errorf("a reader looked %d times", looks)
					}
					return
				default:
				}
				err := reader.View(context.Background(), func(v *nir.View) error {
					first, err := conserved(v)
					if err != nil {
						return err
					}
					if again, err := conserved(v); err != nil || again != first || first < seen {
						return fmt.Errorf("%d delegations, then %d, before %d: %w", first, again, seen, err)
					}
					seen = first
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 40 {
		if _, err := submit(writer, day.Add(9*time.Hour), ask(fmt.Sprint("r", i), fmt.Sprint("m", i%5), "/24")); err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
}

// writers: writers of several handles make one sequence of events; each has what
// it asked for, once.
func writers(t *testing.T, s Storage) {
	source := s.New(t)
	populate(t, s.Open(t, source))
	const handles, each = 4, 10
	var wg sync.WaitGroup
	var mu sync.Mutex
	given := map[string]string{} // reference, range
	for h := range handles {
		db := s.Open(t, source)
		for range 2 { // two goroutines of a handle ask for the same
			wg.Go(func() {
				for i := range each {
					ref := fmt.Sprintf("r%d-%d", h/2, i) // and two handles as well
					r, err := submit(db, day.Add(9*time.Hour), ask(ref, "m"+ref, "/24"))
					mu.Lock()
					got := fmt.Sprint(r.Ranges)
					if err != nil || given[ref] != "" && given[ref] != got {
						t.Errorf("%s: %s, before %s: %v", ref, got, given[ref], err)
					}
					given[ref] = got
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	db := s.Open(t, source)
	if n := verified(t, db); n != 4+handles/2*each {
		t.Errorf("%d events", n)
	}
	err := db.View(context.Background(), func(v *nir.View) error {
		n, err := conserved(v)
		if n != 2+handles/2*each {
			t.Errorf("%d delegations to members", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// replayed is the state that the events up to one lead to, read from the audit by
// this package.
func replayed(v *nir.View, upTo int64) (state, error) {
	s := state{}
	err := v.Events(0, func(entry, _ []byte) error {
		var e nir.Event
		if err := json.Unmarshal(entry, &e); err != nil {
			return err
		}
		if e.Seq <= upTo {
			s.apply(&e)
		}
		return nil
	})
	return s, err
}
