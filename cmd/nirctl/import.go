package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// maxImport bounds a file of statistics, in octets.
const maxImport = 256 << 20

func importCommand(a *app) *cobra.Command {
	noun := nounCommand("import", "Bring statistics and whois dumps into the registry")
	noun.AddCommand(importStatsCommand(a), importListCommand(a), importWhoisCommand(a))
	return noun
}

var importColumns = shown[nir.Import]{
	one: "import", many: "imports", none: "nirctl import stats delegated-apnic-latest",
	id:    func(i nir.Import) string { return i.ID },
	lines: map[string]func(nir.Import) []string{"what": func(i nir.Import) []string { return nir.CountLines(i.Counts) }},
	cols: []col[nir.Import]{
		{"file", false, func(i nir.Import) string { return i.File }},
		{"registry", false, func(i nir.Import) string { return i.Registry }},
		{"serial", false, func(i nir.Import) string { return i.Serial }},
		{"state", false, func(i nir.Import) string { return i.State }},
		{"made", false, func(i nir.Import) string { return stamp(i.Made) }},
		{">left out", false, func(i nir.Import) string { return strconv.Itoa(i.LeftOut) }},
		{"what", false, func(i nir.Import) string { return strings.Join(nir.CountLines(i.Counts), "; ") }},
		{"source", true, func(i nir.Import) string { return i.Source }},
		{"sha256", true, func(i nir.Import) string { return i.SHA256 }},
	},
}

func importListCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List what was imported", Args: arguments(cobra.NoArgs, "nirctl import list"), Example: "  nirctl import list"}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.lookAll(c, func(v *nir.View) error {
			list, err := v.Imports()
			if err != nil {
				return err
			}
			return showList(a, &importColumns, list)
		})
	}
	return a.listing(c)
}

func importStatsCommand(a *app) *cobra.Command {
	var nirs []string
	o := nir.ImportOptions{}
	c := &cobra.Command{
		Use: "stats FILE", Short: "Import delegated or delegated-extended statistics",
		Long: `Stats imports a file of statistics: the registry's own as delegations, with --source
another registry's as space that it manages. --economy-of says which NIR manages an
economy. All mistakes are told at once, and nothing is changed unless all is well
or --partial is said. The same file again changes nothing.

An import waits for a second person, unless nirzone.toml says otherwise: approve
it with nirctl approve, then give the same command again.`,
		Example: "  nirctl import stats delegated.txt --economy-of JP=JPNIC --dry-run\n  nirctl import stats delegated.txt --economy-of JP=JPNIC   # exit code 8: it waits for a second person",
		Args:    arguments(cobra.ExactArgs(1), "nirctl import stats delegated-apnic-latest --economy-of JP=JPNIC"),
	}
	f := c.Flags()
	f.StringArrayVar(&nirs, "economy-of", nil, "`ECONOMY=NIR`: what is delegated there is managed by the NIR; may be repeated")
	f.StringVar(&o.Source, "source", "", "the statistics are another registry's, `NAME` in claims")
	f.BoolVar(&o.Partial, "partial", false, "import what is right though some of the file is wrong")
	c.RunE = func(c *cobra.Command, args []string) error { return a.importStats(c, args[0], nirs, o) }
	return a.writing(c)
}

func (a *app) importStats(c *cobra.Command, file string, nirs []string, o nir.ImportOptions) error {
	data, err := a.read(c.Context(), file, maxImport)
	if err != nil {
		return fmt.Errorf("reading statistics: %w", err)
	}
	f, err := nir.ReadStatistics(file, bytes.NewReader(data))
	if err != nil {
		return refused(c, err)
	}
	o.NIRs = map[string]string{}
	for _, s := range nirs {
		economy, code, ok := strings.Cut(s, "=")
		if !ok {
			return shell.Usage(fmt.Errorf("--economy-of %s: not of the form ECONOMY=NIR", s), "--economy-of JP=JPNIC")
		}
		o.NIRs[strings.ToUpper(economy)] = strings.ToUpper(code)
	}
	var im nir.Import
	err = a.change(c, change{
		large: true,
		fn: func(x *nir.Tx) (err error) {
			im, err = x.Import(f, o)
			return err
		},
		show: func(v *nir.View) error {
			err := showOne(a, &importColumns, im, nil)
			if err == nil && im.State == nir.ImportDone {
				err = a.sayUndescribed(v)
			}
			return err
		},
	})
	if im.Mistakes != nil {
		a.Errorf("left out: %v", im.Mistakes)
	}
	if err == nil && !a.dryRun && im.State == nir.ImportPending {
		return &shell.Exit{Code: pending, Err: errors.New("the import waits for a second person"), Hint: fmt.Sprintf("nirctl approve %.12s; then the same command again", im.Proposal)}
	}
	return err
}

func importWhoisCommand(a *app) *cobra.Command {
	d := nir.Dump{}
	c := &cobra.Command{
		Use: "whois NIR FILE", Short: "Mirror the whois of an NIR from its RPSL dump", ValidArgsFunction: a.codes,
		Long: `Whois makes the mirrored objects of an NIR what its dump says: one cycle. A dump
that cannot be read wholly is refused wholly, with all its mistakes. Deletions
above the limits are held, and everything else of the dump is taken: the hint
says how to release them.`,
		Example: "  nirctl import whois JPNIC dump.rpsl",
		Args:    arguments(cobra.ExactArgs(2), "nirctl import whois JPNIC dump.rpsl"),
	}
	c.Flags().BoolVar(&d.Latin1, "latin1", false, "the text is ISO 8859-1")
	c.Flags().StringVar(&d.Serial, "serial", "", "what the NIR calls this state")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if d.Data, err = a.read(c.Context(), args[1], maxImport); err != nil {
			return fmt.Errorf("reading the dump: %w", err)
		}
		d.NIR, d.File = strings.ToUpper(args[0]), args[1]
		return a.mirror(c, d)
	}
	return a.writing(c)
}

func (a *app) mirror(c *cobra.Command, d nir.Dump) error {
	var m nir.WhoisMirror
	err := a.changeWith(c, func(o *opened) change {
		return change{
			large: true,
			fn: func(x *nir.Tx) (err error) {
				if d.Time.IsZero() {
					d.Time = x.Actor.At
				}
				m, err = x.MirrorWhois(d)
				return err
			},
			show: func(v *nir.View) error {
				if a.output.form != "table" {
					return showOne(a, &mirrorColumns, o.mirrorRow(v, m), nil)
				}
				a.mirrored("%s: %s; %d added, %d changed, %d deleted, %d refused\n", m.NIR, count(m.Objects, "object"), m.Added, m.Changed, m.Deleted, m.Refused)
				return nil
			},
		}
	})
	if err != nil || a.dryRun {
		return err
	}
	return heldError(&m, "the same command again")
}
