package nir

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"nirzone/nir/inr"
)

// A column is a field of an object as the database has it:
//
//	string, named or not    TEXT
//	int, int64, bool        BIGINT; false and true are 0 and 1
//	time.Time               BIGINT, microseconds since 1970, 0 for the zero time
//	inr.Range               three: kind TEXT, first and last BYTEA of 16 octets
//	inr.Kind                TEXT, its word
//	anything else           TEXT, as JSON
//
// Its name is the field's in lower case, words joined by underscores; the range's
// three have names of their own. Fields tagged col:"-" are not stored.
type column struct {
	name  string
	index []int
	typ   reflect.Type
	field string // its name in JSON
	text  bool   // what people write may be in it
	lines bool   // in several lines
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	rangeType = reflect.TypeFor[inr.Range]()
	kindType  = reflect.TypeFor[inr.Kind]()
)

func columnsOf(t reflect.Type) []column {
	var cols []column
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || len(f.Index) > 1 || !f.IsExported() || f.Tag.Get("col") == "-" {
			continue
		}
		cols = append(cols, column{nameOf(f), f.Index, f.Type, jsonName(f), holdsText(f.Type), hasLines(f)})
	}
	return cols
}

// columnName makes rdns_option of RDNSOption: a word begins at an upper-case letter
// that follows or precedes a lower-case one.
func columnName(field string) string {
	var b strings.Builder
	r := []rune(field)
	for i, c := range r {
		upper := unicode.IsUpper(c)
		if i > 0 && upper && (unicode.IsLower(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

func (c column) names() []string {
	if c.typ == rangeType {
		return []string{"kind", "first", "last"}
	}
	return []string{c.name}
}

// encode appends the values of the field's columns.
func (c column) encode(args []any, v reflect.Value) ([]any, error) {
	switch {
	case c.typ == timeType:
		return append(args, micros(v.Interface().(time.Time))), nil
	case c.typ == kindType:
		return append(args, v.Interface().(inr.Kind).String()), nil
	case c.typ == rangeType:
		r := v.Interface().(inr.Range)
		first, last := r.First.Bytes(), r.Last.Bytes()
		if !r.Kind.Valid() { // an object without numbers
			return append(args, "", first[:], last[:]), nil
		}
		return append(args, r.Kind.String(), first[:], last[:]), nil
	}
	switch c.typ.Kind() {
	case reflect.String:
		return append(args, v.String()), nil
	case reflect.Int, reflect.Int64:
		return append(args, v.Int()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(args, int64(1)), nil
		}
		return append(args, int64(0)), nil
	}
	b, err := json.Marshal(v.Interface())
	return append(args, string(b)), err
}

// dests appends where the values of the field's columns go. What stays as it is
// in an object that is new (zero time, no kind, no list) is not written.
func (c column) dests(dest []any, v reflect.Value) []any {
	p := v.Addr()
	switch {
	case c.typ == timeType:
		return append(dest, timeInto{p.Interface().(*time.Time)})
	case c.typ == kindType:
		return append(dest, kindInto{p.Interface().(*inr.Kind)})
	case c.typ == rangeType:
		return append(dest, rangeInto(p.Interface().(*inr.Range))...)
	}
	switch c.typ.Kind() {
	case reflect.String:
		return append(dest, p.Convert(stringPointer).Interface())
	case reflect.Int, reflect.Int64, reflect.Bool:
		return append(dest, p.Interface())
	}
	return append(dest, jsonInto{p.Interface()})
}

var stringPointer = reflect.TypeFor[*string]()

// A timeInto, kindInto, numInto or jsonInto takes a value of the database and puts
// it where it points.
type (
	timeInto struct{ to *time.Time }
	kindInto struct{ to *inr.Kind }
	numInto  struct{ to *inr.Num }
	jsonInto struct{ to any }
)

// rangeInto is where the three columns of a range go.
func rangeInto(r *inr.Range) []any {
	return []any{kindInto{&r.Kind}, numInto{&r.First}, numInto{&r.Last}}
}

// Scan implements [sql.Scanner].
func (t timeInto) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", src)
	}
	*t.to = fromMicros(n)
	return nil
}

// Scan implements [sql.Scanner].
func (k kindInto) Scan(src any) (err error) {
	s, ok := src.(string)
	if !ok || s == "" { // an object without numbers
		return only(ok, src, "kind")
	}
	*k.to, err = inr.ParseKind(s)
	return err
}

// Scan implements [sql.Scanner].
func (n numInto) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != 16 {
		return only(false, src, "number of 16 octets")
	}
	*n.to = inr.FromBytes([16]byte(b))
	return nil
}

// Scan implements [sql.Scanner].
func (j jsonInto) Scan(src any) error {
	s, ok := src.(string)
	switch {
	case !ok:
		return only(false, src, "JSON")
	case s == "null":
		if _, raw := j.to.(*json.RawMessage); !raw {
			return nil
		}
	}
	if list, words := j.to.(*[]string); words && len(s) > 4 && !strings.Contains(s, `\`) { // most: ["a","b"]
		*list = strings.Split(s[2:len(s)-2], `","`)
		return nil
	}
	return json.Unmarshal([]byte(s), j.to)
}

func only(ok bool, src any, what string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%T is no %s", src, what)
}

// micros is a time as the database has it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// nameOf is the column of a field: its tag's name, or its own.
func nameOf(f reflect.StructField) string {
	if tag := f.Tag.Get("col"); tag != "" {
		return tag
	}
	return columnName(f.Name)
}
