package main

import (
	"context"
	crypto "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/observe"
)

const observeUsage = `zonefetch observe asks the name servers what they really answer.

Every server of every zone is asked, at each of its addresses, for SOA, NS,
DNSKEY and ZONEMD and for some delegations, others each time; every server of
the parent zones for the DS set. What they said is recorded, signatures and
all, in spool/observations.json. zonebuild reads it: a key roll goes on only
when the DS was seen at every address of the parent, validated to the trust
anchors of observe.anchors.

  zonefetch observe                             ask everybody
  zonefetch observe --zone 202.in-addr.arpa     this zone only; may be repeated
  zonefetch observe --dry-run                   ask, record nothing
  zonefetch observe --json                      the report as JSON

It tells of a server that is behind, that has other bytes under the same serial,
that misses a delegation, that does not answer or has not the zone, whose
signatures end soon whatever its serial says, whose serial went back; and of a
DS that is missing, differs, or stands for no key that is published.

From cron, after the build; it needs minutes at most and waits for nobody:
  7 */2 * * * nirzone zonefetch --quiet; zonebuild --quiet; zonefetch observe --quiet

[observe] of nirzone.toml has the addresses, the trust anchors and the limits:
  anchors              a file with the root's DS. Without it the servers are
                       judged, and no DS: key rolls that need one wait
  resolvers            else those of /etc/resolv.conf. Without any, only what has
                       addresses here is asked
  [[observe.parent]]   the servers of a parent. Without, they are those that its
                       own NS set names, validated to the anchors
The report is left in spool/observe.json and observe.txt, metrics in
zonefetch_observe.prom. docs/notices.md explains the codes.

Exit codes: 0 everything is as it should be, 1 nothing could be recorded or the
run was interrupted, 2 usage or configuration, 3 something differs, 4 another
run holds the lock.`

func (a *app) observeCommand() *cobra.Command {
	var zones []string
	c := &cobra.Command{
		Use: "observe", Short: "Ask the name servers what they really answer", Long: observeUsage,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return shell.Usage(fmt.Errorf("argument %q is not understood", args[0]), "zonefetch observe --zone "+shell.Quote(args[0]))
		},
		RunE: func(c *cobra.Command, _ []string) error { return a.observe(c.Context(), zones) },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return shell.Usage(err, "zonefetch observe --help") })
	c.Flags().StringArrayVar(&zones, "zone", nil, "ask about this `ZONE` only")
	return c
}

// observe runs, and reports also a run that failed.
func (a *app) observe(ctx context.Context, zones []string) error {
	now, err := a.Now(a.nowFlag)
	if err != nil {
		return err
	}
	c, err := shell.LoadConfig(a.config)
	if err != nil {
		a.unconfigured("zonefetch_observe")
		return err
	}
	o := observe.Options{
		Config: c, Now: now, FS: a.fs, DryRun: a.dryRun, ID: queryID, System: systemResolvers(), Wait: waitForSpool,
		Elapsed: func() time.Duration { return a.Clock().Sub(a.started) },
	}
	for _, z := range zones {
		name, err := zone.ParseName(z)
		if err != nil {
			return shell.Usage(fmt.Errorf("--zone: %w", err), "zonefetch observe --help")
		}
		o.Zones = append(o.Zones, name)
	}
	if o.Anchors, err = shell.Anchors(c); err != nil {
		return shell.Usage(err, anchorHint(c, err))
	}
	watch := a.observeWatch()
	o.Progress = watch.event
	report, err := observe.Run(ctx, o)
	watch.close()
	exit := exitOf(err, observe.ErrUnknownZone, "zonefetch observe --help", report.Cancelled, report.Differs())
	a.deliver(outlet{
		spool: c.Spool, name: "observe", json: report.Encode(), quietly: true,
		text: func(p *page) { (&observeText{p}).write(report) }, metrics: func(code int) error { return observeMetrics(c, report, code) },
	}, exit)
	return exit
}

// anchorHint says how a file of trust anchors is made, if it is missing.
func anchorHint(c *zone.Config, err error) string {
	if !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return "cp /usr/share/dns/root.ds " + shell.Quote(c.Observe.Anchors) + "   # of Debian's dns-root-data; or set anchors in [observe]"
}

// queryID returns what nobody else can guess.
func queryID() uint16 {
	var b [2]byte
	_, _ = crypto.Read(b[:]) // it never fails
	return binary.BigEndian.Uint16(b[:])
}

// maxResolvConf bounds /etc/resolv.conf.
const maxResolvConf = 1 << 16

func systemResolvers() []netip.AddrPort {
	data, err := shell.ReadFile("/etc/resolv.conf", maxResolvConf)
	if err != nil {
		return nil
	}
	return observe.SystemResolvers(data)
}

// waitForSpool waits for a run of zonefetch to end: five minutes at most.
func waitForSpool(ctx context.Context, try int) bool {
	const step = 200 * time.Millisecond
	t := time.NewTimer(step)
	defer t.Stop()
	<-t.C
	return time.Duration(try)*step < 5*time.Minute && ctx.Err() == nil
}

// An observeWatcher shows how far a run is: a bar on a terminal, elsewhere a log line
// for every answer that is none.
type observeWatcher struct {
	log *slog.Logger
	bar *progressbar.ProgressBar // nil: none
	out io.Writer                // where the bar is
}

func (a *app) observeWatch() *observeWatcher {
	switch {
	case a.verbose:
		return &observeWatcher{log: slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	case !a.quiet && shell.Terminal(a.Stderr):
		return &observeWatcher{log: slog.New(slog.DiscardHandler), bar: newObserveBar(a.Stderr), out: a.Stderr}
	}
	return &observeWatcher{log: slog.New(slog.DiscardHandler)}
}

func newObserveBar(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("looking up servers"), progressbar.OptionSetWidth(barWidth),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetTheme(progressbar.ThemeASCII), progressbar.OptionSetPredictTime(false))
}

func (w *observeWatcher) event(e observe.Event) {
	if e.Total == 0 {
		w.log.Info("looking up servers")
		return
	}
	if w.bar != nil {
		if w.bar.GetMax() != e.Total {
			w.bar.ChangeMax(e.Total)
			w.bar.Describe("asking")
		}
		_ = w.bar.Set(e.Done) // it only draws
	}
	args := []any{"zone", e.Zone.File(), "server", e.Server, "address", e.Address, "done", e.Done, "total", e.Total, "questions", e.Questions}
	if e.Err != nil {
		w.log.Warn("no good answer", append(args, "reason", strings.Join(strings.Fields(e.Err.Error()), " "))...)
		return
	}
	w.log.Debug("answered", args...)
}

func (w *observeWatcher) close() {
	if w.bar != nil {
		_ = w.bar.Finish() // it clears the line
		fmt.Fprint(w.out, "\r")
	}
}
