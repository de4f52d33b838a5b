// Zonefetch brings the zonelets of all sources into the spool: untrusted bytes in,
// verified files out. It holds no key of any zone.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/fetch"
	"nirzone/zone/publish"
)

const usage = `zonefetch fetches, verifies and spools the zonelets of all sources.

From every [[source]] of nirzone.toml it brings what has changed since the last
run, checks its MD5 sum and OpenPGP signature, and records it in spool/ for
zonebuild. A source that fails keeps its last good version; how old that is
stands in the report, and in time becomes an alarm.

  zonefetch                        fetch everything
  zonefetch --source JPNIC         this one only; may be given several times
  zonefetch --dry-run              fetch and verify, record nothing
  zonefetch --json                 the report as JSON on standard output
  zonefetch observe                ask the name servers what they really answer

From cron, every two hours:
  zonefetch --quiet; zonebuild --quiet; zonefetch observe --quiet

The configuration is --config, else $NIRZONE_CONFIG, ./nirzone.toml or
/etc/nirzone/nirzone.toml. The report is left in spool/report.json and
report.txt, metrics in the folder "metrics" of the configuration.

Exit codes: 0 done, 1 nothing could be recorded or the run was interrupted,
2 usage or configuration, 3 some source kept its old version, 4 another run
holds the lock.`

// The exit codes.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
	exitLocked  = 4
)

func main() {
	// As the child that speaks rsync with a server, this never returns.
	fetch.Child()
	limitMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, time.Now))
}

// run is the whole command: tests call it with their own streams and clock.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, clock func() time.Time) int {
	a := &app{Shell: &shell.Shell{Name: "zonefetch", Stdout: stdout, Stderr: stderr, Clock: clock}, started: clock(), fs: publish.OS}
	a.Watch()
	c := a.command()
	c.SetArgs(args)
	err := c.ExecuteContext(ctx)
	if a.json || slices.Contains(args, "--json") {
		return a.FinishJSON(err)
	}
	return a.Finish(err)
}

// An app is one call of the command.
type app struct {
	*shell.Shell
	started time.Time
	fs      publish.FS
	config  string
	nowFlag string
	sources []string
	json    bool
	dryRun  bool
	quiet   bool
	verbose bool
}

func (a *app) command() *cobra.Command {
	c := &cobra.Command{
		Use: "zonefetch", Short: "Fetch, verify and spool the zonelets of all sources", Long: usage,
		Version: shell.Version(), Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return a.fetch(c.Context()) },
	}
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			hint := "zonefetch --help"
			if zone.IsSourceName(args[0]) {
				hint = "zonefetch --source " + args[0]
			}
			return shell.Usage(fmt.Errorf("argument %q is not understood", args[0]), hint)
		}
		return nil
	}
	c.SetOut(a.Stdout)
	c.SetErr(a.Stderr)
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return shell.Usage(err, "zonefetch --help") })
	c.Flags().StringArrayVar(&a.sources, "source", nil, "fetch only the source of this `NAME`")
	f := c.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration `FILE`")
	f.StringVar(&a.nowFlag, "now", "", "judge and record as if it were `TIME` (2026-11-21T18:00:00Z)")
	f.BoolVar(&a.json, "json", false, "write the report as JSON")
	f.BoolVar(&a.dryRun, "dry-run", false, "fetch and verify, or ask, and record nothing")
	f.BoolVar(&a.quiet, "quiet", false, "print the report only when somebody has to look")
	f.BoolVar(&a.verbose, "verbose", false, "log every stage")
	c.AddCommand(a.observeCommand())
	return c
}

// fetch runs, and reports also a run that failed.
func (a *app) fetch(ctx context.Context) error {
	now, err := a.Now(a.nowFlag)
	if err != nil {
		return err
	}
	c, err := shell.LoadConfig(a.config)
	if err != nil {
		a.unconfigured("zonefetch")
		return err
	}
	watch := a.watch()
	report, err := fetch.Run(ctx, fetch.Options{
		Config: c, Now: now, Elapsed: func() time.Duration { return a.Clock().Sub(a.started) }, FS: a.fs,
		Sources: a.sources, DryRun: a.dryRun, Rand: rand.Float64, Progress: watch.event,
	})
	watch.close()
	exit := exitOf(err, fetch.ErrUnknownSource, "the sources are "+names(c), report.Cancelled, report.Failed())
	a.deliver(outlet{
		spool: c.Spool, name: "report", json: report.Encode(), quietly: worst(report) < zone.Warning,
		text: func(p *page) { (&textReport{p}).write(report) }, metrics: func(code int) error { return writeMetrics(c, report, code) },
	}, exit)
	return exit
}

// names lists the sources of the configuration.
func names(c *zone.Config) string {
	var list []string
	for i := range c.Sources {
		list = append(list, c.Sources[i].Name)
	}
	return strings.Join(list, ", ")
}

// unconfigured writes the metrics of a run that has no configuration, if the file
// says where.
func (a *app) unconfigured(program string) {
	file, err := shell.FindConfig(a.config)
	if err != nil || a.dryRun {
		return
	}
	m := shell.NewMetrics(program)
	m.Finish(exitUsage, a.started, 0)
	if program == "zonefetch" {
		m.Set("success", successHelp, 0)
	}
	if err := m.Write(shell.RawPath(file, "metrics", "")); err != nil {
		a.Errorf("warning: %v", err)
	}
}

// memoryLimit keeps the garbage collector ahead of servers that send too much;
// what is needed is used all the same.
const memoryLimit = 128 << 20

func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

func worst(r *fetch.Report) zone.Severity {
	var w zone.Severity
	for _, n := range r.Notices {
		w = max(w, n.Severity)
	}
	return w
}

// watch shows what happens: moving bars on a terminal, a log line a source elsewhere,
// a log line a stage if wished. Why a source failed stands in the report, which
// follows; only the log of every stage has it too.
func (a *app) watch() watcher {
	switch {
	case a.verbose:
		return &logWatcher{log: slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})), reasons: true}
	case a.quiet:
		return &logWatcher{log: slog.New(slog.DiscardHandler)}
	case shell.Terminal(a.Stderr):
		return newBars(a.Stderr)
	}
	return &logWatcher{log: slog.New(slog.NewTextHandler(a.Stderr, nil))}
}
