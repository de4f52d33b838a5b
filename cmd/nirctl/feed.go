package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

func feedCommand(a *app) *cobra.Command {
	noun := nounCommand("feed", "The zonelets that NIRs publish, as they were fetched")
	noun.Long = `A feed is a zonelet of an NIR: which version of it was accepted, and how the last
attempt to fetch it ended (APNIC-103, section 3.4.1). zonefetch fetches, and feed run
records what it brought. What zonebuild holds of one is shown, and accepted, there:
zonebuild held, zonebuild accept.`
	noun.AddCommand(feedStatusCommand(a), feedLogCommand(a), feedRunCommand(a))
	return noun
}

var feedColumns = shown[nir.Feed]{
	one: "feed", many: "feeds", none: "zonefetch, then nirctl feed run",
	id: func(f nir.Feed) string { return f.NIR + "/" + f.Zone.File() },
	cols: []col[nir.Feed]{
		{"nir", false, func(f nir.Feed) string { return f.NIR }},
		{"zone", false, func(f nir.Feed) string { return f.Zone.File() }},
		{"verdict", false, func(f nir.Feed) string { return f.Verdict }},
		{">run", false, func(f nir.Feed) string { return fmt.Sprint(f.Run) }},
		{"tried", false, func(f nir.Feed) string { return stamp(f.Tried) }},
		{"version", false, func(f nir.Feed) string { return fmt.Sprintf("%.12s", f.SHA256) }},
		{"accepted", false, func(f nir.Feed) string { return stamp(f.Accepted) }},
		{"reason", false, func(f nir.Feed) string { return f.Reason }},
		{">size", true, func(f nir.Feed) string { return fmt.Sprint(f.Size) }},
		{"signer", true, func(f nir.Feed) string { return f.Signer }},
		{"file", true, func(f nir.Feed) string { return f.File }},
		{"url", true, func(f nir.Feed) string { return f.URL }},
		{"sha256", true, func(f nir.Feed) string { return f.SHA256 }},
		{"id", true, func(f nir.Feed) string { return f.ID }},
	},
}

func feedStatusCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "status", Short: "Show the accepted version of each feed, and how it was tried last", Args: arguments(cobra.NoArgs, "nirctl feed status"),
		Long:    "Status lists the feeds as of the last run that was recorded. It exits with 3 if the\nlast attempt at one failed: then its last good version stands.",
		Example: "  nirctl feed status\n  nirctl feed status --nir JPNIC --filter verdict!=accepted",
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.feedStatus(o, v, code) })
	}
	return a.listing(c)
}

// feeds are those that the user may see.
func (o *opened) feeds(v *nir.View, code string) ([]nir.Feed, error) {
	scope, err := o.scope(v, code)
	if err != nil {
		return nil, err
	}
	all, err := v.Feeds("")
	var list []nir.Feed
	for _, f := range all {
		if slices.Contains(scope, f.NIR) {
			list = append(list, f)
		}
	}
	return list, err
}

func (a *app) feedStatus(o *opened, v *nir.View, code string) error {
	list, err := o.feeds(v, code)
	if err != nil {
		return err
	}
	if err := showList(a, &feedColumns, list); err != nil {
		return err
	}
	failed := 0
	for _, f := range list {
		if zone.Outcome(f.Verdict).Failed() {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &shell.Exit{Code: findings, Err: fmt.Errorf("%s kept an old version, or none", count(failed, "feed")), Hint: "the reasons: nirctl feed status -o wide"}
}

func feedLogCommand(a *app) *cobra.Command {
	code := ""
	c := &cobra.Command{
		Use: "log [ZONE]", Short: "Show which versions of feeds were accepted and refused, and when", Args: arguments(cobra.MaximumNArgs(1), "nirctl feed log 202.in-addr.arpa --nir JPNIC"),
		Long:    "Log shows the runs of zonefetch in which something changed for a feed: another\nversion, or another verdict. A run that found the same is not there.",
		Example: "  nirctl feed log\n  nirctl feed log 202.in-addr.arpa --nir JPNIC   # exit code 5: nothing was recorded",
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.feedLog(o, v, code, args) })
	}
	return a.listing(c)
}

func (a *app) feedLog(o *opened, v *nir.View, code string, args []string) error {
	list, err := o.feeds(v, code)
	if err != nil {
		return err
	}
	var steps []nir.Feed
	for _, f := range list {
		if len(args) > 0 && !strings.EqualFold(f.Zone.File(), strings.TrimSuffix(args[0], ".")) {
			continue
		}
		some, err := v.FeedVersions(f.ID)
		if err != nil {
			return err
		}
		steps = append(steps, some...)
	}
	if len(args) > 0 && len(steps) == 0 {
		return &shell.Exit{Code: notFound, Err: fmt.Errorf("no feed of %s was recorded", args[0]), Hint: "nirctl feed status"}
	}
	return showList(a, &feedColumns, steps)
}

// maxManifest bounds the manifest of the spool, in octets.
const maxManifest = 256 << 20

func feedRunCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "run", Short: "Record what the last run of zonefetch brought of each NIR", Args: arguments(cobra.NoArgs, "nirctl feed run --yes --quiet"),
		Long: `Run reads the manifest of the spool and records, of each zonelet of an NIR, the run,
the digest and the verdict. The same manifest again changes nothing. From cron, after
zonefetch: nirctl feed run --yes --quiet.`,
		Example: "  nirctl feed run   # exit code 5: zonefetch has left nothing yet",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		m, err := a.manifest(c)
		if err != nil {
			return err
		}
		return a.change(c, change{
			fn: func(x *nir.Tx) error {
				_, err := x.RecordFeeds(m)
				return err
			},
		})
	}
	return a.writing(c)
}

// manifest reads what zonefetch left in the spool.
func (a *app) manifest(c *cobra.Command) (*zone.Manifest, error) {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		return nil, err
	}
	return a.fetched(c.Context(), cfg)
}

// fetched reads the manifest of what zonefetch brought.
func (a *app) fetched(ctx context.Context, cfg *zone.Config) (*zone.Manifest, error) {
	file := filepath.Join(cfg.Spool, "manifest.json")
	if !isFile(file) {
		return nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("zonefetch has left nothing yet: %s is not there", file), Hint: "zonefetch"}
	}
	data, err := a.read(ctx, file, maxManifest)
	if err != nil {
		return nil, fmt.Errorf("reading what zonefetch left: %w", err)
	}
	return zone.ParseManifest(file, data)
}
