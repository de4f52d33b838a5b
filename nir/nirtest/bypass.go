package nirtest

import (
	"context"
	"strings"
	"testing"

	"nirzone/nir"
	"nirzone/nir/inr"
)

// unique: what there may be once, the database refuses twice.
func unique(t *testing.T, s Storage) {
	source := s.New(t)
	populate(t, s.Open(t, source))
	db := s.Connect(t, source)
	for _, c := range []struct {
		table  string
		change map[string]any
		good   map[string]any // that makes another of it
	}{
		{"nir", map[string]any{"source": "KRNIC"}, map[string]any{"source": "KRNIC", "code": "KRNIC"}},
		{"nir", map[string]any{"code": "KRNIC"}, map[string]any{"source": "KRNIC", "code": "KRNIC"}},
		{"allocation_window", nil, map[string]any{"kind": "ipv6"}},
		{"membership", map[string]any{"serves": int64(0)}, map[string]any{"serves": int64(0), "uid": "other"}},
		{"membership", map[string]any{"uid": "other"}, map[string]any{"uid": "other", "member": "mem_other"}},
		{"request", nil, map[string]any{"ref": "other"}},
	} {
		id := map[string]any{"id": "forged"}
		for k, v := range c.change {
			id[k] = v
		}
		if err := forge(t, db, c.table, "until IS NULL", id); err == nil {
			t.Errorf("%s: a second row with %v was taken", c.table, id)
		}
		c.good["id"] = "forged"
		if err := forge(t, db, c.table, "until IS NULL", c.good); err != nil {
			t.Errorf("%s: another row with %v was refused: %v", c.table, c.good, err)
		}
	}
}

// overlap: whatever the code may do, the database refuses two delegations of one
// level that overlap, two pools, two free blocks.
func overlap(t *testing.T, s Storage) {
	source := s.New(t)
	populate(t, s.Open(t, source))
	db := s.Connect(t, source)
	num := func(address string) []byte {
		_, n, err := inr.ParseNumber(address)
		if err != nil {
			t.Fatal(err)
		}
		b := n.Bytes()
		return b[:]
	}
	update(t, s.Open(t, source), admin(day.AddDate(0, 0, 1)), func(x *nir.Tx) error {
		_, err := x.Submit(ask("r3", "m3", "/20"))
		return err
	})
	row := read(t, db, "SELECT level, first, last FROM delegation WHERE level = 'nir-member' ORDER BY first DESC LIMIT 1")
	first, last := inr.FromBytes([16]byte(row["first"].([]byte))), inr.FromBytes([16]byte(row["last"].([]byte)))
	bytes := func(n inr.Num) []byte { b := n.Bytes(); return b[:] }
	for _, c := range []struct {
		name        string
		first, last []byte
		good        bool
	}{
		{"the same", bytes(first), bytes(last), false},
		{"its first number", bytes(first), bytes(first), false},
		{"its last number", bytes(last), bytes(last), false},
		{"inside", bytes(first.Next()), bytes(last.Prev()), false},
		{"around", bytes(first.Prev()), bytes(last.Next()), false},
		{"over its beginning", bytes(first.Prev()), bytes(first), false},
		{"over its end", bytes(last), bytes(last.Next()), false},
		{"behind it", bytes(last.Next()), bytes(last.Next()), true},
		{"upside down", num("1.15.255.1"), num("1.15.255.0"), false},
	} {
		change := map[string]any{"id": "forged", "first": c.first, "last": c.last}
		if err := forge(t, db, "delegation", "level = 'nir-member' AND until IS NULL", change); (err == nil) != c.good {
			t.Errorf("delegation %s: %v", c.name, err)
		}
	}
	for _, table := range []string{"pool", "free_block"} {
		row := read(t, db, "SELECT first, last FROM "+table+" WHERE until IS NULL ORDER BY first DESC LIMIT 1")
		first, last := inr.FromBytes([16]byte(row["first"].([]byte))), inr.FromBytes([16]byte(row["last"].([]byte)))
		for name, c := range map[string][2]inr.Num{"inside": {first.Next(), last}, "around": {first.Prev(), last.Next()}, "over its end": {last, last.Next()}} {
			if err := forge(t, db, table, "until IS NULL", map[string]any{"id": "forged", "first": bytes(c[0]), "last": bytes(c[1])}); err == nil {
				t.Errorf("%s %s was taken", table, name)
			}
		}
		if err := forge(t, db, table, "until IS NULL", map[string]any{"id": "forged", "first": num("9.0.0.0"), "last": num("9.0.0.255")}); err != nil {
			t.Errorf("%s elsewhere was refused: %v", table, err)
		}
	}
}

// appendOnly: the audit grows at its end, and nothing else happens to it.
func appendOnly(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	db := s.Connect(t, source)
	queries := []string{
		"UPDATE audit SET actor = 'nobody' WHERE seq = 2",
		"UPDATE audit SET seq = 9 WHERE seq = 4",
		"DELETE FROM audit WHERE seq = 4",
		"DELETE FROM audit",
	}
	if s.Dialect == nir.Postgres {
		queries = append(queries, "TRUNCATE audit", "TRUNCATE audit CASCADE")
	} else {
		queries = append(queries, "INSERT OR REPLACE INTO audit SELECT seq, at, 'nobody', act, entry, hash FROM audit WHERE seq = 2", "UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2")
	}
	for _, q := range queries {
		if err := attempt(t, db, q); err == nil {
			t.Errorf("%s: the database let it be", q)
		}
	}
	for seq, good := range map[int64]bool{0: false, 1: false, 4: false, 5: true, 6: false, 100: false} {
		if err := forge(t, db, "audit", "seq = 4", map[string]any{"seq": seq}); (err == nil) != good {
			t.Errorf("event %d behind event 4: %v", seq, err)
		}
	}
	if verified(t, registry) != 4 {
		t.Error("something was left")
	}
}

// tampering: who can drop the triggers still cannot alter what was, or is, without
// being found out.
func tampering(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	db := s.Connect(t, source)
	do(t, db, "CREATE TABLE saved AS SELECT * FROM audit", "CREATE TABLE saved_nir AS SELECT * FROM nir")
	again := []string{"DELETE FROM audit", "INSERT INTO audit SELECT * FROM saved", "DELETE FROM nir", "INSERT INTO nir SELECT * FROM saved_nir"}
	for _, c := range []struct{ do, want string }{
		{"UPDATE audit SET entry = replace(entry, 'admin', 'nimda') WHERE seq = 1", "event 1"},
		{"UPDATE audit SET entry = replace(entry, 'staff', 'ffats') WHERE seq = 4", "event 4"},
		{"UPDATE audit SET hash = (SELECT hash FROM saved WHERE seq = 1) WHERE seq = 2", "event 2"},
		{"DELETE FROM audit WHERE seq = 1", "missing"},
		{"DELETE FROM audit WHERE seq = 3", "missing"},
		{"DELETE FROM audit WHERE seq = 4", "cut off"},
		{"DELETE FROM audit", "cut off"},
		{"UPDATE nir SET name = 'Nippon'", "not as the audit has it"},
		{"DELETE FROM nir", "missing"},
		{"UPDATE nir SET until = 4", "missing"},
		{"UPDATE nir SET since = 2", "not as the audit has it"},
		{"INSERT INTO nir SELECT 'nir_x', since, until, 'XXNIC', name, economy, 'XXNIC', mntner, option, port43, rdap, email, state FROM saved_nir", "knows nothing"},
	} {
		rearm := disarm(t, s, db)
		do(t, db, c.do)
		if _, err := registry.VerifyAudit(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.do, err)
		}
		do(t, db, again...)
		do(t, db, rearm...)
		verified(t, registry)
	}
}

// altered: a version that stands may be ended, and that is all.
func altered(t *testing.T, s Storage) {
	source := s.New(t)
	registry := s.Open(t, source)
	populate(t, registry)
	db := s.Connect(t, source)
	for _, q := range []string{
		"UPDATE delegation SET last = first",
		"UPDATE delegation SET first = last",
		"UPDATE delegation SET level = 'rir-member' WHERE level = 'nir-member'",
		"UPDATE free_block SET last = first WHERE until IS NULL",
		"UPDATE free_block SET until = NULL WHERE until IS NOT NULL",
		"UPDATE free_block SET until = 99 WHERE until IS NOT NULL",
		"UPDATE pool SET last = first",
		"UPDATE delegation SET until = 99, last = first",
		"UPDATE free_block SET until = 99, first = last WHERE until IS NULL",
		"UPDATE pool SET until = 99, kind = 'asn'",
	} {
		if err := attempt(t, db, q); err == nil {
			t.Errorf("%s: the database let it be", q)
		}
	}
	if err := attempt(t, db, "UPDATE delegation SET until = 99 WHERE until IS NULL"); err != nil {
		t.Errorf("ending delegations: %v", err)
	}
}
