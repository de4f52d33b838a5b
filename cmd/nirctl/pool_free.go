package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/nir"
	"nirzone/nir/alloc"
	"nirzone/nir/inr"
)

func poolFreeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "free POOL", Short: "Show the free space of a pool by prefix length", Args: arguments(cobra.ExactArgs(1), "nirctl pool free 202.0.0.0/8"),
		Long:    "Free counts the free blocks of each prefix length: those that anybody gets, and\nthose that are reserved for the growth of a member. A reservation is a hint: the\nlast room of a pool is given to whoever asks.",
		Example: "  nirctl pool free 202.0.0.0/8\n  nirctl pool free AS131072 -o csv",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error {
			p, err := findPool(v, args[0])
			if err != nil {
				return err
			}
			row, err := rowOfPool(v, p)
			if err != nil {
				return err
			}
			return showList(a, lengthColumns(&p), row.Lengths)
		})
	}
	return a.listing(c)
}

func lengthColumns(p *nir.Pool) *shown[lengthRow] {
	return &shown[lengthRow]{
		one: "length", many: "lengths",
		id: func(l lengthRow) string { return sizeWord(p.Range.Kind, l.Length) },
		cols: []col[lengthRow]{
			{">length", false, func(l lengthRow) string { return sizeWord(p.Range.Kind, l.Length) }},
			{">free", false, func(l lengthRow) string { return strconv.Itoa(l.Free) }},
			{">reserved", false, func(l lengthRow) string { return strconv.Itoa(l.Reserved) }},
			{">numbers", false, func(l lengthRow) string { return l.Numbers.String() }},
		},
	}
}

func poolCreateCommand(a *app) *cobra.Command {
	var p nir.Pool
	var purpose string
	c := &cobra.Command{
		Use: "create RANGE", Short: "Record space that the registry allocates from",
		Long: `Create records a pool. All of it is free. New space is allocated from regional
pools; a nir-existing pool is what an NIR held before (APNIC-103, section 3.5) and
is used for that NIR's members first. Nothing is allocated from what is reserved
or in quarantine. Multicast, private and experimental space is refused.`,
		Args: arguments(cobra.ExactArgs(1), "nirctl pool create 203.0.0.0/10"),
		Example: `  nirctl pool create 1.0.0.0/8 --description "from IANA in 2010" --dry-run
  nirctl pool create 61.112.0.0/12 --purpose nir-existing --nir JPNIC
  nirctl pool create 2a00::/13 --strategy sparse --factor 8`,
	}
	f := c.Flags()
	f.StringVar(&purpose, "purpose", string(nir.Regional), "`PURPOSE`: regional, nir-existing, reserved or quarantine")
	f.StringVar(&p.Strategy, "strategy", "", "how it is filled: `STRATEGY` soft, sparse, lowest, first-fit or best-fit (default: the kind's own)")
	f.IntVar(&p.Factor, "factor", 0, "reserve `N` times what is allocated (default: the strategy's own)")
	f.StringVar(&p.Description, "description", "", "`TEXT`")
	a.scopeFlag(c, &p.NIR, "`NIR` that had it before")
	a.completes(c, "purpose", "regional", "nir-existing", "reserved", "quarantine")
	c.RunE = func(c *cobra.Command, args []string) error { return a.poolCreate(c, args[0], p, nir.Purpose(purpose)) }
	return a.writing(c)
}

func (a *app) poolCreate(c *cobra.Command, text string, p nir.Pool, purpose nir.Purpose) (err error) {
	if p.Range, err = rangeOf(text); err != nil {
		return err
	}
	if p.Strategy != "" {
		if _, err := alloc.ParseStrategy(p.Strategy); err != nil {
			return usageOf(c, "strategy", err)
		}
	}
	p.Purpose, p.NIR = purpose, strings.ToUpper(p.NIR)
	return a.change(c, change{
		fn: func(x *nir.Tx) error {
			_, err := x.AddPool(p)
			return err
		},
		show: func(v *nir.View) error { return a.poolView(v, p.Range.String()) },
	})
}

func poolSimulateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "simulate POOL", Short: "Compare strategies on what was asked of a pool",
		Long: `Simulate replays the pool's own history, in the order in which it came, into the
empty pool with its own strategy and with others. Surplus is how many prefixes
members hold beyond the fewest that could hold as much, as a mean over members
with two or more allocations, when the pool was 25, 50, 75 and 90 % full and at
the end; refused is how many requests came to nothing.`,
		Args: arguments(cobra.ExactArgs(1), "nirctl pool simulate 202.0.0.0/8"), Example: "  nirctl pool simulate 202.0.0.0/8\n  nirctl pool simulate 202.0.0.0/8 --sort end -o json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error { return a.simulate(v, args[0]) })
	}
	return a.listing(c)
}

func (a *app) simulate(v *nir.View, name string) error {
	p, err := findPool(v, name)
	if err != nil {
		return err
	}
	history, err := v.Demands(p.ID)
	if err != nil {
		return err
	}
	outcomes, err := alloc.Simulate(inr.Of(p.Range), history, alloc.Compared(v.PolicyOf(&p)))
	if err != nil {
		return err
	}
	a.Errorf("%s in %s; the first line is the pool's own strategy", count(len(history), "request"), p.Range)
	return showList(a, &outcomeColumns, outcomes)
}

var outcomeColumns = shown[alloc.Outcome]{
	one: "outcome", many: "outcomes",
	id: policyWord,
	cols: slices.Concat([]col[alloc.Outcome]{
		{"strategy", false, policyWord},
	}, levelColumns(), []col[alloc.Outcome]{
		{">end", false, func(o alloc.Outcome) string { return fmt.Sprintf("%.2f", o.Final) }},
		{">members", false, func(o alloc.Outcome) string { return strconv.Itoa(o.Members) }},
		{">refused", false, func(o alloc.Outcome) string { return strconv.Itoa(o.Refused) }},
		{">first refusal", false, func(o alloc.Outcome) string { return levelWord(o.FirstRefusal, "%.0f%%") }},
		{">reservations lost", true, func(o alloc.Outcome) string { return strconv.Itoa(o.Lost) }},
	}),
}

func levelColumns() []col[alloc.Outcome] {
	var list []col[alloc.Outcome]
	for i, l := range alloc.Levels {
		list = append(list, col[alloc.Outcome]{fmt.Sprintf(">at %d%%", l), false, func(o alloc.Outcome) string { return levelWord(o.Surplus[i], "%.2f") }})
	}
	return list
}

func levelWord(f float64, format string) string {
	if f < 0 {
		return "-"
	}
	return fmt.Sprintf(format, f)
}

func policyWord(o alloc.Outcome) string {
	return fmt.Sprintf("%s, %dx", o.Policy.Strategy, o.Policy.Factor)
}
