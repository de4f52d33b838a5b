package nirtest

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"nirzone/nir"
)

// Statements past the registry's code.

// forge copies the first row that a condition selects, with some columns changed,
// and takes it back. It returns what the database said.
func forge(t *testing.T, db *sql.DB, table, where string, change map[string]any) error {
	t.Helper()
	row := read(t, db, "SELECT * FROM "+table+" WHERE "+where+" LIMIT 1")
	maps.Copy(row, change)
	names := slices.Sorted(maps.Keys(row))
	var marks []string
	var args []any
	for i, n := range names {
		marks, args = append(marks, fmt.Sprintf("$%d", i+1)), append(args, row[n])
	}
	return attempt(t, db, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
}

// read returns the columns of one row.
func read(t *testing.T, db *sql.DB, query string) map[string]any {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatalf("%s: no row: %v, %v", query, err, rows.Err())
	}
	values, dest := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := rows.Scan(dest...); err != nil {
		t.Fatal(err)
	}
	row := map[string]any{}
	for i, n := range names {
		row[n] = values[i]
	}
	return row
}

// attempt runs a statement in a transaction of its own and takes it back.
func attempt(t *testing.T, db *sql.DB, query string, args ...any) error {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(query, args...)
	if e := tx.Rollback(); e != nil {
		t.Fatal(e)
	}
	return err
}

// do runs statements that have to succeed.
func do(t *testing.T, db *sql.DB, queries ...string) {
	t.Helper()
	for _, q := range queries {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// disarm drops the triggers of the audit and of what it is about, as somebody can
// who owns the database, and returns the statements that make them again.
func disarm(t *testing.T, s Storage, db *sql.DB) (rearm []string) {
	t.Helper()
	if s.Dialect == nir.Postgres {
		for _, table := range append([]string{"audit"}, tables...) {
			do(t, db, "ALTER TABLE "+table+" DISABLE TRIGGER ALL")
			rearm = append(rearm, "ALTER TABLE "+table+" ENABLE TRIGGER ALL")
		}
		return rearm
	}
	for {
		name, made := "", ""
		err := db.QueryRow("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name LIMIT 1").Scan(&name, &made)
		if errors.Is(err, sql.ErrNoRows) {
			return rearm
		}
		if err != nil {
			t.Fatal(err)
		}
		do(t, db, "DROP TRIGGER "+name)
		rearm = append(rearm, made)
	}
}
