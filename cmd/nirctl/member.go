package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nirzone/nir"
)

func memberCommand(a *app) *cobra.Command {
	noun := nounCommand("member", "Members of NIRs, and of the registry itself")
	noun.Long = `A member is named NIR/UID, as the NIR calls it: JPNIC/M1. A direct member of the
regional registry has its name in front. Staff of an NIR may leave their own out.`
	noun.AddCommand(memberListCommand(a), memberViewCommand(a), memberCreateCommand(a), memberEditCommand(a),
		memberJoinCommand(a), memberLeaveCommand(a), memberServeCommand(a),
		a.historyCommand("history MEMBER", "  nirctl member history JPNIC/M1", findMemberHistory, cobra.ExactArgs(1)))
	return noun
}

func findMemberHistory(o *opened, v *nir.View, args []string) (table, id string, err error) {
	m, err := o.memberToShow(v, args[0])
	return "member", m.ID, err
}

// memberToShow finds a member whose data the user may see.
func (o *opened) memberToShow(v *nir.View, s string) (nir.Member, error) {
	m, err := o.findMember(v, s)
	if err != nil || !o.onlyNIR() {
		return m, err
	}
	list, err := v.Memberships(m.ID)
	for _, s := range list {
		if s.NIR == o.actor.NIR {
			return m, nil
		}
	}
	if err == nil {
		err = o.mine("")
	}
	return nir.Member{}, err
}

// A memberRow is a member as one registry has it.
type memberRow struct {
	nir.Member
	Registry string    `json:"registry"`
	UID      string    `json:"uid"`
	Serves   bool      `json:"serves"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
}

func rowOfMember(v *nir.View, m *nir.Member, s *nir.Membership) memberRow {
	return memberRow{*m, registryName(v, s.NIR), s.UID, s.Serves, s.Began, s.Ended}
}

var memberColumns = shown[memberRow]{
	one: "member", many: "members", none: "nirctl member create JPNIC/M1 --name NAME --economy JP",
	id: func(m memberRow) string { return m.Registry + "/" + m.UID },
	cols: []col[memberRow]{
		{"member", false, func(m memberRow) string { return m.Registry + "/" + m.UID }},
		{"economy", false, func(m memberRow) string { return m.Economy }},
		{"served", false, func(m memberRow) string { return servedWord(&m) }},
		{"name", false, func(m memberRow) string { return m.Name }},
		{"email", true, func(m memberRow) string { return m.Email }},
		{"abuse", true, func(m memberRow) string { return m.Abuse }},
		{"phone", true, func(m memberRow) string { return m.Phone }},
		{"address", true, func(m memberRow) string { return strings.Join(m.Address, ", ") }},
		{"admin-c", true, func(m memberRow) string { return m.AdminC }},
		{"tech-c", true, func(m memberRow) string { return m.TechC }},
		{"irt", true, func(m memberRow) string { return m.IRT }},
		{"mntner", true, func(m memberRow) string { return m.Mntner }},
		{"since", true, func(m memberRow) string { return stamp(m.Began) }},
		{"left", true, func(m memberRow) string { return stamp(m.Ended) }},
		{"id", true, func(m memberRow) string { return m.ID }},
	},
}

// servedWord says whether this registry serves the member's requests.
func servedWord(m *memberRow) string {
	switch {
	case !m.Ended.IsZero():
		return "left"
	case m.Serves:
		return "here"
	}
	return "elsewhere"
}

func memberListCommand(a *app) *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "list", Short: "List members", Args: arguments(cobra.NoArgs, "nirctl member list --nir JPNIC"),
		Example: "  nirctl member list --nir JPNIC\n  nirctl member list --filter economy=JP --sort name\n  nirctl member list --limit 10 -o name",
	}
	a.scopeFlag(c, &code, "only members of `NIR`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			list, err := o.memberRows(v, code)
			if err != nil {
				return err
			}
			return showList(a, &memberColumns, list)
		})
	}
	return a.listing(c)
}

func (o *opened) memberRows(v *nir.View, code string) ([]memberRow, error) {
	scope, err := o.scope(v, code)
	var list []memberRow
	for _, n := range scope {
		members, ships, err := v.Members(n)
		if err != nil {
			return nil, err
		}
		for i := range members {
			list = append(list, rowOfMember(v, &members[i], &ships[i]))
		}
	}
	return list, err
}

func memberViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view MEMBER", Short: "Show a member, with all its memberships", Args: arguments(cobra.ExactArgs(1), "nirctl member view JPNIC/M1"),
		Example: "  nirctl member view JPNIC/M1\n  nirctl member view JPNIC/M1 -o json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error { return a.memberView(o, v, args[0]) })
	}
	return a.reading(c)
}

func (a *app) memberView(o *opened, v *nir.View, name string) error {
	m, err := o.memberToShow(v, name)
	if err != nil {
		return err
	}
	ships, err := v.Memberships(m.ID)
	if err != nil {
		return err
	}
	var rows []memberRow
	for i := range ships {
		rows = append(rows, rowOfMember(v, &m, &ships[i]))
	}
	if len(rows) == 1 {
		return showOne(a, &memberColumns, rows[0], nil)
	}
	return showList(a, &memberColumns, rows)
}
