// Nirctl is the registry at the shell, for the staff of NIRs and of the
// registry: check a zonelet before it is published, make one, ask why a name is
// in a zone, read notices.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

const usage = `nirctl shows and checks what the registry does with delegations.

For an NIR, before it publishes (needs nothing but the files):
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt
  nirctl zone check 202.in-addr.arpa-JPNIC --claims claims --previous old/202.in-addr.arpa-JPNIC

On the registry's own machine (reads what zonefetch and zonebuild left):
  nirctl why 28.12.202.in-addr.arpa
  nirctl why 202.12.28.0/24
  nirctl notice list
  nirctl notice list --source JPNIC

Exit codes: 0 done, 1 failed or cancelled, 2 usage or configuration, 3 findings,
5 not found.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sh := shell.Shell{Name: "nirctl", Stdout: os.Stdout, Stderr: os.Stderr, Clock: time.Now}
	os.Exit(run(ctx, os.Args[1:], &sh))
}

// run is the whole command: tests call it with their own streams and clock.
func run(ctx context.Context, args []string, sh *shell.Shell) int {
	sh.Watch()
	a := &app{Shell: sh}
	root := command(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		err = errCancelled
	}
	if a.json || slices.Contains(args, "--json") {
		return sh.FinishJSON(err)
	}
	return sh.Finish(err)
}

// An app is one call of nirctl.
type app struct {
	*shell.Shell
	config, nowFlag string
	json            bool
}

// notFound is the exit code for a name or object that is not there.
const notFound = 5

// command builds the tree of commands.
func command(a *app) *cobra.Command {
	root := nounCommand("nirctl", "The registry at the shell")
	root.Use, root.Long = "nirctl NOUN VERB", usage
	root.Version = shell.Version()
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		_, err := a.Now(a.nowFlag) // a wrong one is a mistake, needed or not
		return err
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return shell.Usage(err, c.CommandPath()+" --help") })
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration `FILE` (default: $NIRZONE_CONFIG, ./nirzone.toml, /etc/nirzone/nirzone.toml)")
	f.StringVar(&a.nowFlag, "now", "", "act as if it were `TIME` (2026-11-21T18:00:00Z)")
	f.BoolVar(&a.json, "json", false, "write the result as JSON")
	root.AddCommand(zoneCommand(a), whyCommand(a), noticeCommand(a))
	return root
}

// nounCommand is a command that only has others below it: alone it shows its
// help, and a word it does not know is a mistake.
func nounCommand(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return shell.Usage(fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath()), c.CommandPath()+" --help")
			}
			return c.Help()
		},
	}
}

// arguments makes a wrong number of arguments a mistake of usage, with an
// example to type.
func arguments(check cobra.PositionalArgs, hint string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return shell.Usage(fmt.Errorf("%s was given %d arguments", c.CommandPath(), len(args)), hint)
		}
		return nil
	}
}

// encode is the JSON of a result.
func (a *app) encode(v any) error {
	return shell.WriteJSON(a.Stdout, v)
}

// published returns the configuration and the current generation.
func (a *app) published() (*zone.Config, *zone.Generation, error) {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		return nil, nil, err
	}
	g, err := shell.CurrentGeneration(cfg)
	if err != nil {
		return nil, nil, err
	}
	if g == nil {
		return nil, nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("nothing is published in %s yet", cfg.Public), Hint: "zonebuild plan"}
	}
	return cfg, g, nil
}
