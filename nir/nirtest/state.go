package nirtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nirzone/nir"
)

// A state is every object that a view shows, by table and identifier, as JSON with
// sorted names and without the end that a past version got later.
type state map[string]string

// stateOf reads a view through what package nir exports.
func stateOf(v *nir.View) (state, error) {
	s := state{}
	list, err := v.NIRs()
	if err != nil {
		return nil, err
	}
	registries := []string{""}
	for _, n := range list {
		registries = append(registries, n.Code)
		s.put("nir", n.ID, n)
	}
	for _, read := range []func(*nir.View, []string) error{s.windows, s.members, s.pools, s.requests, s.notices} {
		if err := read(v, registries); err != nil {
			return nil, err
		}
	}
	return s, v.EachDelegation(func(d *nir.Delegation) error { s.put("delegation", d.ID, d); return nil })
}

func (s state) windows(v *nir.View, _ []string) error {
	list, err := v.Windows("")
	for _, w := range list {
		s.put("allocation_window", w.ID, w)
	}
	return err
}

func (s state) members(v *nir.View, registries []string) error {
	for _, r := range registries {
		all, belong, err := v.Members(r)
		if err != nil {
			return err
		}
		for _, m := range all {
			s.put("member", m.ID, m)
		}
		for _, b := range belong {
			s.put("membership", b.ID, b)
		}
	}
	return nil
}

func (s state) pools(v *nir.View, _ []string) error {
	list, err := v.Pools()
	for _, p := range list {
		s.put("pool", p.ID, p)
		free, err := v.FreeBlocks(p.ID)
		if err != nil {
			return err
		}
		for _, f := range free {
			s.put("free_block", f.ID, f)
		}
	}
	return err
}

func (s state) requests(v *nir.View, _ []string) error {
	list, err := v.Requests("", "")
	for _, r := range list {
		s.put("request", r.ID, r)
	}
	return err
}

func (s state) notices(v *nir.View, registries []string) error {
	for _, r := range registries {
		list, err := v.Notices(r, true)
		if err != nil {
			return err
		}
		for _, n := range list {
			s.put("notice", n.ID, n)
		}
	}
	return nil
}

func (s state) put(table, id string, row any) {
	b, err := json.Marshal(row)
	if err != nil {
		panic(err) // package nir encodes the same
	}
	s[table+" "+id] = canonical(b)
}

// canonical is a row's JSON with sorted names, without its end.
func canonical(row []byte) string {
	fields := map[string]any{}
	if err := json.Unmarshal(row, &fields); err != nil {
		return fmt.Sprintf("%s: %v", row, err)
	}
	delete(fields, "until")
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // it was JSON
	}
	return string(b)
}

// tables are those that a state is read from.
var tables = []string{"nir", "allocation_window", "member", "membership", "pool", "free_block", "request", "notice", "delegation"}

// apply makes the changes of an event, of the tables that a state is of.
func (s state) apply(e *nir.Event) {
	for _, c := range e.Changes {
		switch {
		case !slices.Contains(tables, c.Table):
		case len(c.Row) == 0 || string(c.Row) == "null":
			delete(s, c.Table+" "+c.ID)
		default:
			s[c.Table+" "+c.ID] = canonical(c.Row)
		}
	}
}

// diff tells how a state differs from another, in few lines.
func (s state) diff(o state) string {
	var lines []string
	for k, v := range s {
		if o[k] != v {
			lines = append(lines, fmt.Sprintf("%s\n  is      %s\n  and not %s", k, v, o[k]))
		}
	}
	for k, v := range o {
		if _, ok := s[k]; !ok {
			lines = append(lines, fmt.Sprintf("%s is missing: %s", k, v))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines[:min(len(lines), 5)], "\n")
}

// now reads the present state.
func now(t testing.TB, db *nir.DB) state {
	t.Helper()
	var s state
	err := db.View(context.Background(), func(v *nir.View) (err error) {
		s, err = stateOf(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verified proves the audit and returns how many events it has.
func verified(t testing.TB, db *nir.DB) int64 {
	t.Helper()
	a, err := db.VerifyAudit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return a.Events
}
