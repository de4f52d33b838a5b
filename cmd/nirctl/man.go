package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"nirzone/cmd/shell"
)

func manCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write the manual pages, one for each command",
		Long:    "Man writes a page of section 1 for each command into a folder, which is made if\nneed be: nirctl.1, nirctl-nir-list.1 and so on.",
		Args:    arguments(cobra.ExactArgs(1), "nirctl man man1"),
		Example: "  nirctl man man1\n  man -l man1/nirctl.1   # not run by nirctl",
		RunE: func(c *cobra.Command, args []string) error {
			now, err := a.Now(a.nowFlag)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("writing manual pages: %w", err)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "nirzone", Manual: "nirzone", Date: &now}, args[0]); err != nil {
				return fmt.Errorf("writing manual pages: %w", err)
			}
			return nil
		},
	}
}

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: arguments(cobra.NoArgs, "nirctl version"), Example: "  nirctl version\n  nirctl version --json",
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.structured("nirctl", shell.Version())
			}
			_, err := fmt.Fprintln(a.Stdout, "nirctl version "+shell.Version())
			return err
		},
	}
}
