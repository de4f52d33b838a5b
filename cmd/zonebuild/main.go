// Zonebuild turns verified zonelets and the registry's own data into signed,
// verified, published parent zones. It opens no network connection and no
// database; it is the only program that reads the DNSSEC keys.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone/publish"
)

const usage = `zonebuild merges, signs, verifies and publishes the parent zones.

Without a command it does one whole run, as cron starts it: it reads spool/ and
registry/, merges every zone, holds back what would remove too much, signs,
verifies, publishes a new generation under public/current and reloads the name
servers. If nothing changed, nothing is published.

The first day:
  zonebuild keys init              make a KSK and a ZSK for every zone
  zonebuild plan                   show what would be published
  zonebuild init --accept 1234     publish it, if it is 1234 delegations

The first day, when the zones are live elsewhere:
  zonebuild --shadow FOLDER        compare with what is served, day by day
  zonebuild adopt FOLDER --keys K  show what taking them over would change

Every two hours:
  zonefetch; zonebuild

When a source would lose too much:
  zonebuild held                   list what waits
  zonebuild held show HASH         the losses, one by one
  zonebuild accept HASH --removes 120 -m "JPNIC ticket 4711"
  zonebuild accept HASH --additions-only -m "the rest may pass"
  zonebuild accept HASH --withdraw

When a key rolls:
  zonebuild keys                   each key, its next step and what it waits for
  zonebuild keys ds ZONE           the DS set that the parent should have
  zonebuild keys approve HASH -m "DS exchanged, ticket 4711"

When something wrong was published:
  zonebuild history                list the generations that are kept
  zonebuild rollback 41            publish the content of generation 41 again
  zonebuild pins                   list what stands whatever is fetched
  zonebuild rollback --release     follow the inputs again

Exit codes: 0 published or nothing to do, 1 nothing published, 2 usage or
configuration, 3 published, but something was held, carried forward or alarmed,
4 another run holds the lock, 5 published, but a reload failed.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sh := shell.Shell{Name: "zonebuild", Stdout: os.Stdout, Stderr: os.Stderr, Clock: time.Now}
	os.Exit(run(ctx, os.Args[1:], &sh, publish.OS))
}

// run is the whole command: tests call it with their own streams, clock and
// file system.
func run(ctx context.Context, args []string, sh *shell.Shell, fs publish.FS) int {
	limitMemory()
	sh.Watch()
	a := &app{Shell: sh, fs: fs, spent: map[string]bool{}}
	root := command(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if a.json || slices.Contains(args, "--json") {
		return sh.FinishJSON(err)
	}
	return sh.Finish(err)
}

// answer writes a command's result as JSON, alone on standard output.
func (a *app) answer(v any) error {
	_, err := a.Stdout.Write(encode(v))
	return err
}

// usageArgs makes a wrong number of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			given := countOf(len(args), "1 argument", "%d arguments")
			return shell.Usage(fmt.Errorf("%s was given %s", c.CommandPath(), given), strings.TrimSuffix(c.UseLine(), " [flags]"))
		}
		return nil
	}
}

// plainFlag says what a flag takes, where the library quotes the one that it
// reads numbers with.
func plainFlag(err error) error {
	what, why, ok := strings.Cut(err.Error(), ": strconv.")
	switch {
	case !ok:
		return err
	case strings.HasPrefix(why, "ParseBool"):
		return errors.New(what + ": it takes true or false")
	}
	return errors.New(what + ": it takes a whole number")
}

// command builds the tree of commands.
func command(a *app) *cobra.Command {
	var shadow []string
	root := &cobra.Command{
		Use: "zonebuild", Short: "Merge, sign, verify and publish the parent zones", Long: usage,
		Version: shell.Version(), Args: noArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(shadow) > 0 {
				return a.shadow(c.Context(), shadow)
			}
			if a.dryRun { // the same as plan, a first publication included
				return a.plan(c.Context(), causeInit, nil)
			}
			return a.build(c.Context(), causeBuild, nil)
		},
	}
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return shell.Usage(plainFlag(err), c.CommandPath()+" --help") })
	root.AddCommand(pinsCommand(a))
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration `FILE`")
	f.StringVar(&a.nowFlag, "now", "", "build as if it were `TIME` (2026-11-21T18:00:00Z); serials and signatures are of that time too")
	f.BoolVar(&a.clockRight, "clock-is-right", false, "build although the time looks wrong")
	f.BoolVar(&a.json, "json", false, "write the result as JSON")
	f.BoolVar(&a.dryRun, "dry-run", false, "show what would be done, change nothing")
	f.BoolVar(&a.noReload, "no-reload", false, "leave the reload to \"zonebuild reload\"")
	f.BoolVar(&a.full, "full", false, "build every zone and read every file, also where nothing seems to have changed")
	f.BoolVar(&a.quiet, "quiet", false, "print the report only when somebody has to look")
	f.BoolVar(&a.verbose, "verbose", false, "log every stage")
	root.Flags().StringArrayVar(&shadow, "shadow", nil, "publish nothing, compare with what `FILE` or folder holds of what is served; may be repeated")
	root.AddCommand(initCommand(a), adoptCommand(a), planCommand(a), heldCommand(a), acceptCommand(a), keysCommand(a), historyCommand(a), rollbackCommand(a), reloadCommand(a))
	return root
}
