package nir

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// effects returns the lines of a plan, "area: text".
func effects(t *testing.T, db *DB, a Actor, fn func(*Tx) error) []string {
	t.Helper()
	e, err := db.Try(context.Background(), a, fn)
	if err != nil {
		t.Fatal(err)
	}
	var p *Plan
	view(t, db, func(v *View) error {
		p, err = v.Plan(e)
		return err
	})
	if p.Event != e.Seq || p.Objects != len(e.Changes) || p.Actor != a.Name {
		t.Errorf("plan %+v of event %+v", p, e)
	}
	var lines []string
	for _, e := range p.Effects {
		lines = append(lines, e.Area+": "+e.Text)
	}
	return lines
}

// TestPlanShowsEveryEffect: an allocation touches the registry, a pool, claims,
// zones, certificates, statistics and fees, and a plan names each; nothing of it
// is done.
func TestPlanShowsEveryEffect(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	at := staff(day.Add(time.Hour))
	submit := func(x *Tx) error {
		_, err := x.Submit(ask("R-1", "M1", inr.IPv4, "/22"))
		return err
	}
	lines := effects(t, db, at, submit)
	for _, want := range []string{
		"registry: create request JPNIC/R-1: act allocation, kind ipv4, member Example M1, netname EXAMPLE-NET, ranges 202.0.0.0/22, size /22, state registered",
		"registry: create member Example M1: economy JP",
		"registry: create membership JPNIC/M1: member Example M1, serves yes",
		"pools: reserve 202.0.4.0/22 for Example M1",
		"pools: pool 202.0.0.0/8 has 1024 fewer free",
		"delegations: create delegation 202.0.0.0/22: evidence request, level rir-nir, nir JPNIC",
		"delegations: create delegation 202.0.0.0/22: evidence request, level nir-member, member Example M1, nir JPNIC",
		"claims: + JPNIC 202.0.0.0/22",
		"zones: + JPNIC may name servers for 4 names, 0.0.202.in-addr.arpa to 3.0.202.in-addr.arpa",
		"certificates: + JPNIC is entitled to 202.0.0.0/22",
		"statistics: + apnic|JP|ipv4|202.0.0.0|1024|20260304|allocated",
		"fees: JPNIC, ipv4: 1024 more count for the per-address fee",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if again := effects(t, db, at, submit); !slices.Equal(lines, again) {
		t.Errorf("a plan made again reads otherwise:\n%s", strings.Join(again, "\n"))
	}
	view(t, db, func(v *View) error {
		if _, found, err := v.RequestOf("JPNIC", "R-1"); found || err != nil {
			t.Errorf("the plan was carried out: %v", err)
		}
		return nil
	})
}

// TestPlanOfAChangeNamesBoth: what was, what will be; and what stays the same is
// no line.
func TestPlanOfAChangeNamesBoth(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	got := effects(t, db, admin(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "review")
		return err
	})
	want := []string{"registry: change allocation window JPNIC ipv4: reason start → review, size /20 → /19"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPlanOfMovedManagement: a delegation whose manager changes takes its claims
// and entitlements along, and counts for nobody's fee when a transfer brought it.
func TestPlanOfMovedManagement(t *testing.T) {
	old := []byte(`{"id":"del_a","level":"rir-nir","range":"202.0.0.0/23","type":"allocation","economy":"JP","nir":"JPNIC","date":"2026-03-04T00:00:00Z","evidence":"request"}`)
	now := []byte(strings.Replace(string(old), "JPNIC", "TWNIC", 1))
	e := &Event{Seq: 9, Act: "test", Changes: []Change{{"delegation", "del_a", now}}}
	nowhere := namer(func(string, string) json.RawMessage { return nil })
	p := planOf(e, map[string]json.RawMessage{"delegation del_a": old}, DefaultRules(), nowhere)
	var lines []string
	for _, e := range p.Effects {
		lines = append(lines, e.Area+": "+e.Text)
	}
	want := []string{
		"delegations: change delegation 202.0.0.0/23: nir JPNIC → TWNIC",
		"claims: - JPNIC 202.0.0.0/23", "claims: + TWNIC 202.0.0.0/23",
		"zones: - JPNIC may name servers for 2 names, 0.0.202.in-addr.arpa to 1.0.202.in-addr.arpa",
		"zones: + TWNIC may name servers for 2 names, 0.0.202.in-addr.arpa to 1.0.202.in-addr.arpa",
		"certificates: - JPNIC is entitled to 202.0.0.0/23", "certificates: + TWNIC is entitled to 202.0.0.0/23",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q,\nwant %q", lines, want)
	}
	for in, want := range map[string]string{
		"202.0.0.0/16": "X may name servers for 0.202.in-addr.arpa", "202.0.0.128/25": "X may name servers for 202.0.0.128/25 (RFC 2317)",
		"10.0.0.0/7": "X may name servers for 2 names, 10.in-addr.arpa to 11.in-addr.arpa", "2400::/29": "X may name servers for 8 names, 0.0.0.0.0.0.4.2.ip6.arpa to 7.0.0.0.0.0.4.2.ip6.arpa",
	} {
		b, err := inr.ParseBlock(in)
		if got := zonesOf(b, "X"); err != nil || got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestHistoryTellsWho: each step of an object's life, with who and why.
func TestHistoryTellsWho(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		update(t, db, Actor{Name: "hana", Roles: []Role{Admin}, At: day.Add(time.Hour), Reason: "review"}, func(x *Tx) error {
			_, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "review")
			return err
		})
		view(t, db, func(v *View) error {
			w, err := v.Window("JPNIC", inr.IPv4)
			if err != nil {
				return err
			}
			steps, err := v.History("allocation_window", w.ID)
			if err != nil || len(steps) != 2 || steps[1].Actor != "hana" || steps[1].Reason != "review" || !strings.Contains(steps[1].Change, "size /20 → /19") {
				t.Errorf("%+v, %v", steps, err)
			}
			_, err = v.History("allocation_window", "win_none")
			if CodeOf(err) != NotFound {
				t.Errorf("of nothing: %v", err)
			}
			if _, err := v.EventOf(99); CodeOf(err) != NotFound {
				t.Errorf("event 99: %v", err)
			}
			return nil
		})
	})
}

// TestDecideCommitsWhatWasAgreed: agree sees the event, and its refusal leaves
// nothing behind.
func TestDecideCommitsWhatWasAgreed(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		set := func(x *Tx) error {
			_, err := x.SetWindow("JPNIC", inr.IPv4, "/18", "x")
			return err
		}
		no := refuse(Conflict, "no")
		for _, want := range []error{no, nil} {
			seen := 0
			_, err := db.Decide(context.Background(), admin(day.Add(time.Hour)), set, func(e *Event) error {
				seen = len(e.Changes)
				return want
			})
			if seen != 1 || (err == nil) != (want == nil) {
				t.Errorf("agree saw %d changes; %v", seen, err)
			}
			view(t, db, func(v *View) error {
				w, err := v.Window("JPNIC", inr.IPv4)
				if (w.Size == "/18") != (want == nil) {
					t.Errorf("refused %v: the window is %s", want, w.Size)
				}
				return err
			})
		}
	})
}

// TestR_NIR_3_WindowUse: what an NIR allocated within its windows of late, and
// which member came nearest.
func TestR_NIR_3_WindowUse(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	for i, r := range []struct {
		ref, uid string
		days     int
	}{{"old", "M1", 0}, {"a", "M1", 40}, {"b", "M2", 41}, {"c", "M1", 42}} {
		update(t, db, staff(day.AddDate(0, 0, r.days).Add(time.Duration(i)*time.Hour)), func(x *Tx) error {
			_, err := x.Submit(ask(r.ref, r.uid, inr.IPv4, "/21"))
			return err
		})
	}
	view(t, db, func(v *View) error {
		list, err := v.WindowUse("JPNIC", day.AddDate(0, 0, 45))
		if err != nil {
			return err
		}
		u := list[slices.IndexFunc(list, func(u WindowUse) bool { return u.Kind == inr.IPv4 })]
		if u.Requests != 3 || u.Allocated.Int64() != 3*2048 || u.Largest != "/21" || len(u.Members) != 2 || u.Members[0].UID != "M1" || u.Members[0].Percent != 100 {
			t.Errorf("%+v", u)
		}
		pools, err := v.Pools()
		if err != nil {
			return err
		}
		var asked []string
		for _, p := range pools {
			list, err := v.Demands(p.ID)
			if err != nil {
				return err
			}
			for _, d := range list {
				for _, l := range d.Lengths {
					asked = append(asked, d.At.Format("01-02")+" /"+strconv.Itoa(l))
				}
			}
		}
		if want := []string{"03-04 /21", "04-13 /21", "04-14 /21", "04-15 /21"}; !slices.Equal(asked, want) {
			t.Errorf("demands %q, want %q", asked, want)
		}
		return nil
	})
}

// TestPlanMadeAgain: a plan that opens a notice, and so puts a message into the
// outbox, reads the same when it is made again: on a terminal nothing is done
// that differs from what was shown. The message is no line beside its notice.
func TestPlanMadeAgain(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	update(t, db, staff(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.Submit(ask("R-1", "M1", inr.IPv4, "/20"))
		return err
	})
	again := func(x *Tx) error {
		_, err := x.Submit(ask("R-2", "M1", inr.IPv4, "/20"))
		return err
	}
	lines := effects(t, db, staff(day.Add(2*time.Hour)), again)
	if !strings.Contains(strings.Join(lines, "\n"), "notices: create notice window-splitting") {
		t.Errorf("no notice in\n%s", strings.Join(lines, "\n"))
	}
	if second := effects(t, db, staff(day.Add(2*time.Hour)), again); !slices.Equal(lines, second) || strings.Contains(strings.Join(lines, "\n"), "notices: tell ") {
		t.Errorf("a plan made again reads otherwise, or tells of mail:\n%s\n%s", strings.Join(lines, "\n"), strings.Join(second, "\n"))
	}
}

// TestPlanWords: numbers and times for people.
func TestPlanWords(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"paused_for", float64(20 * time.Minute), "20m0s"},
		{"paused_for", float64(0), ""},
		{"n", float64(3e6), "3000000"},
		{"n", 1.5, "1.5"},
	} {
		if got := planWord(c.key, c.value, nil); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.key, c.value, got, c.want)
		}
	}
}

// TestPlanOfADomain: what a domain object puts into its zone is an effect, and what
// it takes out again.
func TestPlanOfADomain(t *testing.T) {
	db := openSQLite(t, t.TempDir()+"/registry.db")
	world(t, db)
	secondOption(t, db)
	r := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/24")).Ranges[0]
	zones, err := ReverseZones(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	name := zones[0].Name.File()
	set := func(ns ...string) func(x *Tx) error {
		return func(x *Tx) error { _, err := x.SetDomain(name, ns, nil); return err }
	}
	line := func(sign, host string) string { return "zones: " + sign + " " + name + ". 86400 IN NS " + host + "." }
	has := func(lines []string, want ...string) {
		t.Helper()
		var got []string
		for _, l := range lines {
			if strings.HasPrefix(l, "zones: ") {
				got = append(got, l)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	has(effects(t, db, twStaff(day), set("a.example")), line("+", "a.example"))
	update(t, db, twStaff(day), set("a.example"))
	has(effects(t, db, twStaff(day), set("a.example", "b.example")), line("+", "b.example"))
	has(effects(t, db, twStaff(day), set()), line("-", "a.example"))
}
