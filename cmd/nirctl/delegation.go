package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/inr"
)

func delegationCommand(a *app) *cobra.Command {
	noun := nounCommand("delegation", "Who has which resources, since when and why")
	noun.Long = `An allocation by an NIR is two delegations of the same range: from the regional
registry to the NIR, and from the NIR to its member (APNIC-103, section 3.2). A
delegation is named by its identifier, or by what it holds: an address, a range,
an ASN, a zone of the reverse tree.`
	noun.AddCommand(delegationListCommand(a), delegationViewCommand(a), delegationAggregateCommand(a), delegationRegisterCommand(a),
		a.historyCommand("history DELEGATION", "  nirctl delegation history 202.0.0.0/22", findDelegationHistory, cobra.ExactArgs(1)))
	return noun
}

func findDelegationHistory(o *opened, v *nir.View, args []string) (table, id string, err error) {
	list, err := o.findDelegations(v, args[0])
	if err != nil {
		return "", "", err
	}
	return "delegation", list[0].ID, nil
}

// levels of delegations, the most specific first.
var levels = []nir.Level{nir.NIRToMember, nir.RIRToMember, nir.RIRToNIR}

// findDelegations takes an identifier, or resources: then it returns what covers
// or shares them, the most specific first.
func (o *opened) findDelegations(v *nir.View, s string) ([]nir.Delegation, error) {
	if strings.HasPrefix(s, "del_") {
		d, err := v.Delegation(s)
		if err == nil {
			err = o.mine(d.NIR)
		}
		return []nir.Delegation{d}, err
	}
	r, err := rangeOf(s)
	if err != nil {
		return nil, err
	}
	var list []nir.Delegation
	for _, l := range levels {
		some, err := v.Within(l, r)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	if own := o.own(list); len(own) == 0 && len(list) > 0 {
		return nil, &shell.Exit{
			Code: forbidden, Err: fmt.Errorf("%s is delegated, and managed by %s: %s of %s sees what %s has, and no more", r, registryName(v, list[0].NIR), o.actor.Name, o.actor.NIR, o.actor.NIR),
			Hint: "what is public of it: nirctl whois view " + shell.Quote(s),
		}
	} else if list = own; len(list) == 0 {
		return nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("nothing of %s is delegated", r), Hint: "nirctl pool view " + s}
	}
	return list, nil
}

// own leaves out what is none of the business of staff of an NIR.
func (o *opened) own(list []nir.Delegation) []nir.Delegation {
	if !o.onlyNIR() {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(d nir.Delegation) bool { return d.NIR != o.actor.NIR })
}

// A delegationRow is a delegation with the name of who has it.
type delegationRow struct {
	nir.Delegation
	Holder string `json:"holder"`
}

func delegationRows(v *nir.View, list []nir.Delegation) []delegationRow {
	names := map[string]string{}
	rows := make([]delegationRow, len(list))
	for i, d := range list {
		rows[i] = delegationRow{d, d.NIR}
		if d.Member == "" {
			continue
		}
		if names[d.Member] == "" {
			m, err := v.Member(d.Member)
			if names[d.Member] = m.Name; err != nil {
				names[d.Member] = d.Member
			}
		}
		rows[i].Holder = names[d.Member]
	}
	return rows
}

var delegationColumns = shown[delegationRow]{
	one: "delegation", many: "delegations", none: "nirctl request create",
	id: func(d delegationRow) string { return d.Range.String() },
	cols: []col[delegationRow]{
		{"range", false, func(d delegationRow) string { return d.Range.String() }},
		{"level", false, func(d delegationRow) string { return string(d.Level) }},
		{"type", false, func(d delegationRow) string { return d.Type }},
		{"nir", false, func(d delegationRow) string { return d.NIR }},
		{"economy", false, func(d delegationRow) string { return d.Economy }},
		{"date", false, func(d delegationRow) string { return d.Date.UTC().Format("2006-01-02") }},
		{"evidence", false, func(d delegationRow) string { return string(d.Evidence) }},
		{"holder", false, func(d delegationRow) string { return d.Holder }},
		{"request", true, func(d delegationRow) string { return madeBy(d, false) }},
		{"import", true, func(d delegationRow) string { return madeBy(d, true) }},
		{"pool", true, func(d delegationRow) string { return d.Pool }},
		{"member", true, func(d delegationRow) string { return d.Member }},
		{"id", true, func(d delegationRow) string { return d.ID }},
	},
}

// madeBy names what made a delegation, if that was an import or if it was none.
func madeBy(d delegationRow, imported bool) string {
	if strings.HasPrefix(d.Request, "imp_") == imported {
		return d.Request
	}
	return ""
}

func delegationListCommand(a *app) *cobra.Command {
	var code, member, within, kind string
	c := &cobra.Command{
		Use: "list", Short: "List delegations", Args: arguments(cobra.NoArgs, "nirctl delegation list --member JPNIC/M1"),
		Example: `  nirctl delegation list --member JPNIC/M1
  nirctl delegation list --within 202.0.0.0/16 --filter level=nir-member
  nirctl delegation list --nir JPNIC --kind ipv4 -o name
  nirctl delegation list --as-of 2026-03-05T12:00:00Z`,
	}
	f := c.Flags()
	f.StringVar(&member, "member", "", "only what `MEMBER` holds")
	f.StringVar(&within, "within", "", "only what shares numbers with `RANGE`")
	f.StringVar(&kind, "kind", "", "only ipv4, ipv6 or asn: `KIND`")
	a.scopeFlag(c, &code, "only what `NIR` manages")
	a.completes(c, "kind", "ipv4", "ipv6", "asn")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.delegations(v, code, member, within, kind)
			if err != nil {
				return err
			}
			return showList(a, &delegationColumns, delegationRows(v, list))
		})
	}
	return a.listing(c)
}

// delegations selects by all of the flags that are given.
func (o *opened) delegations(v *nir.View, code, member, within, kind string) ([]nir.Delegation, error) {
	scope, err := o.scope(v, code)
	if err != nil {
		return nil, err
	}
	keep := []func(*nir.Delegation) bool{func(d *nir.Delegation) bool { return slices.Contains(scope, d.NIR) }}
	if member != "" {
		m, err := o.memberToShow(v, member)
		if err != nil {
			return nil, err
		}
		keep = append(keep, func(d *nir.Delegation) bool { return d.Member == m.ID })
	}
	if within != "" {
		r, err := rangeOf(within)
		if err != nil {
			return nil, err
		}
		keep = append(keep, func(d *nir.Delegation) bool { return d.Range.Overlaps(r) })
	}
	if kind != "" {
		k, err := inr.ParseKind(kind)
		if err != nil {
			return nil, shell.Usage(err, "--kind ipv4")
		}
		keep = append(keep, func(d *nir.Delegation) bool { return d.Range.Kind == k })
	}
	return keepDelegations(v, keep)
}

func keepDelegations(v *nir.View, keep []func(*nir.Delegation) bool) (list []nir.Delegation, err error) {
	err = v.EachDelegation(func(d *nir.Delegation) error {
		for _, k := range keep {
			if !k(d) {
				return nil
			}
		}
		list = append(list, *d)
		return nil
	})
	slices.SortStableFunc(list, func(a, b nir.Delegation) int { return a.Range.Compare(b.Range) })
	return list, err
}

func delegationViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view DELEGATION", Short: "Show who has an address, a range, an ASN or a zone",
		Args:    arguments(cobra.ExactArgs(1), "nirctl delegation view 202.0.0.7"),
		Example: "  nirctl delegation view 202.0.0.7\n  nirctl delegation view 1.0.202.in-addr.arpa\n  nirctl delegation view 202.0.0.0/22 -o yaml",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.findDelegations(v, args[0])
			if err != nil {
				return err
			}
			return a.delegationView(v, list)
		})
	}
	return a.reading(c)
}

func (a *app) delegationView(v *nir.View, list []nir.Delegation) error {
	rows := delegationRows(v, list)
	if len(rows) == 1 {
		return showOne(a, &delegationColumns, rows[0], nil)
	}
	return showList(a, &delegationColumns, rows)
}

var aggregateColumns = shown[nir.Aggregate]{
	one: "aggregate", many: "aggregates",
	id: func(g nir.Aggregate) string { return g.Range.String() },
	cols: []col[nir.Aggregate]{
		{"range", false, func(g nir.Aggregate) string { return g.Range.String() }},
		{"type", false, func(g nir.Aggregate) string { return g.Type }},
		{"nir", false, func(g nir.Aggregate) string { return g.NIR }},
		{">delegations", false, func(g nir.Aggregate) string { return fmt.Sprint(len(g.Delegations)) }},
	},
}

func delegationAggregateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "aggregate MEMBER", Short: "Show what the delegations of a member add up to",
		Args: arguments(cobra.ExactArgs(1), "nirctl delegation aggregate JPNIC/M1"), Example: "  nirctl delegation aggregate JPNIC/M1",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			m, err := o.memberToShow(v, args[0])
			if err != nil {
				return err
			}
			list, err := v.Aggregates(m.ID)
			if err != nil {
				return err
			}
			return showList(a, &aggregateColumns, list)
		})
	}
	return a.listing(c)
}
