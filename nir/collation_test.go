package nir

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
)

// TestCollation: a database that orders text otherwise than by its octets is
// refused, with what to type; one made with that is taken.
func TestCollation(t *testing.T) {
	base, err := sql.Open("pgx", peers.SharedPostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close() //nolint:errcheck // nothing is written
	for name, c := range map[string]struct {
		with string
		good bool
	}{
		"order_icu": {"LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'", false},
		"order_c":   {"LC_COLLATE 'C' LC_CTYPE 'C'", true},
		"order_u":   {"LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'", true},
		"order_p":   {"LC_COLLATE 'POSIX' LC_CTYPE 'POSIX'", true},
	} {
		if _, err := base.Exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8' " + c.with); err != nil {
			t.Fatal(err)
		}
		source := peers.SharedPostgres(t)
		cut := strings.LastIndexByte(source, '/') + 1
		options := source[strings.IndexByte(source, '?'):]
		db, err := sql.Open("pgx", source[:cut]+name+options)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(context.Background(), db, Postgres, Options{Random: rand.NewChaCha8([32]byte{1})})
		switch {
		case c.good && err != nil:
			t.Errorf("%s: %v", name, err)
		case !c.good && (err == nil || !strings.Contains(err.Error(), "TEMPLATE template0") || !strings.Contains(err.Error(), "nirctl audit export") || !errors.Is(err, ErrCollation)):
			t.Errorf("%s: %v", name, err)
		case !c.good:
			testMovable(t, db)
		case err == nil:
			_ = r.Close()
		}
		_ = db.Close()
	}
}

// testMovable: a registry that was made in such a database before that was refused is
// opened to be read, and what is exported of it is all that it has.
func testMovable(t *testing.T, base *sql.DB) {
	t.Helper()
	made := &DB{sql: base, dialect: Postgres, o: Options{Random: rand.NewChaCha8([32]byte{2}), Rules: DefaultRules()}, known: map[string]*sql.Stmt{}}
	if err := made.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	world(t, made)
	r, err := Open(t.Context(), base, Postgres, Options{Schema: Leave})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CheckCollation(t.Context()); !errors.Is(err, ErrCollation) {
		t.Errorf("it is not told of: %v", err)
	}
	var b bytes.Buffer
	m, err := r.ExportAudit(t.Context(), &b, Mark{})
	if err != nil || m.Seq == 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	to := openPostgres(t, peers.SharedPostgres(t))
	if got, err := to.Restore(t.Context(), &b); err != nil || got != m {
		t.Errorf("%+v, %v; want %+v", got, err, m)
	}
}
