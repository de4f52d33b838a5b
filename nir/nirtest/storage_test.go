package nirtest

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"nirzone/fixtures/peers"
	"nirzone/nir"
)

var sqlite = Storage{nir.SQLite, "sqlite", func(t testing.TB) string {
	return nir.SQLiteSource(filepath.Join(t.TempDir(), "registry.db"))
}, stride}

// stride: under the race detector fewer processes are cut off.
var stride = 8 / peers.Rounds(8)

// postgres starts a server for a test; each database is another one on it.
func postgres(t testing.TB) Storage {
	t.Helper()
	server := peers.StartPostgres(t)
	var n atomic.Int64
	return Storage{nir.Postgres, "pgx", func(t testing.TB) string {
		return server.CreateDatabase(t, fmt.Sprint("registry", n.Add(1)))
	}, stride}
}

func TestConformance(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { Conformance(t, sqlite) })
	t.Run("postgres", func(t *testing.T) { Conformance(t, postgres(t)) })
}
