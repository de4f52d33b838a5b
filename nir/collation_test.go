package nir

import (
	"context"
	"database/sql"
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
		case !c.good && (err == nil || !strings.Contains(err.Error(), "TEMPLATE template0")):
			t.Errorf("%s: %v", name, err)
		case err == nil:
			_ = r.Close()
		}
		_ = db.Close()
	}
}
