package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// findings is the exit code for what a person has to look at.
const findings = 3

func auditCommand(a *app) *cobra.Command {
	noun := nounCommand("audit", "Every event of the registry, and their proof")
	noun.AddCommand(auditLogCommand(a), auditViewCommand(a), auditVerifyCommand(a), auditExportCommand(a), auditShipCommand(a), auditReceiveCommand(a), auditCheckCommand(a))
	return noun
}

var eventColumns = shown[nir.Event]{
	one: "event", many: "events",
	id: func(e nir.Event) string { return strconv.FormatInt(e.Seq, 10) },
	cols: []col[nir.Event]{
		{">event", false, func(e nir.Event) string { return strconv.FormatInt(e.Seq, 10) }},
		{"at", false, func(e nir.Event) string { return stamp(e.At) }},
		{"actor", false, func(e nir.Event) string { return e.Actor }},
		{"nir", false, func(e nir.Event) string { return e.NIR }},
		{"act", false, func(e nir.Event) string { return e.Act }},
		{">objects", false, func(e nir.Event) string { return strconv.Itoa(len(e.Changes)) }},
		{"reason", false, func(e nir.Event) string { return e.Reason }},
		{"roles", true, func(e nir.Event) string { return joined(e.Roles, " ") }},
		{"key", true, func(e nir.Event) string { return e.Key }},
	},
}

func auditLogCommand(a *app) *cobra.Command {
	var after int64
	c := &cobra.Command{
		Use: "log", Short: "List the events, the newest last", Args: arguments(cobra.NoArgs, "nirctl audit log"),
		Example: "  nirctl audit log\n  nirctl audit log --filter act=window.set -o wide\n  nirctl audit log --after 3 --sort -event --limit 20",
	}
	c.Flags().Int64Var(&after, "after", 0, "only events after `NUMBER`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.events(v, after)
			if err != nil {
				return err
			}
			return showList(a, &eventColumns, list)
		})
	}
	return a.listing(c)
}

// events returns the events that the user may see: staff of an NIR see those of
// their own.
func (o *opened) events(v *nir.View, after int64) ([]nir.Event, error) {
	var list []nir.Event
	err := v.Events(after, func(entry, _ []byte) error {
		var e nir.Event
		if err := json.NewDecoder(bytes.NewReader(entry)).Decode(&e); err != nil {
			return fmt.Errorf("decoding the event after %d: %w", after, err)
		}
		if o.mine(e.NIR) == nil {
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

func auditViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view EVENT", Short: "Show what an event did", Args: arguments(cobra.ExactArgs(1), "nirctl audit view 2"),
		Example: "  nirctl audit view 2\n  nirctl audit view 2 -o json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		seq, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return shell.Usage(fmt.Errorf("%s is no number of an event", args[0]), "nirctl audit log")
		}
		return a.look(c, func(o *opened, v *nir.View) error { return a.auditView(o, v, seq) })
	}
	return a.reading(c)
}

func (a *app) auditView(o *opened, v *nir.View, seq int64) error {
	e, err := v.EventOf(seq)
	if err == nil {
		err = o.mine(e.NIR)
	}
	if err != nil {
		return err
	}
	p, err := v.Plan(e)
	if err != nil {
		return err
	}
	if a.output.form == "json" || a.output.form == "yaml" {
		return a.structured("event", struct {
			*nir.Event
			Effects []nir.Effect `json:"effects"`
		}{e, p.Effects})
	}
	return showOne(a, &eventColumns, *e, func() { fmt.Fprint(a.Stdout, effectsText(a.Stdout, p)) })
}

func auditVerifyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "verify", Short: "Prove that no event was altered, and that nothing changed without one",
		Long: `Verify proves the chain of hashes from the first event to the last, that none is
missing, and that the events, replayed, give the registry as it is, row by row.
Keep the hash that it prints elsewhere: whoever could write the database could
write another chain, but none that has your hash. It exits with 3 if the proof
fails.`,
		Args: arguments(cobra.NoArgs, "nirctl audit verify"), Example: "  nirctl audit verify\n  nirctl audit verify -o json\n  nirctl audit verify --file audit.jsonl",
	}
	file := ""
	c.Flags().StringVar(&file, "file", "", "prove the lines of `FILE`, exported or shipped, without registry and configuration")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if file != "" {
			return a.auditCheck(file)
		}
		return a.auditVerify(c)
	}
	a.showing(c)
	return c
}

func (a *app) auditVerify(c *cobra.Command) error {
	if err := a.checkForm(); err != nil {
		return err
	}
	o, err := a.open(c.Context())
	if err != nil {
		return err
	}
	defer o.close()
	s, err := o.VerifyAudit(c.Context())
	if err != nil {
		return &shell.Exit{Code: findings, Err: err, Hint: "stop all writing and compare with a backup: its hash tells which is right"}
	}
	if a.output.form == "json" || a.output.form == "yaml" {
		return a.structured("audit", s)
	}
	fmt.Fprintf(a.Stdout, "%s, the last at %s\nhash %s\n", count(int(s.Events), "event"), stamp(s.Last), s.Hash)
	return nil
}
