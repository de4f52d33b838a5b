package nir

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/nir/inr"
)

// TestR_NIR_34_LocalRules: a rule of one NIR refuses what the policy would allow,
// for that NIR alone; it never allows what the policy refuses; and a request that
// is there is judged by it no more.
func TestR_NIR_34_LocalRules(t *testing.T) {
	db := approving(t)
	sendIn(t, db, staff(day), ask("before", "m1", inr.IPv4, "/26"))
	db.o.Rules.Local = []LocalRule{
		{NIR: "JPNIC", Kind: "ipv4", Type: "allocation", Smallest: "/24", Largest: "/22", Required: []string{"descr"}},
		{NIR: "KRNIC", Required: []string{"justification"}},
	}
	if err := db.o.Rules.check(); err != nil {
		t.Fatal(err)
	}
	if r := sendIn(t, db, staff(day), ask("before", "m1", inr.IPv4, "/26")); r.State != Registered {
		t.Errorf("a repeated request is judged again: %+v", r)
	}
	with := func(descr string, k inr.Kind, size Size, typ string) Ask {
		a := ask("r"+descr+string(size)+k.String()+typ, "m1", k, size)
		a.Descr, a.Type = descr, typ
		return a
	}
	for _, c := range []struct {
		ask  Ask
		code Code
		want []string
	}{
		{with("shops", inr.IPv4, "/24", "allocation"), "", nil},
		{with("shops", inr.IPv4, "/22", "allocation"), "", nil},
		{with("shops", inr.IPv4, "/25", "allocation"), Invalid, []string{"size: /25 is less than /24 (local policy of JPNIC"}},
		{with("shops", inr.IPv4, "/21", "allocation"), Invalid, []string{"size: /21 is more than /22"}},
		{with(" ", inr.IPv4, "/25", "allocation"), Invalid, []string{"size: ", "descr: it is missing"}},
		{with("", inr.IPv4, "/25", "assignment"), "", nil},
		{with("", inr.IPv6, "/32", "allocation"), "", nil},
		{with("shops", inr.IPv4, "/19", "allocation"), Invalid, []string{"/22"}},
		{with("", inr.IPv4, "/19", "assignment"), SecondOpinion, nil}, // the policy's own limit stands
	} {
		err := do(db, staff(day), func(x *Tx) error { _, err := x.Submit(c.ask); return err })
		if CodeOf(err) != c.code {
			t.Errorf("%s %s: %v, want %q", c.ask.Size, c.ask.Type, err, c.code)
		}
		for _, w := range c.want {
			wantCode(t, err, c.code, w)
		}
	}
}

// TestR_NIR_34_RulesAreChecked: a rule that says nothing a registry could apply
// keeps it from opening.
func TestR_NIR_34_RulesAreChecked(t *testing.T) {
	s, err := sql.Open("sqlite", SQLiteSource(filepath.Join(t.TempDir(), "r.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		rule LocalRule
		want string
	}{
		{LocalRule{}, "nir: it is missing"},
		{LocalRule{NIR: "A", Kind: "ip"}, "kind: "},
		{LocalRule{NIR: "A", Smallest: "/24"}, "a rule with a size needs a kind"},
		{LocalRule{NIR: "A", Kind: "ipv4", Smallest: "/33"}, "size: "},
		{LocalRule{NIR: "A", Kind: "ipv4", Smallest: "/20", Largest: "/24"}, "no request would pass"},
		{LocalRule{NIR: "A", Required: []string{"state"}}, `required: "state" is no field`},
	} {
		r := DefaultRules()
		r.Local = []LocalRule{c.rule}
		_, err := Open(context.Background(), s, SQLite, Options{Random: rand.NewChaCha8([32]byte{}), Rules: r})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "local rule 1 (") {
			t.Errorf("%+v: %v, want %q", c.rule, err, c.want)
		}
	}
}
