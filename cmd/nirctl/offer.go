package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nirzone/nir"
)

// maxOffers bounds what a shell is offered: nobody chooses among more.
const maxOffers = 500

// An offer returns words to choose from, with what they mean behind a tab. The code
// is of the registry that a flag of the command names, "" for all that the user sees.
type offer func(o *opened, v *nir.View, code string) ([]string, error)

// offers are what stands for the words in the line of a command's usage.
var offers = map[string]offer{
	"REQUEST": offeredRequests, "MEMBER": offeredMembers, "UID": offeredUIDs, "HASH": offeredProposals,
	"ZONE": offeredZones, "DISCLOSURE": offeredDisclosures, "TRANSFER": offeredTransfers,
}

// offer gives the commands below c words for their first argument, and for flags,
// where none are given yet.
func (a *app) offer(c *cobra.Command) {
	for _, sub := range c.Commands() {
		a.offer(sub)
	}
	if fields := strings.Fields(c.Use); len(fields) > 1 && c.ValidArgsFunction == nil {
		word, _, _ := strings.Cut(strings.Trim(fields[1], "[]."), "|")
		if of := offers[word]; of != nil {
			c.ValidArgsFunction = a.offering(of, true)
		}
	}
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		name, _ := pflag.UnquoteUsage(f)
		of := offers[name]
		if _, given := c.GetFlagCompletionFunc(f.Name); of == nil || given || f.Name != "member" {
			return
		}
		if err := c.RegisterFlagCompletionFunc(f.Name, a.offering(of, false)); err != nil {
			panic("nirctl: " + err.Error()) // the flag is the command's
		}
	})
}

// offering looks into the registry for what a shell may offer. That it cannot be
// opened is no news there.
func (a *app) offering(of offer, argument bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) (list []string, _ cobra.ShellCompDirective) {
		if argument && len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		code := ""
		for _, name := range []string{"nir", "from"} {
			if f := c.Flags().Lookup(name); f != nil && f.Value.String() != "" {
				code = f.Value.String()
			}
		}
		_ = a.look(c, func(o *opened, v *nir.View) (err error) {
			list, err = of(o, v, code)
			return err
		})
		list = slices.DeleteFunc(list, func(s string) bool {
			return len(s) < len(begun) || !strings.EqualFold(s[:len(begun)], begun)
		})
		return list[:min(len(list), maxOffers)], cobra.ShellCompDirectiveNoFileComp
	}
}

func offeredRequests(o *opened, v *nir.View, code string) ([]string, error) {
	scope, err := o.scope(v, code)
	if err != nil {
		return nil, err
	}
	all, err := requestsOf(v, scope, "")
	var list []string
	for _, r := range all {
		list = append(list, requestName(r)+"\t"+r.State+" "+r.Kind.String()+" "+plain(r.Netname))
	}
	return list, err
}

func offeredMembers(o *opened, v *nir.View, code string) ([]string, error) {
	rows, err := o.memberRows(v, code)
	var list []string
	for _, m := range rows {
		list = append(list, m.Registry+"/"+m.UID+"\t"+plain(m.Name))
	}
	return list, err
}

// offeredUIDs are members as their own registry calls them.
func offeredUIDs(o *opened, v *nir.View, code string) ([]string, error) {
	rows, err := o.memberRows(v, code)
	var list []string
	for _, m := range rows {
		list = append(list, m.UID+"\t"+plain(m.Name))
	}
	return list, err
}

func offeredProposals(_ *opened, v *nir.View, _ string) ([]string, error) {
	all, err := v.Proposals(nir.ProposalOpen)
	var list []string
	for _, p := range all {
		list = append(list, p.Hash[:12]+"\t"+p.Op+" by "+p.Proposer)
	}
	return list, err
}

func offeredZones(o *opened, v *nir.View, code string) ([]string, error) {
	scope, err := o.scope(v, code)
	var list []string
	for _, n := range scope {
		all, err := v.Domains(n)
		if err != nil {
			return nil, err
		}
		for _, w := range all {
			list = append(list, w.Key+"\t"+w.State)
		}
	}
	return list, err
}

func offeredDisclosures(o *opened, v *nir.View, _ string) ([]string, error) {
	if !o.actor.Has(seesAll...) {
		return nil, nil
	}
	all, err := v.Disclosures("")
	var list []string
	for _, d := range all {
		list = append(list, strings.TrimPrefix(d.Ref, d.Requester+"/")+"\t"+d.State)
	}
	return list, err
}

func offeredTransfers(o *opened, v *nir.View, code string) (list []string, err error) {
	scope, err := o.scope(v, code)
	for _, n := range scope {
		all, err := v.TransfersOf(n)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			list = append(list, t.ID+"\t"+string(t.Type)+" "+t.State)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), err // one between two NIRs is of both
}
