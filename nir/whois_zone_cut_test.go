package nir

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
)

// moveTo carries a transfer of a part of a member's delegation out.
func moveTo(t testing.TB, db *DB, source, destination, member string, part inr.Range) {
	t.Helper()
	update(t, db, admin(day.Add(time.Hour)), func(x *Tx) error {
		a := TransferAsk{Transfer: Transfer{Source: source, Destination: destination, Member: member, UID: "moved"}, Lines: []TransferLine{{Range: part}}}
		_, l, err := x.AddTransfer(a)
		if err != nil {
			return err
		}
		_, err = x.CompleteLine(l[0].ID)
		return err
	})
}

// zonesIn returns the domain objects of a range by their names, also those above it.
func zonesIn(t testing.TB, db *DB, r inr.Range) map[string]WhoisObject {
	t.Helper()
	all := map[string]WhoisObject{}
	view(t, db, func(v *View) error {
		list, err := whoisObjects.find(v, "type = 'domain' AND origin = 'registry'")
		for _, w := range list {
			if w.Range.Overlaps(r) {
				all[w.Key] = w
			}
		}
		return err
	})
	return all
}

// active counts the active ones by NIR, and checks that each is of a delegation
// which contains it, with the source of the NIR that manages that.
func active(t testing.TB, db *DB, all map[string]WhoisObject) string {
	t.Helper()
	count := map[string]int{}
	view(t, db, func(v *View) error {
		for key, w := range all {
			d, err := delegations.get(v, w.DerivedFrom)
			reg, err2 := v.registrar(d.NIR)
			if err != nil || err2 != nil || !d.Range.Contains(w.Range) || w.NIR != d.NIR || w.Source != reg.source {
				t.Errorf("%s of %q, source %s, is of %s of %q: %v", key, w.NIR, w.Source, d.Range, d.NIR, err)
			}
			if w.State == DomainActive {
				count[v.registryName(w.NIR)]++
			}
		}
		return nil
	})
	return fmt.Sprint(count)
}

func toldOf(t testing.TB, db *DB, code string) (list []string) {
	t.Helper()
	view(t, db, func(v *View) error {
		found, err := v.FindNotices(NoticeFilter{Codes: []string{code}})
		for _, n := range found {
			list = append(list, v.registryName(n.NIR))
		}
		slices.Sort(list)
		return err
	})
	return list
}

func setZone(t testing.TB, db *DB, name string, at time.Time) {
	t.Helper()
	update(t, db, twStaff(at), func(x *Tx) error { _, err := x.SetDomain(name, []string{"ns1.example.net"}, nil); return err })
}

// TestR_NIR_30_ZonesAroundAHole: what leaves from the middle of a delegation takes
// no zone along of those on either side, and the NIR's word about them stands.
func TestR_NIR_30_ZonesAroundAHole(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		world(t, db)
		secondOption(t, db)
		q := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/20"))
		zones, err := ReverseZones(q.Ranges[0], 16)
		if err != nil {
			t.Fatal(err)
		}
		name := func(i int) string { return zones[i].Name.File() }
		setZone(t, db, name(2), day)
		setZone(t, db, name(12), day)
		update(t, db, twStaff(day), func(x *Tx) error { return x.DeleteWhois("domain", name(13), "TWNIC") })
		before := zonesIn(t, db, q.Ranges[0])
		moveTo(t, db, "TWNIC", "", q.Member, zones[7].Range)
		after := zonesIn(t, db, q.Ranges[0])
		if got := active(t, db, after); got != "map[TWNIC:2]" {
			t.Errorf("active are %s", got)
		}
		for i := range zones {
			was, is := before[name(i)], after[name(i)]
			if i != 7 && (was.ID != is.ID || was.State != is.State) {
				t.Errorf("%s was %s, %s, and is %s, %s", name(i), was.ID, was.State, is.ID, is.State)
			}
		}
		update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { x.act("test.describe"); return x.describeAgain("nir = 'TWNIC'") })
		if w := zonesIn(t, db, zones[13].Range)[name(13)]; w.State != DomainDeleted {
			t.Errorf("%s was deleted by its NIR and is %q", name(13), w.State)
		}
		verify(t, db)
	})
}

// TestR_NIR_30_ZoneDivided: a zone of which a part leaves gives way to the zones of
// all parts, with the same servers; nothing that resolves is lost.
func TestR_NIR_30_ZoneDivided(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	var q Request
	update(t, db, admin(day), func(x *Tx) (err error) {
		a := ask("r1", "d1", inr.IPv4, "/16")
		a.NIR = ""
		q, err = x.Submit(a)
		return err
	})
	r := q.Ranges[0]
	zones, err := ReverseZones(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	whole := zones[0].Name.File()
	update(t, db, admin(day), put(strings.ReplaceAll(strings.ReplaceAll(activeDomain(whole), "MAINT-TWNIC", "APNIC-HM"), "TWNIC", "APNIC")))
	part := inr.BlockAt(inr.IPv4, r.First.Add(inr.N(3<<8)), 24).Range() // the zone begins before it
	moveTo(t, db, "", "TWNIC", q.Member, part)
	all := zonesIn(t, db, r)
	if got := active(t, db, all); got != "map[APNIC:255 TWNIC:1]" || len(all) != 256 {
		t.Errorf("active are %s of %d", got, len(all))
	}
	for key, w := range all {
		if !strings.HasSuffix(key, whole) || strings.Count(w.Text, "ns1.example.net") != 1 || strings.Contains(w.Text, "ds-rdata") || !strings.Contains(w.Text, "kept   as it is") {
			t.Fatalf("%s:\n%s", key, w.Text)
		}
	}
	if list := toldOf(t, db, "zone-divided"); !slices.Equal(list, []string{"APNIC", "TWNIC"}) {
		t.Errorf("told are %v", list)
	}
	verify(t, db)
}

// TestR_NIR_20_ZoneOfAReturnDivided: what is given back is nobody's, and the rest of
// its zone goes on.
func TestR_NIR_20_ZoneOfAReturnDivided(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	s := newScene(t, db)
	s.update(3*time.Hour, func(x *Tx) error {
		_, err := x.PutNIR(NIR{Code: "TWNIC", Name: "Taiwan", Economy: "TW", Source: "TWNIC", Mntner: "MAINT-TWNIC", Option: 2})
		if err == nil {
			_, err = x.SetWindow("TWNIC", inr.IPv4, "/13", "start")
		}
		return err
	})
	q := submit(t, db, twStaff(day.Add(3*time.Hour)), ask("r1", "m1", inr.IPv4, "/16"))
	r := q.Ranges[0]
	zones, err := ReverseZones(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	setZone(t, db, zones[0].Name.File(), day.Add(3*time.Hour))
	part := inr.BlockAt(inr.IPv4, r.First.Add(inr.N(1<<12)), 20).Range()
	back := s.giveBack(3*time.Hour, Return{NIR: "TWNIC", Member: q.Member, Ranges: []inr.Range{part}, Reason: "not used"})
	if err := s.sign(4*time.Hour, back.Plan, "bob"); err != nil {
		t.Fatal(err)
	}
	all := zonesIn(t, db, r)
	if got := active(t, db, all); got != "map[TWNIC:240]" || len(all) != 240 || len(zonesIn(t, db, part)) != 0 {
		t.Errorf("active are %s of %d", got, len(all))
	}
	verify(t, db)
}

// TestR_NIR_30_ZoneAboveMembers: a zone of an NIR's own, of which a member's part
// moves to another NIR, is no longer above that part.
func TestR_NIR_30_ZoneAboveMembers(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	pool := rng(t, "203.10.0.0/16")
	update(t, db, admin(day), func(x *Tx) error {
		_, err := x.AddPool(Pool{Range: pool, Purpose: NIRExisting, NIR: "TWNIC"})
		return err
	})
	q := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/20"))
	other := submit(t, db, twStaff(day), ask("r2", "m2", inr.IPv4, "/20"))
	update(t, db, twStaff(day), put(activeDomain("10.203.in-addr.arpa")))
	zones, err := ReverseZones(other.Ranges[0], 16)
	if err != nil {
		t.Fatal(err)
	}
	had, none := zones[1].Name.File(), zones[2].Name.File()
	setZone(t, db, had, day) // with a zone above it
	moveTo(t, db, "TWNIC", "JPNIC", q.Member, q.Ranges[0])
	all := zonesIn(t, db, pool)
	if got := active(t, db, all); got != "map[JPNIC:16 TWNIC:240]" {
		t.Errorf("active are %s", got)
	}
	if _, there := all["10.203.in-addr.arpa"]; there {
		t.Error("the zone above is still there")
	}
	view(t, db, func(v *View) error {
		d, err := v.Within(NIRToMember, other.Ranges[0])
		if w := all[had]; w.DerivedFrom != d[0].ID || strings.Contains(w.Text, "ours") {
			t.Errorf("what a member had already is %s of %s", w.Text, w.DerivedFrom)
		}
		if w := all[none]; w.DerivedFrom != d[0].ID || !strings.Contains(w.Text, "ours") {
			t.Errorf("what a member did not have is %s of %s", w.Text, w.DerivedFrom)
		}
		return err
	})
	verify(t, db)
}

// TestR_NIR_30_SharedZone: a /24 of which less moves stays as it is, both are told,
// and its NIR may change its servers and delete it.
func TestR_NIR_30_SharedZone(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	q := submit(t, db, twStaff(day), ask("r1", "m1", inr.IPv4, "/24"))
	zones, err := ReverseZones(q.Ranges[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	name := zones[0].Name.File()
	setZone(t, db, name, day)
	moveTo(t, db, "TWNIC", "JPNIC", q.Member, inr.BlockAt(inr.IPv4, q.Ranges[0].First, 26).Range())
	look := func(want string) {
		t.Helper()
		if w := zonesIn(t, db, q.Ranges[0])[name]; w.State != want {
			t.Errorf("%s is %q, not %q", name, w.State, want)
		}
	}
	look(DomainActive)
	if list := toldOf(t, db, "zone-shared"); !slices.Equal(list, []string{"JPNIC", "TWNIC"}) {
		t.Errorf("told are %v", list)
	}
	update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { x.act("test.describe"); return x.describeAgain("nir = 'TWNIC'") })
	look(DomainActive)
	update(t, db, twStaff(day.Add(2*time.Hour)), func(x *Tx) error { _, err := x.SetDomain(name, []string{"ns7.example.net"}, nil); return err })
	look(DomainActive)
	fails(t, db, twStaff(day.Add(2*time.Hour)), Forbidden, func(x *Tx) error { _, err := x.SetDomain(name, nil, nil); return err })
	fails(t, db, twStaff(day.Add(2*time.Hour)), Conflict, func(x *Tx) error {
		_, err := x.SetDomain("64-255."+name, []string{"ns1.example.net"}, nil)
		return err
	})
	update(t, db, twStaff(day.Add(2*time.Hour)), func(x *Tx) error { return x.DeleteWhois("domain", name, "TWNIC") })
	look("")
	setZone(t, db, "64-255."+name, day.Add(3*time.Hour))
	if list := toldOf(t, db, "zone-shared"); len(list) != 0 {
		t.Errorf("still told are %v", list)
	}
	verify(t, db)
}

// TestImportKeepsZones: where an import brings other pieces, zones that resolve go on
// and what an NIR deleted is not made again.
func TestImportKeepsZones(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	doImport(t, db, admin(day), statisticsOf(t, "apnic", "JP|ipv4|202.12.0.0|65536|20010101|allocated|A1", "KR|ipv4|202.16.0.0|512|20010101|allocated|A1"), twoNIRs)
	update(t, db, admin(day), func(x *Tx) error {
		if _, err := x.DescribeMissing(100); err != nil {
			return err
		}
		return errors.Join(x.DeclareExternal("JPNIC", "contact AA1-JP", "test"), x.DeclareExternal("JPNIC", "contact TT1-JP", "test"))
	})
	update(t, db, admin(day), put(strings.ReplaceAll(activeDomain("12.202.in-addr.arpa"), "TWNIC", "JPNIC")))
	kr := Actor{Name: "kr", Roles: []Role{NIRStaff}, NIR: "KRNIC", At: day}
	update(t, db, kr, func(x *Tx) error { return x.DeleteWhois("domain", "0.16.202.in-addr.arpa", "KRNIC") })
	second := []string{
		"KR|ipv4|202.12.0.0|32768|20010101|allocated|A2", "AU|ipv4|202.12.128.0|32768|20010101|allocated|A3",
		"KR|ipv4|202.16.0.0|256|20010101|allocated|A1", "KR|ipv4|202.16.1.0|256|20010101|allocated|A1",
	}
	doImport(t, db, admin(day.Add(time.Hour)), statisticsOf(t, "apnic", second...), twoNIRs)
	if got := active(t, db, zonesIn(t, db, rng(t, "202.12.0.0/16"))); got != "map[APNIC:128 KRNIC:128]" {
		t.Errorf("active are %s", got)
	}
	update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { x.act("test.describe"); return x.describeAgain("nir = 'KRNIC'") })
	if w := zonesIn(t, db, rng(t, "202.16.0.0/24"))["0.16.202.in-addr.arpa"]; w.State != DomainDeleted {
		t.Errorf("it was deleted by its NIR and is %q", w.State)
	}
	provenAudit(t, db)
}

// TestMirrorAfterRename: what was mirrored under a source that the NIR has no longer
// is missing, and goes when somebody accepts that.
func TestMirrorAfterRename(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	text := ""
	for i := range 3 {
		text += fmt.Sprintf("person: X\nnic-hdl: XX%d-JP\nsource: JPNIC\n\n", i)
	}
	at := day.Add(time.Hour)
	mirror(t, db, dumpOf(at, text), at)
	update(t, db, admin(at), func(x *Tx) error {
		n, err := x.NIR("JPNIC")
		if err != nil {
			return err
		}
		n.Source = "JPNEW"
		_, err = x.PutNIR(n)
		return err
	})
	at = at.Add(time.Hour)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "XX2-JP", "XX3-JP"), "JPNIC", "JPNEW")
	m := mirror(t, db, dumpOf(at, text), at)
	if m.Held != 3 || m.Added != 3 {
		t.Fatalf("the old ones are not missing: %+v", m)
	}
	update(t, db, admin(at), func(x *Tx) error { return x.ReleaseMirror("JPNIC", m.Hash, 3) })
	at = at.Add(time.Hour)
	if m = mirror(t, db, dumpOf(at, text), at); m.Held != 0 || m.Deleted != 3 || m.Objects != 3 {
		t.Errorf("%+v", m)
	}
	view(t, db, func(v *View) error {
		list, err := whoisObjects.find(v, "origin = 'mirror' AND source = 'JPNIC'")
		if len(list) != 0 {
			t.Errorf("%d of the old source are there", len(list))
		}
		return err
	})
	verify(t, db)
}
