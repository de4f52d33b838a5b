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

func rng(t testing.TB, text string) inr.Range {
	t.Helper()
	r, err := inr.ParseRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// secondOption adds an NIR of Option 2 with its windows.
func secondOption(t testing.TB, db *DB) {
	t.Helper()
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.PutNIR(NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "MAINT-TWNIC", Option: 2, Email: "hm@twnic.example"}); err != nil {
			return err
		}
		for k, s := range map[inr.Kind]Size{inr.IPv4: "/13", inr.IPv6: "/28", inr.ASN: "4"} {
			if _, err := x.SetWindow("TWNIC", k, s, "start"); err != nil {
				return err
			}
		}
		return nil
	})
}

func twStaff(at time.Time) Actor {
	return Actor{Name: "tw", Roles: []Role{NIRStaff}, NIR: "TWNIC", At: at}
}

func submit(t testing.TB, db *DB, a Actor, q Ask) Request {
	t.Helper()
	q.NIR = a.NIR
	var r Request
	update(t, db, a, func(x *Tx) (err error) {
		r, err = x.Submit(q)
		return err
	})
	if r.State != Registered {
		t.Fatalf("the request is %s", r.State)
	}
	return r
}

func fails(t testing.TB, db *DB, a Actor, want Code, fn func(*Tx) error) string {
	t.Helper()
	err := db.Update(context.Background(), a, fn)
	if CodeOf(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	return fmt.Sprint(err)
}

// TestR_NIR_12_WhoisWithTheDelegations: what is allocated is described in the same
// event, with the NIR's source and maintainer (also R-NIR-15 and -23).
func TestR_NIR_12_WhoisWithTheDelegations(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		q := ask("r1", "m1", inr.IPv4, "/22")
		q.Descr = "Example\n\nTokyo"
		q.Who.IRT = "IRT-EX"
		r := submit(t, db, staff(day), q)
		submit(t, db, staff(day), ask("r2", "m1", inr.IPv6, "/32"))
		submit(t, db, staff(day), ask("r3", "m1", inr.ASN, "1"))
		view(t, db, func(v *View) error {
			w, err := v.Whois("inetnum", r.Ranges[0].String())
			if err != nil || len(w) != 1 {
				t.Fatalf("%v, %v", w, err)
			}
			want := fmt.Sprintf(`inetnum:        %s
netname:        EXAMPLE-NET
descr:          Example
+
                Tokyo
country:        JP
admin-c:        AA1-JP
tech-c:         TT1-JP
status:         ALLOCATED PORTABLE
mnt-by:         MAINT-JPNIC
mnt-irt:        IRT-EX
source:         JPNIC
`, r.Ranges[0].RPSL())
			if w[0].Text != want {
				t.Errorf("got\n%s want\n%s", w[0].Text, want)
			}
			d, err := v.At(inr.IPv4, r.Ranges[0].First)
			if err != nil || len(d) != 2 || w[0].DerivedFrom != d[0].ID || d[0].Since != w[0].Since {
				t.Errorf("delegations %+v of %+v: %v", d, w[0], err)
			}
			for _, class := range []string{"inet6num", "aut-num"} {
				n := 0
				err := whoisObjects.each(v, "type = $1", []any{class}, func(w *WhoisObject) error {
					n++
					if w.Source != "JPNIC" || !slices.Equal(w.Mntner, []string{"MAINT-JPNIC"}) {
						t.Errorf("%s", w.Text)
					}
					return nil
				})
				if err != nil || n != 1 {
					t.Errorf("%d %s, %v", n, class, err)
				}
			}
			return nil
		})
		verify(t, db)
	})
}

// TestR_NIR_15_SourceOfDirectMembers: what the regional registry manages itself
// has its own source.
func TestR_NIR_15_SourceOfDirectMembers(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	q := ask("d1", "direct", inr.IPv4, "/20")
	q.NIR = ""
	var r Request
	update(t, db, admin(day), func(x *Tx) (err error) {
		r, err = x.Submit(q)
		return err
	})
	view(t, db, func(v *View) error {
		w, err := v.WhoisCovering(r.Ranges[0])
		if w.Source != "APNIC" || !slices.Contains(w.Mntner, "APNIC-HM") || w.NIR != "" {
			t.Errorf("%s", w.Text)
		}
		return err
	})
}

// TestR_NIR_22_DomainObjects: on /16 and /24 boundaries, below /16 each /24.
func TestR_NIR_22_DomainObjects(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		for i, c := range []struct {
			kind inr.Kind
			size Size
			want int
		}{
			{inr.IPv4, "/14", 4}, {inr.IPv4, "/20", 16}, {inr.IPv4, "/16", 1}, {inr.IPv4, "/24", 1}, {inr.IPv4, "/25", 1}, {inr.IPv6, "/32", 1}, {inr.IPv6, "/29", 8}, {inr.ASN, "1", 0},
		} {
			before := 0
			count := func() (n int) {
				view(t, db, func(v *View) error {
					list, err := v.Domains("TWNIC")
					n = len(list)
					return err
				})
				return n
			}
			before = count()
			submit(t, db, twStaff(day), ask(fmt.Sprint("r", i), fmt.Sprint("m", i), c.kind, c.size))
			if got := count() - before; got != c.want {
				t.Errorf("%s %s made %d domains, want %d", c.kind, c.size, got, c.want)
			}
		}
		// Option 1 has none.
		submit(t, db, staff(day), ask("r", "m", inr.IPv4, "/22"))
		view(t, db, func(v *View) error {
			list, err := v.Domains("JPNIC")
			if len(list) != 0 {
				t.Errorf("Option 1 has %d domains", len(list))
			}
			return err
		})
		verify(t, db)
	})
}

// twZone allocates a /24 to a member of the NIR of Option 2 and returns its zone.
func twZone(t testing.TB, db *DB, ref string) string {
	t.Helper()
	r := submit(t, db, twStaff(day), ask(ref, "m-"+ref, inr.IPv4, "/24"))
	zones, err := ReverseZones(r.Ranges[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	return zones[0].Name.File()
}

// TestR_NIR_24_DummyDomain: a new domain object is inactive and yields nothing.
func TestR_NIR_24_DummyDomain(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	view(t, db, func(v *View) error {
		w, err := v.Whois("domain", strings.ToUpper(z)+".")
		if err != nil {
			return err
		}
		want := "domain:         " + z + "\ndescr:          in-addr.arpa zone for " + z + `
admin-c:        AA1-JP
tech-c:         TT1-JP
zone-c:         TT1-JP
nserver:        remove.this.nserver.to.enable.zone.at.apnic.net
mnt-by:         MAINT-TWNIC
source:         TWNIC
`
		if w[0].Text != want || w[0].State != DomainInactive {
			t.Errorf("got\n%s want\n%s", w[0].Text, want)
		}
		return v.DomainRecords(func(w *WhoisObject, _ []zone.Record) error {
			t.Errorf("%s yields records", w.Key)
			return nil
		})
	})
}

// TestR_NIR_23_MaintainerOfDomains: the objects of a zone stay the NIR's.
func TestR_NIR_23_MaintainerOfDomains(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	view(t, db, func(v *View) error {
		w, err := v.Whois("domain", z)
		if err != nil || !slices.Equal(w[0].Mntner, []string{"MAINT-TWNIC"}) {
			t.Errorf("%v %v", w, err)
		}
		return nil
	})
	text := strings.Replace(activeDomain(z), "MAINT-TWNIC", "APNIC-HM", 1)
	if got := fails(t, db, twStaff(day), Invalid, func(x *Tx) error { _, err := x.PutWhois(text); return err }); !strings.Contains(got, "MAINT-TWNIC") {
		t.Error(got)
	}
}

func activeDomain(z string) string {
	return "domain: " + z + "\ndescr: ours\nadmin-c: AA1-JP\ntech-c: TT1-JP\nzone-c: TT1-JP\nnserver: ns1.example.net\nnserver: ns2.example.net\n" +
		"ds-rdata: 1 13 2 " + strings.Repeat("AB", 32) + "\nremarks: kept   as it is # really\nmnt-by: MAINT-TWNIC\nsource: TWNIC\n"
}

// TestR_NIR_25_Activation: the NIR puts real name servers in, and they are in the
// registry's records; by whole object or by servers alone.
func TestR_NIR_25_Activation(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		z := twZone(t, db, "a")
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.PutWhois(activeDomain(z)); return err })
		records := func() (text string) {
			view(t, db, func(v *View) error {
				return v.DomainRecords(func(_ *WhoisObject, list []zone.Record) error {
					for _, r := range list {
						text += r.String() + "\n"
					}
					return nil
				})
			})
			return text
		}
		want := z + ".\t86400\tIN\tNS\tns1.example.net.\n" + z + ".\t86400\tIN\tNS\tns2.example.net.\n" + z + ".\t86400\tIN\tDS\t1 13 2 " + strings.Repeat("AB", 32) + "\n"
		if got := records(); got != want {
			t.Errorf("got\n%s want\n%s", got, want)
		}
		view(t, db, func(v *View) error {
			w, err := v.Whois("domain", z)
			if w[0].Text != activeDomain(z) {
				t.Errorf("not kept as it was written:\n%s", w[0].Text)
			}
			return err
		})
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, []string{"ns9.example.net"}, nil); return err })
		if got := records(); got != z+".\t86400\tIN\tNS\tns9.example.net.\n" {
			t.Errorf("after setting one server:\n%s", got)
		}
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, nil, nil); return err })
		if got := records(); got != "" {
			t.Errorf("after taking the servers out:\n%s", got)
		}
		// Staff of another NIR may not.
		fails(t, db, staff(day), Forbidden, func(x *Tx) error { _, err := x.SetDomain(z, []string{"ns9.example.net"}, nil); return err })
		verify(t, db)
	})
}

// TestR_NIR_25_BadServers: name servers and DS records are judged as the merge
// judges them, all at once.
func TestR_NIR_25_BadServers(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	good := strings.Repeat("AB", 32)
	for _, c := range []struct {
		ns, ds []string
		want   string
	}{
		{[]string{"192.0.2.1"}, nil, "address"},
		{[]string{"ns_1.example.net"}, nil, "no host name"},
		{[]string{"localhost"}, nil, "one label"},
		{[]string{"ns." + z}, nil, "inside the zone"},
		{[]string{"ns1.example.net 192.0.2.1"}, nil, "NS with 2 values"},
		{[]string{"ns1.example.net", "NS1.example.net."}, nil, "twice"},
		{[]string{DummyServer, "ns1.example.net"}, nil, "beside others"},
		{[]string{"ns1.example.net"}, []string{"1 13 2 ABCD"}, "has 2 octets"},
		{[]string{"ns1.example.net"}, []string{"1 13 9 " + good}, "digest type 9"},
		{[]string{"ns1.example.net"}, []string{"1 13 2 " + strings.Repeat("00", 32)}, "all zero"},
		{[]string{"ns1.example.net"}, []string{"70000 13 2 " + good}, "key tag"},
		{nil, []string{"1 13 2 " + good}, "nserver"},
	} {
		got := fails(t, db, twStaff(day), Invalid, func(x *Tx) error { _, err := x.SetDomain(z, c.ns, c.ds); return err })
		if !strings.Contains(got, c.want) {
			t.Errorf("%q %q: %s", c.ns, c.ds, got)
		}
	}
	got := fails(t, db, twStaff(day), Invalid, func(x *Tx) error {
		_, err := x.SetDomain(z, []string{"192.0.2.1", "ns_1.example.net"}, []string{"1 13 2 AB"})
		return err
	})
	if strings.Count(got, "\n") != 2 {
		t.Errorf("not all mistakes at once:\n%s", got)
	}
}

// TestR_NIR_26_DeletedByTheNIRAlone: and it is not made again.
func TestR_NIR_26_DeletedByTheNIRAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		z := twZone(t, db, "a")
		del := func(x *Tx) error { return x.DeleteWhois("domain", z, "TWNIC") }
		fails(t, db, admin(day), Forbidden, del)
		fails(t, db, staff(day), Forbidden, del)
		update(t, db, twStaff(day), del)
		fails(t, db, twStaff(day), NotFound, del)
		gone := func() {
			t.Helper()
			view(t, db, func(v *View) error {
				if _, err := v.Whois("domain", z); CodeOf(err) != NotFound {
					t.Errorf("it is there: %v", err)
				}
				return nil
			})
		}
		gone()
		update(t, db, admin(day), func(x *Tx) error { return x.describeAgain("nir = $1", "TWNIC") })
		gone()
		update(t, db, twStaff(day), func(x *Tx) error { _, err := x.PutWhois(activeDomain(z)); return err })
		view(t, db, func(v *View) error { _, err := v.Whois("domain", z); return err })
		verify(t, db)
	})
}

// TestR_NIR_20_DummyOverridesNothing: the merge publishes what the NIR asserts
// beside a domain object that is inactive, and the registry's when it is active.
func TestR_NIR_20_DummyOverridesNothing(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	apex := zone.Name("202.in-addr.arpa.")
	said, err := zone.ParseDelegations("f", []byte(z+" NS ns.twnic.example"))
	if err != nil {
		t.Fatal(err)
	}
	own := &zone.Fragment{Source: "TWNIC", Zone: apex, Records: said}
	p, _ := zone.Name(z + ".").Prefix()
	yields := 0
	merge := func() string {
		ours := &zone.Fragment{Source: "APNIC", Zone: apex}
		yields = 0
		view(t, db, func(v *View) error {
			return v.DomainRecords(func(_ *WhoisObject, list []zone.Record) error {
				yields += len(list)
				for _, r := range list {
					ours.Records = append(ours.Records, zone.Located{Record: r})
				}
				return nil
			})
		})
		got, _ := zone.Merge(zone.MergeInput{
			Apex: zone.Apex{Origin: apex, NS: []zone.Name{"ns1.registry.example."}}, Registry: "APNIC",
			Claims: zone.NewClaims([]zone.Claim{{Source: "TWNIC", Prefix: p}}), Fragments: []*zone.Fragment{ours, own},
		})
		var text []string
		for _, e := range got.Entries {
			if e.Name != apex {
				text = append(text, e.Text())
			}
		}
		return strings.Join(text, " ")
	}
	if got := merge(); got != "ns.twnic.example." || yields != 0 {
		t.Errorf("beside the dummy, which yields %d, %s is published", yields, got)
	}
	update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, []string{"ns1.example.net"}, nil); return err })
	if got := merge(); got != "ns1.example.net." {
		t.Errorf("when it is active %s is published", got)
	}
	update(t, db, twStaff(day), func(x *Tx) error { _, err := x.SetDomain(z, []string{DummyServer}, nil); return err })
	if got := merge(); got != "ns.twnic.example." || yields != 0 {
		t.Errorf("with the dummy in it again, which yields %d, %s is published", yields, got)
	}
}
