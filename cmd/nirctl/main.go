// Nirctl is the registry at the shell, for the staff of NIRs and of the
// registry: windows, members, pools, requests, delegations, approvals; check a
// zonelet before it is published, make one, ask why a name is in a zone, read
// notices.
//
// # How a noun is made
//
// A noun is a file with a function that returns its command, and a line in nouns
// below. A verb that reads is made by reading or listing, and runs in look on a
// [nir.View]; what it found goes to showList or showOne with a shown, which
// says what the columns are. A verb that writes is made by writing and hands a
// change to app.change: the frame shows its plan, asks, does it, and says what was
// done. Rules are package nir's: a verb translates words, and refused makes an
// exit code of a refusal.
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
	"nirzone/nir"
	"nirzone/zone"
)

const usage = `nirctl is the registry at the shell: NIRs and their windows, members, pools,
requests and delegations; it checks zonelets, and says why a name is in a zone.

For an NIR, before it publishes (needs nothing but the files):
  nirctl zone make --zone 202.in-addr.arpa --source JPNIC delegations.txt
  nirctl zone check 202.in-addr.arpa-JPNIC --claims claims --previous old/202.in-addr.arpa-JPNIC

For an NIR that needs resources for a member:
  nirctl window use JPNIC
  nirctl request create --member M1 --size /22 --ref R-77 --netname EXAMPLE --attested --dry-run
  nirctl request wait R-77
  nirctl delegation view 202.12.28.0/24

For the registry's staff:
  nirctl request list --state evaluating --sort due
  nirctl request ask JPNIC/R-2 -m "which part of it is in use today?"
  nirctl approve --list
  nirctl what-if window set JPNIC ipv4 /19 -m "review of March"
  nirctl audit verify

On the registry's own machine (reads what zonefetch and zonebuild left):
  nirctl why 28.12.202.in-addr.arpa
  nirctl notice list --source JPNIC

To begin: nirctl init, then nirctl doctor says what to type.

Every command that changes the registry shows a plan of all effects first and asks;
--dry-run stops there, --yes does not ask. Reads take --as-of TIME, and -o table,
wide, json, yaml, name, csv or rpsl.

Exit codes: 0 done, 1 failed or cancelled, 2 usage or configuration, 3 findings,
4 not permitted, 5 not found, 6 conflict, 7 second opinion required, 8 pending,
9 unsafe change held.`

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
	root.SetArgs(joinFields(args))
	a.ctx = ctx
	err := root.ExecuteContext(ctx)
	if err = corrected(args, a.troubled(a.cfg, err)); ctx.Err() != nil && err != nil {
		err = errCancelled
	}
	if a.shape.asked && a.shape.template == nil && a.shape.jq == nil || slices.Contains(args, "--json") {
		return sh.FinishJSON(err)
	}
	return sh.Finish(err)
}

// An app is one call of nirctl.
type app struct {
	*shell.Shell
	ctx             context.Context // ends with Ctrl-C
	config, nowFlag string
	cfg             *zone.Config // of the registry that was opened
	json            bool
	shape           shape
	color           string
	quiet, verbose  bool
	made            bool // a change is committed: from here on it cannot be refused

	output      outputFlags
	moves       bool      // it only reads, so that what a database has can be moved
	as, reason  string    // who acts, and why
	who         nir.Actor // as the configuration has them, once the registry is open
	dryRun, yes bool
}

// notFound is the exit code for a name or object that is not there.
const notFound = 5

// command builds the tree of commands.
func command(a *app) *cobra.Command {
	root := nounCommand("nirctl", "The registry at the shell")
	root.Use, root.Long = "nirctl NOUN VERB", usage
	root.Version = shell.Version()
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if _, err := a.Now(a.nowFlag); err != nil { // a mistake, needed or not
			return err
		}
		return a.prepare(c)
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if args := c.Flags().Args(); c.HasSubCommands() && len(args) > 0 { // the flag is one of a verb that is misspelt
			return unknownCommand(c, args[0])
		}
		return shell.Usage(err, c.CommandPath()+" --help")
	})
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration `FILE` (default: $NIRZONE_CONFIG, ./nirzone.toml, /etc/nirzone/nirzone.toml)")
	f.StringVar(&a.nowFlag, "now", "", "act as if it were `TIME` (2026-11-21T18:00:00Z)")
	a.shapeFlags(root)
	root.AddCommand(zoneCommand(a), whyCommand(a), noticeCommand(a))
	for _, noun := range nouns {
		root.AddCommand(noun(a))
	}
	a.offer(root)
	return root
}

// nouns are the commands on the registry: each is a file with a function, and a
// line here.
var nouns []func(*app) *cobra.Command

func init() { // what-if makes all commands anew, itself included
	nouns = []func(*app) *cobra.Command{
		whatIfCommand, initCommand, nirCommand, windowCommand, memberCommand, poolCommand, requestCommand, delegationCommand, transferCommand, returnCommand, feeCommand, auditCommand,
		approveCommand, slaCommand, disclosureCommand, exportCommand, importCommand, whoisCommand, domainCommand,
		deliverCommand, mirrorCommand, statsCommand, feedCommand,
		backupCommand, restoreCommand, doctorCommand, manCommand, versionCommand,
	}
}

// nounCommand is a command that only has others below it: alone it shows its
// help, and a word it does not know is a mistake.
func nounCommand(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		},
		SuggestionsMinimumDistance: 2,
	}
}

// unknownCommand is the mistake of a word that is none of the commands below c.
func unknownCommand(c *cobra.Command, word string) error {
	hint := c.CommandPath() + " --help"
	if like := c.SuggestionsFor(word); len(like) > 0 {
		hint = c.CommandPath() + " " + like[0] + " --help"
	}
	return shell.Usage(fmt.Errorf("unknown command %q for %q", word, c.CommandPath()), hint)
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

// encode is the JSON of a result, or what was asked for of it.
func (a *app) encode(v any) error {
	err := a.shape.write(a.ctx, a.Stdout, v)
	if err != nil && a.made {
		a.Shell.Errorf("the change is made; it cannot be shown as you asked: %v", err)
		return nil
	}
	return err
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
