package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"slices"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/nir/mail"
)

// A postman hands letters to the mail server: one session for a run, made when the
// first letter comes.
type postman struct {
	server  mail.Server
	ctx     context.Context // the command's: Ctrl-C ends it
	session *mail.Session
}

var receiptOf = map[mail.Result]nir.ReceiptState{mail.Accepted: nir.Handed, mail.Temporary: nir.Deferred, mail.Permanent: nir.Rejected}

// Carry is [nir.Carrier]'s. When the command is cancelled it begins nothing new; a
// letter that is on its way ends as one of which nobody knows whether it was taken.
func (p *postman) Carry(ctx context.Context, l nir.Letter) ([]nir.Receipt, error) {
	if p.ctx.Err() != nil {
		return nil, errCancelled
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	if p.session == nil {
		s, err := p.server.Dial(ctx)
		if err != nil {
			return nil, err
		}
		p.session = s
	}
	answers, err := p.session.Send(ctx, mail.Message{
		ID: l.MessageID, From: l.From, ReplyTo: l.ReplyTo, To: l.To, Recipients: l.Recipients, Subject: l.Subject, Date: l.Date, Text: l.Text,
		Attachments: []mail.Attachment{{Name: l.File, Type: "application/json", Data: l.JSON}},
	})
	var broken *mail.Error
	switch {
	case errors.As(err, &broken):
		p.close()
		return nil, err
	case err != nil: // this letter cannot be written: the others do not wait for it
		return slices.Repeat([]nir.Receipt{{State: nir.Rejected, Answer: err.Error()}}, len(l.Recipients)), nil
	}
	out := make([]nir.Receipt, len(answers))
	for i, a := range answers {
		out[i] = nir.Receipt{State: receiptOf[a.Result], Answer: a.Text, Unsure: a.Unsure}
	}
	return out, nil
}

func (p *postman) close() {
	if p.session != nil {
		_ = p.session.Close() // what was answered is answered
		p.session = nil
	}
}

// mailError says what to look at when the server takes nothing.
func mailError(err error) error {
	var exit *shell.Exit
	var session *mail.Error
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	hint := ""
	switch {
	case errors.As(err, &exit):
		return err
	case errors.As(err, &session) && session.Login:
		hint = "set user and password_file in section [nirctl.mail] of nirzone.toml"
	case errors.As(err, &certificate):
		hint = "the certificate has to stand for the server's name: set server, or ca_file, in section [nirctl.mail] of nirzone.toml"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		hint = "set ca_file or password_file in section [nirctl.mail] of nirzone.toml"
	case errors.As(err, &network):
		hint = "nothing is lost, a later run tries again; see server and port in section [nirctl.mail] of nirzone.toml"
	}
	return &shell.Exit{Code: 1, Err: err, Hint: hint}
}

// deliverPlan shows what a delivery would do now.
func (a *app) deliverPlan(o *opened, v *nir.View) error {
	plan, err := v.MailPlan(mailPolicy(o.cfg), o.actor.At)
	if err != nil {
		return err
	}
	if a.output.form == "json" || a.output.form == "yaml" {
		return a.structured("plan", plan)
	}
	var rows []mailRow
	group := func(state string, list []nir.MailGroup) {
		for _, g := range list {
			rows = append(rows, mailRow{NIR: registryName(v, g.NIR), State: state, To: g.Addresses, Messages: g.Messages, Next: g.Due})
		}
	}
	digest := func(state string, list []nir.Digest) {
		for i := range list {
			m := mailRowOf(v.Rules, &list[i])
			m.State = state
			rows = append(rows, m)
		}
	}
	group("new", plan.New)
	digest("again", plan.Again)
	digest("later", plan.Later)
	group("waiting", plan.Waiting)
	group("no address", plan.NoAddress)
	group("left", plan.Left)
	return showMails(a, rows)
}

// deliverMetrics writes nirctl_deliver.prom.
func (a *app) deliverMetrics(o *opened, done nir.Delivery, exit error, took time.Duration) error {
	if o.cfg.Metrics == "" {
		return nil
	}
	code := 0
	var e *shell.Exit
	if exit != nil {
		code = 1
	}
	if errors.As(exit, &e) {
		code = e.Code
	}
	m := shell.NewMetrics("nirctl_deliver")
	m.Finish(code, o.actor.At, took)
	for _, state := range []string{nir.DigestSent, nir.DigestDue, nir.DigestFailed} {
		n := 0
		for i := range done.Digests {
			if done.Digests[i].State == state {
				n++
			}
		}
		m.Set("mails", "Mails of the last run by what became of them: sent, due (tried again) or failed.", float64(n), "state", state)
	}
	err := o.View(context.WithoutCancel(a.ctx), func(v *nir.View) error {
		plan, err := v.MailPlan(mailPolicy(o.cfg), o.actor.At)
		if err != nil {
			return err
		}
		m.Set("mails_open", "Mails that nobody has taken yet.", float64(len(plan.Again)+len(plan.Later)))
		m.Set("nirs_without_address", "NIRs with notices that have no address.", float64(len(plan.NoAddress)))
		return nil
	})
	return errors.Join(err, m.Write(o.cfg.Metrics))
}
