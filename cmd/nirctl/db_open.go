package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers: no other package opens a database
	_ "modernc.org/sqlite"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/sshsig"
	"nirzone/zone"
)

// An opened is the registry, opened for one command, and who sits at it.
type opened struct {
	*nir.DB
	sql   *sql.DB
	cfg   *zone.Config
	actor nir.Actor
}

// close ends the use of the registry.
func (o *opened) close() {
	_ = o.DB.Close()
	_ = o.sql.Close() // what was committed is on the disk
}

// open opens the registry that the configuration names, for the user of the
// command.
func (a *app) open(ctx context.Context) (*opened, error) {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		return nil, err
	}
	now, err := a.Now(a.nowFlag)
	if err != nil {
		return nil, err
	}
	actor, err := a.actor(cfg, now)
	if err != nil {
		return nil, err
	}
	if a.verbose {
		a.Shell.Errorf("configuration %s, registry %s, as %s at %s", cfg.File, cfg.Nirctl.Database, describeActor(actor), now.Format(time.RFC3339))
	}
	a.who = actor
	a.cfg = cfg
	if !isPostgres(cfg.Nirctl.Database) {
		if info, err := os.Stat(cfg.Nirctl.Database); err == nil && info.Size() == 0 {
			return nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("there is no registry: %s is empty", cfg.Nirctl.Database), Hint: "nirctl init, or restore a backup: nirctl restore --help"}
		}
	}
	signers, err := signersOf(cfg)
	if err != nil {
		return nil, err
	}
	o := nir.Options{Signers: signers, Schema: nir.Raise, ServerClock: a.nowFlag == ""}
	db, err := openDatabase(ctx, cfg, actor, o)
	if a.moves && errors.Is(err, nir.ErrCollation) {
		o.Schema = nir.Leave // what it has may be read, to be moved
		return openDatabase(ctx, cfg, actor, o)
	}
	return db, err
}

// askDoctor is the hint where nothing is known that is nearer.
const askDoctor = "nirctl doctor"

// openDatabase opens the registry. The options lack what every program gives; without
// signers nothing can be approved, and all else works.
func openDatabase(ctx context.Context, cfg *zone.Config, actor nir.Actor, o nir.Options) (*opened, error) {
	driver, source, dialect := "pgx", cfg.Nirctl.Database, nir.Postgres
	if !isPostgres(source) {
		if err := checkDatabaseFile(source); err != nil {
			return nil, err
		}
		driver, source, dialect = "sqlite", nir.SQLiteSource(source), nir.SQLite
	}
	rules, err := rulesOf(cfg)
	if err != nil {
		return nil, err
	}
	o.Random, o.Rules = rand.Reader, rules
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, fmt.Errorf("opening the registry: %w", err)
	}
	registry, err := nir.Open(ctx, db, dialect, o)
	if err != nil {
		_ = db.Close()
		hint := askDoctor
		var r *nir.Error
		switch {
		case errors.As(err, &r) && r.Remedy != "":
			hint = r.Remedy
		case errors.Is(err, nir.ErrNoRoom):
			hint = makeRoom
		}
		return nil, &shell.Exit{Code: cmp.Or(exitOf[nir.CodeOf(err)], 1), Err: err, Hint: hint}
	}
	return &opened{registry, db, cfg, actor}, nil
}

func isPostgres(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}

// checkDatabaseFile refuses a database that is not there, and one that others may
// read or put another in the place of: it holds what is not public.
func checkDatabaseFile(file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &shell.Exit{Code: notFound, Err: fmt.Errorf("there is no registry: %s is not there", file), Hint: "nirctl init"}
	case errors.Is(err, fs.ErrPermission):
		return &shell.Exit{Code: forbidden, Err: err, Hint: "run it as the user that owns " + filepath.Dir(file)}
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return shell.Usage(fmt.Errorf("%s is no file", file), "set database in section [nirctl] of nirzone.toml")
	case info.Mode().Perm()&0o077 != 0:
		return &shell.Exit{Code: forbidden, Err: fmt.Errorf("%s may be used by others (mode %04o)", file, info.Mode().Perm()), Hint: "chmod 600 " + shell.Quote(file)}
	}
	return checkDatabaseFolder(filepath.Dir(file))
}

func checkDatabaseFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("looking at the registry's folder: %w", err)
	}
	if p := info.Mode(); p.Perm()&0o022 != 0 && p&fs.ModeSticky == 0 {
		return &shell.Exit{Code: forbidden, Err: fmt.Errorf("others may replace files in %s (mode %04o)", dir, p.Perm()), Hint: "chmod go-w " + shell.Quote(dir)}
	}
	return nil
}

// rulesOf are the numbers of the policy that the configuration has.
func rulesOf(cfg *zone.Config) (nir.Rules, error) {
	c := &cfg.Nirctl
	r := nir.DefaultRules()
	r.RIR, r.Source, r.Mntner = cfg.RIR, c.Source, c.Mntner
	r.AllocationDays, r.ResponseDays = c.AllocationDays, c.ResponseDays
	r.SplitDays, r.QuarantineDays = c.SplitDays, c.QuarantineDays
	r.Holidays, r.Local, r.ConfirmImports = c.Holidays, localOf(c), c.ConfirmImports
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return r, shell.Usage(fmt.Errorf("nirctl.timezone: %w", err), `timezone = "UTC"`)
	}
	r.Zone = zone
	return r, nil
}

// maxSigners bounds the list of signers, in octets.
const maxSigners = 1 << 20

// signersOf are the people whose signatures approve; nil if the configuration
// names no list.
func signersOf(cfg *zone.Config) (nir.Verifier, error) {
	if cfg.Nirctl.Signers == "" {
		return nil, nil
	}
	list, err := readSigners(cfg)
	return sshsig.Roles[nir.Role]{Signers: list}, err
}

func readSigners(cfg *zone.Config) (*sshsig.Signers, error) {
	file := cfg.Nirctl.Signers
	data, err := shell.ReadFile(file, maxSigners)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, shell.Usage(fmt.Errorf("there is no list of signers: %s, which %s names, is not there", file, cfg.File), signerLine+" >> "+shell.Quote(file))
	}
	if err != nil {
		return nil, shell.Usage(fmt.Errorf("reading the list of signers: %w", err), "ls -l "+shell.Quote(file))
	}
	list, err := sshsig.ParseSigners(file, data)
	if err == nil {
		err = list.Unknown(namespaces())
	}
	if err != nil {
		return nil, shell.Usage(err, "a line as it should be: "+signerLine)
	}
	return list, nil
}

// signerLine writes the line of whoever types it.
const signerLine = `echo "$(id -un) namespaces=\"approver@nirzone\" $(cat ~/.ssh/id_ed25519.pub)"`

// namespaces are those of the signatures that anybody of nirzone asks for: one for each
// role, and that of what zonebuild holds, whose list may be the same.
func namespaces() []string {
	list := []string{sshsig.Namespace("accept")}
	for _, r := range []nir.Role{nir.NIRStaff, nir.RegistryStaff, nir.Approver, nir.Auditor, nir.Admin} {
		list = append(list, namespaceOf(r))
	}
	return list
}

// localOf are the rules that NIRs ask beyond the policy.
func localOf(c *zone.NirctlConfig) []nir.LocalRule {
	var list []nir.LocalRule
	for _, l := range c.Local {
		list = append(list, nir.LocalRule{NIR: l.NIR, Kind: l.Kind, Type: l.Type, Smallest: nir.Size(l.Smallest), Largest: nir.Size(l.Largest), Required: l.Required})
	}
	return list
}
