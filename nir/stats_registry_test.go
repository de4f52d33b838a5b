package nir

import (
	"bytes"
	"context"
	"crypto/md5"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/stats"
	"nirzone/zone"
	"nirzone/zone/seal"
)

func zones(names ...string) []zone.Name {
	var list []zone.Name
	for _, n := range names {
		list = append(list, zone.Name(n))
	}
	return list
}

// domainsOf are domains with one name server each, changed a minute apart; "-"
// before a name ends it.
func domainsOf(names ...string) Domains {
	return func(_ *View, fn func(*Domain) error) error {
		for i, s := range names {
			s, ended := strings.CutPrefix(s, "-")
			d := Domain{Name: zone.Name(s), Changed: day.Add(time.Duration(i+1) * time.Minute)}
			if !ended {
				d.Records = []zone.Record{{Name: d.Name, Type: zone.TypeNS, TTL: zone.DefaultTTL, Data: zone.NSData("ns1.example.net.")}}
			}
			if err := fn(&d); err != nil {
				return err
			}
		}
		return nil
	}
}

func exportFrom(t testing.TB, db *DB, o ExportOptions) *Export {
	t.Helper()
	var e *Export
	view(t, db, func(v *View) (err error) {
		e, err = v.Export(o)
		return err
	})
	return e
}

func fileOf(list []ExportFile, name string) string {
	for _, f := range list {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// TestExportRegistry: what zonebuild reads is there under its names, reads back,
// and stays the same bytes while its content does.
func TestExportRegistry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		key, err := seal.GenerateKey("APNIC <hostmaster@example.net>", day.Add(-time.Hour), time.Hour*24*365, rand.NewChaCha8([32]byte{7}))
		if err != nil {
			t.Fatal(err)
		}
		o := ExportOptions{
			Zones:   zones("61.in-addr.arpa.", "202.in-addr.arpa.", "0.4.2.ip6.arpa."),
			Domains: domainsOf("28.12.202.in-addr.arpa.", "1.0.61.in-addr.arpa.", "9.1.193.in-addr.arpa.", "7.7.in-addr.arpa.", "-29.12.202.in-addr.arpa.", "0-127.30.12.202.in-addr.arpa."),
			Others: []OwedZones{{
				Registry: "RIPE", Zones: zones("193.in-addr.arpa.", "194.in-addr.arpa."),
				File: func(z zone.Name) string { return "0" + z.File() },
			}},
			Signer: key,
		}
		e := exportFrom(t, db, o)
		var names []string
		for _, f := range e.Registry {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != "claims probation 0.4.2.ip6.arpa-APNIC 202.in-addr.arpa-APNIC 61.in-addr.arpa-APNIC manifest.json" {
			t.Errorf("files %s", got)
		}
		m, err := zone.ParseRegistryManifest("manifest.json", []byte(fileOf(e.Registry, "manifest.json")))
		if err != nil || m.Event != uint64(e.Event) || len(m.Files) != 5 {
			t.Errorf("manifest %+v, %v", m, err)
		}
		want := "$TTL 86400\n$ORIGIN .\n\n\n; Source APNIC\n28.12.202.in-addr.arpa.\tNS\tns1.example.net.\n\n; Source APNIC\n0-127.30.12.202.in-addr.arpa.\tNS\tns1.example.net.\n" +
			"APNIC.202.in-addr.arpa.\tIN\tTXT\t\"Generated at 2026-03-04 09:06:00Z with 2 NS records from APNIC.\"\n" +
			"APNIC.202.in-addr.arpa.\tIN\tTXT\t\"Generated at 2026-03-04 09:06:00Z with 0 DS records from APNIC.\"\n"
		if got := fileOf(e.Registry, "202.in-addr.arpa-APNIC"); got != want {
			t.Errorf("got\n%s", got)
		}
		for _, z := range o.Zones {
			name := z.File() + "-APNIC"
			if _, err := zone.ParseFragment("APNIC", z, name, []byte(fileOf(e.Registry, name)), zone.ParseOptions{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := fileOf(e.NIRs["JPNIC"], "61.in-addr.arpa-JPNIC"); !strings.Contains(got, "1.0.61.in-addr.arpa.\tNS") {
			t.Errorf("the part of JPNIC is %q", got)
		}
		if len(e.Stray) != 1 || e.Stray[0] != "7.7.in-addr.arpa." {
			t.Errorf("stray %v", e.Stray)
		}
		owed := fileOf(e.Owed["RIPE"], "0193.in-addr.arpa")
		if !strings.Contains(owed, "9.1.193.in-addr.arpa.\tNS") || fileOf(e.Owed["RIPE"], "0194.in-addr.arpa") == "" {
			t.Errorf("owed: %q", owed)
		}
		sum, err := seal.ParseMD5("x.md5", []byte(fileOf(e.Owed["RIPE"], "0193.in-addr.arpa.md5")), false)
		if err == nil {
			err = sum.Check("0193.in-addr.arpa", md5.Sum([]byte(owed)))
		}
		if err != nil || !strings.Contains(fileOf(e.Owed["RIPE"], "0193.in-addr.arpa.asc"), "BEGIN PGP SIGNATURE") {
			t.Errorf("seals: %v", err)
		}

		// Another event that changes nothing here: the same bytes, another number.
		update(t, db, admin(day.Add(48*time.Hour)), func(x *Tx) error {
			_, err := x.SetWindow("JPNIC", inr.IPv4, "/19", "more")
			return err
		})
		next := exportFrom(t, db, o)
		for i, f := range e.Registry {
			if same := bytes.Equal(f.Data, next.Registry[i].Data); same == (f.Name == "manifest.json") {
				t.Errorf("%s: the same is %v", f.Name, same)
			}
		}
		for i, f := range e.Owed["RIPE"] {
			if !bytes.Equal(f.Data, next.Owed["RIPE"][i].Data) {
				t.Errorf("%s: it changed", f.Name)
			}
		}
		// The past is as it was.
		err = db.AsOf(context.Background(), day.Add(time.Hour), func(v *View) error {
			past, err := v.Export(o)
			if err == nil && !bytes.Equal(past.Registry[4].Data, e.Registry[4].Data) {
				t.Error("the manifest as of then is another")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestExportRefuses(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	err := db.View(context.Background(), func(v *View) error { _, err := v.Export(ExportOptions{}); return err })
	if CodeOf(err) != Conflict {
		t.Errorf("an empty registry: %v", err)
	}
	smallWorld(t, db)
	err = db.View(context.Background(), func(v *View) error {
		_, err := v.Export(ExportOptions{Zones: zones("193.in-addr.arpa."), Others: []OwedZones{{Registry: "RIPE", Zones: zones("193.in-addr.arpa.")}}})
		return err
	})
	if CodeOf(err) != Invalid {
		t.Errorf("a zone of two: %v", err)
	}
	err = db.View(context.Background(), func(v *View) error { _, err := v.Statistics(StatisticsOptions{}); return err })
	if CodeOf(err) != Invalid {
		t.Errorf("no day: %v", err)
	}
}

// TestR_NIR_1_DirectMembersEverywhere: an organisation without NIR requests,
// holds, is imported, counted and claimed for as others are.
func TestR_NIR_1_DirectMembersEverywhere(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		registrar := Actor{Name: "registrar", Roles: []Role{RegistryStaff}, At: day.Add(time.Hour)}
		a := ask("d1", "direct", inr.IPv4, "/12") // no window applies to it
		a.NIR, a.Economy, a.Who.Economy, a.Attested = "", "AU", "AU", false
		var r Request
		update(t, db, registrar, func(x *Tx) (err error) {
			r, err = x.Submit(a)
			return err
		})
		doImport(t, db, admin(day.Add(time.Hour)), statisticsOf(t, "apnic", "NZ|ipv6|2400:1000::|32|20010101|allocated|A77", "NZ|ipv4|192.1.8.0|256|20010101|assigned|A77"), twoNIRs)
		view(t, db, func(v *View) error {
			m, _, err := v.MemberOf("", "direct")
			if err != nil {
				return err
			}
			list, err := v.Holdings(m.ID, inr.IPv4)
			if err != nil || len(list) != 1 || list[0].Level != RIRToMember || list[0].Range != r.Ranges[0] {
				t.Errorf("the request's delegations: %+v, %v", list, err)
			}
			im, _, err := v.MemberOf("", "A77")
			if err != nil || im.Economy != "NZ" {
				t.Errorf("the imported member: %+v, %v", im, err)
			}
			_, ships, err := v.Members("")
			if len(ships) != 2 {
				t.Errorf("%d direct members, %v", len(ships), err)
			}
			c, err := v.Claims(nil)
			if err != nil {
				return err
			}
			covered := false
			for _, x := range c {
				covered = covered || x.Source == "APNIC" && x.Prefix.String() == "192.1.8.0/24"
			}
			if !covered {
				t.Errorf("claims %v", c)
			}
			files, err := v.Statistics(StatisticsOptions{Form: stats.Extended, Day: day})
			if err != nil || !bytes.Contains(files[0].Data, []byte("apnic|NZ|ipv6|2400:1000::|32|20010101|allocated|A77\n")) {
				t.Errorf("statistics %s, %v", files[0].Data, err)
			}
			return nil
		})
		checkConservation(t, db)
		provenAudit(t, db)
	})
}

// TestExtendedStatistics: what is available and reserved comes from the pools,
// holders by identifiers that say nothing; and what was exported is what the
// registry holds.
func TestExtendedStatistics(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		update(t, db, admin(day), func(x *Tx) error {
			_, err := x.AddPool(Pool{Range: rng(t, "27.0.0.0/16"), Purpose: Quarantine})
			return err
		})
		update(t, db, staff(day.Add(time.Hour)), func(x *Tx) error {
			for _, a := range []Ask{ask("a", "m1", inr.IPv4, "/21"), ask("b", "m1", inr.IPv6, "/32"), ask("c", "m2", inr.ASN, "1")} {
				if _, err := x.Submit(a); err != nil {
					return err
				}
			}
			return nil
		})
		o := StatisticsOptions{Form: stats.Extended, Day: day.Add(24 * time.Hour), Latest: true}
		doImport(t, db, admin(day.Add(time.Hour)), statisticsOf(t, "apnic", "AU|ipv4|202.1.0.0|768|20010101|assigned|A1"), twoNIRs)
		var files []ExportFile
		var handles []any
		view(t, db, func(v *View) (err error) {
			for _, uid := range []string{"m2", "m1"} {
				m, _, err := v.MemberOf("JPNIC", uid)
				if err != nil {
					return err
				}
				handles = append(handles, m.handle())
			}
			n, err := v.NIR("JPNIC")
			if err != nil {
				return err
			}
			handles = append(handles, opaque(n.ID))
			files, err = v.Statistics(o)
			return err
		})
		want := strings.NewReplacer("{m2}", handles[0].(string), "{m1}", handles[1].(string), "{jpnic}", handles[2].(string)).Replace(`
apnic|JP|asn|131072|1|20260304|allocated|{m2}
apnic||asn|131073|8505||available|
apnic||ipv4|27.0.0.0|65536||reserved|
apnic|JP|ipv4|61.0.0.0|2048|20260304|allocated|{m1}
apnic|JP|ipv4|61.0.8.0|63488|20260304|allocated|{jpnic}
apnic||ipv4|202.0.0.0|65536||available|
apnic|AU|ipv4|202.1.0.0|768|20010101|assigned|A1
apnic||ipv4|202.1.3.0|16710912||available|
apnic|JP|ipv6|2400::|32|20260304|allocated|{m1}
`)
		if _, got, _ := strings.Cut(string(files[0].Data), "ipv6|*|21|summary"); files[0].Name != "delegated-apnic-extended-latest" || !strings.HasPrefix(got, want) || !strings.Contains(got, "\napnic||ipv6|2408::|13||available|\n") {
			t.Errorf("%s:\n%s", files[0].Name, files[0].Data)
		}
		f, err := ParseStatistics(files[0].Name, files[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		if im := doImport(t, db, admin(day.Add(2*time.Hour)), f, twoNIRs); im.State != ImportNothing {
			t.Errorf("the registry's own statistics change it: %+v", im.Counts)
		}
	})
}
