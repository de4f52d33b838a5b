package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
)

// A shape is what is shown of a result in JSON: some fields of each object, and
// then what a template or a jq filter makes of it.
type shape struct {
	asked  bool     // --json was given
	fields []string // of each object; none: all
	help   bool     // --json=help

	templateText, jqText string
	template             *template.Template
	jq                   filter
}

// shapeFlags gives the root command the flags that all commands have.
func (a *app) shapeFlags(c *cobra.Command) {
	f := c.PersistentFlags()
	j := f.VarPF((*jsonFlag)(a), "json", "", "write the result as JSON; --json=`FIELD,FIELD` only these fields of it, --json=help names them")
	j.NoOptDefVal = "true"
	f.StringVar(&a.shape.templateText, "template", "", "write what `TEMPLATE` (Go's text/template) makes of the JSON")
	f.StringVar(&a.shape.jqText, "jq", "", "write what `FILTER` (jq's language) makes of the JSON; a string without quotes")
	f.StringVar(&a.color, "color", "auto", "colours: `WHEN` is auto (on a terminal, unless NO_COLOR is set), always or never")
	f.BoolVar(&a.quiet, "quiet", false, "say nothing but the result, errors, and what has to be confirmed")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say which configuration and database are used, and as whom")
	a.completes(c, "color", "auto", "always", "never")
}

// jsonFlag is --json: on and off, or the names of fields.
type jsonFlag app

// String is the flag's value as text.
func (j *jsonFlag) String() string {
	if j.shape.help {
		return "help"
	}
	if len(j.shape.fields) > 0 {
		return strings.Join(j.shape.fields, ",")
	}
	return fmt.Sprint(j.shape.asked)
}

// Type makes help and completion treat it as a flag that needs no value.
func (j *jsonFlag) Type() string { return "bool" }

var fieldList = regexp.MustCompile(`^[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*$`)

// Set reads the flag.
func (j *jsonFlag) Set(s string) error {
	j.shape.fields, j.shape.help = nil, s == "help"
	switch {
	case s == "true", s == "false", s == "help":
	case !fieldList.MatchString(s):
		return errors.New("not names of fields with commas between, such as --json=id,state")
	default:
		j.shape.fields = strings.Split(s, ",")
	}
	j.shape.asked = s != "false"
	j.json = j.shape.asked
	return nil
}

// joinFields lets a list of fields stand behind --json as a word of its own. It
// has to have a comma: one word may be what the command is about.
func joinFields(args []string) []string {
	args = slices.Clone(args)
	for i := 0; i+1 < len(args) && args[i] != "--"; i++ {
		if args[i] == "--json" && strings.Contains(args[i+1], ",") && fieldList.MatchString(args[i+1]) {
			args[i] += "=" + args[i+1]
			args = slices.Delete(args, i+1, i+2)
		}
	}
	return args
}

// prepare checks all that is said about output, before anything is done.
func (a *app) prepare(c *cobra.Command) (err error) {
	switch a.color {
	case "auto":
	case "always", "never":
		a.SetColours(a.color == "always")
	default:
		return shell.Usage(fmt.Errorf("--color %s: not one of auto, always, never", a.color), "--color never")
	}
	s := &a.shape
	if s.templateText != "" && s.jqText != "" {
		return shell.Usage(errors.New("--template and --jq: one of them"), "nirctl nir list --jq '.nirs[].code'")
	}
	a.json = a.json || s.templateText != "" || s.jqText != ""
	if f := c.Flags().Lookup("output"); a.json && f != nil && f.Changed && f.Value.String() != "json" {
		return shell.Usage(fmt.Errorf("-o %s, and JSON with --json, --jq or --template: one of them", f.Value), c.CommandPath()+" -o json")
	}
	if s.template, err = parseTemplate(s.templateText); err == nil {
		s.jq, err = parseFilter(s.jqText)
	}
	return err
}

// Errorf is for what a person may like to know; --quiet leaves it out. Errors go
// through [shell.Shell.Finish].
func (a *app) Errorf(format string, args ...any) {
	if !a.quiet {
		a.Shell.Errorf(format, args...)
	}
}

// write writes a result in the shape that was asked for.
func (s *shape) write(ctx context.Context, w io.Writer, v any) error {
	if s.template == nil && s.jq == nil && len(s.fields) == 0 && !s.help {
		return shell.WriteJSON(w, v)
	}
	name, value := "", v
	if e, ok := v.(envelope); ok {
		name, value = e.name, e.value
	} else if len(s.fields) > 0 && !slices.Contains(s.fields, "version") {
		s.fields = append([]string{"version"}, s.fields...)
	}
	if s.help {
		_, err := fmt.Fprintln(w, strings.Join(fieldNames(reflect.TypeOf(value)), "\n"))
		return err
	}
	if len(s.fields) > 0 {
		picked, err := s.pick(value)
		if err != nil {
			return err
		}
		if v = picked; name != "" {
			v = envelope{name, picked}
		}
	}
	if s.template == nil && s.jq == nil {
		return shell.WriteJSON(w, v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	tree, err := treeOf(data)
	if err != nil {
		return err
	}
	if s.jq != nil {
		return s.jq(ctx, w, tree)
	}
	if err := s.template.Execute(w, tree); err != nil {
		return shell.Usage(fmt.Errorf("--template: %w", err), "the same with --json shows what there is")
	}
	return nil
}

// pick returns the fields of an object, or of each of a list, in the order in which
// they were asked for.
func (s *shape) pick(v any) (any, error) {
	known := fieldNames(reflect.TypeOf(v))
	for _, f := range s.fields {
		if !slices.Contains(known, f) {
			hint := "--json"
			if len(known) > 0 {
				hint = "the fields are " + strings.Join(known, ", ")
			}
			return nil, shell.Usage(fmt.Errorf("--json=%s: the result has no field %s", strings.Join(s.fields, ","), f), hint)
		}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	if !bytes.HasPrefix(data, []byte("[")) {
		return pickOne(data, s.fields)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	for i := range list {
		if list[i], err = pickOne(list[i], s.fields); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// pickOne has null where an object leaves a field out.
func pickOne(data []byte, fields []string) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	var b bytes.Buffer
	for i, f := range fields {
		value, ok := all[f]
		if !ok {
			value = json.RawMessage("null")
		}
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], f, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// fieldNames are the names that the JSON of a type has, of each of its elements if
// it is a list.
func fieldNames(t reflect.Type) []string {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			names = append(names, fieldNames(f.Type)...)
		case f.IsExported() && name != "":
			names = append(names, name)
		case f.IsExported():
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
