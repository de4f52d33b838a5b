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

	"nirzone/zone"
	"nirzone/zone/seal"
)

// TestR_NIR_17_FeedsAreRecorded: the registry knows of each flat file of an NIR by
// which run it was accepted, its digest, who signed it, and every verdict since.
func TestR_NIR_17_FeedsAreRecorded(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		smallWorld(t, db)
		good := func(digit string) *zone.Accepted {
			return &zone.Accepted{SHA256: strings.Repeat(digit, 64), Size: 100, File: "202.in-addr.arpa-JPNIC", URL: "ftp://ftp.nic.example/202", FirstSeen: day, Signer: "ABCD"}
		}
		at := day
		record := func(run uint64, sources ...zone.SourceEntry) (n int, err error) {
			at = at.Add(time.Hour)
			err = db.Update(context.Background(), admin(at), func(x *Tx) (err error) {
				n, err = x.RecordFeeds(&zone.Manifest{Version: 1, Run: run, Sources: sources})
				return err
			})
			return n, err
		}
		entry := func(a *zone.Accepted, o zone.Outcome, reason string) zone.SourceEntry {
			last := zone.Attempt{Time: day.Add(time.Minute), Outcome: o, Reason: reason}
			return zone.SourceEntry{Name: "JPNIC", Last: last, Zones: []zone.ZoneEntry{{Zone: "202.in-addr.arpa.", Accepted: a, Last: last}}}
		}
		for _, c := range []struct {
			run     uint64
			source  zone.SourceEntry
			changed int
		}{
			{1, entry(nil, zone.OutcomeAbsent, "no such file"), 1},
			{2, entry(good("a"), zone.OutcomeNew, ""), 1},
			{3, entry(good("a"), zone.OutcomeUnchanged, ""), 0},
			{4, entry(good("a"), zone.OutcomeKept, "the sum is of another file"), 1}, // the last good one stays
			{5, entry(good("b"), zone.OutcomeNew, ""), 1},
		} {
			before := lastEvent(t, db)
			n, err := record(c.run, c.source, zone.SourceEntry{Name: "ELSEWHERE", Zones: c.source.Zones})
			if err != nil || n != c.changed || lastEvent(t, db)-before != int64(c.changed) {
				t.Errorf("run %d: %d changed, %v", c.run, n, err)
			}
		}
		if _, err := record(4, entry(good("a"), zone.OutcomeNew, "")); CodeOf(err) != Conflict {
			t.Errorf("an earlier run: %v", err)
		}
		view(t, db, func(v *View) error {
			list, err := v.Feeds("JPNIC")
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			versions, err := v.FeedVersions(list[0].ID)
			var got []string
			for _, f := range versions {
				got = append(got, strings.TrimRight(strings.Join([]string{f.Verdict, f.Reason, f.Signer, f.SHA256[:min(1, len(f.SHA256))]}, " "), " "))
			}
			if s := strings.Join(got, ", "); s != "absent no such file, accepted  ABCD a, kept the sum is of another file ABCD a, accepted  ABCD b" {
				t.Errorf("versions: %s", s)
			}
			return err
		})
		if n, err := record(6, zone.SourceEntry{Name: "JPNIC"}); n != 1 || err != nil {
			t.Errorf("a zone that is fetched no more: %d, %v", n, err)
		}
		view(t, db, func(v *View) error {
			list, err := v.Feeds("")
			if len(list) != 0 {
				t.Errorf("it is still there: %+v", list)
			}
			return err
		})
		provenAudit(t, db)
	})
}

// TestR_NIR_33_FlatFileForm: a flat file of this registry has the appendix's form:
// $ORIGIN, NS records, no SOA, the trailer as its last record with the count of NS
// records, a .md5 in BSD form and a signature over the same bytes; and a sum in
// another form is refused with a word about it.
func TestR_NIR_33_FlatFileForm(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	key, err := seal.GenerateKey("APNIC <hostmaster@example.net>", day.Add(-time.Hour), time.Hour*24*365, rand.NewChaCha8([32]byte{7}))
	if err != nil {
		t.Fatal(err)
	}
	e := exportFrom(t, db, ExportOptions{
		Signer: key, Domains: domainsOf("9.1.193.in-addr.arpa.", "8.1.193.in-addr.arpa."),
		Others: []OwedZones{{Registry: "RIPE", Zones: zones("193.in-addr.arpa.")}},
	})
	const name = "193.in-addr.arpa-APNIC"
	data := []byte(fileOf(e.Owed["RIPE"], name))
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if !bytes.Contains(data, []byte("$ORIGIN .\n")) || bytes.Contains(data, []byte("SOA")) || !strings.HasPrefix(lines[len(lines)-1], "APNIC.193.in-addr.arpa.\tIN\tTXT\t\"Generated at ") ||
		!strings.Contains(lines[len(lines)-2], "with 2 NS records") {
		t.Errorf("the file is\n%s", data)
	}
	f, err := zone.ParseFragment("APNIC", "193.in-addr.arpa.", name, data, zone.ParseOptions{})
	if err != nil || len(f.Records) != 2 {
		t.Errorf("read back: %+v, %v", f, err)
	}
	text := fileOf(e.Owed["RIPE"], name+".md5")
	sum, err := seal.ParseMD5(name+".md5", []byte(text), false)
	if err == nil {
		err = sum.Check(name, md5.Sum(data))
	}
	if err != nil || !strings.HasPrefix(text, "MD5 ("+name+") = ") {
		t.Errorf("%q: %v", text, err)
	}
	_, hex, _ := strings.Cut(strings.TrimSpace(text), " = ")
	if _, err := seal.ParseMD5(name+".md5", []byte(hex+"  "+name+"\n"), false); err == nil || !strings.Contains(err.Error(), "BSD") {
		t.Errorf("the GNU form: %v", err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadKeyring("ring", public)
	if err != nil {
		t.Fatal(err)
	}
	asc := []byte(fileOf(e.Owed["RIPE"], name+".asc"))
	if _, _, err := ring.Verify(data, asc, seal.Policy{Now: day.Add(time.Hour)}); err != nil {
		t.Errorf("the signature: %v", err)
	}
}
