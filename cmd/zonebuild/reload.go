package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

func reloadCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Reload the zones whose servers have not been told yet", Args: noArgs,
		Long: `Reload runs the configured commands for the zones that changed since the last
reload that worked. It is for a unit that may reach the name servers, after
"zonebuild --no-reload" in one that may not.`,
		RunE: func(c *cobra.Command, _ []string) error { return a.reloadPending(c.Context()) },
	}
}

func (a *app) reloadPending(ctx context.Context) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	release, err := a.lock()
	defer release()
	if isLocked(err) {
		return err // the report and the metrics are the other run's
	}
	if err := errors.Join(err, a.readCurrent()); err != nil {
		return err
	}
	if a.prev == nil {
		return a.nothingPublished()
	}
	if len(a.prev.Reload) == 0 || a.dryRun {
		return a.showPending()
	}
	rep := &report{Time: a.now, Cause: causeReload}
	defer func() { err = a.finish(rep, err) }()
	done := a.readSettled(a.before)
	err = a.reload(ctx, rep, a.prev)
	if done.Named != nil && a.note != a.before { // only the note is another
		if werr := a.writeSettled(done); werr != nil {
			rep.note("state: %v; the next run does it again", werr)
		}
	}
	if err != nil {
		return err
	}
	if len(rep.Notes) > 0 {
		return &shell.Exit{Code: 3}
	}
	return nil
}

// showPending says which zones' servers wait for a reload.
func (a *app) showPending() error {
	pending := []zone.Name{}
	if a.prev != nil {
		pending = append(pending, a.prev.Reload...)
	}
	if a.json {
		return a.answer(struct {
			Version int         `json:"version"`
			Pending []zone.Name `json:"pending"`
		}{1, pending})
	}
	for _, z := range pending {
		fmt.Fprintln(a.Stdout, "would reload:", z.File())
	}
	if len(pending) == 0 && !a.quiet {
		a.Errorf("every server was told")
	}
	return nil
}
