package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

var noticeColumns = shown[nir.Notice]{
	one: "notice", many: "notices",
	id:    func(n nir.Notice) string { return n.ID },
	below: func(n nir.Notice) string { return n.Text },
	cols: []col[nir.Notice]{
		{"to", false, func(n nir.Notice) string { return n.NIR }},
		{"severity", false, func(n nir.Notice) string { return n.Severity }},
		{"opened", false, func(n nir.Notice) string { return stamp(n.Opened) }},
		{"code", false, func(n nir.Notice) string { return n.Code }},
		{"subject", false, func(n nir.Notice) string { return n.Subject }},
		{"text", true, func(n nir.Notice) string { return n.Text }},
		{"origin", true, func(n nir.Notice) string { return n.Origin }},
		{"acked", true, func(n nir.Notice) string { return stamp(n.Acked) }},
		{"by", true, func(n nir.Notice) string { return n.AckedBy }},
		{"closed", true, func(n nir.Notice) string { return stamp(n.Closed) }},
		{"id", true, func(n nir.Notice) string { return n.ID }},
	},
}

func noticeLogCommand(a *app) *cobra.Command {
	var code, state, severity string
	c := &cobra.Command{
		Use: "log", Short: "List the notices that the registry keeps, with who has seen them",
		Long:    "Log shows what NIRs and the registry itself were told, by zonebuild and by the\nregistry: each is opened once, acknowledged, and closed when it no longer holds.",
		Example: "  nirctl notice log\n  nirctl notice log --nir JPNIC --state all -o wide",
		Args:    arguments(cobra.NoArgs, "nirctl notice log --nir JPNIC"),
	}
	a.scopeFlag(c, &code, "only what `NIR` was told")
	c.Flags().StringVar(&state, "state", nir.NoticesOpen, "only those in `STATE`: open, unacked, closed, all")
	c.Flags().StringVar(&severity, "severity", "", "only `SEVERITY` and worse: info, warning, error, alarm")
	a.completes(c, "state", nir.NoticesOpen, nir.NoticesUnacked, nir.NoticesClosed, nir.NoticesAll)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, code)
			if err != nil {
				return err
			}
			list, err := v.FindNotices(nir.NoticeFilter{NIRs: scope, State: state, Severity: severity})
			if err != nil {
				return err
			}
			slices.SortStableFunc(list, func(a, b nir.Notice) int { // identifiers say nothing to people
				return cmp.Or(b.Opened.Compare(a.Opened), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Code, b.Code))
			})
			return showList(a, &noticeColumns, list)
		})
	}
	return a.listing(c)
}

func noticeAckCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "ack NOTICE...", Short: "Note that you have seen notices", Args: arguments(cobra.MinimumNArgs(1), "nirctl notice ack $(nirctl notice log -o name)"),
		Example: "  nirctl notice ack $(nirctl notice log --nir JPNIC -o name)",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.change(c, change{fn: func(x *nir.Tx) error {
			var bad []error
			for _, id := range args {
				_, err := x.AckNotice(id)
				bad = append(bad, err)
			}
			return errors.Join(bad...)
		}})
	}
	return a.writing(c)
}

// maxNoticeFile bounds a file of zonebuild's notices, in octets.
const maxNoticeFile = 64 << 20

func noticeImportCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "import [FILE...]", Short: "Take what zonebuild told its sources into the registry",
		Long: `Import reads state/notices/SOURCE.json, all of them or those that are named, and
opens and closes the notices of the registry accordingly: each once. The same file
again changes nothing. Run it after zonebuild.`,
		Example: "  nirctl notice import", Args: arguments(cobra.ArbitraryArgs, "nirctl notice import"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		files, err := a.noticeFiles(c, args)
		if err != nil {
			return err
		}
		return a.change(c, change{fn: func(x *nir.Tx) error {
			_, err := x.ImportNotices(files, len(args) == 0)
			return err
		}})
	}
	return a.writing(c)
}

func (a *app) noticeFiles(c *cobra.Command, names []string) ([]*zone.NoticeFile, error) {
	if len(names) == 0 {
		cfg, err := shell.LoadConfig(a.config)
		if err != nil {
			return nil, err
		}
		if names, err = filepath.Glob(filepath.Join(cfg.State, "notices", "*.json")); err != nil {
			return nil, fmt.Errorf("finding notices: %w", err)
		}
		slices.Sort(names)
	}
	var files []*zone.NoticeFile
	var bad []error
	for _, name := range names {
		data, err := a.read(c.Context(), name, maxNoticeFile)
		if err == nil {
			var f *zone.NoticeFile
			f, err = zone.ParseNoticeFile(strings.TrimPrefix(name, "./"), data)
			files = append(files, f)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("reading notices: %w", err))
		}
	}
	if len(bad) > 0 {
		return nil, shell.Usage(errors.Join(bad...), "zonebuild writes the files anew; then: nirctl notice import")
	}
	return files, nil
}
