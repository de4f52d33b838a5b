package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// The forms of output.
var forms = []string{"table", "wide", "json", "yaml", "name", "csv", "rpsl"}

// outputFlags are how a command shows what it found.
type outputFlags struct {
	form, sort, asOf string
	narrow           []string // flags of the command's own that leave rows out
	filter           []string
	limit            int
	noHeaders        bool
	last             bool // --limit keeps the last rows, not the first
}

// showing gives a command the flag for the form of its output.
func (a *app) showing(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&a.output.form, "output", "o", "table", "`FORM` of the output: "+strings.Join(forms, ", "))
	f.BoolVar(&a.output.noHeaders, "no-headers", false, "a table without its first line")
	f.StringVar(&a.as, "as", "", "act as `ACCOUNT`: for an admin only")
	a.completes(c, "output", forms...)
}

// reading gives a command the flags of all that read the registry.
func (a *app) reading(c *cobra.Command) *cobra.Command {
	a.showing(c)
	c.Flags().StringVar(&a.output.asOf, "as-of", "", "show the registry as it was at `TIME`")
	return c
}

// listing gives a command the flags of those that list.
func (a *app) listing(c *cobra.Command) *cobra.Command {
	a.reading(c)
	a.selecting(c)
	return c
}

// selecting gives a command the flags that choose among rows.
func (a *app) selecting(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.output.sort, "sort", "", "order by `COLUMN`, -COLUMN for the reverse")
	f.StringArrayVar(&a.output.filter, "filter", nil, "only rows with `COLUMN=VALUE` or COLUMN!=VALUE; * stands for anything; may be repeated")
	f.IntVar(&a.output.limit, "limit", 0, "at most `N` rows; 0 for all")
}

// narrowing returns the flags of a list that were given and that leave rows out.
func narrowing(c *cobra.Command) (given []string) {
	for _, name := range []string{"nir", "member", "state", "kind", "within", "source", "after"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			given = append(given, "--"+name+" "+shell.Quote(f.Value.String()))
		}
	}
	return given
}

// completes offers words for a flag.
func (a *app) completes(c *cobra.Command, flag string, words ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("nirctl: " + err.Error()) // the flag is defined beside the call
	}
}

// look runs fn on the registry, as it is or as of --as-of.
func (a *app) look(c *cobra.Command, fn func(*opened, *nir.View) error) error {
	if err := a.checkForm(); err != nil {
		return err
	}
	at, err := a.asOf()
	if err != nil {
		return err
	}
	o, err := a.open(c.Context())
	if err != nil {
		return err
	}
	defer o.close()
	a.output.narrow = narrowing(c)
	return refused(c, o.lookAt(c.Context(), at, func(v *nir.View) error { return fn(o, v) }))
}

func (o *opened) lookAt(ctx context.Context, at time.Time, fn func(*nir.View) error) error {
	if at.IsZero() {
		return o.View(ctx, fn)
	}
	return o.AsOf(ctx, at, fn)
}

func (a *app) asOf() (time.Time, error) {
	if a.output.asOf == "" {
		return time.Time{}, nil
	}
	at, err := a.Now(a.output.asOf)
	if err != nil {
		return at, shell.Usage(fmt.Errorf("--as-of %q is no time", a.output.asOf), "--as-of 2026-11-21T18:00:00Z or --as-of 2026-11-21")
	}
	return at, nil
}

// oneOf refuses a word of a flag that is none of those that can be; "" is none.
func oneOf(c *cobra.Command, flag, word string, words []string) error {
	if word == "" || slices.Contains(words, word) {
		return nil
	}
	return shell.Usage(fmt.Errorf("--%s %s: not one of %s", flag, word, strings.Join(words, ", ")), c.CommandPath()+" --"+flag+" "+words[0])
}

func (a *app) checkForm() error {
	if a.json {
		a.output.form = "json"
	}
	if a.output.form != "" && !slices.Contains(forms, a.output.form) {
		return shell.Usage(fmt.Errorf("-o %s: not one of %s", a.output.form, strings.Join(forms, ", ")), "-o wide")
	}
	if a.output.limit < 0 {
		return shell.Usage(fmt.Errorf("--limit %d: less than no rows", a.output.limit), "--limit 20, or 0 for all")
	}
	return nil
}
