package nir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database, of one state of it, to a file that is not
// there yet; the registry stays in use. Only SQLite is copied so: for PostgreSQL
// there is pg_dump, and for both [DB.ExportAudit] with [DB.Restore], which needs
// no program of the database's.
//
// The copy is made under another name and renamed when it is on the disk: a crash
// leaves no file of the name, at worst one that ends in .part.
func (n *DB) Backup(ctx context.Context, file string) error {
	if n.dialect != SQLite {
		return refuse(Invalid, "a database of PostgreSQL is not copied as a file").
			remedy("pg_dump -Fc, or nirctl audit export, which nirctl restore reads into any database")
	}
	if _, err := os.Lstat(file); err == nil {
		return refuse(Conflict, "%s is there already", file).remedy("nirctl backup FILE, of a new name")
	}
	part := file + ".part"
	if err := makePart(part); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	if _, err := n.sql.ExecContext(ctx, "VACUUM INTO $1", part); err != nil {
		return errors.Join(fmt.Errorf("backing up to %s: %w", file, explain(err)), ignoreAbsent(os.Remove(part)))
	}
	if err := settleFile(part, file); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	return nil
}

// makePart makes the file that SQLite fills: so a folder that is not there, or is
// others', is told by its name, and nobody else may ever read what is in it.
func makePart(part string) error {
	if err := ignoreAbsent(os.Remove(part)); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// settleFile gives a file its name once its bytes are on the disk: SQLite does not
// wait for them (VACUUM INTO).
func settleFile(part, file string) error {
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	return syncPath(filepath.Dir(file))
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
