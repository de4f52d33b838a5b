package nir

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// busyWorld is a registry in which everything of this package has happened.
func busyWorld(t *testing.T, db *DB) {
	t.Helper()
	approvingIn(t, db)
	for i := range 3 {
		sendIn(t, db, staff(day), ask(fmt.Sprint("r", i), fmt.Sprint("m", i%2), inr.IPv4, "/24"))
	}
	for _, state := range []string{Evaluating, InfoRequested, HeldRequest, Refused, Withdrawn, ClosedRequest} {
		requestIn(t, db, state, "in-"+state)
	}
	releaseOne(t, db)
}

func export(t testing.TB, db *DB, after Mark) ([]byte, Mark) {
	t.Helper()
	var b bytes.Buffer
	m, err := db.ExportAudit(context.Background(), &b, after)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

// rows are all versions of all objects as text.
func rows(t testing.TB, db *DB) string {
	t.Helper()
	var b strings.Builder
	for _, name := range kindNames() {
		all, err := db.sql.Query("SELECT * FROM " + name + " ORDER BY id, since")
		if err != nil {
			t.Fatal(err)
		}
		cols, err := all.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for all.Next() {
			values := make([]any, len(cols))
			for i := range values {
				values[i] = new(sql.RawBytes)
			}
			if err := all.Scan(values...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s", name)
			for i, v := range values {
				fmt.Fprintf(&b, " %s=%x", cols[i], []byte(*v.(*sql.RawBytes)))
			}
			b.WriteString("\n")
		}
		if err := errors.Join(all.Err(), all.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func verify(t testing.TB, db *DB) AuditState {
	t.Helper()
	s, err := db.VerifyAudit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestP7_RestoreIsTheRegistry: the exported audit, read into an empty registry of
// either database, gives every version of every object and the same chain; read
// again it adds nothing; and what comes later can be added.
func TestP7_RestoreIsTheRegistry(t *testing.T) {
	from := openSQLite(t, filepath.Join(t.TempDir(), "from.db"))
	busyWorld(t, from)
	lines, mark := export(t, from, Mark{})
	if m, err := VerifyExport(bytes.NewReader(lines), Mark{}, nil); err != nil || m != mark {
		t.Fatalf("%v, %v", m, err)
	}
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		if m, err := db.Restore(ctx, bytes.NewReader(lines)); err != nil || m != mark {
			t.Fatalf("%v, want %v: %v", m, mark, err)
		}
		if a, b := verify(t, from), verify(t, db); a != b {
			t.Errorf("%+v, then %+v", a, b)
		}
		if db.dialect == SQLite && rows(t, from) != rows(t, db) {
			t.Error("the versions differ")
		}
		if m, err := db.Restore(ctx, bytes.NewReader(lines)); err != nil || m != mark {
			t.Errorf("again: %v, %v", m, err)
		}
		if _, err := db.Restore(ctx, strings.NewReader("")); err != nil {
			t.Errorf("nothing: %v", err)
		}
		if again, _ := export(t, db, Mark{}); !bytes.Equal(again, lines) {
			t.Error("the export of what was restored is another")
		}
	})
	follower := openSQLite(t, filepath.Join(t.TempDir(), "follower.db"))
	for range 2 {
		more, m := export(t, from, Mark{})
		if got, err := follower.Restore(context.Background(), bytes.NewReader(more)); err != nil || got != m {
			t.Fatalf("%v, want %v: %v", got, m, err)
		}
		sendIn(t, from, staff(day.Add(90*time.Hour)), ask("later", "m1", inr.IPv4, "/24"))
	}
	_, m := export(t, follower, Mark{})
	more, _ := export(t, from, m)
	if _, err := follower.Restore(context.Background(), bytes.NewReader(more)); err != nil {
		t.Fatal(err)
	}
	if rows(t, from) != rows(t, follower) {
		t.Error("the follower differs")
	}
	if state := verify(t, from); state.Events <= mark.Seq {
		t.Error("nothing followed")
	}
}

// TestRestoreRefuses: what does not fit changes nothing.
func TestRestoreRefuses(t *testing.T) {
	ctx := context.Background()
	from := approving(t)
	sendIn(t, from, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	lines, mark := export(t, from, Mark{})
	all := strings.SplitAfter(string(lines), "\n")
	other := openSQLite(t, filepath.Join(t.TempDir(), "other.db"))
	update(t, other, admin(day), func(x *Tx) error {
		_, err := x.PutNIR(NIR{Code: "KRNIC", Name: "Korea", Economy: "KR", Source: "KRNIC", Mntner: "MNT", Option: 1})
		return err
	})
	before := rows(t, other)
	if _, err := other.Restore(ctx, bytes.NewReader(lines)); CodeOf(err) != Conflict || rows(t, other) != before {
		t.Errorf("another registry's audit: %v", err)
	}
	for name, text := range map[string]string{
		"gap":      strings.Join(all[1:], ""),
		"altered":  strings.Replace(string(lines), `"JPNIC"`, `"XPNIC"`, 1),
		"no JSON":  "hello\n",
		"cut":      string(lines[:len(lines)-10]),
		"newer":    strings.Replace(string(lines), `{"version":1,"hash"`, `{"version":2,"hash"`, 1),
		"bad hash": strings.Replace(string(lines), `"hash":"`, `"hash":"zz`, 1),
	} {
		empty := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
		if _, err := empty.Restore(ctx, strings.NewReader(text)); err == nil {
			t.Errorf("%s: restored", name)
		}
		if s := verify(t, empty); s.Events != 0 || rows(t, empty) != "" {
			t.Errorf("%s: %d events are there", name, s.Events)
		}
	}
	if _, err := from.ExportAudit(ctx, new(bytes.Buffer), Mark{mark.Seq, strings.Repeat("0", 64)}); CodeOf(err) != Conflict {
		t.Errorf("after a mark of another chain: %v", err)
	}
}

// TestTamper: a row that was altered, one that was added, one that is gone, an
// audit row that was altered and a tail that was cut off are each found.
func TestTamper(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		want       string
	}{
		"row altered":   {[]string{"UPDATE member SET name = 'X'"}, "it is not as the audit has it"},
		"row added":     {[]string{"INSERT INTO membership SELECT 'mbs_x', since, until, member, nir, 'other', 0, began, ended FROM membership LIMIT 1"}, "the audit knows nothing of it"},
		"row gone":      {[]string{"DELETE FROM delegation"}, "objects of the audit are missing"},
		"row ended":     {[]string{"UPDATE request SET until = 99"}, "objects of the audit are missing"},
		"past altered":  {[]string{"DROP TRIGGER free_block_altered", "UPDATE free_block SET member = 'x' WHERE until IS NOT NULL"}, "is not as the audit has it"},
		"past end":      {[]string{"DROP TRIGGER free_block_altered", "UPDATE free_block SET until = until + 1 WHERE until IS NOT NULL"}, "is not as the audit has it"},
		"past gone":     {[]string{"DELETE FROM free_block WHERE until IS NOT NULL"}, "versions of the past that the audit has are missing"},
		"past added":    {[]string{"INSERT INTO membership SELECT 'mbs_x', since, 99, member, nir, 'other', 0, began, ended FROM membership LIMIT 1"}, "the audit knows nothing of its version of event"},
		"entry altered": {[]string{"DROP TRIGGER audit_no_update", `UPDATE audit SET entry = replace(entry, '"actor":"staff"', '"actor":"other"') WHERE seq = 2`}, "event 2 of 2026-03-04T09:00:00Z: its hash does not fit"},
		"hash altered":  {[]string{"DROP TRIGGER audit_no_update", "UPDATE audit SET hash = x'00' WHERE seq = 1"}, "event 1 of"},
		"tail cut off":  {[]string{"DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)"}, "events were cut off"},
		"gap":           {[]string{"DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = 1"}, "events are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			db := approving(t)
			sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
			for _, s := range c.statements {
				if _, err := db.sql.Exec(s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.VerifyAudit(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestTamperTogether: who alters rows, audit and head consistently is found by
// whoever kept a mark elsewhere.
func TestTamperTogether(t *testing.T) {
	db := approving(t)
	_, kept := export(t, db, Mark{})
	sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	forged := openSQLite(t, filepath.Join(t.TempDir(), "forged.db"))
	world(t, forged)
	sendIn(t, forged, staff(day), ask("r2", "m2", inr.IPv4, "/24"))
	verify(t, forged)
	if _, err := forged.ExportAudit(context.Background(), new(bytes.Buffer), Mark{kept.Seq, "00"}); CodeOf(err) != Conflict {
		t.Errorf("%v", err)
	}
	lines, _ := export(t, db, kept)
	if _, err := VerifyExport(bytes.NewReader(lines), Mark{kept.Seq, strings.Repeat("0", 64)}, nil); err == nil {
		t.Error("another mark is continued")
	}
}

// TestR_SEC_7_Shipping: the archive on another host grows by what is new, survives
// a line that was cut short, and refuses another registry.
func TestR_SEC_7_Shipping(t *testing.T) {
	ctx := context.Background()
	db := approving(t)
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "audit.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ship := func() Mark {
		m, err := db.ShipAudit(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := ship()
	if again := ship(); again != first {
		t.Errorf("%v, then %v", first, again)
	}
	sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	if _, err := f.WriteString(`{"version":1,"hash":"abc`); err != nil { // a crash in the middle of a line
		t.Fatal(err)
	}
	last := ship()
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := export(t, db, Mark{}); !bytes.Equal(data, want) {
		t.Errorf("the archive has %d octets, the audit %d", len(data), len(want))
	}
	if m, err := VerifyExport(bytes.NewReader(data), Mark{}, nil); err != nil || m != last || last.Seq != first.Seq+1 {
		t.Errorf("%v, want %v: %v", m, last, err)
	}
	other := openSQLite(t, filepath.Join(t.TempDir(), "other.db"))
	world(t, other)
	if _, err := other.ShipAudit(ctx, f); CodeOf(err) != Conflict {
		t.Errorf("another registry ships to the archive: %v", err)
	}
	if after, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(after, data) {
		t.Errorf("the archive was changed: %v", err)
	}
	if err := db.CheckMark(ctx, last); err != nil {
		t.Errorf("its own mark: %v", err)
	}
	if err := other.CheckMark(ctx, last); CodeOf(err) != Conflict {
		t.Errorf("the mark of another registry: %v", err)
	}
	if _, err := db.sql.Exec("ALTER TABLE audit RENAME COLUMN hash TO gone"); err != nil {
		t.Fatal(err)
	}
	if err := db.CheckMark(ctx, last); err == nil || CodeOf(err) == Conflict {
		t.Errorf("a database that fails: %v", err)
	}
}

// TestR_SEC_7_WrongArchive: a file of something else that is named by mistake stays
// as it is, also if it has no whole line; the beginning of a first line is taken off.
func TestR_SEC_7_WrongArchive(t *testing.T) {
	db := approving(t)
	for text, archive := range map[string]bool{
		"": true, "{": true, `{"version":1,"hash":"ab`: true,
		"a": false, "my only line": false, `{"version":1}`: false, "one\ntwo": false, strings.Repeat("x", 1<<17): false,
	} {
		for verb, do := range map[string]func(*os.File) error{
			"ship": func(f *os.File) error { _, err := db.ShipAudit(context.Background(), f); return err },
			"receive": func(f *os.File) error {
				_, err := ReceiveAudit(f, strings.NewReader(""), func(Mark) error { return nil })
				return err
			},
		} {
			name := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(name, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			err = do(f)
			_ = f.Close()
			left, rerr := os.ReadFile(name)
			if rerr != nil || (err == nil) != archive || !archive && string(left) != text {
				t.Errorf("%s of %.40q: %v, and %d octets are left", verb, text, err, len(left))
			}
		}
	}
}

// TestR_SEC_7_AuditSaysWho: every row of the audit has date, user, act and what was
// changed, and the database refuses to alter or delete one.
func TestR_SEC_7_AuditSaysWho(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		approvingIn(t, db)
		sendIn(t, db, staff(day.Add(time.Hour)), ask("r1", "m1", inr.IPv4, "/24"))
		view(t, db, func(v *View) error {
			return v.Events(0, func(entry, _ []byte) error {
				e, err := decodeEvent(entry)
				if err == nil && (e.At.IsZero() || e.Actor == "" || e.Act == "" || len(e.Changes) == 0 || len(e.Roles) == 0) {
					t.Errorf("%s", entry)
				}
				return err
			})
		})
		for _, s := range []string{"UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE seq = 1", "INSERT INTO audit SELECT 99, at, actor, act, entry, hash FROM audit WHERE seq = 1"} {
			if _, err := db.sql.Exec(s); err == nil || !strings.Contains(err.Error(), "the audit") {
				t.Errorf("%s: %v", s, err)
			}
		}
		verify(t, db)
	})
}

// TestBackupInUse: a copy that is made while others write is one state of the
// registry, and can be opened and written.
func TestBackupInUse(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := approving(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wrote := make(chan int, 1<<16)
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				ref := fmt.Sprint("w", w, "-", i)
				err := db.Update(ctx, staff(day), func(x *Tx) error { _, err := x.Submit(ask(ref, ref, inr.ASN, "1")); return err })
				if err != nil {
					t.Error(err)
					return
				}
				wrote <- 1
			}
		})
	}
	for i := range 3 {
		<-wrote // there is always one that was written since
		file := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		if err := os.WriteFile(file+".part", []byte("of a backup that was killed"), 0o600); err != nil {
			t.Error(err)
		}
		var lines bytes.Buffer
		if err := db.Backup(ctx, file); err != nil {
			t.Error(err)
		}
		mark, err := db.ExportAudit(ctx, &lines, Mark{})
		if err != nil {
			t.Error(err)
		}
		if m, err := VerifyExport(&lines, Mark{}, nil); m != mark || err != nil {
			t.Errorf("%v, want %v: %v", m, mark, err)
		}
	}
	close(stop)
	wg.Wait()
	last := verify(t, db)
	for i := range 3 {
		file := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", s, err)
		}
		copied := openSQLite(t, file)
		if s := verify(t, copied); s.Events < 2 || s.Events > last.Events {
			t.Errorf("the copy has %d events of %d", s.Events, last.Events)
		}
		copied.o.Random = rand.NewChaCha8([32]byte{9})
		sendIn(t, copied, staff(day), ask("in-the-copy", "m1", inr.IPv4, "/24"))
		verify(t, copied)
	}
	if err := db.Backup(ctx, filepath.Join(dir, "copy0.db")); CodeOf(err) != Conflict {
		t.Errorf("over another copy: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestBackupOfPostgres: a database that is not a file is not copied as one, and
// the refusal says what to do.
func TestBackupOfPostgres(t *testing.T) {
	err := (&DB{dialect: Postgres}).Backup(context.Background(), filepath.Join(t.TempDir(), "copy"))
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "pg_dump") || !strings.Contains(e.Hint(), "nirctl audit export") {
		t.Errorf("%v", err)
	}
}

// TestR_SEC_7_Entitlements: what an NIR or a direct member is entitled to is what
// is delegated to it, and every growth and shrinking is told once, with its event.
func TestR_SEC_7_Entitlements(t *testing.T) {
	db := approving(t)
	sendIn(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/24"))
	direct := ask("d1", "m9", inr.IPv4, "/24")
	direct.NIR = ""
	r := sendIn(t, db, admin(day), direct)
	update(t, db, admin(day), func(x *Tx) error { // a delegation that is altered, not moved
		list, err := x.Holdings(r.Member, inr.IPv4)
		if err != nil {
			return err
		}
		list[0].Economy = "AU"
		x.act("test.change")
		return delegations.put(x, &list[0])
	})
	update(t, db, admin(day), func(x *Tx) error { // all of it moves from one NIR to another
		list, err := delegations.find(x.View, "nir = 'JPNIC' AND level = 'rir-nir'")
		if err != nil {
			return err
		}
		list[0].NIR = "KRNIC"
		x.act("test.move")
		return delegations.put(x, &list[0])
	})
	view(t, db, func(v *View) error {
		var got []string
		err := v.EntitlementChanges(0, func(c EntitlementChange) error {
			who := c.NIR
			if c.Member != "" {
				who = "member"
			}
			got = append(got, fmt.Sprint(c.Code, " ", who, " ", c.Set))
			return nil
		})
		jp, direct := fmt.Sprint(mustRange(t, v, "KRNIC")), fmt.Sprint(mustRange(t, v, ""))
		want := []string{"entitlement.grown JPNIC " + jp, "entitlement.grown member " + direct, "entitlement.shrunk JPNIC " + jp, "entitlement.grown KRNIC " + jp}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if set, err := v.Entitlements("JPNIC"); err != nil || !set.IsEmpty() {
			t.Errorf("%v, %v", set, err)
		}
		if set, err := v.EntitlementsOf(r.Member); err != nil || set.String() != direct {
			t.Errorf("%v, %v", set, err)
		}
		return err
	})
}

func mustRange(t *testing.T, v *View, nir string) inr.Set {
	t.Helper()
	s, err := v.Entitlements(nir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzVerifyExport: no line makes it fail other than by an error, and what it
// accepts is a chain.
func FuzzVerifyExport(f *testing.F) {
	entry, err := json.Marshal(Event{Version: 1, Seq: 1, At: day, Actor: "a", Act: "b", Changes: []Change{}})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeLine(&b, entry, chain(nil, entry)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":1,"hash":"00","entry":null}`))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := int64(0)
		m, err := VerifyExport(bytes.NewReader(data), Mark{}, func(e *Event, _, _ []byte) error { n++; return nil })
		if m.Seq != n || err == nil && n > int64(bytes.Count(data, []byte("\n")))+1 {
			t.Errorf("mark %v after %d events, %v", m, n, err)
		}
	})
}

// A counted archive counts how often it was put on the disk.
type counted struct {
	*os.File
	synced int
}

func (c *counted) Sync() error {
	c.synced++
	return c.File.Sync()
}

// TestR_SEC_7_OnTheDisk: what is confirmed is on the disk of the archive, shipped or
// received.
func TestR_SEC_7_OnTheDisk(t *testing.T) {
	db := approving(t)
	lines, last := export(t, db, Mark{})
	for name, do := range map[string]func(*counted) (Mark, error){
		"ship": func(f *counted) (Mark, error) { return db.ShipAudit(context.Background(), f) },
		"receive": func(f *counted) (Mark, error) {
			return ReceiveAudit(f, bytes.NewReader(lines), func(Mark) error { return nil })
		},
	} {
		f, err := os.Create(filepath.Join(t.TempDir(), "archive"))
		if err != nil {
			t.Fatal(err)
		}
		c := &counted{File: f}
		if got, err := do(c); err != nil || got != last || c.synced == 0 {
			t.Errorf("%s: %v, %v, want %v, put on the disk %d times", name, got, err, last, c.synced)
		}
		_ = f.Close()
	}
}
