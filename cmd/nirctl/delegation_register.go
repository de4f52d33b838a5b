package main

import (
	"slices"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

var registrationFields = []field[nir.Registration]{
	{"netname", "`NAME` of the network", func(g *nir.Registration) *string { return &g.Netname }},
	{"descr", "`TEXT` about the network", func(g *nir.Registration) *string { return &g.Descr }},
	{"economy", "`CODE` of the economy where it is used", func(g *nir.Registration) *string { return &g.Economy }},
	{"admin-c", "`HANDLE` of the administrative contact", func(g *nir.Registration) *string { return &g.AdminC }},
	{"tech-c", "`HANDLE` of the technical contact", func(g *nir.Registration) *string { return &g.TechC }},
	{"irt", "`HANDLE` of the incident response team (default: the member's)", func(g *nir.Registration) *string { return &g.IRT }},
}

func delegationRegisterCommand(a *app) *cobra.Command {
	var g nir.Registration
	c := &cobra.Command{
		Use: "register DELEGATION", Short: "Change what whois says of a delegation",
		Long:    "Register changes the name, contacts and economy that whois has of what was delegated to\na member. Its objects follow: they cannot be changed themselves.",
		Args:    arguments(cobra.ExactArgs(1), "nirctl delegation register 202.0.0.0/22 --netname EXAMPLE-NET"),
		Example: "  nirctl delegation register 202.0.0.0/22 --netname EXAMPLE-NET --descr \"offices and shops\" --dry-run\n  nirctl delegation register 202.0.0.0/22 --netname EXAMPLE-NET",
	}
	bind(c, registrationFields, &g)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := edits(c, flagNames(registrationFields)...); err != nil {
			return err
		}
		return a.changeWith(c, func(o *opened) change {
			var d []nir.Delegation
			return change{
				fn: func(x *nir.Tx) (err error) {
					if d, err = o.findDelegations(x.View, args[0]); err != nil {
						return err
					}
					if i := slices.IndexFunc(d, func(d nir.Delegation) bool { return d.Level != nir.RIRToNIR }); i >= 0 {
						d = d[i : i+1] // to the member; of what only an NIR has, its own
					}
					old, err := x.Registration(d[0].ID)
					if err != nil {
						return err
					}
					assign(c, registrationFields, &g, &old)
					return x.Register(old)
				},
				show: func(v *nir.View) error { return a.delegationView(v, d) },
			}
		})
	}
	return a.writing(c)
}
