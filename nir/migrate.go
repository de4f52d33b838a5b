package nir

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// schema holds, for each version n, n.sql for every database and n.sqlite.sql and
// n.postgres.sql for what differs (triggers); and what [postgresGuards] tells.
//
//go:embed schema/*.sql schema/postgres.guards
var schema embed.FS

// schemaVersion is the version of the schema that this program reads and writes.
const schemaVersion = 5

// A Schema says what opening may do to a database.
type Schema int

// The zero value makes a registry of an empty database and brings an older one up to
// this program; Raise brings up one that is there; Leave changes nothing.
const (
	Make Schema = iota
	Raise
	Leave
)

// prepare looks at what the database holds before anything in it is changed.
func (n *DB) prepare(ctx context.Context) error {
	is, other, err := n.holds(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("looking at what the database holds: %w", err)
	case !is && other != "":
		return refuse(Conflict, "the database is another program's: it holds a table %.60q, and no registry", other).
			remedy("another database in section [nirctl] of nirzone.toml, then: nirctl init")
	case !is && n.o.Schema != Make:
		return refuse(NotFound, "the database holds no registry").remedy("nirctl init")
	}
	if n.o.Schema != Leave {
		if err := n.dialect.setUp(ctx, n.sql); err != nil {
			return err
		}
		return n.migrate(ctx)
	}
	var have int64
	if err := n.sql.QueryRowContext(ctx, "SELECT max(version) FROM schema_step").Scan(&have); err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if err := tooNew(have); err != nil {
		return err
	}
	if have < schemaVersion {
		return refuse(Conflict, "the registry's tables are of version %d, this program's of %d: whatever opens it next brings them up", have, schemaVersion).
			remedy("nirctl init")
	}
	return n.checkSteps(ctx)
}

func tooNew(have int64) error {
	if have > schemaVersion {
		return fmt.Errorf("the registry's schema is version %d, this program knows %d: use the newer program", have, schemaVersion)
	}
	return nil
}

// tablesQuery finds a table by its name, or one that neither the registry nor its
// migration made first.
var tablesQuery = map[Dialect]string{
	SQLite:   "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = $1 OR $1 = '' AND name NOT IN ('goose_db_version', 'sqlite_sequence')) ORDER BY name LIMIT 1",
	Postgres: "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND (tablename = $1 OR $1 = '' AND tablename <> 'goose_db_version') ORDER BY tablename LIMIT 1",
}

// holds reports whether there is a registry, or else a table of another program. A
// crash before the first step of the schema leaves neither.
func (n *DB) holds(ctx context.Context) (is bool, other string, err error) {
	for _, name := range []string{"schema_step", ""} {
		err := n.sql.QueryRowContext(ctx, tablesQuery[n.dialect], name).Scan(&other)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, "", err
		}
		if name != "" && err == nil {
			return true, "", nil
		}
	}
	return false, other, nil
}

// migrate brings the schema up to schemaVersion. Each step is a transaction of its
// own: after a crash the next start goes on where it ended. The digest of a step
// is stored with it; a step that reads differently today is refused, and so is a
// schema newer than this program.
func (n *DB) migrate(ctx context.Context) error {
	steps := make([]*goose.Migration, 0, schemaVersion)
	for i := int64(1); i <= schemaVersion; i++ {
		text, sum, err := n.dialect.step(i)
		if err != nil {
			return err
		}
		steps = append(steps, goose.NewGoMigration(i, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("schema %d: %w", i, err)
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO schema_step (version, sha256) VALUES ($1, $2)", i, sum)
			return err
		}}, nil))
	}
	p, err := goose.NewProvider(n.dialect.goose(), n.sql, nil, goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("preparing the schema: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if err := tooNew(have); err != nil {
		return err
	}
	if have < schemaVersion {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("bringing the schema to version %d: %w", schemaVersion, err)
		}
	}
	return n.checkSteps(ctx)
}

func (d Dialect) goose() goose.Dialect {
	if d == Postgres {
		return goose.DialectPostgres
	}
	return goose.DialectSQLite3
}

// step returns the text of a step and its digest.
func (d Dialect) step(i int64) (text, sum string, err error) {
	for _, name := range []string{fmt.Sprintf("schema/%03d.sql", i), fmt.Sprintf("schema/%03d.%s.sql", i, d)} {
		b, err := schema.ReadFile(name)
		if err != nil {
			return "", "", fmt.Errorf("reading the schema: %w", err)
		}
		text += string(b)
	}
	s := sha256.Sum256([]byte(text))
	return text, hex.EncodeToString(s[:]), nil
}

func (n *DB) checkSteps(ctx context.Context) (err error) {
	rows, err := n.sql.QueryContext(ctx, "SELECT version, sha256 FROM schema_step ORDER BY version")
	if err != nil {
		return fmt.Errorf("reading the schema's steps: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var i int64
		var sum string
		if err := rows.Scan(&i, &sum); err != nil {
			return fmt.Errorf("reading the schema's steps: %w", err)
		}
		if _, want, err := n.dialect.step(i); err != nil || want != sum {
			return errors.Join(err, fmt.Errorf("step %d of the schema is not the one this program knows: the database is of another program", i))
		}
	}
	return rows.Err()
}
