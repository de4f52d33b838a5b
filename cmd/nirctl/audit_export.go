package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// withRegistry is a command on the whole registry: for those who may see or
// manage all of it.
func (a *app) withRegistry(c *cobra.Command, roles []nir.Role, fn func(*opened) error) error {
	o, err := a.open(c.Context())
	if err != nil {
		return err
	}
	defer o.close()
	if !o.actor.Has(roles...) {
		return &shell.Exit{Code: forbidden, Err: fmt.Errorf("%s may not: it needs the role %s", o.actor.Name, joined(roles, " "))}
	}
	return refused(c, fn(o))
}

var (
	seesAll = []nir.Role{nir.Auditor, nir.Admin, nir.RegistryStaff}
	isAdmin = []nir.Role{nir.Admin}
)

func auditExportCommand(a *app) *cobra.Command {
	var after int64
	var hash string
	c := &cobra.Command{
		Use: "export", Short: "Write the audit, for another host to verify and keep",
		Long: `Export writes every event as a line of JSON with the chain's hash after it, to
standard output: whoever has the lines can prove them without this registry, and
nirctl restore makes the registry of them, in any database. --after and --hash
continue what was written before.`,
		Args: arguments(cobra.NoArgs, "nirctl audit export > audit.jsonl"), Example: "  nirctl audit export > audit.jsonl",
	}
	c.Flags().Int64Var(&after, "after", 0, "only events after `NUMBER`")
	c.Flags().StringVar(&hash, "hash", "", "the `HASH` of that event, as it was written before")
	c.RunE = func(c *cobra.Command, _ []string) error {
		a.moves = true
		return a.withRegistry(c, seesAll, func(o *opened) error {
			m, err := o.ExportAudit(c.Context(), a.Stdout, nir.Mark{Seq: after, Hash: hash})
			if err == nil {
				a.Errorf("up to event %d, hash %s", m.Seq, m.Hash)
			}
			return err
		})
	}
	return c
}

func auditShipCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ship [FILE]", Short: "Append what is new of the audit to an archive",
		Long: `Ship appends to the archive that nirzone.toml names, or to FILE, the events that it
does not have: best on another disk, or mounted from another host. Where
archive_command is set, it takes them to another host by that command, such as ssh,
which runs nirctl audit receive there; what that host has confirmed is noted, and
one that has less later is told of (exit code 3). Run it from cron. It refuses an
archive of another registry.`,
		Args: arguments(cobra.MaximumNArgs(1), "nirctl audit ship archive.jsonl"), Example: "  nirctl audit ship archive.jsonl",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withRegistry(c, seesAll, func(o *opened) error { return a.ship(c, o, args) })
		},
	}
}

func (a *app) ship(c *cobra.Command, o *opened, args []string) (err error) {
	file := o.cfg.Nirctl.Archive
	if len(args) > 0 {
		file = args[0]
	} else if argv := o.cfg.Nirctl.ArchiveCommand; len(argv) > 0 {
		return a.shipBy(c.Context(), o, argv)
	}
	if file == "" {
		return shell.Usage(errors.New("which archive?"), "nirctl audit ship FILE, or archive = \"FILE\" in section [nirctl] of "+o.cfg.File)
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	m, err := o.ShipAudit(c.Context(), f)
	if err == nil {
		a.Errorf("%s has the audit up to event %d, hash %s", file, m.Seq, m.Hash)
	}
	return err
}

func auditCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Prove an export or an archive, without the registry",
		Long: "Check proves that the lines of a file are one chain without gaps, and prints the\nlast event and its hash: compare it with what nirctl audit verify prints. It\nneeds neither configuration nor database, and exits with 3 if the proof fails.",
		Args: arguments(cobra.ExactArgs(1), "nirctl audit check archive.jsonl"), Example: "  nirctl audit check audit.jsonl",
		RunE: func(_ *cobra.Command, args []string) error {
			return a.auditCheck(args[0])
		},
	}
}

// auditCheck proves a file that was exported or shipped.
func (a *app) auditCheck(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("opening the export: %w", err)
	}
	defer f.Close()
	m, err := nir.CheckExport(f)
	if err != nil {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s: %w", file, err)}
	}
	fmt.Fprintf(a.Stdout, "%s\nhash %s\n", count(int(m.Seq), "event"), m.Hash)
	return nil
}

func backupCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Copy the database while it is in use",
		Long: "Backup writes a copy of one state of an SQLite database to a file that is not there\nyet. For PostgreSQL there is pg_dump, and for both nirctl audit export.",
		Args: arguments(cobra.ExactArgs(1), "nirctl backup registry-2026-11-21.db"), Example: "  nirctl backup registry-2026-11-21.db",
		RunE: func(c *cobra.Command, args []string) error {
			a.moves = true
			return a.withRegistry(c, isAdmin, func(o *opened) error {
				err := o.Backup(c.Context(), args[0])
				if err == nil {
					a.Errorf("wrote %s", args[0])
				}
				if dir := filepath.Dir(args[0]); errors.Is(err, fs.ErrNotExist) && !there(dir) {
					return &shell.Exit{Code: 1, Err: fmt.Errorf("there is no folder %s to write to", dir), Hint: "mkdir -p " + shell.Quote(dir)}
				}
				return err
			})
		},
	}
}

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func restoreCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Make the registry that an export of the audit tells of",
		Long: `Restore reads what nirctl audit export wrote, - is standard input, and makes the
registry that it tells of. The registry has to be new (nirctl init), or the
beginning of the same chain: then only what is new is added, so that a second
registry can follow the first. All of it is done, or nothing.

Where the database is damaged, it makes way first; what it was is kept:
  mkdir old && mv registry.db registry.db-* old
  nirctl init
  nirctl restore audit.jsonl
A copy that nirctl backup made is no export: it takes the place of the database,
cp in place of the last two lines. Then nirctl audit verify.`,
		Args: arguments(cobra.ExactArgs(1), "nirctl restore audit.jsonl"), Example: "  nirctl restore audit.jsonl",
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.refuseCopy(args[0]); err != nil {
				return err
			}
			return a.withRegistry(c, isAdmin, func(o *opened) error { return a.restore(c, o, args[0]) })
		},
	}
}

// The first octets of copies of databases: SQLite's (sqlite.org/fileformat.html,
// section 1.3), and of pg_dump -Fc.
const (
	sqliteHead   = "SQLite format 3\x00"
	postgresHead = "PGDMP"
)

// refuseCopy refuses a copy of a database that was taken for an export, before the
// registry is opened: it may be one that the copy is to replace.
func (a *app) refuseCopy(file string) error {
	f, err := os.Open(file)
	if err != nil || file == "-" {
		return nil //nolint:nilerr // restore says it, or reads standard input
	}
	defer f.Close()
	head := make([]byte, len(sqliteHead))
	_, _ = io.ReadFull(f, head) // what is shorter is no database
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		return err
	}
	if hint := copyHint(cfg.Nirctl.Database, file, string(head)); hint != "" {
		return shell.Usage(fmt.Errorf("%s is a copy of a database, no export of the audit; nothing was changed", file), hint)
	}
	return nil
}

// copyHint is how a copy of a database, by its first octets, takes the place of the one
// that is configured; "" if it is none.
func copyHint(database, file, head string) string {
	switch {
	case strings.HasPrefix(head, postgresHead) && isPostgres(database):
		return "into an empty database: pg_restore -d " + shell.Quote(database) + " " + shell.Quote(file)
	case strings.HasPrefix(head, postgresHead):
		return "pg_restore it into PostgreSQL; from there: nirctl audit export > audit.jsonl"
	case head != sqliteHead:
		return ""
	case isPostgres(database):
		return "with database = " + shell.Quote(file) + " in a configuration of its own: nirctl --config FILE audit export > audit.jsonl"
	}
	return replaceWith(database, file)
}

func (a *app) restore(c *cobra.Command, o *opened, file string) error {
	r := listen(c.Context(), os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return &shell.Exit{Code: notFound, Err: err, Hint: "ls -l " + shell.Quote(filepath.Dir(file))}
		}
		if err != nil {
			return fmt.Errorf("opening the export: %w", err)
		}
		defer f.Close()
		r = f
	}
	m, err := o.Restore(c.Context(), r)
	if err != nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("%s: %w", file, err), Hint: "nirctl audit check " + shell.Quote(file) + " proves an export; nothing was changed"}
	}
	a.Errorf("the registry is as of event %d, hash %s", m.Seq, m.Hash)
	return nil
}
