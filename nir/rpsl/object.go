package rpsl

import (
	"slices"
	"strings"
)

// An Attribute is a name and a value, with the text it was read from.
type Attribute struct {
	Name string // in lower case
	Line int    // in its file, 0 if it was made here
	text string // all its lines with their ends
}

// An Object is a list of attributes in the order of its text.
type Object struct {
	File       string
	Line       int    // of the first attribute
	Lead       string // what stands before the object: empty lines and remarks of the file
	Attributes []Attribute
}

// indent is the column in which values begin.
const indent = 16

// New returns an object of a type: values are names and values in turn. An empty
// value leaves its attribute out.
func New(class, key string, values ...string) *Object {
	o := &Object{Attributes: []Attribute{Attr(class, key)}}
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			o.Attributes = append(o.Attributes, Attr(values[i], values[i+1]))
		}
	}
	return o
}

// Attr returns an attribute. A value of several lines is continued in lines that
// begin with spaces, and with a plus sign where a line is empty.
func Attr(name, value string) Attribute {
	var b strings.Builder
	head := name + ":"
	for i, line := range strings.Split(value, "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case i > 0 && line == "":
			head = "+"
		case i > 0:
			head = ""
		}
		b.WriteString(head)
		if line != "" {
			b.WriteString(strings.Repeat(" ", max(1, indent-len(head))))
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return Attribute{Name: strings.ToLower(name), text: b.String()}
}

// Text returns the attribute's lines with their ends, as they were read.
func (a Attribute) Text() string { return a.text }

// Value returns the attribute's value on one line: comments are left out, and
// lines are joined by single spaces.
func (a Attribute) Value() string {
	_, rest, _ := strings.Cut(a.text, ":")
	if !strings.Contains(strings.TrimRight(rest, "\r\n"), "\n") && !strings.Contains(rest, "#") {
		return strings.TrimSpace(rest)
	}
	var parts []string
	for i, line := range strings.Split(rest, "\n") {
		if i > 0 {
			line = strings.TrimPrefix(line, "+")
		}
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, " ")
}

// Class returns the object's type: the name of its first attribute.
func (o *Object) Class() string {
	if len(o.Attributes) == 0 {
		return ""
	}
	return o.Attributes[0].Name
}

// Get returns the value of the first attribute of a name, "" if there is none.
func (o *Object) Get(name string) string {
	for _, a := range o.Attributes {
		if a.Name == name {
			return a.Value()
		}
	}
	return ""
}

// All returns the values of all attributes of a name, in order.
func (o *Object) All(name string) []string {
	var list []string
	for _, a := range o.Attributes {
		if a.Name == name {
			list = append(list, a.Value())
		}
	}
	return list
}

// Words returns the values of all attributes of a name, each of which may be a
// list separated by commas or spaces (RFC 2622, section 2).
func (o *Object) Words(name string) []string {
	var list []string
	for _, v := range o.All(name) {
		list = append(list, strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })...)
	}
	return list
}

// Set makes values all that an object has of an attribute: they stand where the
// first one stood, or before the source, which is last. Without values it takes
// the attribute out.
func (o *Object) Set(name string, values ...string) {
	at := slices.IndexFunc(o.Attributes, func(a Attribute) bool { return a.Name == name })
	if at < 0 {
		at = len(o.Attributes)
		if s := slices.IndexFunc(o.Attributes, func(a Attribute) bool { return a.Name == "source" }); s > 0 && name != "last-modified" {
			at = s
		}
	}
	out := slices.Clone(o.Attributes[:at])
	for _, v := range values {
		out = append(out, Attr(name, v))
	}
	for _, a := range o.Attributes[at:] {
		if a.Name != name {
			out = append(out, a)
		}
	}
	o.Attributes = out
}

// Clone returns a copy that can be edited.
func (o *Object) Clone() *Object {
	c := *o
	c.Attributes = slices.Clone(o.Attributes)
	return &c
}

// Text returns the object's lines, without what stands before it.
func (o *Object) Text() string {
	if len(o.Attributes) == 1 {
		return o.Attributes[0].text
	}
	var b strings.Builder
	for _, a := range o.Attributes {
		b.WriteString(a.text)
	}
	return b.String()
}

// String returns what stands before the object and its lines: all that was read.
func (o *Object) String() string { return o.Lead + o.Text() }
