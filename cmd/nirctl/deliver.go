package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/mail"
	"nirzone/zone"
)

func deliverCommand(a *app) *cobra.Command {
	dryRun := false
	c := &cobra.Command{
		Use: "deliver", Short: "Send the notices that wait, a mail for each NIR",
		Long: `Deliver makes one mail for each NIR of what it is to be told, and hands it to the
mail server that section [nirctl.mail] of nirzone.toml names. Run it from cron,
every few minutes: what is not due yet waits, what the server did not take is tried
again later, and two at once do not send the same. docs/mail.md says what is told,
when, and what can arrive twice.

It exits with 0 if all that was due is handed over, 1 if the server takes nothing,
3 if a mail was given up or refused for somebody, 8 if some is tried again later.`,
		Args: arguments(cobra.NoArgs, "nirctl deliver --dry-run"),
		Example: `  nirctl deliver --dry-run
  nirctl deliver --quiet   # exit code 2: this registry has no mail server`,
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be sent, send nothing")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if dryRun {
			return a.look(c, func(o *opened, v *nir.View) error {
				if o.onlyNIR() {
					return o.mine("")
				}
				return a.deliverPlan(o, v)
			})
		}
		return a.deliver(c)
	}
	a.showing(c)
	a.selecting(c)
	return c
}

// A mailRow is a mail that was sent, or would be.
type mailRow struct {
	NIR      string    `json:"nir"` // that it is to; the registry's own name for its staff
	State    string    `json:"state"`
	To       []string  `json:"to"`
	Messages int       `json:"messages"`
	Tries    int       `json:"tries"`
	Next     time.Time `json:"next"`   // when it is due, or tried again; zero if it is not
	Answer   string    `json:"answer"` // the server's, where it did not take it
	Unsure   int       `json:"unsure"` // attempts after which nobody knows whether it was taken
	Made     time.Time `json:"made"`
	Digest   string    `json:"digest"`
}

var mailColumns = shown[mailRow]{
	one: "mail", many: "mails",
	id: func(m mailRow) string { return m.Digest },
	cols: []col[mailRow]{
		{"to", false, func(m mailRow) string { return m.NIR }},
		{"state", false, func(m mailRow) string { return m.State }},
		{">messages", false, func(m mailRow) string { return strconv.Itoa(m.Messages) }},
		{">tries", false, func(m mailRow) string { return strconv.Itoa(m.Tries) }},
		{"due", false, func(m mailRow) string { return stamp(m.Next) }},
		{"addresses", false, func(m mailRow) string { return strings.Join(m.To, " ") }},
		{"answer", false, func(m mailRow) string { return m.Answer }},
		{"made", true, func(m mailRow) string { return stamp(m.Made) }},
		{">unsure", true, func(m mailRow) string { return strconv.Itoa(m.Unsure) }},
		{"digest", true, func(m mailRow) string { return m.Digest }},
	},
}

func mailRowOf(v nir.Rules, d *nir.Digest) mailRow {
	m := mailRow{NIR: cmp.Or(d.NIR, v.RIR), State: d.State, Messages: d.Messages, Tries: d.Tries, Unsure: d.Unsure, Made: d.Made, Digest: d.ID}
	if d.State == nir.DigestDue {
		m.Next = d.Next
	}
	var answers []string
	for _, to := range d.Addressees {
		m.To = append(m.To, to.Address)
		if to.State != nir.Handed && to.Answer != "" {
			answers = append(answers, to.Address+": "+to.Answer)
		}
	}
	m.Answer = strings.Join(answers, "; ")
	return m
}

// mailPolicy is what the configuration says of mail. To send, a server has to be
// named.
func mailPolicy(cfg *zone.Config) nir.MailPolicy {
	m := &cfg.Nirctl.Mail
	p := nir.DefaultMailPolicy()
	p.From, p.ReplyTo, p.Registry, p.Tries = m.From, m.ReplyTo, m.Staff, m.Attempts
	p.Wait = map[string]time.Duration{"info": m.InfoWait}
	return p
}

func mailServer(cfg *zone.Config) (mail.Server, error) {
	m := &cfg.Nirctl.Mail
	if m.Server == "" {
		return mail.Server{}, shell.Usage(errors.New("no mail server is configured"), "name one in section [nirctl.mail] of "+shell.Quote(cfg.File)+"; nirzone.example.toml documents it")
	}
	s := mail.Server{
		Host: m.Server, Port: m.Port, CAFile: m.CAFile, Login: m.User, SecretFile: m.PasswordFile, Hello: m.Hello, Timeout: m.Timeout,
		Security: map[string]mail.Security{zone.MailStartTLS: mail.StartTLS, zone.MailImplicit: mail.ImplicitTLS, zone.MailNoTLS: mail.Plain}[m.TLS],
	}
	err := errors.Join(s.Check(), mailPolicy(cfg).Check())
	if err != nil {
		err = shell.Usage(fmt.Errorf("section [nirctl.mail] of %s: %w", cfg.File, err), "nirzone.example.toml documents every key")
	}
	return s, err
}

// deliver sends, shows what became of each mail, and writes the metrics also of a
// run that failed.
func (a *app) deliver(c *cobra.Command) error {
	if err := a.checkForm(); err != nil {
		return err
	}
	began := a.Clock()
	o, err := a.open(c.Context())
	if err != nil {
		return err
	}
	defer o.close()
	done, err := a.send(c.Context(), o)
	err = refused(c, err)
	exit := deliverExit(done, err)
	if m := a.deliverMetrics(o, done, exit, a.Clock().Sub(began)); m != nil {
		a.Shell.Errorf("%v", m)
	}
	a.made = len(done.Digests) > 0
	if len(done.Digests) > 0 && (!a.quiet || exit != nil || a.output.form != "table") || err == nil && a.json {
		var rows []mailRow
		for i := range done.Digests {
			rows = append(rows, mailRowOf(o.Rules(), &done.Digests[i]))
		}
		if show := showMails(a, rows); exit == nil {
			exit = show
		}
	}
	return exit
}

// showMails shows mails; that there are none is no mistake of anybody.
func showMails(a *app, rows []mailRow) error {
	if len(rows) == 0 && a.output.form == "table" {
		return nil
	}
	return showList(a, &mailColumns, rows)
}

// send runs the delivery. Ctrl-C ends the sending; what became of the mail on its
// way is noted still, so that it is not sent twice.
func (a *app) send(ctx context.Context, o *opened) (nir.Delivery, error) {
	server, err := mailServer(o.cfg)
	if err != nil {
		return nir.Delivery{}, err
	}
	p := &postman{server: server, ctx: ctx}
	defer p.close()
	clock := func() time.Time { return o.actor.At }
	if a.nowFlag == "" {
		clock = func() time.Time { return a.Clock().UTC() }
	}
	return o.Deliver(context.WithoutCancel(ctx), o.actor, mailPolicy(o.cfg), p, clock)
}

// deliverExit is how the command ends.
func deliverExit(done nir.Delivery, err error) error {
	if err != nil {
		return mailError(err)
	}
	waits, lost := 0, 0
	for i := range done.Digests {
		d := &done.Digests[i]
		switch {
		case d.State == nir.DigestDue:
			waits++
		case d.State == nir.DigestFailed || d.Refused() > 0:
			lost++
		}
	}
	switch {
	case lost > 0:
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%s did not reach everybody", count(lost, "mail")), Hint: "nirctl notice mails shows who; correct the address with nirctl nir edit NIR --email ADDRESS, then nirctl notice resend DIGEST"}
	case waits > 0:
		return &shell.Exit{Code: pending, Err: fmt.Errorf("%s not taken yet: tried again by a later run", count(waits, "mail"))}
	}
	return nil
}
