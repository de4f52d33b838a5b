package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func transferCommand(a *app) *cobra.Command {
	noun := nounCommand("transfer", "Resources that change their manager or holder")
	noun.Long = `A transfer moves what a member holds from one registry to another, to another
holder, or both (APNIC-103, section 4). It has lines, each with a time of its own:
until then the one who gives manages it, from then on the one who takes. nirctl
transfer run, from cron, carries out what is due.`
	noun.AddCommand(transferListCommand(a), transferViewCommand(a), transferCreateCommand(a), transferRunCommand(a),
		onTransfer(a, "complete LINE", "Carry a line out now", func(x *nir.Tx, id string) error { _, err := x.CompleteLine(id); return err }),
		onTransfer(a, "cancel TRANSFER|LINE", "Take back what was not carried out", func(x *nir.Tx, id string) error {
			if strings.HasPrefix(id, "trl_") {
				_, err := x.CancelLine(id)
				return err
			}
			_, err := x.CancelTransfer(id)
			return err
		}), transferScheduleCommand(a))
	return noun
}

var transferColumns = shown[nir.ListedTransfer]{
	one: "transfer", many: "transfers", none: "nirctl transfer create --help",
	id: func(t nir.ListedTransfer) string { return t.ID },
	cols: []col[nir.ListedTransfer]{
		{"transfer", false, func(t nir.ListedTransfer) string { return t.ID }},
		{"from", false, func(t nir.ListedTransfer) string { return t.Source }},
		{"to", false, func(t nir.ListedTransfer) string { return t.Destination }},
		{"state", false, func(t nir.ListedTransfer) string { return t.State }},
		{"made", false, func(t nir.ListedTransfer) string { return stamp(t.Made) }},
		{"lines", false, lineWords},
		{"type", true, func(t nir.ListedTransfer) string { return string(t.Type) }},
		{"direction", true, func(t nir.ListedTransfer) string { return string(t.Direction) }},
		{"reason", true, func(t nir.ListedTransfer) string { return t.Reason }},
		{"ticket", true, func(t nir.ListedTransfer) string { return t.Ticket }},
	},
}

func lineWords(t nir.ListedTransfer) string {
	var list []string
	for _, l := range t.Lines {
		list = append(list, l.Range.String())
	}
	return strings.Join(list, " ")
}

func transferListCommand(a *app) *cobra.Command {
	var code, member string
	c := &cobra.Command{
		Use: "list", Short: "List transfers, in and out", Args: arguments(cobra.NoArgs, "nirctl transfer list --nir JPNIC"),
		Example: "  nirctl transfer list --nir JPNIC\n  nirctl transfer list --member JPNIC/M1 -o json",
	}
	a.scopeFlag(c, &code, "only those of `REGISTRY`")
	c.Flags().StringVar(&member, "member", "", "only those of `MEMBER`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.transfers(v, code, member)
			if err != nil {
				return err
			}
			return showList(a, &transferColumns, list)
		})
	}
	return a.listing(c)
}

func (o *opened) transfers(v *nir.View, code, member string) ([]nir.ListedTransfer, error) {
	if member != "" {
		m, err := o.memberToShow(v, member)
		if err != nil {
			return nil, err
		}
		return v.TransfersOfMember(m.ID)
	}
	if code == "" && o.onlyNIR() {
		code = o.actor.NIR
	}
	if code == "" {
		return v.Transfers()
	}
	registry, err := registryOf(v, code)
	if err == nil {
		err = o.mine(registry)
	}
	if err != nil {
		return nil, err
	}
	return v.TransfersOf(registry)
}

var lineColumns = shown[nir.TransferLine]{
	one: "line", many: "lines",
	id: func(l nir.TransferLine) string { return l.ID },
	cols: []col[nir.TransferLine]{
		{"line", false, func(l nir.TransferLine) string { return l.ID }},
		{"range", false, func(l nir.TransferLine) string { return l.Range.String() }},
		{"state", false, func(l nir.TransferLine) string { return l.State }},
		{"due", false, func(l nir.TransferLine) string { return stamp(l.Due) }},
		{"done", false, func(l nir.TransferLine) string { return stamp(l.Done) }},
	},
}

func transferViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view TRANSFER", Short: "Show a transfer and its lines", Args: arguments(cobra.ExactArgs(1), "nirctl transfer view trf_ID"),
		Example: "  nirctl transfer view $(nirctl transfer list --nir JPNIC -o name)",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.transferView(o, v, args[0]) })
	}
	return a.reading(c)
}

func (a *app) transferView(o *opened, v *nir.View, id string) error {
	t, lines, err := v.Transfer(id)
	if err == nil && t.Destination != o.actor.NIR {
		err = o.mine(t.Source)
	}
	if err != nil {
		return err
	}
	return showOne(a, &transferColumns, nir.ListedTransfer{Transfer: t, Lines: lines}, func() {
		fmt.Fprintln(a.Stdout)
		a.table(tableOf(a, &lineColumns, lines))
	})
}

func transferCreateCommand(a *app) *cobra.Command {
	var q nir.TransferAsk
	var from, to, member, due, kind, action string
	var ranges []string
	c := &cobra.Command{
		Use: "create", Short: "Schedule a transfer",
		Long: `Create schedules a transfer of all that a member holds under a registry (--whole),
or of --range, each from --due on (default: now). Plan and refusal are of the
whole: nothing is scheduled unless every line could be carried out.`,
		Example: `  nirctl transfer create --from JPNIC --to KRNIC --member M1 --uid K1 --range 202.0.0.0/22 --due 2027-01-01 -m "its network moved" --dry-run
  nirctl transfer create --from JPNIC --to APNIC --member M1 --uid D2 --range 2400::/32 --serve -m "joins the regional registry"`,
		Args: arguments(cobra.NoArgs, "nirctl transfer create --help"),
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "`REGISTRY` that manages it: an NIR, this registry, another regional one")
	f.StringVar(&to, "to", "", "`REGISTRY` that will")
	f.StringVar(&member, "member", "", "`UID` of who holds it")
	f.StringVar(&q.UID, "uid", "", "what the destination calls the receiver: `UID`")
	f.StringVar(&q.Who.Name, "receiver-name", "", "`NAME` of a receiver that is new")
	f.StringVar(&q.Who.Economy, "receiver-economy", "", "`CODE` of its economy")
	f.StringArrayVar(&ranges, "range", nil, "`RANGE` of a line; may be repeated")
	f.StringVar(&due, "due", "", "from `TIME` on")
	f.BoolVar(&q.Whole, "whole", false, "all that the member holds there; its membership ends")
	f.BoolVar(&q.Serve, "serve", false, "the destination serves the receiver's requests from then on")
	f.StringVar(&kind, "type", "normal", "`TYPE`: normal or m&a")
	f.StringVar(&action, "whois", "keep", "objects below it that its holder made: `ACTION` keep or delete")
	f.StringVar(&q.Ticket, "ticket", "", "`NUMBER` of the ticket")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := a.needMessage(); err != nil {
			return err
		}
		q.Type, q.Whois, q.Reason = nir.TransferType(kind), nir.WhoisAction(action), a.reason
		if due != "" {
			if q.Due, err = a.Now(due); err != nil {
				return shell.Usage(fmt.Errorf("--due %q is no time", due), "--due 2027-01-01")
			}
		}
		for _, r := range ranges {
			x, err := rangeOf(r)
			if err != nil {
				return err
			}
			q.Lines = append(q.Lines, nir.TransferLine{Range: x, Due: q.Due})
		}
		return a.transferCreate(c, q, from, to, member)
	}
	return a.writing(c)
}

func (a *app) transferCreate(c *cobra.Command, q nir.TransferAsk, from, to, member string) error {
	var t nir.Transfer
	return a.changeWith(c, func(o *opened) change {
		return change{
			fn: func(x *nir.Tx) error {
				ask := q
				ask.Lines = slices.Clone(q.Lines)
				ask.Source, ask.Destination = strings.ToUpper(from), strings.ToUpper(to)
				if member != "" {
					if !strings.Contains(member, "/") {
						member = from + "/" + member
					}
					m, err := o.findMember(x.View, member)
					if err != nil {
						return err
					}
					ask.Member = m.ID
				}
				var err error
				t, _, err = x.AddTransfer(ask)
				return err
			},
			show: func(v *nir.View) error { return a.transferView(o, v, t.ID) },
		}
	})
}

// onTransfer is a verb with the identifier of a transfer or a line.
func onTransfer(a *app, use, short string, do func(*nir.Tx, string) error) *cobra.Command {
	verb, _, _ := strings.Cut(use, " ")
	id := "trl_doesnotexist"
	c := &cobra.Command{
		Use: use, Short: short, Args: arguments(cobra.ExactArgs(1), "nirctl transfer view TRANSFER"),
		Example: "  nirctl transfer " + verb + " " + id + "   # exit code 5: there is no such line",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.change(c, change{fn: func(x *nir.Tx) error { return do(x, args[0]) }})
	}
	return a.writing(c)
}

func transferScheduleCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "schedule LINE TIME", Short: "Give a line another time", Args: arguments(cobra.ExactArgs(2), "nirctl transfer schedule trl_ID 2027-01-01"),
		Example: "  nirctl transfer schedule trl_doesnotexist 2027-01-01   # exit code 5: there is no such line",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		due, err := a.Now(args[1])
		if err != nil {
			return shell.Usage(fmt.Errorf("%q is no time", args[1]), "write it as 2027-01-01")
		}
		return a.change(c, change{fn: func(x *nir.Tx) error {
			_, err := x.Reschedule(args[0], due)
			return err
		}})
	}
	return a.writing(c)
}

func transferRunCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "run", Short: "Carry out what is due: lines of transfers, ends of quarantine", Args: arguments(cobra.NoArgs, "nirctl transfer run"),
		Long:    "Run carries out what is due, each in an event of its own: from cron, every few\nminutes. It asks nobody: what is due was agreed to before. With --dry-run it\nshows the plan. It exits with 3 if a line is blocked.",
		Example: "  nirctl transfer run\n  nirctl transfer run --dry-run",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.dryRun {
			return a.change(c, change{fn: func(x *nir.Tx) error { _, err := x.RunDue(x.Actor.At); return err }})
		}
		return a.withRegistry(c, []nir.Role{nir.RegistryStaff, nir.Admin}, func(o *opened) error { return a.runDue(c, o) })
	}
	return a.writing(c)
}

func (a *app) runDue(c *cobra.Command, o *opened) error {
	began := time.Now()
	r, err := o.RunDue(c.Context(), o.actor)
	if err != nil {
		return err
	}
	a.Errorf("carried out %s, freed %s, in %s", count(len(r.Lines), "line"), count(len(r.Freed), "range"), time.Since(began).Round(time.Millisecond))
	if len(r.Blocked) > 0 {
		return &shell.Exit{Code: findings, Err: errors.New(count(len(r.Blocked), "line") + " blocked"), Hint: "nirctl transfer list"}
	}
	return nil
}
