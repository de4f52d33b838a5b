package nir

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// taint fills every text of an object with a canary that names its field, and
// returns the names of the fields that could be filled.
func taint(t *testing.T, v reflect.Value, kind string) (fields []string) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || f.Tag.Get("col") == "-" {
			continue
		}
		if taintValue(v.Field(i), canary(kind, tag)) {
			fields = append(fields, tag)
		}
	}
	return fields
}

func canary(kind, field string) string { return "canary-" + kind + "-" + field + "-end" }

// taintValue fills a value as deep as there is text in it.
func taintValue(v reflect.Value, text string) bool {
	switch v.Type() {
	case reflect.TypeFor[inr.Kind]():
		v.Set(reflect.ValueOf(inr.IPv4))
		return false
	case reflect.TypeFor[inr.Range]():
		r, _ := inr.ParseRange("192.0.2.0/24")
		v.Set(reflect.ValueOf(r))
		return false
	case reflect.TypeFor[time.Time]():
		return false
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return true
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`"` + text + `"`))
			return true
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return taintValue(v.Index(0), text)
	case reflect.Map:
		if v.Type().Elem().Kind() != reflect.String || v.Type().Key().Kind() != reflect.String {
			return false
		}
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(text).Convert(v.Type().Key()), reflect.ValueOf(text).Convert(v.Type().Elem()))
		return true
	case reflect.Struct:
		found := false
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				found = taintValue(v.Field(i), text) || found
			}
		}
		return found
	}
	return false
}

// TestR_SEC_3_Canaries (P16): every text of every kind of object is tainted with
// its field's name; what is made for the public holds the canaries of the fields
// that public.go has, and of no others.
func TestR_SEC_3_Canaries(t *testing.T) {
	for _, k := range kinds {
		object := blank(k)
		fields := taint(t, reflect.ValueOf(object).Elem(), k.tableName())
		r, err := Public(object)
		if err != nil {
			t.Errorf("%s: %v", k.tableName(), err)
			continue
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			open := slices.Contains(public[k.tableName()], f)
			if strings.Contains(string(text), canary(k.tableName(), f)) != open {
				t.Errorf("%s %s: public is %v, shown is %s", k.tableName(), f, open, text)
			}
			if !open && !slices.Contains(r.LeftOut, f) {
				t.Errorf("%s %s was left out, and that is not said: %v", k.tableName(), f, r.LeftOut)
			}
		}
		if !strings.Contains(string(text), "canary-") && len(public[k.tableName()]) > 0 && k.tableName() != "free_block" {
			t.Errorf("%s: no canary at all in %s", k.tableName(), text)
		}
	}
	if _, err := Public(42); err == nil {
		t.Error("a number is an object of the registry")
	}
}

// TestR_SEC_3_Table: what is declared exists; what is not declared is not public.
func TestR_SEC_3_Table(t *testing.T) {
	later := []string{"resource_return", "transfer", "transfer_line", "whois_object"} // kinds that others may not have yet
	for name, list := range public {
		k, err := kindOf(name)
		if err != nil {
			if !slices.Contains(later, name) {
				t.Errorf("%v", err)
			}
			continue
		}
		for _, f := range list {
			if !slices.Contains(k.fields(), f) {
				t.Errorf("%s has no field %s: %v", name, f, k.fields())
			}
		}
		if got := append(PublicFields(name), NonPublicFields(name)...); len(got) != len(k.fields()) {
			t.Errorf("%s: public and not public make %v, the fields are %v", name, got, k.fields())
		}
	}
	for _, secret := range []string{"request", "evaluation", "proposal", "approval", "disclosure", "membership", "notice"} {
		if len(PublicFields(secret)) > 0 || len(NonPublicFields(secret)) == 0 {
			t.Errorf("of %s is public: %v", secret, PublicFields(secret))
		}
	}
	for attribute, want := range map[string]bool{"inetnum": true, "descr": true, "auth": false, "Auth": false, "notify": false, "mnt-nfy": false, "upd-to": false, "changed": false} {
		if PublicAttribute(attribute) != want {
			t.Errorf("%s: %v", attribute, !want)
		}
	}
}

// TestR_SEC_3_OfARegistry: of the objects of a real registry too, nothing that is
// not public is in their public form.
func TestR_SEC_3_OfARegistry(t *testing.T) {
	db := approving(t)
	a := ask("ref-canary", "uid-canary", inr.IPv4, "/24")
	a.Who.Name, a.Who.Phone, a.Who.Email, a.Who.Address = "Example", "phone-canary", "email-canary", []string{"address-canary"}
	r := sendIn(t, db, staff(day), a)
	view(t, db, func(v *View) error {
		var all strings.Builder
		for _, o := range [][2]string{{"member", r.Member}, {"request", r.ID}} {
			p, err := v.PublicObject(o[0], o[1])
			if err != nil {
				return err
			}
			b, _ := json.Marshal(p)
			fmt.Fprintf(&all, "%s\n", b)
		}
		err := v.EachDelegation(func(d *Delegation) error {
			p, err := Public(d)
			b, _ := json.Marshal(p)
			fmt.Fprintf(&all, "%s\n", b)
			return err
		})
		if text := all.String(); strings.Contains(text, "-canary") || !strings.Contains(text, "202.0.0.0") {
			t.Errorf("%s", text)
		}
		return err
	})
}

// blank returns a new object of a kind.
func (t *table[T, P]) blank() any { return new(T) }

func blank(k kind) any { return k.(interface{ blank() any }).blank() }
