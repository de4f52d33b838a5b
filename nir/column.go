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
		cols = append(cols, column{nameOf(f), f.Index, f.Type})
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

// decode returns where the columns' values go, and what is to be done when they
// are there.
func (c column) decode(v reflect.Value) ([]any, func() error) {
	switch {
	case c.typ == timeType:
		n := new(int64)
		return []any{n}, func() error { v.Set(reflect.ValueOf(fromMicros(*n))); return nil }
	case c.typ == kindType:
		s := new(string)
		return []any{s}, func() error {
			k, err := inr.ParseKind(*s)
			v.Set(reflect.ValueOf(k))
			return err
		}
	case c.typ == rangeType:
		var kind string
		var first, last []byte
		return []any{&kind, &first, &last}, func() error {
			r, err := rangeOf(kind, first, last)
			v.Set(reflect.ValueOf(r))
			return err
		}
	}
	switch c.typ.Kind() {
	case reflect.String:
		s := new(string)
		return []any{s}, func() error { v.SetString(*s); return nil }
	case reflect.Int, reflect.Int64:
		n := new(int64)
		return []any{n}, func() error { v.SetInt(*n); return nil }
	case reflect.Bool:
		n := new(int64)
		return []any{n}, func() error { v.SetBool(*n != 0); return nil }
	}
	s := new(string)
	return []any{s}, func() error {
		if err := json.Unmarshal([]byte(*s), v.Addr().Interface()); err != nil {
			return fmt.Errorf("decoding %s: %w", c.name, err)
		}
		return nil
	}
}

func rangeOf(kind string, first, last []byte) (inr.Range, error) {
	if kind == "" {
		return inr.Range{}, nil
	}
	k, err := inr.ParseKind(kind)
	if err != nil {
		return inr.Range{}, err
	}
	if len(first) != 16 || len(last) != 16 {
		return inr.Range{}, fmt.Errorf("range of %s: a number has not 16 octets", kind)
	}
	return inr.Range{Kind: k, First: inr.FromBytes([16]byte(first)), Last: inr.FromBytes([16]byte(last))}, nil
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
