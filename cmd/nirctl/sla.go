package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func slaCommand(a *app) *cobra.Command {
	noun := nounCommand("sla", "How requests were answered against what policy promises")
	noun.AddCommand(slaReportCommand(a))
	return noun
}

var slaColumns = shown[nir.ServiceLevel]{
	one: "level", many: "levels", none: "nirctl request list",
	id: func(l nir.ServiceLevel) string { return l.NIR + " " + l.Act },
	cols: []col[nir.ServiceLevel]{
		{"nir", false, func(l nir.ServiceLevel) string { return l.NIR }},
		{"act", false, func(l nir.ServiceLevel) string { return l.Act }},
		{">requests", false, func(l nir.ServiceLevel) string { return strconv.Itoa(l.Requests) }},
		{">in time", false, func(l nir.ServiceLevel) string { return strconv.Itoa(l.InTime) }},
		{">breached", false, func(l nir.ServiceLevel) string { return strconv.Itoa(l.Breached) }},
		{">waiting", false, func(l nir.ServiceLevel) string { return strconv.Itoa(l.Waiting) }},
		{">median", false, func(l nir.ServiceLevel) string { return l.Median.Round(time.Minute).String() }},
		{">worst", false, func(l nir.ServiceLevel) string { return l.Worst.Round(time.Minute).String() }},
		{">answered", true, func(l nir.ServiceLevel) string { return strconv.Itoa(l.Answered) }},
		{">withdrawn", true, func(l nir.ServiceLevel) string { return strconv.Itoa(l.Withdrawn) }},
	},
}

func slaReportCommand(a *app) *cobra.Command {
	var code, from, until string
	c := &cobra.Command{
		Use: "report", Short: "Report on the requests that came in a time",
		Long: `Report counts the requests and returns of each NIR that were answered in time: a
request within the window by a specific allocation within one working day, any
other, and a return, within two (APNIC-103, section 3.6). Times are working time; it stands still while the NIR
owes an answer. It exits with 3 if any was late. Without --from it is of the last
year.`,
		Example: "  nirctl sla report --from 2026-03-01 --until 2026-03-10\n  nirctl sla report --nir JPNIC --from 2026-03-01 --until 2026-03-10 -o json",
		Args:    arguments(cobra.NoArgs, "nirctl sla report --from 2026-01-01 --until 2026-04-01"),
	}
	a.scopeFlag(c, &code, "only those of `NIR`")
	c.Flags().StringVar(&from, "from", "", "from `TIME`")
	c.Flags().StringVar(&until, "until", "", "until just before `TIME`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.slaReport(o, v, code, from, until) })
	}
	return a.listing(c)
}

func (a *app) slaReport(o *opened, v *nir.View, code, from, until string) error {
	begin, end, err := a.span(o, from, until)
	if err != nil {
		return err
	}
	scope, err := o.scope(v, code)
	if err != nil {
		return err
	}
	only := ""
	if len(scope) == 1 {
		only = scope[0]
	}
	list, err := v.ServiceLevels(only, begin, end, o.actor.At)
	if err != nil {
		return err
	}
	if err := showList(a, &slaColumns, list); err != nil {
		return err
	}
	late := 0
	for _, l := range list {
		late += l.Breached
	}
	if late > 0 {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s late", count(late, "request")), Hint: "nirctl request list --sort due"}
	}
	return nil
}

// span reads the time of a report: the year until now, unless it is given.
func (a *app) span(o *opened, from, until string) (begin, end time.Time, err error) {
	end, begin = o.actor.At, o.actor.At.AddDate(-1, 0, 0)
	for _, f := range []struct {
		text string
		into *time.Time
	}{{from, &begin}, {until, &end}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = a.Now(f.text); err != nil {
			return begin, end, shell.Usage(fmt.Errorf("%q is no time", f.text), "--from 2026-01-01 --until 2026-04-01")
		}
	}
	if !begin.Before(end) {
		return begin, end, shell.Usage(errors.New("--from is not before --until"), "--from 2026-01-01 --until 2026-04-01")
	}
	return begin, end, nil
}
