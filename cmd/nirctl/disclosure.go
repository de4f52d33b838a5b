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
	c.Flags().StringVar(&state, "state", "", "only those in `STATE`: received, answered-public, released, refused")
	c.RunE = func(c *cobra.Command, _ []string) error {
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
		return a.onDisclosure(c, args[0], func(x *nir.Tx, id string) (nir.Disclosure, error) { return x.RefuseDisclosure(id, a.reason) })
	}
	return a.writing(c)
}

func (a *app) onDisclosure(c *cobra.Command, name string, do func(*nir.Tx, string) (nir.Disclosure, error)) error {
	var d nir.Disclosure
	return a.change(c, change{
		fn: func(x *nir.Tx) error {
			found, err := findDisclosure(x.View, name)
			if err == nil {
				d, err = do(x, found.ID)
			}
			return err
		},
		show: func(*nir.View) error { return showOne(a, &disclosureColumns, d, nil) },
	})
}

var errItem = errors.New("say what is disclosed: KIND:ID:FIELD,FIELD")

const itemUsage = "`KIND:ID:FIELD,FIELD` of an object; may be repeated"

// readItems reads what is to be disclosed.
func readItems(list []string) ([]nir.DisclosedItem, error) {
	var items []nir.DisclosedItem
	for _, s := range list {
		p := strings.SplitN(s, ":", 3)
		if len(p) != 3 {
			return nil, shell.Usage(errItem, "--item member:mem_ID:name,phone")
		}
		items = append(items, nir.DisclosedItem{Kind: p[0], ID: p[1], Fields: strings.Split(p[2], ",")})
	}
	if len(items) == 0 {
		return nil, shell.Usage(errItem, "--item member:mem_ID:name,phone")
	}
	return items, nil
}

func disclosureAnswerCommand(a *app) *cobra.Command {
	var items []string
	c := &cobra.Command{
		Use: "answer DISCLOSURE", Short: "Answer with what is public", Args: arguments(cobra.ExactArgs(1), "nirctl disclosure answer LEA-7 --item member:mem_ID:name"),
		Example: `  nirctl disclosure answer LEA-7 --item member:$(nirctl member view JPNIC/M1 -o csv --no-headers | cut -d, -f15):name`,
	}
	c.Flags().StringArrayVar(&items, "item", nil, itemUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		what, err := readItems(items)
		if err != nil {
			return err
		}
		return a.onDisclosure(c, args[0], func(x *nir.Tx, id string) (nir.Disclosure, error) { return x.AnswerPublic(id, what) })
	}
	return a.writing(c)
}

func disclosureReleaseCommand(a *app) *cobra.Command {
	var items []string
	c := &cobra.Command{
		Use: "release DISCLOSURE", Short: "Propose to disclose what is not public, for two approvers to sign",
		Args:    arguments(cobra.ExactArgs(1), "nirctl disclosure release LEA-7 --item member:mem_ID:phone"),
		Example: `  nirctl disclosure release LEA-7 --item member:$(nirctl member view JPNIC/M1 -o csv --no-headers | cut -d, -f15):name,phone`,
	}
	c.Flags().StringArrayVar(&items, "item", nil, itemUsage)
	c.RunE = func(c *cobra.Command, args []string) error {
		what, err := readItems(items)
		if err != nil {
			return err
		}
		return a.propose(c, func(_ *opened, x *nir.Tx) (nir.Proposal, error) {
			d, err := findDisclosure(x.View, args[0])
			if err != nil {
				return nir.Proposal{}, err
			}
			return x.ProposeRelease(d.ID, what)
		})
	}
	return a.writing(c)
}
