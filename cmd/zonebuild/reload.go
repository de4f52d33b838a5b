package main

import (
	"context"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
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
	if err := a.open(); err != nil {
		return err
	}
	release, err := a.lock()
	if err != nil {
		return err
	}
	defer release()
	if a.prev, err = shell.CurrentGeneration(a.cfg); err != nil {
		return err
	}
	if a.prev == nil || len(a.prev.Reload) == 0 {
		a.Errorf("every server was told")
		return nil
	}
	rep := &report{Time: a.now, Cause: "reload", Current: a.prev.Number}
	defer func() { err = a.finish(rep, err) }()
	return a.reload(ctx, rep, a.prev)
}
