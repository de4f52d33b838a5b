package nir

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

func person(handle, source, mntner string) string {
	return fmt.Sprintf("person: A. Person\naddress: Street\nphone: +81 1\ne-mail: a@example.net\nnic-hdl: %s\nmnt-by: %s\nsource: %s\n", handle, mntner, source)
}

func put(text string) func(*Tx) error {
	return func(x *Tx) error { _, err := x.PutWhois(text); return err }
}

// TestR_SEC_1_References: what is named has to exist or to be declared external,
// and what is used cannot be deleted.
func TestR_SEC_1_References(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		got := fails(t, db, staff(day), Invalid, put(person("PP1-JP", "JPNIC", "MAINT-NEW")))
		if !strings.Contains(got, "mntner MAINT-NEW") {
			t.Error(got)
		}
		const mntner = "mntner: MAINT-NEW\ndescr: x\nadmin-c: PP1-JP\nupd-to: a@example.net\nauth: PGPKEY-1\nmnt-by: MAINT-NEW\nsource: JPNIC\n"
		fails(t, db, staff(day), Invalid, put(mntner)) // its admin-c is not there yet
		update(t, db, staff(day), func(x *Tx) error { return x.DeclareExternal("JPNIC", "mntner maint-new", "it comes next") })
		update(t, db, staff(day), put(person("PP1-JP", "JPNIC", "MAINT-NEW")))
		update(t, db, staff(day), put(mntner))
		del := func(class, key string) func(*Tx) error {
			return func(x *Tx) error { return x.DeleteWhois(class, key, "JPNIC") }
		}
		if got := fails(t, db, staff(day), Conflict, del("person", "pp1-jp")); !strings.Contains(got, "mntner MAINT-NEW") {
			t.Error(got)
		}
		fails(t, db, staff(day), Conflict, del("mntner", "MAINT-NEW"))
		fails(t, db, staff(day), NotFound, del("role", "PP1-JP"))
		fails(t, db, staff(day), Conflict, put(strings.Replace(person("PP1-JP", "JPNIC", "MAINT-NEW"), "person:", "role:", 1)))
		other := Actor{Name: "tw", Roles: []Role{NIRStaff}, NIR: "TWNIC", At: day}
		fails(t, db, other, Forbidden, del("person", "PP1-JP"))
		fails(t, db, other, Forbidden, put(person("PP2-JP", "JPNIC", "MAINT-NEW")))
		fails(t, db, staff(day), Invalid, put(person("PP2-XX", "XXNIC", "MAINT-NEW"))) // nobody's source
		fails(t, db, staff(day), Invalid, put("route: 192.0.2.0/24\norigin: AS1\nmnt-by: MAINT-NEW\nsource: JPNIC\n"))
		fails(t, db, staff(day), Invalid, put("person: only\nsource: JPNIC\n"))
		// With another person in its place, the first may go.
		update(t, db, staff(day), put(person("PP2-JP", "JPNIC", "MAINT-NEW")))
		update(t, db, staff(day), put(strings.Replace(mntner, "PP1-JP", "PP2-JP", 1)))
		update(t, db, staff(day), del("person", "PP1-JP"))
		view(t, db, func(v *View) error {
			if _, err := v.Whois("person", "PP1-JP"); CodeOf(err) != NotFound {
				t.Errorf("it is there: %v", err)
			}
			users, err := v.WhoisUsers("person", "PP2-JP", 9)
			if err != nil || len(users) != 1 || users[0].Key != "MAINT-NEW" {
				t.Errorf("users of PP2-JP: %v, %v", users, err)
			}
			return nil
		})
		verify(t, db)
	})
}

// TestR_NIR_13_DerivedFollowTheirSource: objects of delegations are changed by
// their registration, their member and their NIR alone, and then they follow.
func TestR_NIR_13_DerivedFollowTheirSource(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22"))
	var w WhoisObject
	look := func() {
		t.Helper()
		view(t, db, func(v *View) (err error) {
			w, err = v.WhoisCovering(r.Ranges[0])
			return err
		})
	}
	look()
	changed := strings.Replace(w.Text, "EXAMPLE-NET", "MINE", 1)
	if got := fails(t, db, staff(day), Conflict, put(changed+"descr: x\n")); !strings.Contains(got, "follows from delegation") {
		t.Error(got)
	}
	fails(t, db, staff(day), Conflict, func(x *Tx) error { return x.DeleteWhois("inetnum", w.Key, "JPNIC") })
	g := Registration{Delegation: w.DerivedFrom, Netname: "NEW-NAME", Descr: "two\nlines", Economy: "JP", AdminC: "AA2-JP", TechC: "TT2-JP", IRT: "IRT-NEW"}
	fails(t, db, Actor{Name: "tw", Roles: []Role{NIRStaff}, NIR: "TWNIC", At: day}, Forbidden, func(x *Tx) error { return x.Register(g) })
	update(t, db, staff(day), func(x *Tx) error { return x.Register(g) })
	look()
	for _, want := range []string{"NEW-NAME", "AA2-JP", "IRT-NEW", "\n                lines\n"} {
		if !strings.Contains(w.Text, want) {
			t.Errorf("no %q in\n%s", want, w.Text)
		}
	}
	update(t, db, admin(day), func(x *Tx) error {
		n, err := x.NIR("JPNIC")
		if err != nil {
			return err
		}
		n.Mntner, n.Source = "MAINT-JP2", "JP2"
		_, err = x.PutNIR(n)
		return err
	})
	look()
	if w.Source != "JP2" || !slices.Equal(w.Mntner, []string{"MAINT-JP2"}) {
		t.Errorf("after the NIR's source changed:\n%s", w.Text)
	}
	update(t, db, staff(day), func(x *Tx) error {
		m, _, err := x.MemberOf("JPNIC", "m1")
		if err != nil {
			return err
		}
		m.Mntner = "MAINT-M1"
		_, err = x.ChangeMember(m)
		return err
	})
	look()
	if !strings.Contains(w.Text, "mnt-lower:      MAINT-M1\n") {
		t.Errorf("after the member changed:\n%s", w.Text)
	}
	// What people keep for parts of it is theirs, inside the delegation.
	part := func(key string) string {
		return "inetnum: " + key + "\nnetname: PART\ndescr: x\ncountry: JP\nadmin-c: AA2-JP\ntech-c: AA2-JP\nstatus: ASSIGNED NON-PORTABLE\nmnt-by: MAINT-JP2\nsource: JP2\n"
	}
	inner := inr.Range{Kind: inr.IPv4, First: r.Ranges[0].First, Last: r.Ranges[0].First.Add(inr.N(9))}
	update(t, db, staff(day), put(part(inner.RPSL())))
	fails(t, db, staff(day), Forbidden, put(part("202.255.0.0 - 202.255.0.9")))
	view(t, db, func(v *View) error {
		w, err := v.WhoisCovering(inner)
		if !strings.Contains(w.Text, "PART") {
			t.Errorf("%s", w.Text)
		}
		return err
	})
	verify(t, db)
}

// TestR_SEC_1_IRT: reminders when an irt was not said to be right for long, and
// when numbers name none.
func TestR_SEC_1_IRT(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	update(t, db, staff(day), func(x *Tx) error {
		for _, ref := range []string{"contact AA1-JP", "mntner MAINT-JPNIC"} {
			if err := x.DeclareExternal("JPNIC", ref, "test"); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, db, staff(day), put("irt: IRT-JP\naddress: x\ne-mail: irt@jp.example\nabuse-mailbox: abuse@jp.example\nadmin-c: AA1-JP\ntech-c: AA1-JP\nauth: PGPKEY-1\nmnt-by: MAINT-JPNIC\nsource: JPNIC\n"))
	open := func(code string) (n int) {
		view(t, db, func(v *View) error {
			list, err := v.Notices("JPNIC", false)
			for _, o := range list {
				if o.Code == code {
					n++
				}
			}
			return err
		})
		return n
	}
	after := func(days int) time.Time { return day.AddDate(0, 0, days) }
	remind := func(days int) {
		update(t, db, admin(after(days)), func(x *Tx) error { return x.RemindIRT() })
	}
	remind(179)
	if open("irt-validation") != 0 {
		t.Error("reminded too early")
	}
	for _, days := range []int{180, 181} {
		if remind(days); open("irt-validation") != 1 {
			t.Errorf("not reminded exactly once after %d days", days)
		}
	}
	due := IRTState{Key: "IRT-JP", Source: "JPNIC", NIR: "JPNIC", Validated: day, Due: after(180), Overdue: true, Reminded: after(180)}
	for days, want := range map[int]IRTState{179: {Overdue: false}, 180: {Overdue: true}} {
		want.Key, want.Source, want.NIR, want.Validated, want.Due, want.Reminded = due.Key, due.Source, due.NIR, due.Validated, due.Due, due.Reminded
		view(t, db, func(v *View) error {
			list, err := v.IRTs(after(days))
			if len(list) != 1 || list[0] != want {
				t.Errorf("after %d days: %+v, want %+v", days, list, want)
			}
			return err
		})
	}
	fails(t, db, Actor{Name: "tw", Roles: []Role{NIRStaff}, NIR: "TWNIC", At: after(182)}, Forbidden, func(x *Tx) error { return x.ValidateIRT("irt-jp", "JPNIC") })
	fails(t, db, staff(after(182)), NotFound, func(x *Tx) error { return x.ValidateIRT("irt-jp", "TWNIC") })
	update(t, db, staff(after(182)), func(x *Tx) error { return x.ValidateIRT("irt-jp", "JPNIC") })
	if open("irt-validation") != 0 {
		t.Error("still open after validation")
	}
	if remind(183); open("irt-validation") != 0 {
		t.Error("reminded of what was just said to be right")
	}
	q := ask("r1", "m1", inr.IPv4, "/22")
	r := submit(t, db, staff(after(184)), q)
	remind(185)
	if open("irt-missing") != 1 {
		t.Error("nobody is told that an irt is missing")
	}
	view(t, db, func(v *View) error {
		w, err := v.WhoisCovering(r.Ranges[0])
		if err != nil {
			return err
		}
		q, err := v.Registration(w.DerivedFrom)
		q.IRT = "IRT-JP"
		update(t, db, staff(after(186)), func(x *Tx) error { return x.Register(q) })
		return err
	})
	remind(187)
	if open("irt-missing") != 0 {
		t.Error("an irt is there and the notice is still open")
	}
	verify(t, db)
}

// TestR_SEC_2_AbuseContact: of an irt that the object names, else of the member,
// else of the NIR.
func TestR_SEC_2_AbuseContact(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	contact := func(r inr.Range) (c AbuseContact) {
		t.Helper()
		view(t, db, func(v *View) (err error) {
			c, err = v.AbuseContact(r)
			return err
		})
		return c
	}
	plain := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/24")).Ranges[0]
	if c := contact(plain); c.Mail != "hm@twnic.example" || c.From != "NIR TWNIC" {
		t.Errorf("%+v", c)
	}
	q := ask("r2", "m2", inr.IPv4, "/24")
	q.Who.Abuse = "abuse@m2.example"
	if c := contact(submit(t, db, twStaff(day), q).Ranges[0]); c.Mail != "abuse@m2.example" {
		t.Errorf("%+v", c)
	}
	update(t, db, twStaff(day), put("irt: IRT-TWNIC\naddress: x\ne-mail: irt@tw.example\nabuse-mailbox: abuse@tw.example\nadmin-c: AA1-JP\ntech-c: AA1-JP\nauth: PGPKEY-1\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n"))
	if c := contact(plain); c.Mail != "abuse@tw.example" {
		t.Errorf("%+v", c)
	}
	q = ask("r3", "m3", inr.ASN, "1")
	q.Who.IRT, q.Who.Abuse = "IRT-M3", "abuse@m3.example"
	asn := submit(t, db, twStaff(day), q).Ranges[0]
	update(t, db, twStaff(day), put("irt: IRT-M3\naddress: x\ne-mail: x@m3.example\nabuse-mailbox: irt@m3.example\nadmin-c: AA1-JP\ntech-c: AA1-JP\nauth: PGPKEY-1\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n"))
	if c := contact(asn); c.Mail != "irt@m3.example" || c.From != "irt IRT-M3" {
		t.Errorf("%+v", c)
	}
}

// TestClasslessZones: the registry's own zones of less than a /24 (RFC 2317) come
// with the CNAMEs that lead into them, and never beside the /24.
func TestClasslessZones(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	r := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/26")).Ranges[0]
	zones, err := ReverseZones(r, 1)
	if err != nil || !zones[0].Classless {
		t.Fatalf("%v, %v", zones, err)
	}
	z := zones[0].Name.File()
	update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, []string{"ns1.example.net"}, nil); return err })
	view(t, db, func(v *View) error {
		return v.DomainRecords(func(_ *WhoisObject, list []zone.Record) error {
			if len(list) != 65 || list[0].Type != zone.TypeNS || string(list[0].Name) != z+"." {
				t.Errorf("%d records, first %s", len(list), list[0])
			}
			p, _ := list[1].Name.Prefix()
			host, _ := list[1].Data.Host()
			if want := list[1].Name[:len(list[1].Name)-len(list[1].Name.Parent())] + zones[0].Name; list[1].Type != zone.TypeCNAME || host != want || p.Bits() != 32 {
				t.Errorf("%s, want CNAME to %s", list[1], want)
			}
			return nil
		})
	})
	whole := zone.Name(zones[0].Name.Parent()).File()
	got := fails(t, db, twStaff(day), Forbidden, put(activeDomain(whole)))
	if !strings.Contains(got, "not wholly in one delegation") {
		t.Error(got)
	}
	// A part of a /24 that one member has, beside the /24.
	r = submit(t, db, twStaff(day), ask("r2", "m2", inr.IPv4, "/24")).Ranges[0]
	zones, err = ReverseZones(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, twStaff(day), put(activeDomain(zones[0].Name.File())))
	if got := fails(t, db, twStaff(day), Conflict, put(activeDomain("0-127."+zones[0].Name.File()))); !strings.Contains(got, "RFC 2317") {
		t.Error(got)
	}
	update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(zones[0].Name.File(), nil, nil); return err })
	update(t, db, twStaff(day), put(activeDomain("0-127."+zones[0].Name.File())))
	fails(t, db, twStaff(day), Conflict, put(activeDomain("64-200."+zones[0].Name.File())))
	update(t, db, twStaff(day), put(activeDomain("128-255."+zones[0].Name.File())))
}

// TestRegisterRefuses: every mistake of a registration is told, and none is kept.
func TestRegisterRefuses(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
	var good Registration
	text := func() (text string) {
		view(t, db, func(v *View) error {
			w, err := v.WhoisCovering(r)
			if err == nil {
				good, err = v.Registration(w.DerivedFrom)
			}
			text = w.Text
			return err
		})
		return text
	}
	before := text()
	for want, spoil := range map[string]func(*Registration){
		"netname": func(g *Registration) { g.Netname = "two words" },
		"economy": func(g *Registration) { g.Economy = "jp" },
		"admin_c": func(g *Registration) { g.AdminC = "" },
		"tech_c":  func(g *Registration) { g.TechC = "" },
	} {
		g := good
		spoil(&g)
		if got := fails(t, db, staff(day), Invalid, func(x *Tx) error { return x.Register(g) }); !strings.Contains(got, want) {
			t.Errorf("%s: %s", want, got)
		}
	}
	if after := text(); after != before {
		t.Errorf("what was refused is in whois:\n%s", after)
	}
}
