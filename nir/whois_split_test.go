package nir

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/nir/inr"
	"nirzone/nir/rpsl"
)

func splitFiles(t testing.TB, db *DB, source string) map[string]string {
	t.Helper()
	all := map[string]string{}
	view(t, db, func(v *View) error {
		list, err := v.WhoisFiles(source)
		for _, f := range list {
			var b bytes.Buffer
			n, err := f.WriteTo(&b)
			if err != nil || n != int64(b.Len()) {
				t.Errorf("%s: %d of %d octets, %v", f.Name, n, b.Len(), err)
			}
			all[f.Name] = b.String()
		}
		return err
	})
	return all
}

// TestR_SEC_3_SplitFiles: a canary in every attribute that is not public, in what
// is kept here and in what is mirrored, is in no file; the same state gives the
// same octets; a file reads back as the same objects.
func TestR_SEC_3_SplitFiles(t *testing.T) {
	const canary = "canary@secret.example"
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	world(t, db)
	r := submit(t, db, staff(day), ask("r1", "m1", inr.IPv4, "/22")).Ranges[0]
	submit(t, db, staff(day), ask("r2", "m1", inr.IPv6, "/32"))
	submit(t, db, staff(day), ask("r3", "m1", inr.ASN, "1"))
	update(t, db, staff(day), put("mntner: MAINT-NEW\ndescr: x\nadmin-c: AA1-JP\nupd-to: "+canary+"\nmnt-nfy: "+canary+"\nauth: "+canary+"\nnotify: "+canary+"\nchanged: "+canary+" 20260101\nmnt-by: MAINT-JPNIC\nsource: JPNIC\n"))
	update(t, db, staff(day), put("person: P\naddress: x\nphone: 1\ne-mail: "+canary+"\nnotify: "+canary+"\nnic-hdl: PP1-JP\nmnt-by: MAINT-JPNIC\nsource: JPNIC\n"))
	var dump strings.Builder
	for i, name := range rpsl.Classes() {
		key := map[string]string{
			"inetnum": inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First}.RPSL(), "inet6num": "2400::/48", "aut-num": "AS131072", "as-block": "AS131072 - AS131072",
			"domain": "example.jp", "route": inr.BlockAt(inr.IPv4, r.First, 24).String(), "route6": "2400::/48",
		}[name]
		if key == "" {
			key = "KEY" + string(rune('A'+i))
		}
		c, _ := rpsl.ClassOf(name)
		for _, a := range c.Rules {
			v := "open"
			switch {
			case a.Name == name:
				v = key
			case a.Name == "source":
				v = "JPNIC"
			case a.Name == "origin":
				v = "AS131072"
			case a.Name == "nic-hdl":
				v = key
			case a.Private:
				v = canary + "\n+ " + canary
			}
			dump.WriteString(a.Name + ": " + v + "\n")
		}
		dump.WriteString("x-local: " + canary + "\n\n")
	}
	dump.WriteString("odd-type: " + canary + "\nsource: JPNIC\n")
	if m := mirror(t, db, dumpOf(day.Add(time.Hour), dump.String()), day.Add(time.Hour)); m.Refused != 0 {
		t.Fatalf("%+v", m)
	}
	files := splitFiles(t, db, "JPNIC")
	if len(files) != len(rpsl.Classes()) {
		t.Errorf("%d files, want one for each of %d types", len(files), len(rpsl.Classes()))
	}
	for name, text := range files {
		if strings.Contains(text, "secret") {
			t.Errorf("%s shows what is not public:\n%s", name, text)
		}
		f, err := rpsl.Parse(name, strings.NewReader(text), rpsl.Limits{})
		if err != nil || len(f.Objects) == 0 || "jpnic.db."+f.Objects[0].Class() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	view(t, db, func(v *View) error {
		return whoisObjects.each(v, "id <> ''", nil, func(w *WhoisObject) error {
			p, err := w.Public()
			if err != nil || p != nil && strings.Contains(p.String(), "secret") {
				t.Errorf("%s %s: %v", w.Type, w.Key, err)
			}
			return nil
		})
	})
	inet := files["jpnic.db.inetnum"]
	whole := strings.Index(inet, "\ninetnum:        "+r.RPSL())
	part := strings.Index(inet, "\ninetnum: "+inr.Range{Kind: inr.IPv4, First: r.First, Last: r.First}.RPSL())
	if whole < 0 || part < whole {
		t.Errorf("the greater range does not come first:\n%s", inet)
	}
	again := splitFiles(t, db, "JPNIC")
	for name := range files {
		if again[name] != files[name] {
			t.Errorf("%s differs the second time", name)
		}
	}
	update(t, db, admin(day.Add(2*time.Hour)), func(x *Tx) error { _, err := x.SetWindow("JPNIC", inr.IPv4, "/21", "other"); return err })
	if splitFiles(t, db, "JPNIC")["jpnic.db.inetnum"] != inet {
		t.Error("an event that has nothing to do with it changes the file")
	}
	if len(splitFiles(t, db, "APNIC")) != 0 {
		t.Error("the other source has files")
	}
}
