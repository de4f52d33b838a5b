package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func mirrorCommand(a *app) *cobra.Command {
	noun := nounCommand("mirror", "The whois databases of NIRs, as they are mirrored here")
	noun.AddCommand(mirrorListCommand(a), mirrorStatusCommand(a), mirrorRunCommand(a))
	return noun
}

// A mirrorRow is a mirror with how far it is behind.
type mirrorRow struct {
	nir.WhoisMirror
	Lag  int64 `json:"lag_seconds"`
	Late bool  `json:"late"`
}

var mirrorColumns = shown[mirrorRow]{
	one: "mirror", many: "mirrors", none: "nirctl import whois NIR FILE",
	id: func(m mirrorRow) string { return m.NIR },
	cols: []col[mirrorRow]{
		{"nir", false, func(m mirrorRow) string { return m.NIR }},
		{">objects", false, func(m mirrorRow) string { return strconv.Itoa(m.Objects) }},
		{">added", false, func(m mirrorRow) string { return strconv.Itoa(m.Added) }},
		{">changed", false, func(m mirrorRow) string { return strconv.Itoa(m.Changed) }},
		{">deleted", false, func(m mirrorRow) string { return strconv.Itoa(m.Deleted) }},
		{">refused", false, func(m mirrorRow) string { return strconv.Itoa(m.Refused) }},
		{">held", false, func(m mirrorRow) string { return strconv.Itoa(m.Held) }},
		{"state of", false, func(m mirrorRow) string { return stamp(m.Dumped) }},
		{"lag", false, lagWord},
		{"checked", true, func(m mirrorRow) string { return stamp(m.Checked) }},
		{"file", true, func(m mirrorRow) string { return m.File }},
		{"serial", true, func(m mirrorRow) string { return m.Serial }},
		{"signer", true, func(m mirrorRow) string { return m.Signer }},
		{"sha256", true, func(m mirrorRow) string { return m.Digest }},
		{"hash of what is held", true, func(m mirrorRow) string { return m.Hash }},
		{"released by", true, func(m mirrorRow) string { return m.ReleasedBy }},
	},
}

func lagWord(m mirrorRow) string {
	s := (time.Duration(m.Lag) * time.Second).Round(time.Minute).String()
	s = strings.TrimSuffix(s, "0s")
	if s == "" {
		s = "0m"
	}
	if m.Late {
		s += ", late"
	}
	return s
}

func (o *opened) mirrorRow(v *nir.View, m nir.WhoisMirror) mirrorRow {
	lag := m.Lag(o.actor.At)
	return mirrorRow{m, int64(lag / time.Second), v.MirrorLate(&m, o.actor.At)}
}

func mirrorListCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "list", Short: "List the mirrors with how far they are behind", Args: arguments(cobra.NoArgs, "nirctl mirror list"),
		Long:    "List shows what the last cycle of each mirror did: objects added, changed, deleted,\nrefused because they are not the NIR's to say, and deletions that are held.",
		Example: "  nirctl mirror list\n  nirctl mirror list --nir JPNIC -o json",
	}
	a.scopeFlag(c, &code, "only that of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, code)
			if err != nil {
				return err
			}
			list, err := v.Mirrors()
			var rows []mirrorRow
			for _, m := range list {
				if slices.Contains(scope, m.NIR) {
					rows = append(rows, o.mirrorRow(v, m))
				}
			}
			if err != nil {
				return err
			}
			return showList(a, &mirrorColumns, rows)
		})
	}
	return a.listing(c)
}

func mirrorStatusCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "status NIR", Short: "Show how a mirror stands", Args: arguments(cobra.ExactArgs(1), "nirctl mirror status JPNIC"), ValidArgsFunction: a.codes,
		Long:    "Status shows the last cycle of a mirror. It exits with 3 if the mirror is late, or\nif deletions are held: the hint says how to release them.",
		Example: "  nirctl mirror status JPNIC   # exit code 5: its whois was never mirrored",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, args[0])
			if err != nil {
				return err
			}
			m, err := v.Mirror(scope[0])
			if err != nil {
				return err
			}
			row := o.mirrorRow(v, m)
			if err := showOne(a, &mirrorColumns, row, nil); err != nil {
				return err
			}
			return mirrorExit(row)
		})
	}
	return a.reading(c)
}

func mirrorExit(m mirrorRow) error {
	switch {
	case m.Held > 0 && m.Released == m.Hash:
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s released, and made by the next cycle", count(m.Held, "deletion"))}
	case m.Held > 0:
		return &shell.Exit{
			Code: findings, Err: fmt.Errorf("%s held", count(m.Held, "deletion")),
			Hint: fmt.Sprintf(`if they are right: nirctl whois release %s %.12s --removes %d -m "why"`, m.NIR, m.Hash, m.Held),
		}
	case m.Late:
		return &shell.Exit{Code: findings, Err: fmt.Errorf("the mirror of %s is late", m.NIR), Hint: "zonefetch brings its dump; then nirctl import whois " + m.NIR + " FILE"}
	}
	return nil
}
