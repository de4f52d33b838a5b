package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/rpsl"
)

// An objectDiff is how an object differs between two texts.
type objectDiff struct {
	Type   string `json:"type"`
	Key    string `json:"key"`
	Source string `json:"source"`
	Change string `json:"change"` // new, gone, changed or same
	Diff   string `json:"diff"`   // unified, "" if it is the same
}

var objectDiffColumns = shown[objectDiff]{
	one: "object", many: "objects",
	id: func(d objectDiff) string { return d.Type + " " + d.Key },
	cols: []col[objectDiff]{
		{"type", false, func(d objectDiff) string { return d.Type }},
		{"key", false, func(d objectDiff) string { return d.Key }},
		{"source", false, func(d objectDiff) string { return d.Source }},
		{"change", false, func(d objectDiff) string { return d.Change }},
		{"diff", true, func(d objectDiff) string { return d.Diff }},
	},
}

func whoisDiffCommand(a *app) *cobra.Command {
	since := ""
	c := &cobra.Command{
		Use: "diff FILE | diff --since TIME TYPE KEY", Short: "Compare objects of a file with the registry's, or an object with what it was",
		Long: `Diff compares each object of a file of RPSL with the one of the registry: what
nirctl whois put would change. With --since it compares an object as it was at a time
with what it is now, or as of --as-of. It exits with 3 if there are differences.`,
		Example: `  nirctl whois diff person.rpsl   # exit code 3: it is not in the registry
  nirctl whois diff --since 2026-03-20 inetnum 202.0.0.0/22`,
		Args: arguments(cobra.RangeArgs(1, 2), "nirctl whois diff person.rpsl"),
	}
	c.Flags().StringVar(&since, "since", "", "compare with the registry as it was at `TIME`")
	c.RunE = func(c *cobra.Command, args []string) error {
		if since == "" && len(args) == 1 {
			return a.whoisDiffFile(c, args[0])
		}
		if since == "" || len(args) != 2 {
			return shell.Usage(fmt.Errorf("%s takes a file, or --since with a type and a key", c.CommandPath()), "nirctl whois diff --since 2026-03-20 inetnum 202.0.0.0/22")
		}
		at, err := a.Now(since)
		if err != nil {
			return shell.Usage(fmt.Errorf("--since %q is no time", since), "--since 2026-03-20")
		}
		return a.whoisDiffTimes(c, at, args[0], args[1])
	}
	return a.listing(c)
}

// whoisDiffFile compares a file's objects with those that are kept here.
func (a *app) whoisDiffFile(c *cobra.Command, name string) error {
	data, err := a.read(c.Context(), name, maxImport)
	if err != nil {
		return fmt.Errorf("reading objects: %w", err)
	}
	return a.look(c, func(_ *opened, v *nir.View) error {
		var list []objectDiff
		err := rpsl.Each(name, bytes.NewReader(data), rpsl.Limits{}, func(o *rpsl.Object) error {
			d, err := diffWithRegistry(v, name, o)
			list = append(list, d)
			return err
		})
		if err != nil {
			return shell.Usage(err, "nirctl whois view shows the form")
		}
		return a.showDiffs(list)
	})
}

func diffWithRegistry(v *nir.View, name string, o *rpsl.Object) (objectDiff, error) {
	key, err := o.Key()
	if err != nil {
		return objectDiff{}, err
	}
	have, err := v.Whois(o.Class(), key)
	if err != nil && nir.CodeOf(err) != nir.NotFound {
		return objectDiff{}, err
	}
	d := objectDiff{Type: o.Class(), Key: key, Source: strings.ToUpper(o.Get("source"))}
	old := ""
	for _, w := range have {
		if w.Source == d.Source {
			old = w.Text
		}
	}
	d.compare("the registry", old, name, o.Text())
	return d, nil
}

// compare sets what became of a text.
func (d *objectDiff) compare(was, old, is, text string) {
	old, text = withNewline(old), withNewline(text)
	switch {
	case old == text:
		d.Change = "same"
		return
	case old == "":
		d.Change = "new"
	case text == "":
		d.Change = "gone"
	default:
		d.Change = "changed"
	}
	d.Diff = string(diff.Diff(was, []byte(old), is, []byte(text)))
}

func withNewline(s string) string {
	if s = strings.TrimRight(s, "\n"); s == "" {
		return ""
	}
	return s + "\n"
}

// whoisDiffTimes compares the objects of a type and key at two times.
func (a *app) whoisDiffTimes(c *cobra.Command, since time.Time, class, key string) error {
	texts := func(into map[string]string, first *nir.WhoisObject) func(*nir.View) error {
		return func(v *nir.View) error {
			list, err := v.Whois(class, key)
			for _, w := range list {
				into[w.Source] = w.Text
				*first = w
			}
			if nir.CodeOf(err) == nir.NotFound {
				return nil
			}
			return err
		}
	}
	old, now := map[string]string{}, map[string]string{}
	var w nir.WhoisObject
	return a.look(c, func(o *opened, v *nir.View) error {
		if err := o.AsOf(c.Context(), since, texts(old, &w)); err != nil {
			return err
		}
		if err := texts(now, &w)(v); err != nil {
			return err
		}
		if w.ID == "" {
			return &shell.Exit{Code: notFound, Err: fmt.Errorf("there is no %s %s, and there was none", class, key), Hint: "nirctl whois view " + class + " " + shell.Quote(key)}
		}
		var list []objectDiff
		for _, s := range sourcesOf(old, now) {
			d := objectDiff{Type: w.Type, Key: w.Key, Source: s}
			d.compare(stamp(since), old[s], "now", now[s])
			list = append(list, d)
		}
		return a.showDiffs(list)
	})
}

// showDiffs writes the differences for people, or a row for each object.
func (a *app) showDiffs(list []objectDiff) error {
	different := 0
	for _, d := range list {
		if d.Change != "same" {
			different++
		}
		if a.output.form == "table" {
			a.writeDiff(&d)
		}
	}
	if a.output.form != "table" {
		if err := showList(a, &objectDiffColumns, list); err != nil {
			return err
		}
	}
	if different > 0 {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s different, of %d", count(different, "object"), len(list))}
	}
	return nil
}

func (a *app) writeDiff(d *objectDiff) {
	fmt.Fprintf(a.Stdout, "%s %s, source %s: %s\n", d.Type, plain(d.Key), plain(d.Source), d.Change)
	for i, line := range strings.Split(strings.TrimRight(d.Diff, "\n"), "\n") {
		if i == 0 { // the command that would make it
			continue
		}
		tone := map[string]shell.Tone{"-": shell.Bad, "+": shell.Good, "@": shell.Quiet}[line[:min(1, len(line))]]
		fmt.Fprintln(a.Stdout, shell.Paint(a.Stdout, tone, plain(line)))
	}
}

func sourcesOf(texts ...map[string]string) []string {
	var all []string
	for _, m := range texts {
		all = slices.AppendSeq(all, maps.Keys(m))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
