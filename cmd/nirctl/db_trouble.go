package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// A trouble is what can be wrong with a database. In its words DATABASE stands for
// the file, FOLDER for its folder, REPLACE for [replaceWith] of a copy.
type trouble struct{ says, hint string }

// replaceWith is what to type for a copy of an SQLite database, as nirctl backup makes
// it, to take the place of the one that is there. What SQLite left beside that is of no
// other: it goes too. What went is kept, and nothing is written over.
func replaceWith(database, source string) string {
	old := shell.Quote(filepath.Join(filepath.Dir(database), "old"))
	file := shell.Quote(database)
	return fmt.Sprintf("mkdir %s && mv %s %s-* %s; cp -n %s %s", old, file, file, old, shell.Quote(source), file)
}

// otherForm is any trouble that a database has with what it is asked.
var otherForm = trouble{"DATABASE has another form than this program expects, or is damaged", "nirctl doctor -v has the database's own words; if it is damaged: nirctl restore --help"}

// sqliteTroubles are by SQLite's primary result codes (sqlite.org/rescode.html).
var sqliteTroubles = map[int]trouble{
	5:  {"another process has been writing to DATABASE for too long; nothing was changed", "try again; this shows who has it open: fuser -v DATABASE"},
	6:  {"another process has been writing to DATABASE for too long; nothing was changed", "try again; this shows who has it open: fuser -v DATABASE"},
	8:  {"DATABASE cannot be written", "run it as the user that owns it, on a file system that is not read-only: ls -l DATABASE; df FOLDER"},
	10: {"the disk of DATABASE is full, or fails; nothing was changed", "df -h FOLDER, and the system's log; then nirctl audit verify"},
	11: {"DATABASE is damaged", "with a copy by nirctl backup: REPLACE; with an export: nirctl restore --help"},
	13: {"there is no room for DATABASE; nothing was changed", "make room, then run it again: df -h FOLDER"},
	14: {"DATABASE cannot be opened: SQLite makes files beside it, even to read", "see whether files can be made there: ls -ld FOLDER; df FOLDER"},
	26: {"DATABASE is damaged, or no registry", "with a copy by nirctl backup: REPLACE; with an export: nirctl restore --help"},
}

var (
	unreachable = trouble{"the registry's database server cannot be reached, or lets nobody in", "the same without nirctl: psql DATABASE -c ''"}
	tooNew      = trouble{"", "install the program that wrote it, or a newer one"}
)

// troubleOf finds out what is wrong; false: nothing that is known of databases.
func troubleOf(err error) (trouble, bool) {
	var lite *sqlite.Error
	var connect *pgconn.ConnectError
	var postgres *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		if t, ok := sqliteTroubles[lite.Code()&0xff]; ok {
			return t, true
		}
		return otherForm, true
	case errors.As(err, &connect):
		return unreachable, true
	case errors.As(err, &postgres):
		return otherForm, true
	case strings.Contains(err.Error(), "the registry's schema is version"):
		return tooNew, true
	}
	return trouble{}, false
}

// troubled makes one line that a person understands of an error of the database, and
// says what to type. --verbose shows what the driver said.
func (a *app) troubled(cfg *zone.Config, err error) error {
	if err == nil || cfg == nil || nir.CodeOf(err) != "" {
		return err
	}
	t, ok := troubleOf(err)
	if !ok {
		return err
	}
	if a.verbose {
		a.Shell.Errorf("%v", err)
	}
	if before, _, found := strings.Cut(err.Error(), nir.ErrNoRoom.Error()); found {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("%s%w, and nothing was changed", before, nir.ErrNoRoom), Hint: makeRoom}
	}
	file := cfg.Nirctl.Database
	words := strings.NewReplacer("DATABASE", shell.Quote(file), "FOLDER", shell.Quote(filepath.Dir(file)), "REPLACE", replaceWith(file, "COPY"))
	if t.says != "" {
		err = errors.New(words.Replace(t.says))
	}
	return &shell.Exit{Code: 1, Err: err, Hint: words.Replace(t.hint)}
}
