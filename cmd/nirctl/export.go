package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/stats"
	"nirzone/zone/publish"
	"nirzone/zone/seal"
)

// An exporting is what the verbs of export have in common.
type exporting struct {
	out, key, passphrase string
	dryRun               bool
}

func exportCommand(a *app) *cobra.Command {
	e := &exporting{}
	c := &cobra.Command{
		Use: "export", Short: "Write the registry's folder for zonebuild, and zonelets for others",
		Long: `Export writes what the builders of zones read, into the folder that nirzone.toml
names as registry: claims, the NIRs in probation, the registry's own zonelet for
each parent zone, and manifest.json at last, so that a reader never sees half of
it. With --out DIR it writes DIR/registry instead, DIR/nir/CODE with what the
registry publishes inside the space of each NIR, and DIR/owed/REGISTRY with the
zonelets that it owes others; --as-of needs that, as no zone is built of the past.
What did not change has the same bytes.`,
		Example: "  nirctl export --dry-run\n  nirctl export\n  nirctl export --out exported",
		Args:    arguments(cobra.NoArgs, "nirctl export"),
	}
	a.exportFlags(c, e)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.output.asOf != "" && e.out == "" {
			return shell.Usage(errors.New("--as-of needs --out DIR: zones are built of what the registry says now"), "nirctl export --as-of "+shell.Quote(a.output.asOf)+" --out exported")
		}
		return a.export(c, e, func(o *opened, v *nir.View, s nir.Signer) ([]madeFile, error) {
			if a.output.asOf != "" && sameFolder(filepath.Join(e.out, "registry"), o.cfg.Registry) {
				return nil, shell.Usage(fmt.Errorf("--as-of with --out %s: zones are built of %s", e.out, o.cfg.Registry), "--out exported")
			}
			return e.zones(o, v, s)
		})
	}
	c.AddCommand(exportStatsCommand(a), exportWhoisCommand(a))
	c.AddCommand(exportSecurityCommand(a))
	return c
}

func (a *app) exportFlags(c *cobra.Command, e *exporting) {
	f := c.Flags()
	f.StringVar(&e.out, "out", "", "write into `FOLDER`")
	f.StringVar(&e.key, "key", "", "sign with the OpenPGP secret key in `FILE`: writes .asc too")
	f.StringVar(&e.passphrase, "passphrase-file", "", "`FILE` with the key's passphrase")
	f.BoolVar(&e.dryRun, "dry-run", false, "name the files, write none")
	f.StringVar(&a.output.asOf, "as-of", "", "export the registry as it was at `TIME`")
	f.StringVar(&a.as, "as", "", "act as `ACCOUNT`: for an admin only")
}

// export writes the files that make returns, in their order.
func (a *app) export(c *cobra.Command, e *exporting, make func(*opened, *nir.View, nir.Signer) ([]madeFile, error)) error {
	signer, err := (&maker{app: a, key: e.key, passphrase: e.passphrase}).signer(c.Context())
	if err != nil {
		return err
	}
	var files []madeFile
	err = a.look(c, func(o *opened, v *nir.View) (err error) {
		if !o.actor.Has(seesAll...) {
			return o.mine("")
		}
		files, err = make(o, v, signerOrNil(signer))
		return err
	})
	if err != nil {
		return err
	}
	if !e.dryRun {
		if err := writeAll(c, files); err != nil {
			return err
		}
	}
	for _, f := range files {
		fmt.Fprintln(a.Stdout, f.path)
	}
	return nil
}

// sameFolder reports whether two names are of one folder, that is there or not.
func sameFolder(a, b string) bool {
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	if errA != nil || errB != nil || absA == absB {
		return true // when in doubt nothing is written over
	}
	infoA, errA := os.Stat(absA)
	infoB, errB := os.Stat(absB)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// signerOrNil keeps no key from becoming a signer that is there.
func signerOrNil(k *seal.Key) nir.Signer {
	if k == nil {
		return nil
	}
	return k
}

// writeAll writes the files, one writer at a time in a folder, and takes away what
// one that was killed left there.
func writeAll(c *cobra.Command, files []madeFile) error {
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	slices.Sort(dirs) // two that write never wait for each other
	for _, dir := range slices.Compact(dirs) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
		release, err := lockFolder(c.Context(), dir)
		if err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
		defer release()
		if _, err := publish.SweepTemp(publish.OS, dir); err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
	}
	return replace(c.Context(), publish.OS, files)
}

// lockFolder waits until nobody else writes into a folder. A process that is gone
// holds nothing.
func lockFolder(ctx context.Context, dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
		}
		if err := wait(ctx, lockPause); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
}

// lockPause is between two looks whether another writer is done.
const lockPause = 20 * time.Millisecond

func filesIn(dir string, list []nir.ExportFile) []madeFile {
	var files []madeFile
	for _, f := range list {
		files = append(files, madeFile{path: filepath.Join(dir, f.Name), data: f.Data})
	}
	return files
}

func (e *exporting) zones(o *opened, v *nir.View, s nir.Signer) ([]madeFile, error) {
	x, err := v.Export(nir.ExportOptions{Zones: o.cfg.Zones(), Signer: s})
	if err != nil {
		return nil, err
	}
	if e.out == "" {
		return filesIn(o.cfg.Registry, x.Registry), nil
	}
	files := filesIn(filepath.Join(e.out, "registry"), x.Registry)
	for _, code := range slices.Sorted(maps.Keys(x.NIRs)) {
		files = append(files, filesIn(filepath.Join(e.out, "nir", code), x.NIRs[code])...)
	}
	for _, code := range slices.Sorted(maps.Keys(x.Owed)) {
		files = append(files, filesIn(filepath.Join(e.out, "owed", code), x.Owed[code])...)
	}
	return files, nil
}

func exportStatsCommand(a *app) *cobra.Command {
	e := &exporting{}
	extended, latest := false, false
	c := &cobra.Command{
		Use: "stats", Short: "Write delegated statistics, with .md5 and .asc",
		Long:    "Stats writes the statistics of the registry in the exchange format of the regional\nregistries: delegated, or delegated-extended with --extended.",
		Example: "  nirctl export stats --out stats --latest\n  nirctl export stats --out stats --extended --as-of 2026-03-20 --dry-run",
		Args:    arguments(cobra.NoArgs, "nirctl export stats --out stats"),
	}
	a.exportFlags(c, e)
	c.Flags().BoolVar(&extended, "extended", false, "the extended form: with what is available and reserved, and opaque identifiers")
	c.Flags().BoolVar(&latest, "latest", false, "name the file delegated-RIR-latest instead of after the day")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.export(c, e, func(o *opened, v *nir.View, s nir.Signer) ([]madeFile, error) {
			q := nir.StatisticsOptions{Day: o.actor.At, Latest: latest, Signer: s}
			if at, err := a.asOf(); err != nil || !at.IsZero() {
				q.Day = at
			}
			if extended {
				q.Form = stats.Extended
			}
			list, err := v.Statistics(q)
			return filesIn(e.out, list), err
		})
	}
	return c
}

func exportWhoisCommand(a *app) *cobra.Command {
	e := &exporting{}
	source := ""
	c := &cobra.Command{
		Use: "whois", Short: "Write whois objects as RPSL, a file for each type", Args: arguments(cobra.NoArgs, "nirctl export whois --out whois"),
		Example: "  nirctl export whois --out whois\n  nirctl export whois --out whois --source JPNIC",
	}
	a.exportFlags(c, e)
	c.Flags().StringVar(&source, "source", "", "objects of `SOURCE` (default: the registry's own)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if e.out == "" {
			return shell.Usage(errors.New("where to?"), "nirctl export whois --out whois")
		}
		return a.export(c, e, func(_ *opened, v *nir.View, _ nir.Signer) ([]madeFile, error) {
			if source == "" {
				source = v.Rules.Source
			}
			files, err := e.whois(v, source)
			if err == nil && len(files) == 0 {
				a.Errorf("there are no whois objects of source %s: nothing is written", source)
			}
			return files, err
		})
	}
	return c
}

func (e *exporting) whois(v *nir.View, source string) ([]madeFile, error) {
	list, err := v.WhoisFiles(source)
	if err != nil {
		return nil, err
	}
	var files []madeFile
	for _, f := range list {
		var b bytes.Buffer
		if _, err := f.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("exporting %s: %w", f.Name, err)
		}
		files = append(files, madeFile{path: filepath.Join(e.out, f.Name), data: b.Bytes()})
	}
	return files, nil
}
