package nir

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Dialect names the database behind a [DB].
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// SQLiteSource returns the data source name for the file: a commit on the disk
// before it is reported (synchronous=FULL), other processes waited for, a writer's
// lock from the beginning of its transaction. The write-ahead log is the file's own
// property: [Open] sees to it.
func SQLiteSource(file string) string {
	v := url.Values{"_txlock": {"immediate"}}
	for _, p := range []string{"busy_timeout(30000)", "synchronous(FULL)", "foreign_keys(ON)", "cache_size(-65536)", "temp_store(MEMORY)"} {
		v.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

// check refuses a connection that would not keep what a commit promises.
func (d Dialect) check(ctx context.Context, db *sql.DB) error {
	switch d {
	case SQLite:
		return checkSQLite(ctx, db)
	case Postgres:
		return checkPostgres(ctx, db)
	}
	return fmt.Errorf("dialect %q: not one of %s, %s", string(d), SQLite, Postgres)
}

func checkSQLite(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct {
		name  string
		least int
	}{{"synchronous", 2}, {"foreign_keys", 1}, {"busy_timeout", 1}} {
		n := 0
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&n); err != nil {
			return fmt.Errorf("reading pragma %s: %w", p.name, err)
		}
		if n < p.least {
			return fmt.Errorf("pragma %s is %d: it has to be %d at least; open the file as nir.SQLiteSource has it", p.name, n, p.least)
		}
	}
	return nil
}

// setUp has the database keep a write-ahead log, so that readers and a writer do not
// wait for each other: a copy that was made of it does not.
func (d Dialect) setUp(ctx context.Context, db *sql.DB) error {
	if d != SQLite {
		return nil
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return fmt.Errorf("setting the journal of the database: %w", err)
	}
	return nil
}

func checkPostgres(ctx context.Context, db *sql.DB) error {
	for _, s := range [][2]string{{"fsync", "on"}, {"synchronous_commit", "on"}, {"full_page_writes", "on"}, {"server_encoding", "UTF8"}} {
		value := ""
		if err := db.QueryRowContext(ctx, "SELECT current_setting($1)", s[0]).Scan(&value); err != nil {
			return fmt.Errorf("reading setting %s: %w", s[0], err)
		}
		if value != s[1] {
			return fmt.Errorf("setting %s of the server is %s: it has to be %s, or what was committed may be lost", s[0], value, s[1])
		}
	}
	return nil
}

// octetCollations are those of PostgreSQL that order text by its octets, as SQLite
// does: identifiers and keys have one order in all registries, whatever the host's
// language, and no index depends on a version of its tables of characters.
var octetCollations = []string{"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"}

// ErrCollation is in the chain of an error of [Open] about a database that orders
// text otherwise. With [Leave] it is opened all the same: what it has can be moved.
var ErrCollation = errors.New("the database does not order text by its octets")

// checkCollation refuses a database that would be written to in another order.
func (d Dialect) checkCollation(ctx context.Context, db *sql.DB) error {
	if d != Postgres {
		return nil
	}
	var name string
	var octets bool // false with another provider's collation too, whatever datcollate says
	err := db.QueryRowContext(ctx, "SELECT datcollate, 'B' < 'a' AND 'a-b' < 'aa' AND 'Z' < '_' FROM pg_database WHERE datname = current_database()").Scan(&name, &octets)
	if err != nil {
		return fmt.Errorf("reading the collation of the database: %w", err)
	}
	if !octets || !slices.Contains(octetCollations, name) {
		return fmt.Errorf("%w (collation %s): it has to, so that keys have one order everywhere; "+
			"make another with CREATE DATABASE registry TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'; where the server's own collations are ICU's, add LOCALE_PROVIDER libc; "+
			"if this one holds the registry, move it: nirctl audit export > audit.jsonl; then name the other in section [nirctl] of nirzone.toml, nirctl init; nirctl restore audit.jsonl", ErrCollation, name)
	}
	return nil
}

// headQuery reads the head of the chain. On PostgreSQL it is locked: that makes
// writers a sequence. On SQLite the transaction has the lock from its beginning.
func (d Dialect) headQuery() string {
	if d == Postgres {
		return "SELECT seq, at, hash FROM head FOR UPDATE"
	}
	return "SELECT seq, at, hash FROM head"
}

// plansByIndex has PostgreSQL look rows up by index for the rest of a transaction
// that fills empty tables: a statement's plan is made once, while they are small,
// and to read all of a table would be right then and for hours afterwards.
func (d Dialect) plansByIndex(ctx context.Context, tx *sql.Tx) error {
	if d != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off")
	return err
}

// readOptions give a reader one state of the registry for as long as it reads.
func (d Dialect) readOptions() *sql.TxOptions {
	if d == Postgres {
		return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	return &sql.TxOptions{ReadOnly: true}
}

// markRows returns "($1, $2), ($3, $4)", for rows of some columns, from a number on.
func markRows(from, rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i%columns != 0:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("), (")
		default:
			b.WriteByte('(')
		}
		b.WriteString("$" + strconv.Itoa(from+i))
	}
	return b.String() + ")"
}
