package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
)

// TestPostgres: the same commands work on a registry in PostgreSQL.
func TestPostgres(t *testing.T) {
	source := peers.StartPostgres(t).Source
	if !isPostgres(source) {
		t.Fatalf("%s is no URL", source)
	}
	dir := t.TempDir()
	config := strings.Replace(fmt.Sprintf(worldConfig, thisAccount(t)), `signers = "signers"`, fmt.Sprintf("database = %q", source), 1)
	if err := os.WriteFile(filepath.Join(dir, "nirzone.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, want string
		code       int
	}{
		{"init", "made the registry in postgres", 0},
		{"init", "the registry in postgres", 0},
		{"init", "is there and fits this program", 0},
		{"nir create JPNIC --name Japan --economy JP --mntner MAINT-JPNIC --yes", "JPNIC", 0},
		{"window set JPNIC ipv4 /20 -m start --yes", "/20", 0},
		{"window history JPNIC ipv4", "create allocation window", 0},
		{"audit verify", "2 events", 0},
	} {
		out, errs, code := inProcess(dir, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("nirctl %s: exit %d, want %d and %q\n%s%s", c.line, code, c.code, c.want, out, errs)
		}
	}
}
