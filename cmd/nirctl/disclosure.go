package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func disclosureCommand(a *app) *cobra.Command {
	noun := nounCommand("disclosure", "The register of what authorities asked for")
	noun.Long = `What is public is answered at once. What is not is released by two approvers, with
a legal basis, field by field; the register keeps who asked, on which basis, who
decided, and exactly what was disclosed.`
	noun.AddCommand(disclosureListCommand(a), disclosureViewCommand(a), disclosureCreateCommand(a),
		disclosureAnswerCommand(a), disclosureReleaseCommand(a), disclosureRefuseCommand(a))
	return noun
}

var disclosureColumns = shown[nir.Disclosure]{
	one: "disclosure", many: "disclosures", none: "nirctl disclosure create --help",
	id: func(d nir.Disclosure) string { return d.ID },
	cols: []col[nir.Disclosure]{
		{"ref", false, func(d nir.Disclosure) string { return d.Ref }},
		{"state", false, func(d nir.Disclosure) string { return d.State }},
		{"requester", false, func(d nir.Disclosure) string { return d.Requester }},
		{"basis", false, func(d nir.Disclosure) string { return string(d.Basis) }},
		{"received", false, func(d nir.Disclosure) string { return stamp(d.Received) }},
		{"id", true, func(d nir.Disclosure) string { return d.ID }},
		{"jurisdiction", true, func(d nir.Disclosure) string { return d.Jurisdiction }},
		{"contact", true, func(d nir.Disclosure) string { return d.Contact }},
		{"document", true, func(d nir.Disclosure) string { return d.Document }},
		{"scope", true, func(d nir.Disclosure) string { return d.Scope }},
		{"decision", true, func(d nir.Disclosure) string { return d.Decision }},
		{"decided", true, func(d nir.Disclosure) string { return stamp(d.Decided) }},
		{"approvers", true, func(d nir.Disclosure) string { return strings.Join(d.Approvers, ", ") }},
		{"digest", true, func(d nir.Disclosure) string { return d.Digest }},
	},
}

// lookAll is look for those who see the whole registry.
func (a *app) lookAll(c *cobra.Command, fn func(*nir.View) error) error {
	return a.look(c, func(o *opened, v *nir.View) error {
		if !o.actor.Has(seesAll...) {
			return o.mine("")
		}
		return fn(v)
	})
}

func disclosureListCommand(a *app) *cobra.Command {
	state := ""
	c := &cobra.Command{
		Use: "list", Short: "List the register", Args: arguments(cobra.NoArgs, "nirctl disclosure list"), Example: "  nirctl disclosure list\n  nirctl disclosure list --state received -o wide",
	}
	states := []string{nir.DisclosureReceived, nir.DisclosurePublic, nir.DisclosureReleased, nir.DisclosureRefused}
	c.Flags().StringVar(&state, "state", "", "only those in `STATE`: "+strings.Join(states, ", "))
	a.completes(c, "state", states...)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := oneOf(c, "state", state, states); err != nil {
			return err
		}
		return a.lookAll(c, func(v *nir.View) error {
			list, err := v.Disclosures(state)
			if err != nil {
				return err
			}
			return showList(a, &disclosureColumns, list)
		})
	}
	return a.listing(c)
}

// findDisclosure takes an identifier, or the authority's reference, with its name and a slash
// before it or not.
func findDisclosure(v *nir.View, s string) (nir.Disclosure, error) {
	if strings.HasPrefix(s, "dsc_") {
		return v.Disclosure(s)
	}
	list, err := v.Disclosures("")
	for _, d := range list {
		if d.Ref == s || strings.HasSuffix(d.Ref, "/"+s) {
			return d, nil
		}
	}
	if err == nil {
		_, err = v.Disclosure(s) // says that it is not there
	}
	return nir.Disclosure{}, err
}

func disclosureViewCommand(a *app) *cobra.Command {
	disclosed := false
	c := &cobra.Command{
		Use: "view DISCLOSURE", Short: "Show a row of the register, or exactly what was disclosed",
		Args: arguments(cobra.ExactArgs(1), "nirctl disclosure view LEA-7"), Example: "  nirctl disclosure view LEA-7",
	}
	c.Flags().BoolVar(&disclosed, "disclosed", false, "print what was disclosed, as it was: the bytes of its digest")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.lookAll(c, func(v *nir.View) error {
			d, err := findDisclosure(v, args[0])
			if err != nil {
				return err
			}
			if !disclosed {
				return showOne(a, &disclosureColumns, d, nil)
			}
			data, err := v.Disclosed(d.ID)
			if err == nil {
				_, err = a.Stdout.Write(data)
			}
			if err == nil && shell.Columns(a.Stdout) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
				fmt.Fprintln(a.Stdout) // for the prompt behind it; a file has the bytes of the digest
			}
			return err
		})
	}
	return a.reading(c)
}

var disclosureFields = []field[nir.Disclosure]{
	{"ref", "the authority's own `REFERENCE`", func(d *nir.Disclosure) *string { return &d.Ref }},
	{"requester", "the `AUTHORITY`", func(d *nir.Disclosure) *string { return &d.Requester }},
	{"contact", "the `OFFICER` and how to reach them", func(d *nir.Disclosure) *string { return &d.Contact }},
	{"jurisdiction", "`WHERE` the authority has its powers", func(d *nir.Disclosure) *string { return &d.Jurisdiction }},
	{"document", "the order or the law, and where it is kept: `TEXT`", func(d *nir.Disclosure) *string { return &d.Document }},
	{"scope", "what is asked for: `TEXT`", func(d *nir.Disclosure) *string { return &d.Scope }},
	{"basis", "`BASIS`: none, law, court-order or mlat", func(d *nir.Disclosure) *string { return (*string)(&d.Basis) }},
}

func disclosureCreateCommand(a *app) *cobra.Command {
	var d nir.Disclosure
	c := &cobra.Command{
		Use: "create", Short: "Record what an authority asks for", Args: arguments(cobra.NoArgs, "nirctl disclosure create --help"),
		Example: `  nirctl disclosure create --ref LEA-8 --requester "Federal Police" --contact "Inspector, +61 2 5550 0000" --jurisdiction AU --basis court-order --document "order 12 of 2026, safe 3" --scope "who holds 202.0.0.0/22"`,
	}
	bind(c, disclosureFields, &d)
	a.completes(c, "basis", "none", "law", "court-order", "mlat")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var made nir.Disclosure
		return a.change(c, change{
			fn: func(x *nir.Tx) (err error) {
				made, err = x.RecordDisclosure(d)
				return err
			},
			show: func(*nir.View) error { return showOne(a, &disclosureColumns, made, nil) },
		})
	}
	return a.writing(c)
}

func disclosureRefuseCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "refuse DISCLOSURE", Short: "Refuse to disclose", Args: arguments(cobra.ExactArgs(1), `nirctl disclosure refuse LEA-7 -m "no legal basis"`),
		Example: `  nirctl disclosure refuse LEA-7 -m "no legal basis"`,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.needMessage(); err != nil {
			return err
		}
		return a.onDisclosure(c, args[0], func(_ *opened, x *nir.Tx, id string) (nir.Disclosure, error) { return x.RefuseDisclosure(id, a.reason) })
	}
	return a.writing(c)
}

func (a *app) onDisclosure(c *cobra.Command, name string, do func(*opened, *nir.Tx, string) (nir.Disclosure, error)) error {
	var d nir.Disclosure
	return a.changeWith(c, func(o *opened) change {
		return change{
			fn: func(x *nir.Tx) error {
				found, err := findDisclosure(x.View, name)
				if err == nil {
					d, err = do(o, x, found.ID)
				}
				return err
			},
			show: func(*nir.View) error { return showOne(a, &disclosureColumns, d, nil) },
		}
	})
}

const itemUsage = "`KIND:NAME:FIELD,FIELD` of an object, such as member:JPNIC/M1:name; may be repeated"

// readItems reads what is to be disclosed, and asks for what is not said.
func readItems(c *cobra.Command, disclosure string, list []string) ([]nir.DisclosedItem, error) {
	var items []nir.DisclosedItem
	for _, s := range list {
		kind, rest, _ := strings.Cut(s, ":")
		colon := strings.LastIndex(rest, ":") // a range may have some
		if colon < 0 {
			items = nil
			break
		}
		items = append(items, nir.DisclosedItem{Kind: kind, ID: rest[:colon], Fields: strings.Split(rest[colon+1:], ",")})
	}
	if len(items) == 0 {
		return nil, shell.Usage(errors.New("--item: say what is disclosed, as KIND:NAME:FIELD,FIELD"), c.CommandPath()+" "+shell.Quote(disclosure)+" --item member:JPNIC/M1:name")
	}
	return items, nil
}

// identify replaces what people call an object by its identifier.
func (o *opened) identify(v *nir.View, named []nir.DisclosedItem) (items []nir.DisclosedItem, err error) {
	for _, i := range named {
		switch i.Kind {
		case "member":
			m, err := o.findMember(v, i.ID)
			if err != nil {
				return nil, err
			}
			i.ID = m.ID
		case "request":
			r, err := o.findRequest(v, i.ID)
			if err != nil {
				return nil, err
			}
			i.ID = r.ID
		case "nir":
			n, err := findNIR(v, i.ID)
			if err != nil {
				return nil, err
			}
			i.ID = n.ID
		}
		items = append(items, i)
	}
	return items, nil
}

func disclosureAnswerCommand(a *app) *cobra.Command {
	var items []string
	c := &cobra.Command{
		Use: "answer DISCLOSURE", Short: "Answer with what is public", Args: arguments(cobra.ExactArgs(1), "nirctl disclosure answer LEA-7 --item member:JPNIC/M1:name"),
		Example: `  nirctl disclosure answer LEA-7 --item member:JPNIC/M1:name`,
	}
	c.Flags().StringArrayVar(&items, "item", nil, itemUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		named, err := readItems(c, args[0], items)
		if err != nil {
			return err
		}
		return a.onDisclosure(c, args[0], func(o *opened, x *nir.Tx, id string) (nir.Disclosure, error) {
			what, err := o.identify(x.View, named)
			if err != nil {
				return nir.Disclosure{}, err
			}
			return x.AnswerPublic(id, what)
		})
	}
	return a.writing(c)
}

func disclosureReleaseCommand(a *app) *cobra.Command {
	var items []string
	c := &cobra.Command{
		Use: "release DISCLOSURE", Short: "Propose to disclose what is not public, for two approvers to sign",
		Args:    arguments(cobra.ExactArgs(1), "nirctl disclosure release LEA-7 --item member:JPNIC/M1:phone"),
		Example: `  nirctl disclosure release LEA-7 --item member:JPNIC/M1:name,phone`,
	}
	c.Flags().StringArrayVar(&items, "item", nil, itemUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		named, err := readItems(c, args[0], items)
		if err != nil {
			return err
		}
		return a.propose(c, func(o *opened, x *nir.Tx) (nir.Proposal, error) {
			d, err := findDisclosure(x.View, args[0])
			if err != nil {
				return nir.Proposal{}, err
			}
			what, err := o.identify(x.View, named)
			if err != nil {
				return nir.Proposal{}, err
			}
			return x.ProposeRelease(d.ID, what)
		})
	}
	return a.writing(c)
}
