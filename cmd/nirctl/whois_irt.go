package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

var irtColumns = shown[nir.IRTState]{
	one: "irt", many: "irts", none: "nirctl whois put irt.rpsl",
	id: func(s nir.IRTState) string { return s.Key },
	cols: []col[nir.IRTState]{
		{"irt", false, func(s nir.IRTState) string { return s.Key }},
		{"source", false, func(s nir.IRTState) string { return s.Source }},
		{"nir", false, func(s nir.IRTState) string { return s.NIR }},
		{"validated", false, func(s nir.IRTState) string { return stamp(s.Validated) }},
		{"due", false, func(s nir.IRTState) string { return stamp(s.Due) }},
		{"state", false, irtWord},
		{"reminded", false, func(s nir.IRTState) string { return stamp(s.Reminded) }},
	},
}

func irtWord(s nir.IRTState) string {
	if s.Overdue {
		return "overdue"
	}
	return "valid"
}

func whoisIRTCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "irt", Short: "List irt objects, and who has to say by when that they are right", Args: arguments(cobra.NoArgs, "nirctl whois irt"),
		Long: `Irt lists the objects of incident response teams, the one that is due first at the
front. Its owner says that one is right with nirctl whois validate, or by changing
it. It exits with 3 if one is overdue.`,
		Example: "  nirctl whois irt\n  nirctl whois irt --nir JPNIC --filter state=overdue",
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.irtList(o, v, code) })
	}
	return a.listing(c)
}

func (a *app) irtList(o *opened, v *nir.View, code string) error {
	scope, err := o.scope(v, code)
	if err != nil {
		return err
	}
	all, err := v.IRTs(o.actor.At)
	if err != nil {
		return err
	}
	var list []nir.IRTState
	late := 0
	for _, s := range all {
		if slices.Contains(scope, s.NIR) {
			list = append(list, s)
			if s.Overdue {
				late++
			}
		}
	}
	if err := showList(a, &irtColumns, list); err != nil || late == 0 {
		return err
	}
	return &shell.Exit{Code: findings, Err: fmt.Errorf("%s overdue", count(late, "irt")), Hint: "nirctl whois remind, or say that one is right: nirctl whois validate IRT"}
}

func whoisValidateCommand(a *app) *cobra.Command {
	source := ""
	c := &cobra.Command{
		Use: "validate IRT", Short: "Say that an irt object is right", Args: arguments(cobra.ExactArgs(1), "nirctl whois validate IRT-EXAMPLE-JP"),
		Long:    "Validate records that the owner of an irt object has looked at it and says that it is\nright: its reminder closes.",
		Example: "  nirctl whois validate IRT-NOBODY-AP   # exit code 5: it is not there",
	}
	c.Flags().StringVar(&source, "source", "", "the object of `SOURCE` (default: the user's NIR's, or the registry's own)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.changeWith(c, func(o *opened) change {
			return change{fn: func(x *nir.Tx) error {
				from, err := o.ownSource(x.View, source)
				if err != nil {
					return err
				}
				return x.ValidateIRT(args[0], from)
			}}
		})
	}
	return a.writing(c)
}

// ownSource is the source of objects that a user means without saying.
func (o *opened) ownSource(v *nir.View, source string) (string, error) {
	if source != "" || o.actor.NIR == "" {
		if source == "" {
			source = v.Rules.Source
		}
		return strings.ToUpper(source), nil
	}
	n, err := v.NIR(o.actor.NIR)
	return n.Source, err
}

func whoisRemindCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "remind", Short: "Remind the owners of irt objects that are overdue (registry staff)", Args: arguments(cobra.NoArgs, "nirctl whois remind --yes --quiet"),
		Long: `Remind opens a notice for each irt object whose owner has to say that it is right,
and for each NIR with resources that name no irt; it closes those that hold no
longer. nirctl deliver sends them. Run it from cron, once a day: nobody is told the
same twice.`,
		Example: "  nirctl whois remind --dry-run\n  nirctl whois remind --quiet",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.change(c, change{fn: (*nir.Tx).RemindIRT})
	}
	return a.writing(c)
}
