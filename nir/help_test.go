package nir

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"nirzone/fixtures/peers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	peers.StopShared()
	os.Exit(code)
}

// onBoth runs a test on a registry in SQLite, and on one in a real PostgreSQL.
func onBoth(t *testing.T, fn func(t *testing.T, db *DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, openSQLite(t, filepath.Join(t.TempDir(), "registry.db"))) })
	t.Run("postgres", func(t *testing.T) { fn(t, openPostgres(t, peers.SharedPostgres(t))) })
}

func openSQLite(t testing.TB, file string) *DB {
	t.Helper()
	return open(t, "sqlite", SQLiteSource(file), SQLite)
}

func openPostgres(t testing.TB, source string) *DB {
	t.Helper()
	return open(t, "pgx", source, Postgres)
}

func open(t testing.TB, driver, source string, d Dialect) *DB {
	t.Helper()
	s, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db, err := Open(context.Background(), s, d, Options{Random: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// day is when the tests begin: a Wednesday.
var day = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)

func admin(at time.Time) Actor {
	return Actor{Name: "admin", Roles: []Role{Admin, RegistryStaff}, At: at, Reason: "test"}
}

func update(t testing.TB, db *DB, a Actor, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), a, fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *DB, fn func(*View) error) {
	t.Helper()
	if err := db.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}
