package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func noticeCommand(a *app) *cobra.Command {
	noun := &cobra.Command{Use: "notice", Short: "What sources are told"}
	var source, severity string
	list := &cobra.Command{
		Use: "list", Short: "List the notices that are open",
		Example: "  nirctl notice list --source JPNIC\n  nirctl notice list --severity alarm --json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.noticeList(source, severity) },
	}
	list.Flags().StringVar(&source, "source", "", "only those of `SOURCE`")
	list.Flags().StringVar(&severity, "severity", "info", "only `SEVERITY` and above: info, warning, error, alarm")
	noun.AddCommand(list)
	return noun
}

func (a *app) noticeList(source, severity string) error {
	var least zone.Severity
	if err := least.UnmarshalText([]byte(severity)); err != nil {
		return shell.Usage(err, "--severity warning")
	}
	_, g, err := a.published()
	if err != nil {
		return err
	}
	list := []zone.OpenNotice{}
	for _, n := range g.Notices {
		if (source == "" || n.Source == source) && n.Severity >= least {
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
	tones := []shell.Tone{shell.Quiet, shell.Plain, shell.Care, shell.Bad}
	t := shell.Table{Header: []string{"source", "severity", "since", "code", "where", "what"}}
	for _, n := range list {
		where := n.Pos.String()
		if n.Pos.File == "" {
			where = n.Zone.File()
		}
		t.Add(n.Source, shell.Paint(a.Stdout, tones[min(n.Severity, zone.Alarm)], n.Severity.String()), n.Since.Format(time.DateOnly), n.Code, where, n.Text)
	}
	t.Render(a.Stdout)
	if len(list) == 0 {
		a.Errorf("no such notice is open")
	}
	fmt.Fprintf(a.Stderr, "nirctl: %d notices in generation %d\n", len(list), g.Number)
	return nil
}
