package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func initCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Make a new, empty registry",
		Long: `Init makes the database that section [nirctl] of the configuration names: a file
that only you can read, in a folder that is made if need be. In PostgreSQL it
fills an empty database. A registry that is there already is left as it is;
its schema is brought up to this program.

It needs no role: who may make the file is its owner.`,
		Example: "  nirctl init\n  nirctl doctor",
		Args:    arguments(cobra.NoArgs, "nirctl init"),
		RunE:    func(c *cobra.Command, _ []string) error { return a.init(c) },
	}
}

func (a *app) init(c *cobra.Command) error {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		return err
	}
	file, made := cfg.Nirctl.Database, false
	a.cfg = cfg
	if isPostgres(file) {
		made, err = emptyPostgres(c.Context(), file)
	} else {
		made, err = makeDatabaseFile(file)
	}
	if err != nil {
		return fmt.Errorf("making the registry: %w", err)
	}
	o, err := openDatabase(c.Context(), cfg, nir.Actor{}, nir.Options{Schema: nir.Make}) // who approves is no matter of the database
	if err != nil {
		return err
	}
	o.close()
	switch {
	case made && isPostgres(file):
		a.Errorf("made the registry in %s, which was empty", file)
	case made:
		a.Errorf("made %s", file)
	default:
		a.Errorf("the registry in %s is there and fits this program", file)
	}
	if len(cfg.Nirctl.Users) == 0 {
		a.Errorf("nobody has a role yet: nirctl doctor says what to write")
	}
	return nil
}

// emptyPostgres reports whether a database has no table yet.
func emptyPostgres(ctx context.Context, source string) (empty bool, err error) {
	db, err := sql.Open("pgx", source)
	if err != nil {
		return false, err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	err = db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT FROM information_schema.tables WHERE table_schema = current_schema())").Scan(&empty)
	return empty, err
}

// makeDatabaseFile makes an empty file for the owner alone before anything opens
// it: the database's other files get its mode. After a crash here it is an
// empty file, which the next init fills.
func makeDatabaseFile(file string) (made bool, err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return false, err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(file)
		return err == nil && info.Size() == 0, err
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}
