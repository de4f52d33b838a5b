package nir

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// TestProofOfColumns: by its columns an event is looked up, so they have to say what
// the hash covers; and so has the head.
func TestProofOfColumns(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
		off, on := "DROP TRIGGER audit_no_update", "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
		if db.dialect == Postgres {
			off, on = "ALTER TABLE audit DISABLE TRIGGER audit_append", "ALTER TABLE audit ENABLE TRIGGER audit_append"
		}
		for _, c := range []struct{ set, back, want string }{
			{"UPDATE audit SET at = at + 1 WHERE seq = 2", "UPDATE audit SET at = at - 1 WHERE seq = 2", "event 2 of"},
			{"UPDATE audit SET actor = actor || 'x' WHERE seq = 2", "UPDATE audit SET actor = substr(actor, 1, length(actor) - 1) WHERE seq = 2", `actor "staffx"`},
			{"UPDATE audit SET act = act || 'x' WHERE seq = 1", "UPDATE audit SET act = substr(act, 1, length(act) - 1) WHERE seq = 1", "event 1 of"},
			{"UPDATE head SET at = at + 1000000", "UPDATE head SET at = at - 1000000", "the head was altered"},
		} {
			raw(t, db, off, c.set, on)
			wantProof(t, db, c.want)
			raw(t, db, off, c.back, on)
		}
		wantProof(t, db, "")
	})
}

func raw(t *testing.T, db *DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.sql.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func wantProof(t *testing.T, db *DB, want string) {
	t.Helper()
	_, err := db.VerifyAudit(context.Background())
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%v; want %q", err, want)
	}
}

// TestProofOfGuards: without its triggers and indexes a database keeps what it has
// only by luck, and one trigger more may alter what it likes.
func TestProofOfGuards(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		wantProof(t, db, "")
		guards, err := db.dialect.guards()
		if err != nil || len(guards) < 60 || guards[guard{"index", "nir_code"}] == "" || guards[guard{"trigger", "delegation_overlap"}] == "" && db.dialect == SQLite {
			t.Fatalf("%d guards, %v", len(guards), err)
		}
		raw(t, db, "CREATE INDEX somebodys ON audit (actor)")
		wantProof(t, db, "")
		raw(t, db, "DROP INDEX nir_code")
		wantProof(t, db, "index nir_code is missing")
		raw(t, db, "CREATE INDEX nir_code ON nir (code) WHERE until IS NULL")
		wantProof(t, db, "index nir_code: it is not as the schema makes it")
		raw(t, db, "DROP INDEX nir_code", "CREATE UNIQUE INDEX nir_code ON nir (code) WHERE until IS NULL")
		wantProof(t, db, "")
		if db.dialect == Postgres {
			raw(t, db, "ALTER TABLE audit DISABLE TRIGGER audit_append")
			wantProof(t, db, "trigger audit_append: it is not as the schema makes it")
			raw(t, db, "ALTER TABLE audit ENABLE TRIGGER audit_append", "CREATE OR REPLACE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
			wantProof(t, db, "function audit_append: it is not as the schema makes it")
			return
		}
		raw(t, db, "CREATE TRIGGER more AFTER INSERT ON audit BEGIN DELETE FROM nir; END")
		wantProof(t, db, "trigger more: the schema makes no such trigger")
		raw(t, db, "DROP TRIGGER more", "DROP TRIGGER audit_no_delete")
		wantProof(t, db, "trigger audit_no_delete is missing")
		raw(t, db, "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN OLD.seq < 0 BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END")
		wantProof(t, db, "trigger audit_no_delete: it is not as the schema makes it")
	})
}

// TestProofOfReferences: which object names which follows from the objects.
func TestProofOfReferences(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
		wantProof(t, db, "")
		raw(t, db, "INSERT INTO whois_ref (object, ref) VALUES ('who_x', 'mntner X')")
		wantProof(t, db, "1 references of whois objects are kept that no object has")
		raw(t, db, "DELETE FROM whois_ref")
		wantProof(t, db, "references of whois objects are missing")
	})
}

// TestRestoreOfTheOlder: a registry that is ahead of an export stays where it is, and
// says so; an export without an event makes no registry.
func TestRestoreOfTheOlder(t *testing.T) {
	ctx := context.Background()
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	_, err := db.Restore(ctx, strings.NewReader(""))
	wantCode(t, err, Invalid, "it holds no event")
	world(t, db)
	var b bytes.Buffer
	if _, err := db.ExportAudit(ctx, &b, Mark{}); err != nil {
		t.Fatal(err)
	}
	sendIn(t, db, staff(day.Add(time.Hour)), ask("r1", "m1", inr.IPv4, "/24"))
	s := verify(t, db)
	for _, text := range []string{b.String(), ""} {
		if m, err := db.Restore(ctx, strings.NewReader(text)); err != nil || m.Seq != s.Events || m.Hash != s.Hash {
			t.Errorf("%+v, %v; want event %d", m, err, s.Events)
		}
	}
	if m, err := CheckExport(strings.NewReader(b.String())); err != nil || m.Seq == 0 || m.Seq >= s.Events {
		t.Errorf("%+v, %v", m, err)
	}
	_, err = CheckExport(strings.NewReader(""))
	wantCode(t, err, Invalid, "it holds no event")
}

// TestShippingProves: an archive that was altered anywhere is not said to be whole,
// and is left as it is, by who ships and by who receives.
func TestShippingProves(t *testing.T) {
	ctx := context.Background()
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	sendIn(t, db, staff(day.Add(time.Hour)), ask("r1", "m1", inr.IPv4, "/24"))
	sendIn(t, db, staff(day.Add(time.Hour)), ask("r2", "m1", inr.IPv4, "/24"))
	name := filepath.Join(t.TempDir(), "archive")
	ship := func() error {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = db.ShipAudit(ctx, f)
		return err
	}
	if err := ship(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	altered := strings.Replace(string(whole), `"actor":"staff"`, `"actor":"nobody"`, 1) + `{"vers`
	if err := os.WriteFile(name, []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ship(), Conflict, "line 2: event 2")
	f, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = ReceiveAudit(f, strings.NewReader(""), func(Mark) error { return nil })
	wantCode(t, err, Conflict, "line 2: event 2")
	if now, err := os.ReadFile(name); err != nil || string(now) != altered {
		t.Errorf("the archive was touched: %v", err)
	}
	rest := whole[bytes.IndexByte(whole, '\n')+1:] // one that begins later
	if err := os.WriteFile(name, rest, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ship(); err != nil {
		t.Error(err)
	}
}
