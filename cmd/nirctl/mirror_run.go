package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

func mirrorRunCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "run [NIR...]", Short: "Mirror the whois of NIRs from what zonefetch brought", ValidArgsFunction: a.codes,
		Long: `Run makes the mirrored objects of each NIR whose [[source]] names a whois
database, or of those named, what the newest verified version of it in the spool
says. Run it from cron behind zonefetch. What is there already is not read again.
A dump that cannot be read wholly is refused wholly; deletions above the limits
are held (exit code 9), and everything else is taken. Notices tell of mirrors that
are late. nirctl mirror list shows how far each is behind; --json gives what it
shows of those that were mirrored now.`,
		Example: "  nirctl mirror run --yes   # exit code 2: no [[source]] here names a whois database",
		Args:    arguments(cobra.ArbitraryArgs, "nirctl mirror run --yes"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.checkWriting(c); err != nil {
			return err
		}
		return a.withRegistry(c, []nir.Role{nir.RegistryStaff, nir.Admin}, func(o *opened) error { return a.mirrorAll(c.Context(), o, args) })
	}
	return a.writing(c)
}

// mirrorAll mirrors one NIR after the other: what is wrong with one keeps no other
// from being mirrored. Who agreed to nothing gets nothing, no notice either.
func (a *app) mirrorAll(ctx context.Context, o *opened, only []string) error {
	sources, err := whoisSources(o.cfg, only)
	if err != nil {
		return err
	}
	m, err := a.fetched(ctx, o.cfg)
	if err != nil {
		return err
	}
	rows, worst := a.mirrorEach(ctx, o, sources, m)
	if ctx.Err() == nil && !a.dryRun && (a.yes || a.made) {
		worst = errors.Join(worst, o.Update(ctx, o.actor, func(x *nir.Tx) error { return x.CheckMirrors() }))
	}
	if !a.dryRun && a.output.form != "table" && (len(rows) > 0 || worst == nil) {
		worst = errors.Join(worst, showList(a, &mirrorColumns, rows))
	}
	if ctx.Err() != nil {
		return errCancelled
	}
	return worst
}

// mirrorEach returns the mirrors of the sources as they are then, and the first of
// what went wrong. After Ctrl-C it begins with no other.
func (a *app) mirrorEach(ctx context.Context, o *opened, sources []*zone.Source, m *zone.Manifest) (rows []mirrorRow, worst error) {
	for _, s := range sources {
		if ctx.Err() != nil {
			return rows, worst
		}
		row, err := a.mirrorOne(ctx, o, s, m.Dump(s.Name))
		if row.NIR != "" {
			rows = append(rows, row)
		}
		if err != nil && len(sources) > 1 && ctx.Err() == nil {
			a.Shell.Errorf("warning: %v", err)
		}
		if worst == nil {
			worst = err
		}
	}
	return rows, worst
}

func whoisSources(cfg *zone.Config, only []string) ([]*zone.Source, error) {
	var list []*zone.Source
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if s.Whois != "" && (len(only) == 0 || slices.ContainsFunc(only, func(n string) bool { return strings.EqualFold(n, s.Name) })) {
			list = append(list, s)
		}
	}
	if len(list) == 0 || len(only) > len(list) {
		return nil, shell.Usage(fmt.Errorf("no [[source]] of %s of that name has whois", cfg.File), `whois = "ftp://HOST/PATH/FILE" in the [[source]] of the NIR`)
	}
	return list, nil
}

// mirrorOne mirrors one NIR, if there is anything new, and returns its mirror; the
// zero row if it could not, or was not to.
func (a *app) mirrorOne(ctx context.Context, o *opened, s *zone.Source, d *zone.DumpEntry) (row mirrorRow, err error) {
	if d == nil || d.Accepted == nil {
		why := "zonefetch never tried it"
		if d != nil {
			why = d.Last.Reason
		}
		return row, &shell.Exit{Code: findings, Err: fmt.Errorf("nothing of the whois of %s was ever accepted: %s", s.Name, why), Hint: "zonefetch --source " + s.Name}
	}
	dump := dumpFrom(s, d.Accepted)
	var last nir.WhoisMirror
	err = o.View(ctx, func(v *nir.View) (err error) {
		last, err = v.Mirror(s.Name)
		row = o.mirrorRow(v, last)
		return err
	})
	if err != nil && nir.CodeOf(err) != nir.NotFound {
		return mirrorRow{}, err
	}
	if last.Digest == dump.Digest && !dump.Time.Truncate(time.Microsecond).After(last.Dumped) && last.Released == "" {
		a.Errorf("%s: nothing new; the state of %s, %s ago", s.Name, stamp(last.Dumped), rough(last.Lag(o.actor.At)))
		return row, heldError(&last, "nirctl mirror run "+s.Name)
	}
	return a.mirrorDump(ctx, o, s, dump)
}

// mirrorDump takes what zonefetch brought.
func (a *app) mirrorDump(ctx context.Context, o *opened, s *zone.Source, dump nir.Dump) (row mirrorRow, err error) {
	if dump.Data, err = shell.Archive(o.cfg)(dump.Digest); err != nil {
		return row, fmt.Errorf("reading the dump of %s, which zonefetch may have replaced just now: %w", s.Name, err)
	}
	var m nir.WhoisMirror
	err = a.changeIn(ctx, o, change{
		large: true,
		fn: func(x *nir.Tx) (err error) {
			m, err = x.MirrorWhois(dump)
			row = o.mirrorRow(x.View, m)
			return err
		},
	})
	if err != nil || a.dryRun {
		return mirrorRow{}, err
	}
	a.mirrored("%s: %s; %d added, %d changed, %d deleted, %d refused; the state of %s, %s ago\n", m.NIR, count(m.Objects, "object"), m.Added, m.Changed, m.Deleted, m.Refused, stamp(m.Dumped), rough(m.Lag(o.actor.At)))
	return row, heldError(&m, "nirctl mirror run "+s.Name)
}

// mirrored says what a cycle did, where nothing else says it.
func (a *app) mirrored(format string, args ...any) {
	if a.output.form == "table" && !a.quiet {
		fmt.Fprintf(a.Stdout, format, args...)
	}
}

// dumpFrom is a version that zonefetch verified, without its bytes. The state is of
// the day on which it was signed, or was first seen here.
func dumpFrom(s *zone.Source, v *zone.Accepted) nir.Dump {
	d := nir.Dump{NIR: s.Name, File: v.File, Digest: v.SHA256, Signer: v.Signer, Time: v.SignedAt, Latin1: s.WhoisLatin1}
	if d.Time.IsZero() {
		d.Time = v.FirstSeen
	}
	return d
}

// heldError says that deletions are held, and how to release them.
func heldError(m *nir.WhoisMirror, again string) error {
	if m.Held == 0 {
		return nil
	}
	return &shell.Exit{
		Code: unsafe, Err: fmt.Errorf("%s of %s held", count(m.Held, "deletion"), m.NIR),
		Hint: fmt.Sprintf("nirctl whois release %s %s --removes %d; then: %s", m.NIR, m.Hash, m.Held, again),
	}
}

// rough is a time in its largest unit.
func rough(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}
