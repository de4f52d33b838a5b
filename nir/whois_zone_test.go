package nir

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// zonelet is the registry's own zonelet of a parent zone, as it is exported.
func zonelet(t testing.TB, db *DB, parent string) (text string) {
	t.Helper()
	view(t, db, func(v *View) error {
		e, err := v.Export(ExportOptions{Zones: []zone.Name{zone.Name(parent + ".")}})
		if err != nil {
			return err
		}
		for _, f := range e.Registry {
			if strings.HasPrefix(f.Name, parent+"-") {
				text = string(f.Data)
			}
		}
		return nil
	})
	if text == "" {
		t.Fatalf("no zonelet of %s is exported", parent)
	}
	return text
}

// TestR_NIR_21_DomainsReachTheZones: what a domain object says is in the next
// export, which zonebuild reads on its cycle; and an export is other bytes only if
// a record changed, so that a serial moves then alone.
func TestR_NIR_21_DomainsReachTheZones(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	set := func(at time.Time, ns ...string) {
		update(t, db, twStaff(at), func(x *Tx) error { _, err := x.SetDomain(z, ns, nil); return err })
	}
	before := zonelet(t, db, "202.in-addr.arpa")
	if strings.Contains(before, z) {
		t.Errorf("the dummy yields records:\n%s", before)
	}
	set(day.Add(time.Hour), "ns1.example.net", "ns2.example.net")
	after := zonelet(t, db, "202.in-addr.arpa")
	if !strings.Contains(after, "ns1.example.net.") || !strings.Contains(after, "ns2.example.net.") {
		t.Errorf("the name servers are not exported:\n%s", after)
	}
	set(day.Add(2*time.Hour), "ns1.example.net", "ns2.example.net")
	update(t, db, admin(day.Add(3*time.Hour)), func(x *Tx) error {
		return x.notify(Notice{NIR: "TWNIC", Code: "test", Subject: "x", Severity: "info", Text: "nothing to do with zones"})
	})
	if again := zonelet(t, db, "202.in-addr.arpa"); again != after {
		t.Errorf("no record changed, the export did:\n%s\n%s", after, again)
	}
}

// TestR_SEC_5_DSOfDelegations: members' DS records come with their delegations, and
// one that could not validate is refused.
func TestR_SEC_5_DSOfDelegations(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	secondOption(t, db)
	z := twZone(t, db, "a")
	ds := "12345 13 2 " + strings.Repeat("AB", 32)
	update(t, db, twStaff(day.Add(time.Hour)), func(x *Tx) error {
		_, err := x.SetDomain(z, []string{"ns1.example.net"}, []string{ds})
		return err
	})
	if text := zonelet(t, db, "202.in-addr.arpa"); !strings.Contains(text, ds) {
		t.Errorf("the DS is not exported:\n%s", text)
	}
	fails(t, db, twStaff(day.Add(time.Hour)), Invalid, func(x *Tx) error {
		_, err := x.SetDomain(z, []string{"ns1.example.net"}, []string{"12345 13 2 ABCD"})
		return err
	})
}
