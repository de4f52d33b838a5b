package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

func feeCommand(a *app) *cobra.Command {
	noun := nounCommand("fee", "Per-address fees of NIRs, tiers of direct members")
	noun.AddCommand(feeReportCommand(a), feeTierCommand(a))
	return noun
}

// A feeRow is the part of one kind of an NIR's report.
type feeRow struct {
	NIR  string `json:"nir"`
	Year int    `json:"year"`
	nir.FeeKind
}

var feeColumns = shown[feeRow]{
	one: "fee", many: "fees", none: "nirctl nir list",
	id: func(f feeRow) string { return f.NIR + " " + f.Kind.String() },
	cols: []col[feeRow]{
		{"nir", false, func(f feeRow) string { return f.NIR }},
		{">year", false, func(f feeRow) string { return strconv.Itoa(f.Year) }},
		{"kind", false, func(f feeRow) string { return f.Kind.String() }},
		{"unit", false, func(f feeRow) string { return f.Unit }},
		{">renewed", false, func(f feeRow) string { return strconv.FormatInt(f.Renewed, 10) }},
		{">added", false, func(f feeRow) string { return strconv.FormatInt(f.Added, 10) }},
		{">exempt", false, func(f feeRow) string { return strconv.FormatInt(f.Exempt, 10) }},
		{">charged", false, func(f feeRow) string { return strconv.FormatInt(f.Charged, 10) }},
		{">next", false, func(f feeRow) string { return strconv.FormatInt(f.Next, 10) }},
		{">fee", false, func(f feeRow) string { return f.Fee }},
	},
}

func feeReportCommand(a *app) *cobra.Command {
	year := 0
	c := &cobra.Command{
		Use: "report [NIR]", Short: "Report what counts for the per-address fee of a fee year", ValidArgsFunction: a.codes,
		Long:    "Report is computed from the delegations and their history: what was transferred in\nis exempt until the next renewal (APNIC-103, section 4.1).",
		Example: "  nirctl fee report --year 2026\n  nirctl fee report JPNIC --year 2026 -o csv",
		Args:    arguments(cobra.MaximumNArgs(1), "nirctl fee report JPNIC --year 2026"),
	}
	c.Flags().IntVar(&year, "year", 0, "fee `YEAR` (default: the present one)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			flag := ""
			if len(args) > 0 {
				flag = args[0]
			}
			if year == 0 {
				year = o.actor.At.Year()
			}
			list, err := o.fees(v, flag, year)
			if err != nil {
				return err
			}
			return showList(a, &feeColumns, list)
		})
	}
	return a.listing(c)
}

func (o *opened) fees(v *nir.View, flag string, year int) ([]feeRow, error) {
	scope, err := o.scope(v, flag)
	var list []feeRow
	for _, n := range scope {
		if n == "" || err != nil {
			continue
		}
		var r nir.FeeReport
		r, err = v.Fee(n, year)
		for _, k := range r.Kinds {
			list = append(list, feeRow{n, year, k})
		}
	}
	return list, err
}

var tierColumns = shown[nir.Assessment]{
	one: "tier", many: "tiers",
	id: func(t nir.Assessment) string { return t.Member },
	cols: []col[nir.Assessment]{
		{"name", false, func(t nir.Assessment) string { return t.Name }},
		{"tier", false, func(t nir.Assessment) string { return t.Tier }},
		{"renewed", false, func(t nir.Assessment) string { return stamp(t.Renewed) }},
		{"next tier", false, func(t nir.Assessment) string { return t.NextTier }},
		{"next", false, func(t nir.Assessment) string { return stamp(t.Next) }},
		{"ipv4", false, func(t nir.Assessment) string { return t.IPv4 }},
		{"ipv6", false, func(t nir.Assessment) string { return t.IPv6 }},
		{"transferred", true, func(t nir.Assessment) string { return t.Transferred.String() }},
	},
}

func feeTierCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "tier MEMBER", Short: "Show the membership tier of a direct member, now and at its next renewal",
		Args: arguments(cobra.ExactArgs(1), "nirctl fee tier APNIC/D1"), Example: "  nirctl fee tier APNIC/D1",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			m, err := o.memberToShow(v, args[0])
			if err != nil {
				return err
			}
			t, err := v.Assess(m.ID, o.actor.At)
			if err != nil {
				return err
			}
			return showOne(a, &tierColumns, t, nil)
		})
	}
	return a.reading(c)
}
