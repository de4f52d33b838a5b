package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/nir"
)

func whoisCommand(a *app) *cobra.Command {
	noun := nounCommand("whois", "Objects of the whois database")
	noun.AddCommand(whoisViewCommand(a), whoisPutCommand(a), whoisDeleteCommand(a), whoisExternalCommand(a), whoisReleaseCommand(a),
		whoisIRTCommand(a), whoisValidateCommand(a), whoisRemindCommand(a), whoisDiffCommand(a), whoisDescribeCommand(a))
	return noun
}

var whoisColumns = shown[nir.WhoisObject]{
	one: "object", many: "objects",
	id: func(w nir.WhoisObject) string { return w.Type + " " + w.Key },
	cols: []col[nir.WhoisObject]{
		{"type", false, func(w nir.WhoisObject) string { return w.Type }},
		{"key", false, func(w nir.WhoisObject) string { return w.Key }},
		{"source", false, func(w nir.WhoisObject) string { return w.Source }},
		{"mnt-by", false, func(w nir.WhoisObject) string { return strings.Join(w.Mntner, ", ") }},
		{"state", false, func(w nir.WhoisObject) string { return w.State }},
		{"origin", true, func(w nir.WhoisObject) string { return w.Origin }},
		{"validated", true, func(w nir.WhoisObject) string { return stamp(w.Validated) }},
		{"id", true, func(w nir.WhoisObject) string { return w.ID }},
	},
	rpsl: func(w nir.WhoisObject) string { return strings.TrimRight(w.Text, "\n") + "\n" },
}

func whoisViewCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "view [TYPE] KEY", Short: "Show objects of a type and key, or what answers for a range",
		Long:    "View shows the object of a type and key; with a range, address or ASN alone, the\nmost specific object that covers it: for what an NIR manages there always is one.",
		Example: "  nirctl whois view 202.0.1.7\n  nirctl whois view inetnum 202.0.0.0/22 -o json",
		Args:    arguments(cobra.RangeArgs(1, 2), "nirctl whois view inetnum 202.0.0.0/22"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(_ *opened, v *nir.View) error {
			list, err := findWhois(v, args)
			if err != nil {
				return err
			}
			if a.output.form == "table" {
				a.output.form = "rpsl"
			}
			return showList(a, &whoisColumns, list)
		})
	}
	return a.listing(c)
}

func findWhois(v *nir.View, args []string) ([]nir.WhoisObject, error) {
	if len(args) == 2 {
		return v.Whois(args[0], args[1])
	}
	r, err := rangeOf(args[0])
	if err != nil {
		return nil, err
	}
	w, err := v.WhoisCovering(r)
	return []nir.WhoisObject{w}, err
}

func whoisPutCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "put FILE", Short: "Record the objects that a file has as RPSL, new or changed", Args: arguments(cobra.ExactArgs(1), "nirctl whois put person.rpsl"),
		Long:    "Put records one object, or many with empty lines between: all of them in one event,\nor none. Every mistake is told at once.",
		Example: "  nirctl whois put person.rpsl",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		data, err := a.read(c.Context(), args[0], maxJustification)
		if err != nil {
			return fmt.Errorf("reading the object: %w", err)
		}
		list := objectsOf(string(data))
		return a.change(c, change{fn: func(x *nir.Tx) error { return putObjects(x, args[0], list) }})
	}
	return a.writing(c)
}

// A part is one object of a file of RPSL, and the number of the line before it.
type part struct {
	text  string
	above int
}

// objectsOf takes a file of RPSL apart at its empty lines. A file without an object
// is one that is none.
func objectsOf(text string) []part {
	var list []part
	line := 0
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		body := strings.TrimLeft(p, "\n")
		above := line + len(p) - len(body)
		line += strings.Count(p, "\n") + 2
		if body = strings.TrimRight(body, "\n"); body != "" {
			list = append(list, part{body + "\n", above})
		}
	}
	if len(list) == 0 {
		return []part{{text: text}}
	}
	return list
}

// putObjects records all objects, or tells what is wrong with each.
func putObjects(x *nir.Tx, file string, list []part) error {
	var bad []error
	for _, p := range list {
		_, err := x.PutWhois(p.text)
		if err = ofFile(file, p.above, err); err != nil {
			bad = append(bad, err)
		}
	}
	if len(bad) == 1 {
		return bad[0]
	}
	return errors.Join(bad...)
}

// ofFile makes of "text: object:2: …" the file and its line.
func ofFile(name string, above int, err error) error {
	var e *nir.Error
	if !errors.As(err, &e) || e.Field != "text" {
		return err
	}
	lines := strings.Split(e.Text, "\n")
	for i, l := range lines {
		lines[i] = fmt.Sprintf("%s:%d: %s", name, above+1, l)
		rest, ok := strings.CutPrefix(l, "object:")
		number, rest, is := strings.Cut(rest, ":")
		if n, err := strconv.Atoi(number); ok && is && err == nil {
			lines[i] = fmt.Sprintf("%s:%d:%s", name, above+n, rest)
		}
	}
	named := *e
	named.Field, named.Text = "", strings.Join(lines, "\n")
	return &named
}

func whoisDeleteCommand(a *app) *cobra.Command {
	source := ""
	c := &cobra.Command{
		Use: "delete TYPE KEY", Short: "End an object", Args: arguments(cobra.ExactArgs(2), "nirctl whois delete person AA1-AP"),
		Example: "  nirctl whois delete person NOBODY1-AP   # exit code 5: it is not there",
	}
	c.Flags().StringVar(&source, "source", "", "the object of `SOURCE` (default: the registry's own)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.change(c, change{confirm: args[1], fn: func(x *nir.Tx) error {
			s := source
			if s == "" {
				s = x.Rules.Source
			}
			return x.DeleteWhois(args[0], args[1], s)
		}})
	}
	return a.writing(c)
}

func whoisExternalCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "external SOURCE TYPE KEY", Short: "Declare that objects of a source may name what is not here",
		Example: "  nirctl whois external JPNIC mntner MAINT-JPNIC -m \"kept by JPNIC\"",
		Args:    arguments(cobra.ExactArgs(3), "nirctl whois external JPNIC mntner MAINT-JPNIC -m \"kept by JPNIC\""),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.needMessage(); err != nil {
			return err
		}
		return a.change(c, change{fn: func(x *nir.Tx) error {
			return x.DeclareExternal(strings.ToUpper(args[0]), args[1]+" "+args[2], a.reason)
		}})
	}
	return a.writing(c)
}

func whoisReleaseCommand(a *app) *cobra.Command {
	removes := 0
	c := &cobra.Command{
		Use: "release NIR HASH", Short: "Let the next cycle of a mirror make the deletions that are held", ValidArgsFunction: a.codes,
		Example: "  nirctl whois release JPNIC 0123456789ab --removes 12   # exit code 5: nothing of it was mirrored",
		Args:    arguments(cobra.ExactArgs(2), "nirctl whois release JPNIC HASH --removes N"),
	}
	c.Flags().IntVar(&removes, "removes", 0, "`NUMBER` of objects that are deleted")
	c.RunE = func(c *cobra.Command, args []string) error {
		if removes == 0 {
			return shell.Usage(errors.New("name the loss: --removes N"), "nirctl whois release "+args[0]+" "+args[1]+" --removes N")
		}
		return a.change(c, change{fn: func(x *nir.Tx) error { return x.ReleaseMirror(strings.ToUpper(args[0]), args[1], removes) }})
	}
	return a.writing(c)
}

func domainCommand(a *app) *cobra.Command {
	noun := nounCommand("domain", "Reverse zones of option 2")
	noun.AddCommand(domainListCommand(a), domainSetCommand(a))
	return noun
}

func domainListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list NIR", Short: "List the domain objects of an NIR", Args: arguments(cobra.ExactArgs(1), "nirctl domain list JPNIC"), ValidArgsFunction: a.codes,
		Example: "  nirctl domain list JPNIC\n  nirctl domain list JPNIC --filter state=inactive -o name",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.look(c, func(o *opened, v *nir.View) error {
			scope, err := o.scope(v, args[0])
			if err != nil {
				return err
			}
			list, err := v.Domains(scope[0])
			if err != nil {
				return err
			}
			return showList(a, &whoisColumns, list)
		})
	}
	return a.listing(c)
}

func domainSetCommand(a *app) *cobra.Command {
	var ns, ds []string
	c := &cobra.Command{
		Use: "set ZONE|RANGE", Short: "Set the name servers of a zone, or of all zones of a range, and so activate it",
		Long: `Set writes the name servers, and the DS records, of a domain object. Without any it
is inactive: it yields nothing in the DNS. Of a range it writes those of every
zone that the range has: the sixteen of a /20, all or none. A DS is of one zone's
key, so a range of several zones takes none.`,
		Example: "  nirctl domain set 1.0.202.in-addr.arpa --ns ns1.example.net,ns2.example.net   # exit code 5: JPNIC has option 1, and no domain objects",
		Args:    arguments(cobra.ExactArgs(1), "nirctl domain set 1.0.202.in-addr.arpa --ns ns1.example.net,ns2.example.net"),
	}
	c.Flags().StringSliceVar(&ns, "ns", nil, "`HOSTS` that serve it, with commas between")
	c.Flags().StringArrayVar(&ds, "ds", nil, "`DS` record's data; may be repeated")
	c.RunE = func(c *cobra.Command, args []string) error {
		zones, err := zonesOf(c, args[0])
		if err != nil {
			return err
		}
		if len(ds) > 0 && len(zones) > 1 {
			return shell.Usage(fmt.Errorf("--ds: %s is %d zones, and a DS is of one zone's key", args[0], len(zones)), "nirctl domain set "+zones[0]+" --ds ...")
		}
		return a.setDomains(c, zones, ns, ds)
	}
	return a.writing(c)
}

// maxDomains is how many zones of a range are set at once: those of a /17.
const maxDomains = 128

// zonesOf returns the zones that an argument names: one by its name, or those of a
// range.
func zonesOf(c *cobra.Command, arg string) ([]string, error) {
	if strings.Contains(arg, ".arpa") {
		return []string{arg}, nil
	}
	r, err := rangeOf(arg)
	if err != nil {
		return nil, err
	}
	list, err := nir.ReverseZones(r, maxDomains)
	var names []string
	for _, z := range list {
		names = append(names, z.Name.File())
	}
	return names, refused(c, err)
}

// setDomains sets all zones or none. What is wrong with the servers is wrong for
// each zone, and said once.
func (a *app) setDomains(c *cobra.Command, zones, ns, ds []string) error {
	var set []nir.WhoisObject
	return a.change(c, change{
		fn: func(x *nir.Tx) error {
			set = nil
			for _, z := range zones {
				w, err := x.SetDomain(z, ns, ds)
				if err != nil {
					return err
				}
				set = append(set, w)
			}
			return nil
		},
		show: func(*nir.View) error { return showList(a, &whoisColumns, set) },
	})
}
