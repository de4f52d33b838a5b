package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
	"nirzone/nir/stats"
)

func statsCommand(a *app) *cobra.Command {
	noun := nounCommand("stats", "Statistics of the regional registries, compared")
	noun.Long = "Statistics are written by nirctl export stats and read by nirctl import stats."
	noun.AddCommand(statsDiffCommand(a))
	return noun
}

// A diffRow is a range of which two files say different things.
type diffRow struct {
	Range  inr.Range   `json:"range"`
	Change string      `json:"change"` // new, gone or changed
	Before *stats.Said `json:"before"`
	After  *stats.Said `json:"after"`
}

func diffRowOf(d stats.Difference) diffRow {
	r := diffRow{d.Range, "changed", d.Before, d.After}
	if d.Before == nil {
		r.Change = "new"
	}
	if d.After == nil {
		r.Change = "gone"
	}
	return r
}

var diffColumns = shown[diffRow]{
	one: "difference", many: "differences",
	id: func(d diffRow) string { return d.Range.String() },
	cols: []col[diffRow]{
		{"range", false, func(d diffRow) string { return d.Range.String() }},
		{"change", false, func(d diffRow) string { return d.Change }},
		{"before", false, func(d diffRow) string { return saidWords(d.Before) }},
		{"after", false, func(d diffRow) string { return saidWords(d.After) }},
	},
}

func saidWords(s *stats.Said) string {
	if s == nil {
		return "-"
	}
	economy, date := s.Economy, s.Date.String()
	if economy == "" {
		economy = "--"
	}
	if s.Date == 0 {
		date = ""
	}
	return strings.Join(strings.Fields(strings.Join([]string{economy, string(s.Status), date, s.Opaque}, " ")), " ")
}

func statsDiffCommand(a *app) *cobra.Command {
	holders := false
	c := &cobra.Command{
		Use: "diff FILE [FILE]", Short: "Compare two files of statistics, or a file with the registry",
		Long: `Diff compares what two files of statistics say of each number: of two days, of two
registries, delegated or delegated-extended. With one file, it is compared with what
the registry would export now, or as of --as-of. How a range is cut into records
makes no difference. It exits with 3 if there are differences.`,
		Example: "  nirctl stats diff delegated.txt delegated.txt\n  nirctl stats diff delegated.txt --sort range   # exit code 3: the registry has other resources",
		Args:    arguments(cobra.RangeArgs(1, 2), "nirctl stats diff delegated-apnic-20260301 delegated-apnic-20260302"),
	}
	c.Flags().BoolVar(&holders, "holders", false, "compare the opaque identifiers of holders too")
	c.RunE = func(c *cobra.Command, args []string) error {
		files := make([]*nir.Statistics, len(args))
		for i, name := range args {
			data, err := a.read(c.Context(), name, maxImport)
			if err != nil {
				return fmt.Errorf("reading statistics: %w", err)
			}
			if files[i], err = nir.ReadStatistics(name, bytes.NewReader(data)); err != nil {
				return refused(c, err)
			}
		}
		if len(files) == 2 { // no registry is needed
			if err := a.checkForm(); err != nil {
				return err
			}
			return refused(c, a.statsDiff(files[0], files[1], holders))
		}
		return a.look(c, func(_ *opened, v *nir.View) error {
			now, err := v.StatisticsNow("the registry")
			if err != nil {
				return err
			}
			return a.statsDiff(files[0], now, holders)
		})
	}
	return a.listing(c)
}

func (a *app) statsDiff(before, after *nir.Statistics, holders bool) error {
	list, err := nir.DiffStatistics(before, after, holders)
	if err != nil {
		return err
	}
	rows := make([]diffRow, len(list))
	for i, d := range list {
		rows[i] = diffRowOf(d)
	}
	if len(rows) == 0 {
		a.Errorf("%s and %s say the same", before.File, after.File)
		if a.output.form == "table" {
			return nil
		}
	}
	if err := showList(a, &diffColumns, rows); err != nil || len(rows) == 0 {
		return err
	}
	return &shell.Exit{Code: findings, Err: fmt.Errorf("%s from %s to %s", count(len(rows), "difference"), before.File, after.File)}
}
