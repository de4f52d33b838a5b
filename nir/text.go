package nir

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What people, files and programs write into the registry is text: UTF-8 (RFC 3629)
// without control characters, and without characters that are not seen (category Cf:
// zero width, direction), with which two names look like one; in several lines only
// where a field is tagged text:"lines". It is checked here and nowhere else, for every object that an event
// writes and for who makes the event: what is not so could not be told from what the
// audit's JSON makes of it, PostgreSQL would not take it, and terminals would obey it.

// fit refuses what is no text. A line ends in a line feed, with or without a
// carriage return before it.
func fit(field, s string, lines bool) error {
	if isPlain(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		return invalid(field, "%.40q is not UTF-8", s).by("RFC 3629").remedy("iconv -f ISO-8859-1 -t UTF-8 FILE, or whatever it is in")
	}
	one := s
	if lines {
		one = strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(s)
	}
	for _, r := range one {
		switch {
		case unicode.Is(unicode.Cf, r):
			return invalid(field, "%.40q has a format character, which is not seen (%U): take it out", s, r)
		case !unicode.IsControl(r):
		case !lines && (r == '\n' || r == '\r' || r == '\t'):
			return invalid(field, "%.40q has a line break or a tab: it is one line", s)
		default:
			return invalid(field, "%.40q has a control character (%U): take it out", s, r)
		}
	}
	return nil
}

// isPlain reports whether s is printable ASCII, as most is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// fitAll refuses a value in which anything is no text: field names all of it.
func fitAll(field string, v reflect.Value, lines bool) error {
	switch v.Kind() {
	case reflect.String:
		return fit(field, v.String(), lines)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return fitAll(field, v.Elem(), lines)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil // numbers; and JSON, which was made of values that were looked at
		}
		for i := range v.Len() {
			if err := fitAll(field, v.Index(i), lines); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if err := fitAll(field, k, false); err != nil {
				return err
			}
			if err := fitAll(field, v.MapIndex(k), lines); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if len(f.Index) > 1 || !f.IsExported() || v.Type() == timeType {
				continue
			}
			if err := fitAll(field, v.FieldByIndex(f.Index), hasLines(f)); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasLines(f reflect.StructField) bool { return f.Tag.Get("text") == "lines" }

// fitting is [fitAll] of arguments that become JSON, field by field.
func fitting(args any) error {
	v := reflect.Indirect(reflect.ValueOf(args))
	if v.Kind() != reflect.Struct {
		return fitAll("args", v, true)
	}
	var m mistakes
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.IsExported() && len(f.Index) == 1 {
			m.add(fitAll(jsonName(f), v.FieldByIndex(f.Index), true))
		}
	}
	return m.err()
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// admit refuses an object that has in a field what is no text. What a version of it
// has had stays: it came before this was looked at, and other fields have to change.
func (t *table[T, P]) admit(x *Tx, r *T) error {
	var m mistakes
	v := reflect.ValueOf(r).Elem()
	for _, c := range t.cols {
		if !c.text {
			continue
		}
		err := fitAll(c.field, v.FieldByIndex(c.index), c.lines)
		if err != nil && !t.had(x, P(r).row().ID, c, v) {
			m.add(err)
		}
	}
	return m.err()
}

func (t *table[T, P]) had(x *Tx, id string, c column, now reflect.Value) bool {
	list, err := t.versions(x.View, id)
	for i := range list {
		if reflect.DeepEqual(reflect.ValueOf(&list[i]).Elem().FieldByIndex(c.index).Interface(), now.FieldByIndex(c.index).Interface()) {
			return err == nil
		}
	}
	return false
}

// holdsText reports whether there may be text in values of a type.
func holdsText(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64:
		return false
	}
	return t != timeType && t != rangeType && t != kindType && t != reflect.TypeFor[json.RawMessage]()
}

// printable makes text of what a program found outside: its words are a stranger's,
// and what they say has to be told all the same.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
