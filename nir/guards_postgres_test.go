package nir

import (
	"flag"
	"os"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
)

var updateGuards = flag.Bool("update-guards", false, "write what PostgreSQL tells of the schema to "+postgresGuards)

// TestPostgresGuards: the definitions that a proof compares with are those of the
// schema as it is made today.
func TestPostgresGuards(t *testing.T) {
	db := openPostgres(t, peers.SharedPostgres(t))
	rows, err := db.sql.Query("SELECT * FROM (" + guardQueries[Postgres] + ") AS g (kind, name, text) WHERE kind <> 'function'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // nothing is written
	var b strings.Builder
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			t.Fatal(err)
		}
		b.WriteString(kind + " " + name + " " + text + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if *updateGuards {
		if err := os.WriteFile(postgresGuards, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(postgresGuards); err != nil || string(kept) != b.String() {
		t.Errorf("%s is not what PostgreSQL tells (%v): write it with -update-guards, and read what differs:\n%s", postgresGuards, err, b.String())
	}
}

// TestProofOfPostgres: a guard of the right name on another table, or with another
// meaning, guards nothing; and a rule acts as a trigger does. What was done stays: each
// is told of beside those before.
func TestProofOfPostgres(t *testing.T) {
	db := openPostgres(t, peers.SharedPostgres(t))
	world(t, db)
	wantProof(t, db, "")
	for _, c := range []struct{ do, want string }{
		{`CREATE TABLE decoy (seq BIGINT); DROP TRIGGER audit_append ON audit;
		CREATE TRIGGER audit_append BEFORE INSERT OR UPDATE OR DELETE ON decoy FOR EACH ROW EXECUTE FUNCTION audit_append()`, "trigger audit_append: it is not as the schema makes it"},
		{`DROP TRIGGER delegation_altered ON delegation;
		CREATE TRIGGER delegation_altered BEFORE UPDATE ON delegation FOR EACH ROW WHEN (OLD.until < 0) EXECUTE FUNCTION version_altered()`, "trigger delegation_altered: it is not as the schema makes it"},
		{`DROP TRIGGER pool_overlap ON pool;
		CREATE TRIGGER pool_overlap BEFORE INSERT ON pool FOR EACH ROW EXECUTE FUNCTION free_block_overlap()`, "trigger pool_overlap: it is not as the schema makes it"},
		{"CREATE RULE nothing AS ON INSERT TO member DO INSTEAD NOTHING", "rule nothing: the schema makes no such rule"},
		{"CREATE POLICY narrow ON member USING (false)", "policy narrow: the schema makes no such policy"},
		{"DROP INDEX nir_code; CREATE UNIQUE INDEX nir_code ON nir (id, since)", "index nir_code: it is not as the schema makes it"},
		{"ALTER FUNCTION pool_overlap() SET search_path = elsewhere", "function pool_overlap: it is not as the schema makes it"},
		{"ALTER TABLE head DROP CONSTRAINT head_one_check, ADD CONSTRAINT head_one_check CHECK (one < 9)", "constraint head_one_check: it is not as the schema makes it"},
		{"ALTER TABLE head DROP CONSTRAINT head_one_check", "constraint head_one_check is missing"},
		{"ALTER TABLE audit ADD CONSTRAINT more CHECK (seq > 0)", "constraint more: the schema makes no such constraint"},
	} {
		wantNoProof(t, db, c.want)
		raw(t, db, c.do)
		wantProof(t, db, c.want)
	}
}

// wantNoProof: what is about to be done is not told of before.
func wantNoProof(t *testing.T, db *DB, text string) {
	t.Helper()
	if _, err := db.VerifyAudit(t.Context()); err != nil && strings.Contains(err.Error(), text) {
		t.Errorf("told of before it was done: %v", err)
	}
}
