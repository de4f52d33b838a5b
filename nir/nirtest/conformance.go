package nirtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// Conformance shows that a storage keeps what package nir promises. Each test has
// a database of its own.
func Conformance(t *testing.T, s Storage) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Storage)
	}{
		{"versions", versions},
		{"rollback", rollback},
		{"try", try},
		{"nothing", nothing},
		{"clock", clock},
		{"unique", unique},
		{"overlap", overlap},
		{"versions are not altered", altered},
		{"append-only", appendOnly},
		{"tampering", tampering},
		{"readers", readers},
		{"writers", writers},
		{"migrated once", migratedOnce},
		{"newer schema", newerSchema},
		{"other step", otherStep},
		{"cut migration", cutMigration},
		{"cut event", cutEvent},
		{"interrupted event", interruptedEvent},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

// versions: every past state can be asked for, at its event's time and until the
// next one's.
func versions(t *testing.T, s Storage) {
	db := s.Open(t, s.New(t))
	populate(t, db)
	states := []state{now(t, db)}
	id := ""
	for i := range 3 {
		at := day.Add(time.Duration(10*i+10) * time.Hour)
		update(t, db, admin(at), func(x *nir.Tx) error {
			m, _, err := x.MemberOf("JPNIC", "m1")
			if err != nil {
				return err
			}
			id = m.ID
			m.Name = "Name " + at.Format(time.Kitchen)
			if _, err := x.ChangeMember(m); err != nil {
				return err
			}
			_, err = x.SetWindow("JPNIC", inr.IPv4, nir.Size([]string{"/19", "/18", "/21"}[i]), "review")
			return err
		})
		states = append(states, now(t, db))
	}
	for i, want := range states {
		from := day.Add(time.Duration(10*i) * time.Hour)
		if i == 0 {
			from = day.Add(3 * time.Hour)
		}
		for _, at := range []time.Time{from, day.Add(time.Duration(10*i+10)*time.Hour - time.Microsecond)} {
			if got := past(t, db, at); got.diff(want) != "" {
				t.Errorf("as of %s:\n%s", at, got.diff(want))
			}
		}
	}
	err := db.AsOf(context.Background(), day.Add(-time.Microsecond), func(*nir.View) error { return nil })
	if nir.CodeOf(err) != nir.NotFound {
		t.Errorf("before the first event: %v", err)
	}
	if id == "" || verified(t, db) != 7 {
		t.Errorf("member %q", id)
	}
}

func past(t testing.TB, db *nir.DB, at time.Time) state {
	t.Helper()
	var s state
	err := db.AsOf(context.Background(), at, func(v *nir.View) (err error) {
		s, err = stateOf(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var errLater = errors.New("a mistake that shows late")

// much does much of what an event may do.
func much(x *nir.Tx) error {
	if _, err := x.SetWindow("JPNIC", inr.IPv4, "/16", "for once"); err != nil {
		return err
	}
	if err := addPool(x, "2.0.0.0/16"); err != nil {
		return err
	}
	_, err := x.Submit(ask("r9", "m9", "4608"))
	return err
}

// rollback: an event that fails at its end, or panics there, never was.
func rollback(t *testing.T, s Storage) {
	db := s.Open(t, s.New(t))
	populate(t, db)
	before, events := now(t, db), verified(t, db)
	for _, end := range []func() error{func() error { return errLater }, func() error { panic(errLater) }} {
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err, _ = p.(error)
				}
			}()
			return db.Update(context.Background(), admin(day.Add(9*time.Hour)), func(x *nir.Tx) error {
				return errors.Join(much(x), end())
			})
		}()
		if !errors.Is(err, errLater) {
			t.Errorf("the event's end was lost: %v", err)
		}
		if d := now(t, db).diff(before); d != "" || verified(t, db) != events {
			t.Errorf("something is left:\n%s", d)
		}
	}
	update(t, db, admin(day.Add(9*time.Hour)), much)
	if verified(t, db) != events+1 {
		t.Error("the next event is not the next one")
	}
}

// try: what is tried is told, and not there.
func try(t *testing.T, s Storage) {
	db := s.Open(t, s.New(t))
	populate(t, db)
	before, events := now(t, db), verified(t, db)
	e, err := db.Try(context.Background(), admin(day.Add(9*time.Hour)), much)
	if err != nil || e.Seq != events+1 || len(e.Changes) < 8 {
		t.Fatalf("%+v, %v", e, err)
	}
	if d := now(t, db).diff(before); d != "" || verified(t, db) != events {
		t.Errorf("something is left:\n%s", d)
	}
	update(t, db, admin(day.Add(9*time.Hour)), much)
	tried := state{}
	for k, v := range before {
		tried[k] = v
	}
	tried.apply(e)
	if got := now(t, db); len(got) != len(tried) {
		t.Errorf("done, there are %d objects; tried, there were %d", len(got), len(tried))
	}
}

// nothing: an event that changes nothing is none.
func nothing(t *testing.T, s Storage) {
	db := s.Open(t, s.New(t))
	update(t, db, admin(day), func(*nir.Tx) error { return nil })
	if n := verified(t, db); n != 0 {
		t.Errorf("%d events of nothing", n)
	}
	populate(t, db)
	before, events := now(t, db), verified(t, db)
	for range 2 {
		if _, err := submit(db, day.Add(9*time.Hour), ask("rm1", "m1", "/22")); err != nil {
			t.Error(err)
		}
	}
	if d := now(t, db).diff(before); d != "" || verified(t, db) != events {
		t.Errorf("a request that was there changed something:\n%s", d)
	}
}

// clock: events are in the order of their times; a clock that is a little behind
// writes with the time of the last event, one that is far behind not at all.
func clock(t *testing.T, s Storage) {
	db := s.Open(t, s.New(t))
	populate(t, db)
	last := day.Add(3 * time.Hour)
	if _, err := submit(db, last.Add(-time.Hour), ask("r8", "m1", "/24")); nir.CodeOf(err) != nir.Conflict {
		t.Errorf("an hour behind: %v", err)
	}
	r, err := submit(db, last.Add(-time.Second), ask("r9", "m1", "/24"))
	if err != nil || !r.Submitted.Equal(last) {
		t.Errorf("a second behind: %s, %v", r.Submitted, err)
	}
	verified(t, db)
}
