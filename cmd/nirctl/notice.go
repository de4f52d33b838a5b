package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func noticeCommand(a *app) *cobra.Command {
	noun := nounCommand("notice", "What sources are told")
	var source, severity string
	list := &cobra.Command{
		Use: "list", Short: "List the notices that are open",
		Long: `List shows what the sources are told: every notice that is open in the published
generation, with the time since when, and the file and line where the source
wrote it. docs/notices.md says what each code means and what to do.`,
		Example: "  nirctl notice list\n  nirctl notice list --source JPNIC\n  nirctl notice list --severity alarm --json",
		Args:    arguments(cobra.NoArgs, "nirctl notice list --source JPNIC"),
		RunE:    func(*cobra.Command, []string) error { return a.noticeList(source, severity) },
	}
	list.Flags().StringVar(&source, "source", "", "only those of `SOURCE`, in any case")
	list.Flags().StringVar(&severity, "severity", "info", "only `SEVERITY` and above: info, warning, error, alarm")
	words := cobra.FixedCompletions([]cobra.Completion{"info", "warning", "error", "alarm"}, cobra.ShellCompDirectiveNoFileComp)
	if err := list.RegisterFlagCompletionFunc("severity", words); err != nil {
		panic("nirctl: " + err.Error()) // the flag is defined above
	}
	noun.AddCommand(list, noticeLogCommand(a), noticeAckCommand(a), noticeImportCommand(a), noticeMailsCommand(a), noticeResendCommand(a))
	return noun
}

func (a *app) noticeList(source, severity string) error {
	var least zone.Severity
	if err := least.UnmarshalText([]byte(severity)); err != nil {
		return shell.Usage(err, "--severity warning")
	}
	cfg, g, err := a.published()
	if err != nil {
		return err
	}
	if err := knownSource(cfg, g, source); err != nil {
		return err
	}
	list := []zone.OpenNotice{}
	for _, n := range g.Notices {
		if (source == "" || strings.EqualFold(n.Source, source)) && n.Severity >= least {
			list = append(list, n)
		}
	}
	if a.json {
		return a.encode(struct {
			Version    int               `json:"version"`
			Generation uint64            `json:"generation"`
			Notices    []zone.OpenNotice `json:"notices"`
		}{1, g.Number, list})
	}
	a.writeNotices(list)
	a.Errorf("%s open in generation %d", count(len(list), "notice"), g.Number)
	return nil
}

// writeNotices shows each notice as a row of a table with its text below: texts
// are whole sentences, too long for a column.
func (a *app) writeNotices(list []zone.OpenNotice) {
	t := shell.Table{Header: []string{"source", "severity", "since", "code", "where"}}
	for _, n := range list {
		t.Add(n.Source, shell.Paint(a.Stdout, toneOf(n.Severity), n.Severity.String()), n.Since.Format("2006-01-02 15:04"), n.Code, place(n.Notice))
	}
	var rows strings.Builder
	t.Render(&rows)
	for i, row := range strings.Split(strings.TrimRight(rows.String(), "\n"), "\n") {
		if row != "" {
			fmt.Fprintln(a.Stdout, row)
		}
		if i > 0 {
			a.say("    %s\n", list[i-1].Text)
		}
	}
}

// knownSource refuses a source that is neither configured nor spoken of: an
// empty list would look like good news.
func knownSource(cfg *zone.Config, g *zone.Generation, source string) error {
	if source == "" {
		return nil
	}
	names := []string{cfg.RIR}
	for _, s := range cfg.Sources {
		names = append(names, s.Name)
	}
	for _, n := range g.Notices {
		names = append(names, n.Source)
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, source) }) {
		return nil
	}
	slices.Sort(names)
	return &shell.Exit{Code: notFound, Err: fmt.Errorf("there is no source %q", source), Hint: "the sources are " + strings.Join(slices.Compact(names), ", ")}
}
