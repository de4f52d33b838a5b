package nir

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// TestR_NIR_16_OptionSwitchedByAPlan: the plan shows which domain objects come and
// go and which records; what is published is adopted; nothing active is lost
// without being named; the option of any past time is known.
func TestR_NIR_16_OptionSwitchedByAPlan(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/23")).Ranges[0]
		submit(t, db, staff(day), ask("r2", "m1", inr.ASN, "1"))
		zones, err := ReverseZones(r, 2)
		if err != nil {
			t.Fatal(err)
		}
		a, b := zones[0].Name.File(), zones[1].Name.File()
		ctx := context.Background()
		fails(t, db, admin(day), Conflict, func(x *Tx) error {
			n, err := x.NIR("JPNIC")
			if err != nil {
				return err
			}
			n.Option = 2
			_, err = x.PutNIR(n)
			return err
		})
		published := []PublishedZone{{Name: b + ".", NS: []string{"ns1.example.net.", "ns2.example.net."}}}
		at := day.Add(time.Hour)
		p, err := db.PlanOption(ctx, staff(at), "JPNIC", 2, published)
		if err != nil {
			t.Fatal(err)
		}
		if p.From != 1 || p.To != 2 || !slices.Equal(p.Create, []string{a, b}) || len(p.Delete)+len(p.Change)+len(p.Vanish) != 0 || len(p.Appear) != 2 || !strings.HasPrefix(p.Appear[0], b+".\t86400\tIN\tNS\tns1") {
			t.Errorf("%+v", p)
		}
		view(t, db, func(v *View) error {
			list, err := v.Domains("JPNIC")
			n, err2 := v.NIR("JPNIC")
			if len(list) != 0 || n.Option != 1 || err != nil || err2 != nil {
				t.Errorf("the plan did something: %v", list)
			}
			return nil
		})
		bad := []PublishedZone{{Name: "9.9.9.in-addr.arpa", NS: []string{"ns1.example.net"}}, {Name: a, NS: []string{"192.0.2.1"}}, {Name: "x.example", NS: nil}}
		if _, err = db.PlanOption(ctx, staff(at), "JPNIC", 2, bad); strings.Count(fmt.Sprint(err), "\n") != 2 {
			t.Errorf("not all mistakes at once: %v", err)
		}
		fails(t, db, Actor{Name: "tw", Roles: []Role{NIRStaff}, NIR: "TWNIC", At: at}, Forbidden, func(x *Tx) error { return x.SwitchOption("JPNIC", 2, nil, 0) })
		update(t, db, staff(at), func(x *Tx) error { return x.SwitchOption("JPNIC", 2, published, 0) })
		at = at.Add(time.Hour)
		fails(t, db, staff(at), Conflict, func(x *Tx) error { return x.SwitchOption("JPNIC", 2, nil, 0) })
		p, err = db.PlanOption(ctx, staff(at), "JPNIC", 1, nil)
		if err != nil || p.Active != 1 || !slices.Equal(p.Delete, []string{a, b}) || len(p.Vanish) != 2 || len(p.Appear) != 0 {
			t.Errorf("%+v, %v", p, err)
		}
		if got := fails(t, db, staff(at), Held, func(x *Tx) error { return x.SwitchOption("JPNIC", 1, nil, 0) }); !strings.Contains(got, "own delegations: 1, not 0") {
			t.Error(got)
		}
		update(t, db, staff(at), func(x *Tx) error { return x.SwitchOption("JPNIC", 1, nil, 1) })
		for when, want := range map[time.Duration]int{0: 1, time.Hour: 2, 90 * time.Minute: 2, 2 * time.Hour: 1} {
			err := db.AsOf(ctx, day.Add(when), func(v *View) error {
				n, err := v.NIR("JPNIC")
				list, err2 := v.Domains("JPNIC")
				if n.Option != want || len(list) != 2*(want-1) || err2 != nil {
					t.Errorf("after %v option %d and %d domains, want option %d", when, n.Option, len(list), want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		verify(t, db)
	})
}

// TestR_NIR_30_WhoisFollowsATransfer: source, maintainer and the authority over
// reverse zones are the new manager's from one event on, name servers in use stay,
// what whois said of the network it still says, and so does what people kept.
func TestR_NIR_30_WhoisFollowsATransfer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		r := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/23")).Ranges[0]
		zones, err := ReverseZones(r, 2)
		if err != nil {
			t.Fatal(err)
		}
		used, unused := zones[0].Name.File(), zones[1].Name.File()
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(used, []string{"ns1.example.net"}, nil); return err })
		part := inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First.Add(inr.N(7))}
		update(t, db, twStaff(day), put("inetnum: "+part.RPSL()+"\nnetname: PART\ndescr: x\ncountry: TW\nadmin-c: AA1-JP\ntech-c: AA1-JP\nstatus: ASSIGNED NON-PORTABLE\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n"))
		look := func(to, source, mntner string) {
			t.Helper()
			moveAll(t, db, r, to, day)
			view(t, db, func(v *View) error {
				for _, one := range []inr.Range{r, part} {
					w, err := v.WhoisCovering(one)
					if err != nil || w.Source != source || w.NIR != to || w.Range != one || !slices.Equal(w.Mntner, []string{mntner}) {
						t.Errorf("%s under %q: %+v, %v", one, to, w, err)
					}
					if one == r && !strings.Contains(w.Text, "EXAMPLE-NET") {
						t.Errorf("the name is lost:\n%s", w.Text)
					}
				}
				w, err := v.Whois("domain", used)
				if err != nil || len(w) != 1 || w[0].Source != source || !slices.Contains(w[0].Mntner, mntner) || w[0].State != DomainActive {
					t.Errorf("%s under %q: %+v, %v", used, to, w, err)
				}
				n := 0
				err = v.DomainRecords(func(*WhoisObject, []zone.Record) error { n++; return nil })
				if n != 1 {
					t.Errorf("%d zones are active under %q", n, to)
				}
				_, gone := v.Whois("domain", unused)
				if (to == "TWNIC") != (gone == nil) {
					t.Errorf("%s under %q: %v", unused, to, gone)
				}
				return err
			})
		}
		look("JPNIC", "JPNIC", "MAINT-JPNIC")
		look("", "APNIC", "APNIC-HM")
		look("TWNIC", "TWNIC", "MAINT-TWNIC")
		fails(t, db, staff(day), Forbidden, func(x *Tx) error { _, err := x.SetDomain(used, []string{"ns2.example.net"}, nil); return err })
		verify(t, db)
	})
}

// TestWhoisOfAReturn: when nobody holds a range any more its objects end, also what
// people kept for parts; what the NIR holds itself is described again.
func TestWhoisOfAReturn(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: rng(t, "61.0.0.0/16"), Purpose: NIRExisting, NIR: "TWNIC"})
		return err
	})
	for i, c := range []struct {
		size    Size
		answers string // afterwards
	}{{"/16", "TWNIC"}, {"/22", ""}} {
		r := submit(t, db, twStaff(day), ask(fmt.Sprint("r", i), fmt.Sprint("m", i), inr.IPv4, c.size)).Ranges[0]
		part := inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First}
		update(t, db, twStaff(day), put("inetnum: "+part.RPSL()+"\nnetname: PART\ndescr: x\ncountry: TW\nadmin-c: AA1-JP\ntech-c: AA1-JP\nstatus: ASSIGNED NON-PORTABLE\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n"))
		update(t, db, admin(day), func(x *Tx) error {
			x.act("test.return")
			list, err := x.Within(NIRToMember, r)
			if err != nil {
				return err
			}
			if err := delegations.end(x, list[0].ID); err != nil {
				return err
			}
			if c.answers == "" {
				above, err := x.Within(RIRToNIR, r)
				if err != nil {
					return err
				}
				if err := delegations.end(x, above[0].ID); err != nil {
					return err
				}
			}
			return x.moveWhois(list[0], Delegation{}, nil, false)
		})
		view(t, db, func(v *View) error {
			w, err := v.WhoisCovering(part)
			if c.answers == "" && CodeOf(err) != NotFound || c.answers != "" && (err != nil || w.Source != c.answers || w.ID == "" || w.Range != r || strings.Contains(w.Text, "EXAMPLE-NET")) {
				t.Errorf("%s: %+v, %v", c.size, w, err)
			}
			list, err := v.Domains("TWNIC")
			if len(list) != 0 {
				t.Errorf("%s: %d domains are left", c.size, len(list))
			}
			return err
		})
	}
	verify(t, db)
}

// TestWhoisOfAPartialTransfer: of a delegation that is divided both parts have their
// objects, with the zones of each.
func TestWhoisOfAPartialTransfer(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	r := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/23")).Ranges[0]
	lower, upper, _ := inr.BlockAt(inr.IPv4, r.First, 23).Halves()
	zones, err := ReverseZones(r, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range zones {
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z.Name.File(), []string{"ns1.example.net"}, nil); return err })
	}
	update(t, db, admin(day), func(x *Tx) error {
		x.act("test.divide")
		list, err := x.Within(NIRToMember, r)
		if err != nil {
			return err
		}
		above, err := x.Within(RIRToNIR, r)
		if err != nil {
			return err
		}
		was := list[0]
		if err := delegations.end(x, was.ID); err != nil {
			return err
		}
		if err := delegations.end(x, above[0].ID); err != nil {
			return err
		}
		parent := above[0]
		parent.Row, parent.Range = Row{}, lower.Range()
		if err := x.addDelegation(&parent); err != nil {
			return err
		}
		stays := was // keeps its identifier, as the smaller range
		stays.Range = lower.Range()
		if err := x.addDelegation(&stays); err != nil {
			return err
		}
		now := was
		now.Row, now.Range, now.Level, now.NIR, now.Parent, now.Request, now.Evidence = Row{}, upper.Range(), RIRToMember, "", "", "trf_1", ByTransfer
		if err := x.addDelegation(&now); err != nil {
			return err
		}
		return x.moveWhois(was, now, []Delegation{stays}, false)
	})
	view(t, db, func(v *View) error {
		if _, err := v.Whois("inetnum", r.RPSL()); CodeOf(err) != NotFound {
			t.Errorf("the whole is still there: %v", err)
		}
		for i, c := range []struct {
			b      inr.Block
			source string
		}{{lower, "TWNIC"}, {upper, "APNIC"}} {
			w, err := v.WhoisCovering(c.b.Range())
			if err != nil || w.Source != c.source || w.Range != c.b.Range() || !strings.Contains(w.Text, "EXAMPLE-NET") {
				t.Errorf("%s: %+v, %v", c.b, w, err)
			}
			d, err := v.Whois("domain", zones[i].Name.File())
			if err != nil || d[0].Source != c.source || d[0].State != DomainActive || d[0].DerivedFrom != w.DerivedFrom {
				t.Errorf("%s: %+v, %v", zones[i].Name, d, err)
			}
		}
		return nil
	})
	verify(t, db)
}

// TestR_NIR_30_WhoisAtTheInstant: a transfer that is due changes the answers in the
// event that carries it out.
func TestR_NIR_30_WhoisAtTheInstant(t *testing.T) {
	s := newScene(t, openSQLite(t, filepath.Join(t.TempDir(), "r.db")))
	due := 100 * time.Hour
	s.transfer(3*time.Hour, TransferAsk{
		Transfer: Transfer{Destination: "JPNIC", Member: s.direct, UID: "jp-7", Whole: true, Reason: "national service"}, Due: day.Add(due),
	})
	s.run(due)
	for at, want := range map[time.Duration]string{due - time.Second: "APNIC", due: "JPNIC"} {
		err := s.db.AsOf(context.Background(), day.Add(at), func(v *View) error {
			w, err := v.WhoisCovering(s.mine)
			if w.Source != want || w.ID == "" || !strings.Contains(w.Text, "EXAMPLE-NET") {
				t.Errorf("after %v: %+v", at, w)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	verify(t, s.db)
}
