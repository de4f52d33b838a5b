package rpsl

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule says how an attribute may stand in objects of a type.
type Rule struct {
	Name      string
	Mandatory bool
	Multiple  bool
	Private   bool     // for the object's own maintainers alone, never for the public
	Refers    []string // the types of objects that its values name
}

// A Class is what is known of a type of object.
type Class struct {
	Name  string
	Rules []Rule // in the order in which objects are made
}

// The classes, one attribute a word: ! mandatory, * multiple, - not for the
// public, and behind a colon the types that its values name. Mail addresses to
// which a database writes, and what authenticates, are not public; nor are mail
// addresses of persons and roles, except the one for abuse.
var classTable = map[string]string{
	"inetnum":      "inetnum! netname! descr!* country!* geoloc language* org:organisation sponsoring-org:organisation admin-c!*:person,role tech-c!*:person,role abuse-c:role status! " + common + " mnt-lower*:mntner mnt-routes* mnt-domains*:mntner mnt-irt*:irt geofeed",
	"inet6num":     "inet6num! netname! descr!* country!* geoloc language* org:organisation sponsoring-org:organisation admin-c!*:person,role tech-c!*:person,role abuse-c:role status! " + common + " mnt-lower*:mntner mnt-routes* mnt-domains*:mntner mnt-irt*:irt assignment-size geofeed",
	"aut-num":      "aut-num! as-name! descr!* country* member-of* import* mp-import* export* mp-export* default* mp-default* import-via* export-via* org:organisation sponsoring-org:organisation admin-c!*:person,role tech-c!*:person,role abuse-c:role status " + common + " mnt-lower*:mntner mnt-routes* mnt-irt*:irt",
	"as-block":     "as-block! descr* country org:organisation admin-c*:person,role tech-c*:person,role " + common + " mnt-lower*:mntner",
	"domain":       "domain! descr* country org:organisation admin-c!*:person,role tech-c!*:person,role zone-c!*:person,role nserver!* ds-rdata* sub-dom* dom-net* refer " + common + " mnt-lower*:mntner",
	"mntner":       "mntner! descr!* country org:organisation admin-c!*:person,role tech-c*:person,role upd-to!*- mnt-nfy*- auth!*- abuse-mailbox " + common + " referral-by*",
	"irt":          "irt! address!* phone* fax-no* e-mail!* abuse-mailbox! signature* encryption* org:organisation admin-c!*:person,role tech-c!*:person,role auth!*- irt-nfy*- " + common,
	"role":         "role! address!* country phone* fax-no* e-mail!*- abuse-mailbox org:organisation admin-c*:person,role tech-c*:person,role nic-hdl! " + common,
	"person":       "person! address!* country phone!* fax-no* e-mail!*- abuse-mailbox org:organisation nic-hdl! " + common,
	"organisation": "organisation! org-name! org-type! descr* country address!* phone* fax-no* e-mail!* geoloc language* abuse-c:role abuse-mailbox org:organisation admin-c*:person,role tech-c*:person,role ref-nfy*- mnt-ref*:mntner " + common,
	"route":        "route! descr* country origin! pingable* ping-hdl*:person,role holes* member-of* inject* aggr-mtd aggr-bndry export-comps components org:organisation admin-c*:person,role tech-c*:person,role " + common + " mnt-lower*:mntner mnt-routes*",
	"route6":       "route6! descr* country origin! pingable* ping-hdl*:person,role holes* member-of* inject* aggr-mtd aggr-bndry export-comps components org:organisation admin-c*:person,role tech-c*:person,role " + common + " mnt-lower*:mntner mnt-routes*",
}

const common = "remarks* notify*- mnt-by!*:mntner created last-modified changed*- source!"

var classes = readClasses()

func readClasses() map[string]*Class {
	all := map[string]*Class{}
	for name, text := range classTable {
		c := &Class{Name: name}
		for word := range strings.FieldsSeq(text) {
			word, types, _ := strings.Cut(word, ":")
			r := Rule{Name: strings.TrimRight(word, "!*-")}
			flags := word[len(r.Name):]
			r.Mandatory, r.Multiple, r.Private = strings.Contains(flags, "!"), strings.Contains(flags, "*"), strings.Contains(flags, "-")
			if types != "" {
				r.Refers = strings.Split(types, ",")
			}
			c.Rules = append(c.Rules, r)
		}
		all[name] = c
	}
	return all
}

// ClassOf returns what is known of a type; false for a type that is not known.
func ClassOf(name string) (*Class, bool) {
	c, ok := classes[name]
	return c, ok
}

// Classes returns the names of all types that are known, sorted.
func Classes() []string {
	var list []string
	for n := range classes {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// Rule returns the rule of an attribute; false if the type has none of that name.
func (c *Class) Rule(attribute string) (Rule, bool) {
	for _, r := range c.Rules {
		if r.Name == attribute {
			return r, true
		}
	}
	return Rule{}, false
}

// Check compares an object with its class, and returns a [*Mistakes] with all that
// is wrong: attributes that are missing, empty, repeated or of no such class, and
// a key that cannot be read. An object of an unknown type has no mistakes but
// those of its key.
func (o *Object) Check() error {
	var all Mistakes
	fail := func(line int, format string, args ...any) {
		all.List = append(all.List, &Mistake{o.File, max(line, o.Line), fmt.Sprintf(format, args...)})
	}
	if _, err := o.Key(); err != nil {
		fail(o.Line, "%v", err)
	}
	if c, ok := ClassOf(o.Class()); ok {
		o.checkClass(c, fail)
	}
	return all.err()
}

func (o *Object) checkClass(c *Class, fail func(int, string, ...any)) {
	count := map[string]int{}
	for _, a := range o.Attributes {
		r, ok := c.Rule(a.Name)
		count[a.Name]++
		switch {
		case !ok:
			fail(a.Line, "%s has no attribute %s: take it out, or write it as remarks", c.Name, a.Name)
		case count[a.Name] == 2 && !r.Multiple:
			fail(a.Line, "%s has one %s at most: keep one", c.Name, a.Name)
		case r.Mandatory && a.Value() == "" && a.Name != "descr" && a.Name != "address":
			fail(a.Line, "%s has no value: write one", a.Name)
		}
	}
	for _, r := range c.Rules {
		if r.Mandatory && count[r.Name] == 0 {
			fail(o.Line, "%s needs the attribute %s: add it", c.Name, r.Name)
		}
	}
}

// A Ref is an object that another one names.
type Ref struct {
	Types []string // one of which it is
	Key   string   // in its one form
	Attr  string   // that names it
	Line  int
}

// Refs returns the objects that this one names, each once, in order.
func (o *Object) Refs() []Ref {
	c, ok := ClassOf(o.Class())
	if !ok {
		return nil
	}
	var list []Ref
	for _, a := range o.Attributes {
		r, _ := c.Rule(a.Name)
		if len(r.Refers) == 0 {
			continue
		}
		for _, word := range strings.FieldsFunc(a.Value(), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			key := strings.ToUpper(word)
			if !slices.ContainsFunc(list, func(l Ref) bool { return l.Key == key && slices.Equal(l.Types, r.Refers) }) {
				list = append(list, Ref{r.Refers, key, a.Name, a.Line})
			}
		}
	}
	return list
}

// Public returns what the public may see of an object: of a known type the
// attributes that its class has and does not keep back, of any other type
// nothing, which is nil. What is kept back and mandatory stays as a name, with
// the remark "# Filtered".
func (o *Object) Public() *Object {
	c, ok := ClassOf(o.Class())
	if !ok {
		return nil
	}
	p := &Object{File: o.File, Line: o.Line}
	for _, a := range o.Attributes {
		r, known := c.Rule(a.Name)
		switch {
		case !known:
		case !r.Private:
			p.Attributes = append(p.Attributes, Attribute{a.Name, a.Line, terminated(a.text)})
		case r.Mandatory && p.Get(a.Name) == "" && !p.has(a.Name):
			p.Attributes = append(p.Attributes, Attribute{a.Name, a.Line, fmt.Sprintf("%-*s# Filtered\n", indent, a.Name+":")})
		}
	}
	return p
}

func (o *Object) has(name string) bool {
	return slices.ContainsFunc(o.Attributes, func(a Attribute) bool { return a.Name == name })
}

func terminated(text string) string {
	if strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
