package main

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
)

func windowCommand(a *app) *cobra.Command {
	noun := nounCommand("window", "Allocation windows of NIRs")
	noun.Long = `An NIR may allocate as much as its window in one step without a second opinion
(APNIC-103, section 3.2). It has a window for each kind: ipv4, ipv6, asn.`
	history := a.historyCommand("history NIR KIND", "  nirctl window history JPNIC ipv4", findWindow, cobra.ExactArgs(2))
	history.ValidArgsFunction = a.codesAndKinds
	noun.AddCommand(windowListCommand(a), windowSetCommand(a), history, windowUseCommand(a))
	return noun
}

func findWindow(o *opened, v *nir.View, args []string) (table, id string, err error) {
	n, k, err := windowArguments(v, args)
	if err == nil {
		err = o.mine(n.Code)
	}
	if err != nil {
		return "", "", err
	}
	w, err := v.Window(n.Code, k)
	return "allocation_window", w.ID, err
}

func windowArguments(v *nir.View, args []string) (nir.NIR, inr.Kind, error) {
	k, err := inr.ParseKind(args[1])
	if err != nil {
		return nir.NIR{}, k, shell.Usage(err, "write ipv4, ipv6 or asn")
	}
	n, err := findNIR(v, args[0])
	return n, k, err
}

// codesAndKinds offers an NIR, then a kind.
func (a *app) codesAndKinds(c *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return []string{"ipv4", "ipv6", "asn"}, cobra.ShellCompDirectiveNoFileComp
	}
	return a.codes(c, args, s)
}

var windowColumns = shown[nir.Window]{
	one: "window", many: "windows", none: "nirctl window set NIR ipv4 /22 -m start",
	id: func(w nir.Window) string { return w.NIR + " " + w.Kind.String() },
	cols: []col[nir.Window]{
		{"nir", false, func(w nir.Window) string { return w.NIR }},
		{"kind", false, func(w nir.Window) string { return w.Kind.String() }},
		{"size", false, func(w nir.Window) string { return string(w.Size) }},
		{"by", false, func(w nir.Window) string { return w.SetBy }},
		{"reason", false, func(w nir.Window) string { return w.Reason }},
		{">event", true, func(w nir.Window) string { return strconv.FormatInt(w.Since, 10) }},
	},
}

func windowListCommand(a *app) *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "list", Short: "List the windows", Args: arguments(cobra.NoArgs, "nirctl window list --nir JPNIC"),
		Example: "  nirctl window list\n  nirctl window list --nir JPNIC --as-of 2026-03-05T12:00:00Z",
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, code)
			var list []nir.Window
			for _, n := range scope {
				if n != "" && err == nil {
					var some []nir.Window
					some, err = v.Windows(n)
					list = append(list, some...)
				}
			}
			if err != nil {
				return err
			}
			return showList(a, &windowColumns, list)
		})
	}
	return a.listing(c)
}

func windowSetCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "set NIR KIND SIZE", Short: "Set the window of an NIR for a kind", ValidArgsFunction: a.codesAndKinds,
		Long: `Set says how much an NIR may allocate in one step without a second opinion: a
prefix length, or a number of addresses or ASNs. The window before stays in the
history: a request is judged by the one in force when it came.`,
		Args: arguments(cobra.ExactArgs(3), `nirctl window set JPNIC ipv4 /19 -m "review of March"`),
		Example: `  nirctl window set JPNIC ipv4 /19 -m "review of March" --dry-run
  nirctl window set JPNIC ipv4 /19 -m "review of March"
  nirctl window set JPNIC asn 4 -m "review of March"`,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.needMessage(); err != nil {
			return err
		}
		var w nir.Window
		return a.change(c, change{
			fn: func(x *nir.Tx) error {
				n, k, err := windowArguments(x.View, args)
				if err != nil {
					return err
				}
				w, err = x.SetWindow(n.Code, k, nir.Size(args[2]), a.reason)
				return err
			},
			show: func(*nir.View) error { return showOne(a, &windowColumns, w, nil) },
		})
	}
	return a.writing(c)
}

var useColumns = shown[nir.WindowUse]{
	one: "use", many: "uses", none: "nirctl window set NIR ipv4 /22 -m start",
	id: func(u nir.WindowUse) string { return u.NIR + " " + u.Kind.String() },
	cols: []col[nir.WindowUse]{
		{"nir", false, func(u nir.WindowUse) string { return u.NIR }},
		{"kind", false, func(u nir.WindowUse) string { return u.Kind.String() }},
		{"window", false, func(u nir.WindowUse) string { return string(u.Window) }},
		{">requests", false, func(u nir.WindowUse) string { return strconv.Itoa(u.Requests) }},
		{">allocated", false, func(u nir.WindowUse) string { return amountWord(u.Kind, u.Allocated) }},
		{"largest", false, func(u nir.WindowUse) string { return string(u.Largest) }},
		{">opinions", false, func(u nir.WindowUse) string { return strconv.Itoa(u.Opinions) }},
		{"most used by", false, mostUsed},
		{"since", true, func(u nir.WindowUse) string { return stamp(u.Since) }},
	},
}

// amountWord is a number of resources for people: IPv6 in /48s, if they are whole.
func amountWord(k inr.Kind, n *big.Int) string {
	const bits = 80 // of a /48
	if k == inr.IPv6 && n.Sign() > 0 && n.TrailingZeroBits() >= bits {
		return new(big.Int).Rsh(n, bits).String() + " /48s"
	}
	return n.String()
}

// mostUsed names the member that came nearest to the window, or over it.
func mostUsed(u nir.WindowUse) string {
	if len(u.Members) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %d %% of it", u.Members[0].UID, u.Members[0].Percent)
}

func windowUseCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "use [NIR]", Short: "Show how the windows were used of late", ValidArgsFunction: a.codes,
		Long: `Use shows what was allocated within each window over the last 30 days (as
configured): requests, numbers, the largest request, how many second opinions
were asked for, and the member that had most of it. A member that got more than
the window in several steps is noted (window-splitting), never refused.`,
		Args:    arguments(cobra.MaximumNArgs(1), "nirctl window use JPNIC"),
		Example: "  nirctl window use\n  nirctl window use JPNIC -o json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.windowUse(o, v, args) })
	}
	return a.listing(c)
}

func (a *app) windowUse(o *opened, v *nir.View, args []string) error {
	flag := ""
	if len(args) > 0 {
		flag = args[0]
	}
	at, err := a.asOf()
	if at.IsZero() {
		at = o.actor.At
	}
	if err != nil {
		return err
	}
	scope, err := o.scope(v, flag)
	var list []nir.WindowUse
	for _, n := range scope {
		if n != "" && err == nil {
			var some []nir.WindowUse
			some, err = v.WindowUse(n, at)
			list = append(list, some...)
		}
	}
	if err != nil {
		return err
	}
	return showList(a, &useColumns, list)
}
