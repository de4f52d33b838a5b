package main

import (
	"errors"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

var memberFields = []field[nir.Member]{
	{"name", "its `NAME`", func(m *nir.Member) *string { return &m.Name }},
	{"economy", "`CODE` of its economy, two letters (ISO 3166-1)", func(m *nir.Member) *string { return &m.Economy }},
	{"phone", "`NUMBER`", func(m *nir.Member) *string { return &m.Phone }},
	{"email", "`ADDRESS`", func(m *nir.Member) *string { return &m.Email }},
	{"abuse", "`ADDRESS` where abuse is reported", func(m *nir.Member) *string { return &m.Abuse }},
	{"admin-c", "`HANDLE` of its administrative contact", func(m *nir.Member) *string { return &m.AdminC }},
	{"tech-c", "`HANDLE` of its technical contact", func(m *nir.Member) *string { return &m.TechC }},
	{"irt", "`HANDLE` of its incident response team", func(m *nir.Member) *string { return &m.IRT }},
	{"mntner", "`MAINTAINER` of its own", func(m *nir.Member) *string { return &m.Mntner }},
}

const addressUsage = "a `LINE` of its postal address; may be repeated"

func memberCreateCommand(a *app) *cobra.Command {
	var m nir.Member
	c := &cobra.Command{
		Use: "create NIR/UID", Short: "Record a new member of a registry",
		Long: `Create records a member. The UID is what the registry calls it: it is this member
for ever, and never another's (APNIC-103, section 3.2.1). If the registry has that
UID already, nothing is changed: other data of it are refused. A request for a new
member makes it, too.`,
		Args: arguments(cobra.ExactArgs(1), `nirctl member create JPNIC/M7 --name "Example Networks" --economy JP`),
		Example: `  nirctl member create JPNIC/M7 --name "Example Networks" --economy JP --email noc@example.net
  nirctl member create APNIC/D1 --name "A direct member" --economy AU --dry-run`,
	}
	bind(c, memberFields, &m)
	c.Flags().StringArrayVar(&m.Address, "address", nil, addressUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.memberChange(c, args[0], func(o *opened, x *nir.Tx) error {
			registry, uid, err := o.split(x.View, newNaming, args[0])
			if err != nil {
				return err
			}
			code, err := registryOf(x.View, registry)
			if err == nil {
				_, err = x.AddMember(code, uid, m)
			}
			return editInstead(c, err, m.Address)
		})
	}
	return a.writing(c)
}

// editInstead says how what was given for a new member is recorded of one that is
// there.
func editInstead(c *cobra.Command, err error, address []string) error {
	var r *nir.Error
	if nir.CodeOf(err) != nir.Conflict || !errors.As(err, &r) {
		return err
	}
	for _, name := range flagNames(memberFields) {
		if f := c.Flags().Lookup(name); f.Changed {
			r.Remedy += " --" + name + " " + shell.Quote(f.Value.String())
		}
	}
	for _, line := range address {
		r.Remedy += " --address " + shell.Quote(line)
	}
	return err
}

// memberChange makes a change and shows the member afterwards.
func (a *app) memberChange(c *cobra.Command, name string, fn func(*opened, *nir.Tx) error) error {
	return a.changeWith(c, func(o *opened) change {
		return change{
			fn:   func(x *nir.Tx) error { return fn(o, x) },
			show: func(v *nir.View) error { return a.memberView(o, v, name) },
		}
	})
}

func memberEditCommand(a *app) *cobra.Command {
	var m nir.Member
	c := &cobra.Command{
		Use: "edit MEMBER", Short: "Change the data of a member", Args: arguments(cobra.ExactArgs(1), "nirctl member edit JPNIC/M1 --email noc@example.net"),
		Example: "  nirctl member edit JPNIC/M1 --email noc@example.net --abuse abuse@example.net",
	}
	bind(c, memberFields, &m)
	c.Flags().StringArrayVar(&m.Address, "address", nil, addressUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := edits(c, append(flagNames(memberFields), "address")...); err != nil {
			return err
		}
		return a.memberChange(c, args[0], func(o *opened, x *nir.Tx) error {
			old, err := o.findMember(x.View, args[0])
			if err != nil {
				return err
			}
			assign(c, memberFields, &m, &old)
			if c.Flags().Changed("address") {
				old.Address = m.Address
			}
			_, err = x.ChangeMember(old)
			return err
		})
	}
	return a.writing(c)
}

func memberJoinCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "join MEMBER NIR/UID", Short: "Make a member one of another registry too",
		Long: `Join gives a member a second membership under another identifier. Its requests
are still served where they were until nirctl member serve says otherwise
(APNIC-103, section 4.1: from one source only).`,
		Args: arguments(cobra.ExactArgs(2), "nirctl member join JPNIC/M1 APNIC/D9"), Example: "  nirctl member join JPNIC/M1 APNIC/D9 -m \"joins in March\"",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.memberChange(c, args[0], func(o *opened, x *nir.Tx) error {
			m, err := o.findMember(x.View, args[0])
			if err != nil {
				return err
			}
			registry, uid, err := o.split(x.View, newNaming, args[1])
			if err != nil {
				return err
			}
			code, err := registryOf(x.View, registry)
			if err == nil {
				_, err = x.Join(m.ID, code, uid)
			}
			return err
		})
	}
	return a.writing(c)
}

// atRegistry is a verb with a member and one of its registries.
func (a *app) atRegistry(c *cobra.Command, do func(x *nir.Tx, member, code string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.memberChange(c, args[0], func(o *opened, x *nir.Tx) error {
			m, err := o.findMember(x.View, args[0])
			if err != nil {
				return err
			}
			code, err := registryOf(x.View, args[1])
			if err != nil {
				return err
			}
			return do(x, m.ID, code)
		})
	}
	return a.writing(c)
}

func memberLeaveCommand(a *app) *cobra.Command {
	return a.atRegistry(&cobra.Command{
		Use: "leave MEMBER REGISTRY", Short: "End a membership", Args: arguments(cobra.ExactArgs(2), "nirctl member leave JPNIC/M2 JPNIC"),
		Long:    "Leave ends a membership of a member that holds nothing there. Its UID stays taken.",
		Example: "  nirctl member leave JPNIC/M2 JPNIC -m \"closed its business\"",
	}, (*nir.Tx).Leave)
}

func memberServeCommand(a *app) *cobra.Command {
	return a.atRegistry(&cobra.Command{
		Use: "serve MEMBER REGISTRY", Short: "Say which registry serves a member's requests",
		Args:    arguments(cobra.ExactArgs(2), "nirctl member serve JPNIC/M1 JPNIC"),
		Example: "  nirctl member serve JPNIC/M1 JPNIC -m \"as it asked\"",
	}, (*nir.Tx).Serve)
}
