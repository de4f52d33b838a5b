package nirtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nirzone/nir"
)

// migratedOnce: the second process finds the registry as the first left it, and
// each works on with what the other does.
func migratedOnce(t *testing.T, s Storage) {
	source := s.New(t)
	first := s.Open(t, source)
	populate(t, first)
	second := s.Open(t, source)
	if d := now(t, second).diff(now(t, first)); d != "" {
		t.Errorf("they differ:\n%s", d)
	}
	for i, db := range []*nir.DB{first, second, first} {
		if _, err := submit(db, day.Add(9*time.Hour), ask("r"+string(rune('a'+i)), "m1", "/24")); err != nil {
			t.Error(err)
		}
	}
	if d := now(t, second).diff(now(t, first)); d != "" || verified(t, second) != 7 {
		t.Errorf("they differ:\n%s", d)
	}
}

// refused opens a registry that has to be refused, and looks that nothing changed.
func refused(t *testing.T, s Storage, source, want string) {
	t.Helper()
	_, err := nir.Open(context.Background(), s.Connect(t, source), s.Dialect, options())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("it was opened: %v", err)
	}
}

// newerSchema: a program leaves alone what a newer one has made.
func newerSchema(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	db := s.Connect(t, source)
	applied := map[nir.Dialect]string{nir.Postgres: "true"}[s.Dialect]
	if applied == "" {
		applied = "1"
	}
	do(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, "+applied+")")
	refused(t, s, source, "newer program")
	do(t, db, "DELETE FROM goose_db_version WHERE version_id = 99")
	if verified(t, s.Open(t, source)) != 4 {
		t.Error("it is not what it was")
	}
}

// otherStep: a schema that another program made is refused, in whichever step it
// differs.
func otherStep(t *testing.T, s Storage) {
	source := s.New(t)
	s.Open(t, source)
	db := s.Connect(t, source)
	var last int
	if err := db.QueryRow("SELECT max(version) FROM schema_step").Scan(&last); err != nil || last == 0 {
		t.Fatal(last, err)
	}
	do(t, db, "CREATE TABLE saved AS SELECT * FROM schema_step")
	for _, which := range []string{"1", "(SELECT max(version) FROM saved)"} {
		do(t, db, "UPDATE schema_step SET sha256 = 'another' WHERE version = "+which)
		refused(t, s, source, "another program")
		do(t, db, "DELETE FROM schema_step", "INSERT INTO schema_step SELECT * FROM saved")
	}
	s.Open(t, source)
}

// cutMigration: the schema is made by processes that all die, each a statement
// later than the one before, and is whole in the end.
func cutMigration(t *testing.T, s Storage) {
	for _, after := range []bool{false, true} {
		source := s.New(t)
		cuts := 0
		for ; cuts < mostStatements; cuts += s.stride() {
			db, _, err := s.open(t, source, cuts, after)
			if err == nil {
				_ = db.Close()
				break
			}
			if !errors.Is(err, errCut) {
				t.Fatalf("the process after %d that were cut off: %v", cuts, err)
			}
		}
		if cuts < 3 || cuts >= mostStatements {
			t.Errorf("%d processes were cut off", cuts)
		}
		db := s.Open(t, source)
		populate(t, db)
		verified(t, db)
	}
}

// cutEvent: an event whose process dies at any statement has happened as a whole,
// once it is committed, or not at all; asked again, it is the same.
func cutEvent(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	for _, after := range []bool{false, true} {
		ref := map[bool]string{false: "before", true: "after"}[after]
		happened := false
		for n := 0; !happened; n += s.stride() {
			before, events := now(t, registry), verified(t, registry)
			db, c, err := s.open(t, source, mostStatements, after)
			if err != nil {
				t.Fatal(err)
			}
			c.mu.Lock()
			c.left = n
			c.mu.Unlock()
			_, err = submit(db, day.Add(9*time.Hour), ask(ref, "m-"+ref, "3072"))
			if happened = err == nil; err != nil && !errors.Is(err, errCut) {
				t.Fatalf("cut off after %d statements: %v", n, err)
			}
			d := now(t, registry).diff(before)
			switch grown := verified(t, registry) - events; {
			case grown == 0 && d == "" && !happened, grown == 1 && d != "":
				happened = happened || grown == 1
			default:
				t.Fatalf("cut off after %d statements: %d events more, happened is %v:\n%s", n, grown, happened, d)
			}
			_ = db.Close()
			if n >= mostStatements {
				t.Fatal("it never ends")
			}
		}
		r, err := submit(registry, day.Add(9*time.Hour), ask(ref, "m-"+ref, "3072"))
		if err != nil || r.State != nir.Registered || len(r.Ranges) != 2 {
			t.Errorf("asked again: %+v, %v", r, err)
		}
	}
}

// interruptedEvent: who presses Ctrl-C learns what became of the event. Until its
// commit begins nothing has happened; from then on it is not interrupted.
func interruptedEvent(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	for name, late := range map[string]bool{"before the commit": false, "in the commit": true} {
		ctx, cancel := context.WithCancel(context.Background())
		db, c, err := s.open(t, source, mostStatements, false)
		if err != nil {
			t.Fatal(err)
		}
		if late {
			c.commit = cancel
		}
		events := verified(t, registry)
		_, err = db.Decide(ctx, staff(day.Add(9*time.Hour)), func(x *nir.Tx) error {
			_, err := x.Submit(ask("interrupted-"+name[:2], "m9", "/22"))
			return err
		}, func(*nir.Event) error {
			if !late {
				cancel()
			}
			return nil
		})
		grown := verified(t, registry) - events
		if late && (err != nil || grown != 1) || !late && (!errors.Is(err, context.Canceled) || grown != 0) {
			t.Errorf("interrupted %s: %v, %d events more", name, err, grown)
		}
		_ = db.Close()
		cancel()
	}
}
