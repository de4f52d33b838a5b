package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

// scopeFlag gives a command the flag --nir.
func (a *app) scopeFlag(c *cobra.Command, into *string, usage string) {
	c.Flags().StringVar(into, "nir", "", usage)
	err := c.RegisterFlagCompletionFunc("nir", func(c *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return a.codes(c, nil, s)
	})
	if err != nil {
		panic("nirctl: " + err.Error()) // the flag is defined above
	}
}

// onlyNIR reports whether the user is staff of an NIR and nothing else: it sees
// what is its own.
func (o *opened) onlyNIR() bool {
	return o.actor.NIR != "" && !o.actor.Has(nir.RegistryStaff, nir.Approver, nir.Auditor, nir.Admin)
}

// scope returns the registries whose objects a command shows: the one that is
// named, the user's own NIR if it sees no other, or all.
func (o *opened) scope(v *nir.View, flag string) ([]string, error) {
	if flag == "" && o.onlyNIR() {
		flag = o.actor.NIR
	}
	if flag != "" {
		code, err := registryOf(v, flag)
		if err == nil {
			err = o.mine(code)
		}
		return []string{code}, err
	}
	list, err := v.NIRs()
	codes := []string{""}
	for _, n := range list {
		codes = append(codes, n.Code)
	}
	return codes, err
}

// mine refuses staff of another NIR.
func (o *opened) mine(code string) error {
	if o.onlyNIR() && code != o.actor.NIR {
		return &shell.Exit{Code: forbidden, Err: fmt.Errorf("%s of %s sees what %s has, and no more", o.actor.Name, o.actor.NIR, o.actor.NIR)}
	}
	return nil
}

// needMessage refuses a change without a reason, where the history has to say
// why.
func (a *app) needMessage() error {
	if a.reason == "" {
		return shell.Usage(errors.New("say why: the history keeps it"), `-m "as reviewed in March"`)
	}
	return nil
}
