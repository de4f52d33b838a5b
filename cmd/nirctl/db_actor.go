package main

import (
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// forbidden is the exit code for who may not.
const forbidden = 4

// account returns the account of this host that runs the command; tests have
// their own.
var account = func() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("finding out who you are: %w", err)
	}
	return u.Username, nil
}

// actor is who runs the command: the account of this host with the roles that the
// configuration gives it. An admin may act for another; the audit names both.
func (a *app) actor(cfg *zone.Config, now time.Time) (nir.Actor, error) {
	name, err := account()
	if err != nil {
		return nir.Actor{}, err
	}
	own, err := actorOf(cfg, name)
	if err != nil || a.as == "" || a.as == name {
		own.At, own.Reason = now, a.reason
		return own, err
	}
	if !own.Has(nir.Admin) {
		return nir.Actor{}, &shell.Exit{Code: forbidden, Err: fmt.Errorf("--as %s: %s is no admin", a.as, name)}
	}
	other, err := actorOf(cfg, a.as)
	other.Key = nir.AccountKey + name
	other.At, other.Reason = now, a.reason
	return other, err
}

func actorOf(cfg *zone.Config, name string) (nir.Actor, error) {
	u := cfg.Nirctl.User(name)
	if u == nil {
		return nir.Actor{}, &shell.Exit{
			Code: forbidden, Err: fmt.Errorf("account %s has no role in the registry", name),
			Hint: "an admin writes it into " + shell.Quote(cfg.File) + "; nirctl doctor shows what to write",
		}
	}
	actor := nir.Actor{Name: name, NIR: u.NIR}
	for _, r := range u.Roles {
		actor.Roles = append(actor.Roles, nir.Role(r))
	}
	return actor, nil
}

// describeActor says who acts, for a plan.
func describeActor(x nir.Actor) string {
	var roles []string
	for _, r := range x.Roles {
		roles = append(roles, string(r))
	}
	slices.Sort(roles)
	s := x.Name + " (" + strings.Join(roles, ", ")
	if x.NIR != "" {
		s += " of " + x.NIR
	}
	s += ")"
	if who, ok := strings.CutPrefix(x.Key, nir.AccountKey); ok {
		s += " by " + who
	}
	return s
}
