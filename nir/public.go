package nir

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// public says which fields of which kinds anybody may see, by their JSON names:
// the one place where that is decided (R-SEC-3). A kind or a field that does not
// stand here is not public; identifiers are, since they are random.
//
// Contacts of a member are public as far as whois needs them: where abuse is
// reported and who is named in objects, not the member's own address, phone and
// mail. What a request says, who decided and why, who waits for what, and what an
// authority was told is nobody's business.
var public = map[string][]string{
	"allocation_window": {"nir", "kind", "size"},
	"delegation":        {"range", "level", "type", "economy", "nir", "date", "member"},
	"free_block":        {"range", "len"},
	"member":            {"name", "economy", "abuse", "admin_c", "tech_c", "irt", "mntner"},
	"nir":               {"code", "name", "economy", "source", "mntner", "option", "port43", "rdap", "state"},
	"pool":              {"range", "purpose", "nir", "strategy", "factor", "free_from"},
	"resource_return":   {"ranges", "state"},
	"transfer":          {"type", "source", "destination"},
	"transfer_line":     {"range", "state", "done"},
	"registration":      {"delegation", "netname", "descr", "economy", "admin_c", "tech_c", "irt"},
	"whois_mirror":      {"nir", "serial", "dumped", "checked", "objects"},
	"whois_object":      {"type", "key", "source", "range", "nir", "state"}, // of its text: what package rpsl says is public
}

// PublicFields returns the fields of a kind that anybody may see, by their JSON
// names, sorted.
func PublicFields(kind string) []string {
	list := slices.Clone(public[kind])
	slices.Sort(list)
	return list
}

// NonPublicFields returns the fields of a kind that are left out for others than
// the registry and the NIR that it is about: to be declared (RFC 9537).
func NonPublicFields(kind string) []string {
	k, err := kindOf(kind)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(k.fields(), func(f string) bool { return slices.Contains(public[kind], f) })
}

// A Redacted is the public part of an object and the names of what was left out.
type Redacted struct {
	Kind    string                     `json:"kind"`
	ID      string                     `json:"id"`
	Fields  map[string]json.RawMessage `json:"fields"`
	LeftOut []string                   `json:"left_out"`
}

// Public returns what anybody may see of an object of the registry, such as a
// [Member] or a *[Delegation].
func Public(object any) (*Redacted, error) {
	for _, k := range kinds {
		row, is, err := k.encode(object)
		if is && err == nil {
			return redact(k, row)
		}
		if is {
			return nil, fmt.Errorf("encoding %s: %w", k.tableName(), err)
		}
	}
	return nil, fmt.Errorf("%T is no object of the registry", object)
}

func redact(k kind, row []byte) (*Redacted, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(row, &all); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", k.tableName(), err)
	}
	r := &Redacted{Kind: k.tableName(), Fields: map[string]json.RawMessage{}}
	if err := json.Unmarshal(all["id"], &r.ID); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", k.tableName(), err)
	}
	for _, f := range slices.Sorted(maps.Keys(all)) {
		switch {
		case f == "id" || f == "since" || f == "until":
		case slices.Contains(public[r.Kind], f):
			r.Fields[f] = all[f]
		default:
			r.LeftOut = append(r.LeftOut, f)
		}
	}
	return r, nil
}

// PublicObject returns what anybody may see of the object of an identifier.
func (v *View) PublicObject(kind, id string) (*Redacted, error) {
	k, err := kindOf(kind)
	if err != nil {
		return nil, err
	}
	row, err := k.row(v, id)
	if err != nil {
		return nil, err
	}
	return redact(k, row)
}

// kindOf returns the kind of a name.
func kindOf(name string) (kind, error) {
	for _, k := range kinds {
		if k.tableName() == name {
			return k, nil
		}
	}
	return nil, refuse(NotFound, "there is no kind of object %.40q: it is one of %s", name, strings.Join(kindNames(), ", "))
}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.tableName())
	}
	slices.Sort(names)
	return names
}

// fields returns the JSON names of an object's columns, sorted.
func (t *table[T, P]) fields() []string {
	var names []string
	for _, c := range t.cols {
		tag, _, _ := strings.Cut(reflect.TypeFor[T]().FieldByIndex(c.index).Tag.Get("json"), ",")
		names = append(names, tag)
	}
	slices.Sort(names)
	return names
}

// row returns an object as the audit has it.
func (t *table[T, P]) row(v *View, id string) ([]byte, error) {
	r, err := t.get(v, id)
	if err != nil {
		return nil, err
	}
	P(&r).row().Until = 0
	return json.Marshal(&r)
}

// encode returns an object as JSON, if it is of this kind.
func (t *table[T, P]) encode(object any) (row []byte, is bool, err error) {
	r, is := object.(*T)
	if o, value := object.(T); value {
		r, is = &o, true
	}
	if !is {
		return nil, false, nil
	}
	row, err = json.Marshal(r)
	return row, true, err
}
