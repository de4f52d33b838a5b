package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// A finding is what one check of the doctor found. Remedy is something to type or
// to write.
type finding struct {
	What   string `json:"what"`
	State  string `json:"state"` // good, look, bad
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// The states of a finding.
const (
	isGood = "good"
	isLook = "look" // works, but a person should know
	isBad  = "bad"
)

var tones = map[string]shell.Tone{isGood: shell.Good, isLook: shell.Care, isBad: shell.Bad}

// A doctor collects findings.
type doctor struct {
	list []finding
	at   time.Time
}

func (d *doctor) add(state, what, remedy, format string, args ...any) {
	d.list = append(d.list, finding{what, state, fmt.Sprintf(format, args...), remedy})
}

func doctorCommand(a *app) *cobra.Command {
	quick := false
	c := &cobra.Command{
		Use: "doctor", Short: "Check the whole set-up, and say what to type",
		Long: `Doctor checks the configuration, the database and its file, the audit, the clock,
who may do what, who may approve, pools, and each NIR: its windows, its key, its
source for zonefetch; the folders, the last export, fetch and build, and mail
that waits. For what is not right it says what to type or to write. It changes
nothing, and exits with 3 if anything is bad.

Staff of an NIR are told of their account, the registry and their own NIR. An
admin asks for another account with --as.`,
		Args: arguments(cobra.NoArgs, "nirctl doctor"), Example: "  nirctl doctor\n  nirctl doctor --quick -o json\n  nirctl doctor --as hana",
	}
	c.Flags().BoolVar(&quick, "quick", false, "leave out the proof of the audit and the comparison of the export, which read all of it")
	a.showing(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.checkForm(); err != nil {
			return err
		}
		now, err := a.Now(a.nowFlag)
		if err != nil {
			return err
		}
		d := &doctor{at: now}
		a.examine(c.Context(), d, quick)
		return a.showFindings(d)
	}
	return c
}

var findingColumns = shown[finding]{
	one: "finding", many: "findings",
	id: func(f finding) string { return f.What },
	cols: []col[finding]{
		{"what", false, func(f finding) string { return f.What }},
		{"state", false, func(f finding) string { return f.State }},
		{"text", false, func(f finding) string { return f.Text }},
		{"remedy", false, func(f finding) string { return f.Remedy }},
	},
}

func (a *app) showFindings(d *doctor) error {
	bad := 0
	for _, f := range d.list {
		if f.State == isBad {
			bad++
		}
	}
	if a.output.form == "table" {
		for _, f := range together(d.list) {
			a.say("%s  %s: %s\n", shell.Paint(a.Stdout, tones[f.State], fmt.Sprintf("%-4s", f.State)), f.What, plain(f.Text))
			for line := range strings.Lines(f.Remedy) {
				fmt.Fprintf(a.Stdout, "        %s\n", strings.TrimRight(line, "\n"))
			}
		}
	} else if err := showList(a, &findingColumns, d.list); err != nil {
		return err
	}
	if bad > 0 {
		return &shell.Exit{Code: findings, Err: fmt.Errorf("%d of %s found bad", bad, count(len(d.list), "check"))}
	}
	return nil
}

// ofNIR stands before the code in what a finding is about.
const ofNIR = "NIR "

// together makes one finding of those that say the same of several NIRs. Of what is
// to be written for each, it shows the first.
func together(list []finding) []finding {
	var out []finding
	for _, f := range list {
		code, ok := strings.CutPrefix(f.What, ofNIR)
		i := slices.IndexFunc(out, func(o finding) bool {
			return ok && strings.HasPrefix(o.What, ofNIR) && o.What != f.What && o.State == f.State && o.Text == f.Text
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		out[i].What += ", " + code
		if long := strings.Count(f.Remedy, "\n") > 2; long && !strings.Contains(out[i].Remedy, likewise) {
			out[i].Remedy += "\n" + likewise + code
		} else if long {
			out[i].Remedy += ", " + code
		} else if f.Remedy != "" {
			out[i].Remedy += "\n" + f.Remedy
		}
	}
	return out
}

// likewise stands before those for whom something like what is above has to be
// written.
const likewise = "and so for "

// examine goes as deep as it can: what cannot be opened is not looked into.
func (a *app) examine(ctx context.Context, d *doctor, quick bool) {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		d.add(isBad, "configuration", shell.HintOf(err), "%v", err)
		return
	}
	d.add(isGood, "configuration", "", "%s is right", cfg.File)
	name, err := a.patient(cfg)
	if err != nil {
		d.add(isBad, "you", shell.HintOf(err), "%v", err)
		return
	}
	u := d.you(cfg, name)
	if u == nil && len(cfg.Nirctl.Users) > 0 {
		return // others keep the registry: who is nobody in it is told no more
	}
	staff := u != nil && !slices.ContainsFunc(u.Roles, func(r string) bool { return r != string(nir.NIRStaff) })
	if !staff {
		d.roles(cfg)
		d.signers(cfg)
		d.owner(cfg)
	}
	o, err := openDatabase(ctx, cfg, nir.Actor{Name: name}, nir.Options{Schema: nir.Leave}) // what is wrong with signers is said
	if err != nil {
		err = a.troubled(cfg, err)
		d.add(isBad, "database", beyondDoctor(shell.HintOf(err)), "%v", err)
		return
	}
	defer o.close()
	if err := o.CheckCollation(ctx); err != nil {
		d.add(isBad, "database", "", "%v", err)
		return
	}
	d.add(isGood, "database", "", "%s opens, and its schema is this program's", cfg.Nirctl.Database)
	if staff {
		err = o.View(ctx, func(v *nir.View) error { return errors.Join(d.clock(v), d.own(v, cfg, u.NIR)) })
	} else {
		err = d.wholly(ctx, o, quick)
	}
	if err != nil {
		err = a.troubled(cfg, err)
		d.add(isBad, "registry", beyondDoctor(shell.HintOf(err)), "%v", err)
	}
}

// beyondDoctor is what to type for a finding: whoever reads it has asked the doctor.
func beyondDoctor(hint string) string {
	if hint == askDoctor {
		return ""
	}
	return hint
}

// wholly checks what the registry's own people answer for.
func (d *doctor) wholly(ctx context.Context, o *opened, quick bool) error {
	if !quick {
		d.audit(ctx, o)
	}
	err := o.View(ctx, func(v *nir.View) error {
		err := errors.Join(d.clock(v), d.registry(v, o.cfg), d.mail(v, o.cfg))
		if err == nil && !quick {
			err = d.exported(v, o.cfg)
		}
		return err
	})
	d.folders(o.cfg)
	d.built(o.cfg, d.fetched(o.cfg))
	return err
}

// own checks the NIR of somebody who is its staff and nothing else.
func (d *doctor) own(v *nir.View, cfg *zone.Config, code string) error {
	n, err := v.NIR(code)
	if nir.CodeOf(err) == nir.NotFound {
		d.add(isBad, ofNIR+code, "an admin types: nirctl nir onboard "+code+" --help", "the registry knows no NIR of that code")
		return nil
	}
	if err != nil {
		return err
	}
	return d.nir(v, cfg, &n)
}

// patient is the account that is examined: one's own, or another for an admin.
func (a *app) patient(cfg *zone.Config) (string, error) {
	name, err := account()
	if err != nil || a.as == "" || a.as == name {
		return name, err
	}
	own, err := actorOf(cfg, name)
	if err == nil && !own.Has(nir.Admin) {
		err = &shell.Exit{Code: forbidden, Err: fmt.Errorf("--as %s: %s is no admin", a.as, name)}
	}
	return a.as, err
}

// you checks that an account may do something, and returns what the configuration
// says of it.
func (d *doctor) you(cfg *zone.Config, name string) *zone.User {
	u := cfg.Nirctl.User(name)
	switch {
	case u == nil:
		d.add(isBad, "you", userText(cfg.File, name, len(cfg.Nirctl.Users) == 0), "account %s has no role", name)
	case u.NIR != "":
		d.add(isGood, "you", "", "account %s has the roles %s, of %s", name, strings.Join(u.Roles, ", "), u.NIR)
	default:
		d.add(isGood, "you", "", "account %s has the roles %s", name, strings.Join(u.Roles, ", "))
	}
	return u
}

// roles checks that somebody may do everything.
func (d *doctor) roles(cfg *zone.Config) {
	for _, role := range []nir.Role{nir.Admin, nir.RegistryStaff, nir.Auditor} {
		if !slices.ContainsFunc(cfg.Nirctl.Users, func(u zone.User) bool { return slices.Contains(u.Roles, string(role)) }) {
			state := isLook
			if role == nir.Admin {
				state = isBad
			}
			d.add(state, "roles", "", "nobody has the role %s", role)
		}
	}
}

// userText is what to write for a user; the first one is an admin.
func userText(file, name string, first bool) string {
	if first {
		return fmt.Sprintf("write into %s:\n[[nirctl.user]]\naccount = %q\nroles   = [\"admin\", \"registry-staff\"]", file, name)
	}
	return fmt.Sprintf("an admin writes into %s, for staff of an NIR:\n[[nirctl.user]]\naccount = %q\nroles   = [\"nir-staff\"]\nnir     = \"CODE\"\nand for others roles of \"registry-staff\", \"approver\", \"auditor\", \"admin\", without nir", file, name)
}

// signers checks that enough people can approve: one who proposes and another.
func (d *doctor) signers(cfg *zone.Config) {
	if cfg.Nirctl.Signers == "" {
		d.add(isLook, "signers", "write into section [nirctl] of "+cfg.File+":\nsigners = \"signers\"", "there is no list of signers: nothing that wants a second person can be done")
		return
	}
	list, err := readSigners(cfg)
	if err != nil {
		d.add(isBad, "signers", shell.HintOf(err), "%v", err)
		return
	}
	names := list.Names(namespaceOf(nir.Approver), d.at)
	state := isGood
	if len(names) < 2 {
		state = isLook
	}
	d.add(state, "signers", "", "%s may approve: %s", count(len(names), "person"), strings.Join(names, ", "))
}

func (d *doctor) audit(ctx context.Context, o *opened) {
	s, err := o.VerifyAudit(ctx)
	if err != nil {
		d.add(isBad, "audit", "nirctl audit verify", "%v", err)
		return
	}
	if s.Events == 0 {
		d.add(isGood, "audit", "", "no event yet")
		return
	}
	d.add(isGood, "audit", "", "%s, proved; the last at %s", count(int(s.Events), "event"), stamp(s.Last))
}

// registry checks what is recorded.
func (d *doctor) registry(v *nir.View, cfg *zone.Config) error {
	pools, err := v.Pools()
	if err != nil {
		return err
	}
	if len(pools) == 0 {
		d.add(isLook, "pools", "nirctl pool create 202.0.0.0/8", "there is no pool: nothing can be allocated")
	}
	for _, p := range pools {
		row, err := rowOfPool(v, p)
		if err != nil {
			return err
		}
		if p.Purpose == nir.Regional && row.Free.Sign() == 0 {
			d.add(isLook, "pool "+p.Range.String(), "nirctl pool create RANGE", "nothing is free")
		}
	}
	if n, err := v.CountUndescribed(); err != nil {
		return err
	} else if n > 0 {
		d.add(isLook, "whois", describeCommand, "%s of an import without whois objects: they are in no export", count(n, "delegation"))
	}
	list, err := v.NIRs()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		d.add(isLook, "nirs", "nirctl nir onboard --help", "there is no NIR yet")
	}
	var bad error
	for i := range list {
		bad = errors.Join(bad, d.nir(v, cfg, &list[i]))
	}
	d.sources(cfg, list)
	return bad
}
