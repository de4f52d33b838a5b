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
		Long: `Doctor checks the configuration, the database and its file, the audit, who may do
what, who may approve, pools, and each NIR: its windows, its key, its source for
zonefetch. For what is not right it says what to type or to write. It changes
nothing, and exits with 3 if anything is bad.`,
		Args: arguments(cobra.NoArgs, "nirctl doctor"), Example: "  nirctl doctor\n  nirctl doctor --quick -o json",
	}
	c.Flags().BoolVar(&quick, "quick", false, "leave out the proof of the audit, which reads all of it")
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
		for _, f := range d.list {
			fmt.Fprintf(a.Stdout, "%s  %s: %s\n", shell.Paint(a.Stdout, tones[f.State], fmt.Sprintf("%-4s", f.State)), f.What, plain(f.Text))
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

// examine goes as deep as it can: what cannot be opened is not looked into.
func (a *app) examine(ctx context.Context, d *doctor, quick bool) {
	cfg, err := shell.LoadConfig(a.config)
	if err != nil {
		d.add(isBad, "configuration", shell.HintOf(err), "%v", err)
		return
	}
	d.add(isGood, "configuration", "", "%s is right", cfg.File)
	name := d.users(cfg)
	d.signers(cfg)
	o, err := openDatabase(ctx, cfg, nir.Actor{Name: name})
	if err != nil {
		d.add(isBad, "database", shell.HintOf(err), "%v", err)
		return
	}
	defer o.close()
	d.add(isGood, "database", "", "%s opens, and its schema is this program's", cfg.Nirctl.Database)
	if !quick {
		d.audit(ctx, o)
	}
	if err := o.View(ctx, func(v *nir.View) error { return d.registry(v, cfg) }); err != nil {
		d.add(isBad, "registry", "", "%v", err)
	}
}

// users checks that the caller may do something, and that somebody may do
// everything.
func (d *doctor) users(cfg *zone.Config) string {
	name, err := account()
	if err != nil {
		d.add(isBad, "you", "", "%v", err)
		return ""
	}
	u := cfg.Nirctl.User(name)
	if u == nil {
		d.add(isBad, "you", userText(cfg.File, name, len(cfg.Nirctl.Users) == 0), "account %s has no role", name)
	} else {
		d.add(isGood, "you", "", "account %s has the roles %s", name, strings.Join(u.Roles, ", "))
	}
	for _, role := range []nir.Role{nir.Admin, nir.RegistryStaff, nir.Auditor} {
		if !slices.ContainsFunc(cfg.Nirctl.Users, func(u zone.User) bool { return slices.Contains(u.Roles, string(role)) }) {
			state := isLook
			if role == nir.Admin {
				state = isBad
			}
			d.add(state, "roles", "", "nobody has the role %s", role)
		}
	}
	return name
}

// userText is what to write for a user; the first one is an admin.
func userText(file, name string, first bool) string {
	roles := `"auditor"`
	if first {
		roles = `"admin", "registry-staff"`
	}
	return fmt.Sprintf("write into %s:\n[[nirctl.user]]\naccount = %q\nroles   = [%s]", file, name, roles)
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
