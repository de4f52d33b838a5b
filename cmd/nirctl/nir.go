package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

func nirCommand(a *app) *cobra.Command {
	noun := nounCommand("nir", "National Internet registries")
	noun.AddCommand(nirListCommand(a), nirViewCommand(a), nirCreateCommand(a), nirEditCommand(a),
		nirOnboardCommand(a), nirKeyCommand(a), nirActivateCommand(a), nirOffboardCommand(a), nirOptionCommand(a),
		a.historyCommand("history CODE", "  nirctl nir history JPNIC", func(_ *opened, v *nir.View, args []string) (string, string, error) {
			n, err := findNIR(v, args[0])
			return "nir", n.ID, err
		}, cobra.ExactArgs(1)))
	return noun
}

var nirColumns = shown[nir.NIR]{
	one: "nir", many: "nirs", none: "nirctl nir onboard",
	id: func(n nir.NIR) string { return n.Code },
	cols: []col[nir.NIR]{
		{"code", false, func(n nir.NIR) string { return n.Code }},
		{"economy", false, func(n nir.NIR) string { return n.Economy }},
		{"state", false, func(n nir.NIR) string { return n.State }},
		{">option", false, func(n nir.NIR) string { return strconv.Itoa(n.Option) }},
		{"source", false, func(n nir.NIR) string { return n.Source }},
		{"mntner", false, func(n nir.NIR) string { return n.Mntner }},
		{"name", false, func(n nir.NIR) string { return n.Name }},
		{"email", true, func(n nir.NIR) string { return n.Email }},
		{"port43", true, func(n nir.NIR) string { return n.Port43 }},
		{"rdap", true, func(n nir.NIR) string { return n.RDAP }},
		{"id", true, func(n nir.NIR) string { return n.ID }},
	},
}

var nirFields = []field[nir.NIR]{
	{"name", "its `NAME` in full", func(n *nir.NIR) *string { return &n.Name }},
	{"economy", "`CODE` of its economy, two letters (ISO 3166-1)", func(n *nir.NIR) *string { return &n.Economy }},
	{"source", "`SOURCE` of whois answers about its space (default: its code)", func(n *nir.NIR) *string { return &n.Source }},
	{"mntner", "`MAINTAINER` of its whois objects", func(n *nir.NIR) *string { return &n.Mntner }},
	{"email", "`ADDRESS` for notices", func(n *nir.NIR) *string { return &n.Email }},
	{"port43", "its own whois server: `HOST`", func(n *nir.NIR) *string { return &n.Port43 }},
	{"rdap", "`URL` of its own RDAP service", func(n *nir.NIR) *string { return &n.RDAP }},
}

const optionUsage = "option of reverse DNS: 1 for a zonelet of its own, 2 for domain objects (APNIC-103, section 3.4)"

func nirListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the NIRs", Args: arguments(cobra.NoArgs, "nirctl nir list"),
		Example: "  nirctl nir list\n  nirctl nir list --filter state=probation\n  nirctl nir list --sort economy -o csv\n  nirctl nir list --as-of 2026-03-06",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error {
			list, err := v.NIRs()
			if err != nil {
				return err
			}
			return showList(a, &nirColumns, list)
		})
	}
	return a.listing(c)
}

func nirViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view CODE", Short: "Show an NIR and its windows", Args: arguments(cobra.ExactArgs(1), "nirctl nir view JPNIC"),
		Example: "  nirctl nir view JPNIC\n  nirctl nir view jpnic -o yaml", ValidArgsFunction: a.codes,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error { return a.nirView(v, args[0]) })
	}
	return a.reading(c)
}

func (a *app) nirView(v *nir.View, code string) error {
	n, err := findNIR(v, code)
	if err != nil {
		return err
	}
	list, err := v.Windows(n.Code)
	if err != nil {
		return err
	}
	return showOne(a, &nirColumns, n, func() {
		for _, w := range list {
			fmt.Fprintf(a.Stdout, "window   %s %s\n", w.Kind, w.Size)
		}
	})
}

func nirCreateCommand(a *app) *cobra.Command {
	var n nir.NIR
	c := &cobra.Command{
		Use: "create CODE", Short: "Record an NIR that is active at once",
		Long: "Create records an NIR that takes part from now on. For one that is new to the\nregistry, nirctl nir onboard does all that is needed, with a probation.",
		Args: arguments(cobra.ExactArgs(1), `nirctl nir create IRINN --name "Indian Registry" --economy IN --mntner MAINT-IN-IRINN`),
		Example: `  nirctl nir create IRINN --name "Indian Registry for Internet Names and Numbers" --economy IN --mntner MAINT-IN-IRINN --dry-run
  nirctl nir create IRINN --name "Indian Registry for Internet Names and Numbers" --economy IN --mntner MAINT-IN-IRINN`,
	}
	bind(c, nirFields, &n)
	c.Flags().IntVar(&n.Option, "option", 1, optionUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		want := n
		want.Code = args[0]
		if want.Source == "" {
			want.Source = want.Code
		}
		return a.putNIR(c, func(*nir.Tx) (nir.NIR, error) { return want, nil })
	}
	return a.writing(c)
}

func nirEditCommand(a *app) *cobra.Command {
	var n nir.NIR
	c := &cobra.Command{
		Use: "edit CODE", Short: "Change the record of an NIR", ValidArgsFunction: a.codes,
		Args:    arguments(cobra.ExactArgs(1), "nirctl nir edit JPNIC --email hostmaster@nic.example"),
		Example: "  nirctl nir edit JPNIC --email hostmaster@nic.example\n  nirctl nir edit JPNIC --port43 whois.nic.example --dry-run",
	}
	bind(c, nirFields, &n)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := edits(c, flagNames(nirFields)...); err != nil {
			return err
		}
		return a.putNIR(c, func(x *nir.Tx) (nir.NIR, error) {
			old, err := findNIR(x.View, args[0])
			assign(c, nirFields, &n, &old)
			return old, err
		})
	}
	return a.writing(c)
}

// putNIR records the NIR that make returns.
func (a *app) putNIR(c *cobra.Command, make func(*nir.Tx) (nir.NIR, error)) error {
	var n nir.NIR
	return a.change(c, change{
		fn: func(x *nir.Tx) (err error) {
			if n, err = make(x); err != nil {
				return err
			}
			n, err = x.PutNIR(n)
			return err
		},
		show: func(v *nir.View) error { return a.nirView(v, n.Code) },
	})
}
