package nir

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
)

// openAs opens a database with what may be made of it.
func openAs(t *testing.T, driver, source string, d Dialect, s Schema) error {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n, err := Open(context.Background(), db, d, Options{Schema: s})
	if err == nil {
		err = n.Close()
	}
	return err
}

// TestOpenMakesNothing: who reads makes no registry of what is none, and nobody makes
// one among another program's tables: a file stays as it is to the octet.
func TestOpenMakesNothing(t *testing.T) {
	dir := t.TempDir()
	empty, foreign := filepath.Join(dir, "empty.db"), filepath.Join(dir, "foreign.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("CREATE TABLE books (title TEXT)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(foreign)
	for _, s := range []Schema{Raise, Leave} {
		wantCode(t, openAs(t, "sqlite", SQLiteSource(empty), SQLite, s), NotFound, "holds no registry")
	}
	for _, s := range []Schema{Make, Raise, Leave} {
		wantCode(t, openAs(t, "sqlite", SQLiteSource(foreign), SQLite, s), Conflict, `a table "books"`)
	}
	if b, err := os.ReadFile(empty); err != nil || len(b) != 0 {
		t.Errorf("the empty file has %d octets, %v", len(b), err)
	}
	if b, err := os.ReadFile(foreign); err != nil || string(b) != string(before) || len(b) == 0 {
		t.Errorf("the other program's file was changed, %v", err)
	}
	if err := openAs(t, "sqlite", SQLiteSource(empty), SQLite, Make); err != nil {
		t.Error(err)
	}
}

// TestOpenMakesNothingInPostgres: the same of a database of PostgreSQL.
func TestOpenMakesNothingInPostgres(t *testing.T) {
	source := peers.SharedPostgres(t)
	tables := func(add string) (n int) {
		db, err := sql.Open("pgx", source)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(add); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	wantCode(t, openAs(t, "pgx", source, Postgres, Raise), NotFound, "holds no registry")
	tables("CREATE TABLE books (title TEXT)")
	wantCode(t, openAs(t, "pgx", source, Postgres, Make), Conflict, `a table "books"`)
	if n := tables("DROP TABLE books"); n != 0 {
		t.Errorf("%d tables were made", n)
	}
	for _, s := range []Schema{Make, Raise, Leave} {
		if err := openAs(t, "pgx", source, Postgres, s); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenLeavesAnOlderOne: who only looks brings nothing up to date.
func TestOpenLeavesAnOlderOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.db")
	db := openSQLite(t, file)
	for _, s := range []Schema{Make, Raise, Leave} {
		if err := openAs(t, "sqlite", SQLiteSource(file), SQLite, s); err != nil {
			t.Error(err)
		}
	}
	raw(t, db, "UPDATE schema_step SET version = 99 WHERE version = 5")
	if err := openAs(t, "sqlite", SQLiteSource(file), SQLite, Leave); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Error(err)
	}
	raw(t, db, "DELETE FROM schema_step WHERE version = 99")
	wantCode(t, openAs(t, "sqlite", SQLiteSource(file), SQLite, Leave), Conflict, "are of version 4, this program's of 5")
}
