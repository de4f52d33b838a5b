package fetch

import (
	"crypto/md5"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/seal"
)

const one = "zones = [\"202.in-addr.arpa\"]\n"

// served is a site behind an FTP server of ours, with one zonelet accepted.
func served(t *testing.T, lines string) (*site, *fakeFTP, *setup) {
	t.Helper()
	site := newSite(t)
	f := newFakeFTP(site.dir)
	s := configure(t, f.start(t), one+lines, "")
	site.put(file202, zonelet(202, 5))
	wantZones(t, s.run(), "202=new")
	return site, f, s
}

// TestRace: the file is published, its seals follow minutes later, or too late, or
// never.
func TestRace(t *testing.T) {
	site, _, s := served(t, "")
	before := *s.entry(zone202).Accepted
	next := zonelet(202, 6)
	site.write(file202, next)
	start := s.now
	for _, step := range []struct {
		after   time.Duration
		outcome string
		failed  bool
	}{{0, "race", false}, {10 * time.Minute, "race", false}, {30 * time.Minute, "race", false}, {31 * time.Minute, "kept", true}} {
		s.now = start.Add(step.after)
		r := s.run()
		wantZones(t, r, "202="+step.outcome)
		wantNotice(t, r, "mismatch", "the last good version stands")
		if e := s.entry(zone202); r.Failed() != step.failed || !e.Last.MismatchSince.Equal(start) || *e.Accepted != before {
			t.Fatalf("after %v: failed %v, %+v", step.after, r.Failed(), e)
		}
	}
	site.put(file202, next)
	s.now = start.Add(40 * time.Minute)
	wantZones(t, s.run(), "202=new")
	if e := s.entry(zone202); !e.Last.MismatchSince.IsZero() {
		t.Errorf("the mismatch goes on: %+v", e.Last)
	}
}

// TestRaceOutlivesOtherFailures: what is not verified does not end a mismatch.
func TestRaceOutlivesOtherFailures(t *testing.T) {
	site, _, s := served(t, "")
	start := s.now
	site.write(file202, zonelet(202, 6))
	wantZones(t, s.run(), "202=race")
	site.write(file202, nil)
	wantZones(t, s.run(), "202=kept")
	site.write(file202, zonelet(202, 7))
	wantZones(t, s.run(), "202=kept")
	if e := s.entry(zone202); !e.Last.MismatchSince.Equal(start) || !strings.Contains(e.Last.Reason, "race_deadline is 30m") {
		t.Errorf("%+v", e.Last)
	}
}

// TestRaceOfAnNewZonelet: a seal that is not there yet is the same race, also when
// there is no earlier version.
func TestRaceOfANewZonelet(t *testing.T) {
	site := newSite(t)
	s := configure(t, newFakeFTP(site.dir).start(t), one, "")
	site.write(file202, zonelet(202, 6))
	r := s.run()
	wantZones(t, r, "202=race")
	wantNotice(t, r, "mismatch", "there is no earlier version")
	wantZones(t, s.run(), "202=absent")
}

// TestRaceIsWonInTheRun: the seals arrive between the first try and the retry; and a
// sum that changes between its two fetches needs no retry at all.
func TestRaceIsWonInTheRun(t *testing.T) {
	// The sum's size is asked for before and after it is transferred, once more after
	// the file was, and again in the retry.
	for name, when := range map[string]int{"before the retry": 4, "between the sums": 3} {
		t.Run(name, func(t *testing.T) {
			site, f, s := served(t, "")
			next := zonelet(202, 6)
			site.write(file202, next)
			site.write(file202+".md5", seal.FormatMD5(file202, []byte("old")))
			site.write(file202+".asc", site.sign(next, site.at))
			asked := 0
			f.arm(func() {
				f.hooks["SIZE"] = func(_ net.Conn, name string) bool {
					if name == file202+".md5" {
						if asked++; asked == when {
							site.write(file202+".md5", seal.FormatMD5(file202, next))
						}
					}
					return false
				}
			})
			wantZones(t, s.run(), "202=new")
			if n := len(f.commands("RETR " + file202 + ".md5")); n != 3 {
				t.Errorf("the sum was transferred %d times in two runs, want 3", n)
			}
		})
	}
}

// TestSealsReplacedWithinASecond: seals of the same size and time as before, over
// another file, are transferred all the same once file and seals do not match.
func TestSealsReplacedWithinASecond(t *testing.T) {
	site, _, s := served(t, "")
	var before []os.FileInfo
	seals := []string{filepath.Join(site.dir, file202+".md5"), filepath.Join(site.dir, file202+".asc")}
	for _, name := range seals {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, info)
	}
	site.put(file202, zonelet(202, 6))
	for i, name := range seals {
		if err := os.Chtimes(name, before[i].ModTime(), before[i].ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	wantZones(t, s.run(), "202=new")
}

func TestReplay(t *testing.T) {
	site, _, s := served(t, "")
	old, oldSig := zonelet(202, 5), mustRead(t, filepath.Join(site.dir, file202+".asc"))
	newer := zonelet(202, 6)
	site.put(file202, newer)
	wantZones(t, s.run(), "202=new")
	mark := s.entry(zone202).Accepted.SignedAt

	site.write(file202, old)
	site.write(file202+".md5", seal.FormatMD5(file202, old))
	site.write(file202+".asc", oldSig)
	r := s.run()
	wantZones(t, r, "202=kept")
	wantNotice(t, r, "kept", "an older one is not taken back")

	// The same bytes under an older signature are taken, but the mark stays.
	site.write(file202, newer)
	site.write(file202+".md5", seal.FormatMD5(file202, newer))
	site.write(file202+".asc", site.sign(newer, testNow.Add(-24*time.Hour)))
	wantZones(t, s.run(), "202=unchanged")
	if e := s.entry(zone202); !e.Accepted.SignedAt.Equal(mark) {
		t.Errorf("signed at %v, want %v", e.Accepted.SignedAt, mark)
	}
}

// TestSwapped: somebody on the way serves another zone's younger file with its good
// signature under this one's name. It is refused, and the right file, which is older,
// is not taken for a replay afterwards.
func TestSwapped(t *testing.T) {
	site, _, s := served(t, "")
	s.config.Sources[0].Zones = []zone.Name{zone202, zone203}
	right, rightSig := zonelet(202, 6), site.sign(zonelet(202, 6), site.at.Add(time.Minute))
	other := zonelet(203, 9)
	publish := func(data, sig []byte) {
		site.write(file202, data)
		site.write(file202+".md5", seal.FormatMD5(file202, data))
		site.write(file202+".asc", sig)
	}
	publish(other, site.sign(other, site.at.Add(2*time.Minute)))
	site.put("203.in-addr.arpa-JPNIC", other)
	r := s.run()
	wantZones(t, r, "202=kept 203=new")
	wantNotice(t, r, "kept", "it is the source's zonelet of 203.in-addr.arpa.")
	publish(right, rightSig)
	wantZones(t, s.run(), "202=new 203=unchanged")
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeKeyring replaces the source's keyring.
func (s *setup) writeKeyring(keys ...*seal.Key) {
	s.t.Helper()
	var all []byte
	for _, k := range keys {
		public, err := k.Public()
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(append(all, public...), '\n')
	}
	if err := os.WriteFile(s.config.Sources[0].Keyring, all, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func newKey(t *testing.T, life time.Duration) *seal.Key {
	t.Helper()
	k, err := seal.GenerateKey("JPNIC <next@nic.example>", testNow.AddDate(0, 0, -30), life, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeyExpires: nothing changes at the source but the date. Nothing is transferred,
// the version stays, but it does not count as checked any more.
func TestKeyExpires(t *testing.T) {
	site := newSite(t)
	site.key = newKey(t, 33*24*time.Hour)
	s := configure(t, newFakeFTP(site.dir).start(t), one, "")
	s.writeKeyring(site.key)
	site.put(file202, zonelet(202, 5))
	r := s.run()
	wantZones(t, r, "202=new")
	wantNotice(t, r, "keyring-ends-7", "the last that counts, ends on 2026-11-24")
	if end := r.Sources[0].KeyEnd; !end.Equal(testNow.AddDate(0, 0, 3)) {
		t.Errorf("key end %v", end)
	}
	checked := s.entry(zone202).Accepted.LastChecked

	s.now = testNow.AddDate(0, 0, 4)
	r = s.run()
	wantZones(t, r, "202=kept")
	wantNotice(t, r, "kept", site.key.Fingerprint())
	wantNotice(t, r, "kept", "expired on 2026-11-24")
	wantNotice(t, r, "stale", "call the source")
	if e := s.entry(zone202); e.Accepted == nil || !e.Accepted.LastChecked.Equal(checked) {
		t.Errorf("%+v", e.Accepted)
	}
	if z := r.Sources[0].Zones[0]; z.Transferred != 0 {
		t.Errorf("%d bytes were transferred", z.Transferred)
	}
	s.now = testNow.AddDate(0, 0, 8)
	wantNotice(t, s.run(), "stale-alarm", "call the source")
}

func TestKeyIsRevoked(t *testing.T) {
	site := newSite(t)
	site.key = newKey(t, 0)
	s := configure(t, newFakeFTP(site.dir).start(t), one, "")
	s.writeKeyring(site.key)
	site.put(file202, zonelet(202, 5))
	wantZones(t, s.run(), "202=new")
	if err := site.key.Revoke(testNow); err != nil {
		t.Fatal(err)
	}
	s.writeKeyring(site.key)
	r := s.run()
	wantZones(t, r, "202=kept")
	wantNotice(t, r, "kept", "was revoked on 2026-11-21")
	wantNotice(t, r, "keyring-no-usable-key", "every signature is refused")
}

// TestKeyRoll: both keys count while their windows overlap.
func TestKeyRoll(t *testing.T) {
	site := newSite(t)
	first, second := newKey(t, 0), newKey(t, 0)
	windows := fmt.Sprintf("keys = [{ fingerprint = %q, until = 2026-12-01 }, { fingerprint = %q, from = 2026-11-25 }]", first.Fingerprint(), second.Fingerprint())
	s := configure(t, newFakeFTP(site.dir).start(t), one+windows, "")
	s.writeKeyring(first, second)
	for i, step := range []struct {
		key  *seal.Key
		date time.Time
		want string
		text string
	}{
		{second, testNow, "202=absent", "counts from 2026-11-25 only"},
		{first, testNow, "202=new", ""},
		{first, testNow.AddDate(0, 0, 6), "202=new", ""},
		{second, testNow.AddDate(0, 0, 7), "202=new", ""},
		{first, testNow.AddDate(0, 0, 12), "202=kept", "counted until 2026-12-01 only"},
		{second, testNow.AddDate(0, 0, 13), "202=new", ""},
	} {
		site.key, s.now, site.at = step.key, step.date, step.date.Add(-time.Minute)
		site.put(file202, zonelet(202, i+1))
		r := s.run()
		wantZones(t, r, step.want)
		if !strings.Contains(string(r.Encode()), step.text) {
			t.Errorf("step %d: no %q in\n%s", i, step.text, r.Encode())
		}
	}
}

// TestSeals is every way in which a seal can be wrong, or is not asked for.
func TestSeals(t *testing.T) {
	data := zonelet(202, 5)
	stranger := newKey(t, 0)
	for name, c := range map[string]struct {
		lines string
		spoil func(s *site)
		want  string
		text  string
	}{
		"good":              {"", func(*site) {}, "new", ""},
		"GNU sum":           {"", gnu, "absent", "GNU form"},
		"GNU sum allowed":   {"allow_gnu_md5 = true", gnu, "new", "gnu-md5"},
		"sum of other name": {"", func(s *site) { s.write(file202+".md5", seal.FormatMD5("x", data)) }, "absent", "not of"},
		"wrong sum":         {"", func(s *site) { s.write(file202+".md5", seal.FormatMD5(file202, nil)) }, "race", "the sum of"},
		"empty sum":         {"", func(s *site) { s.write(file202+".md5", nil) }, "absent", "empty"},
		"long sum":          {"", func(s *site) { s.write(file202+".md5", make([]byte, 5000)) }, "absent", "more than the 4096 bytes that a seal may have"},
		"no sum":            {"", func(s *site) { _ = os.Remove(filepath.Join(s.dir, file202+".md5")) }, "race", ".md5 is not there"},
		"no sum wanted":     {`require = ["pgp"]`, func(s *site) { _ = os.Remove(filepath.Join(s.dir, file202+".md5")) }, "new", ""},
		"no signature":      {"", func(s *site) { _ = os.Remove(filepath.Join(s.dir, file202+".asc")) }, "race", ".asc is not there"},
		"none wanted":       {`require = ["md5"]`, func(s *site) { _ = os.Remove(filepath.Join(s.dir, file202+".asc")) }, "new", ""},
		"of other bytes":    {"", func(s *site) { s.write(file202+".asc", s.sign([]byte("x"), s.at)) }, "race", "did not make this signature"},
		"of a stranger":     {"", func(s *site) { s.key = stranger; s.put(file202, data) }, "absent", "not in the keyring"},
		"of tomorrow":       {"", func(s *site) { s.write(file202+".asc", s.sign(data, testNow.AddDate(0, 0, 1))) }, "absent", "in the future"},
		"garbage":           {"", func(s *site) { s.write(file202+".asc", []byte("garbage")) }, "absent", file202 + ".asc"},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSite(t)
			site.put(file202, data)
			c.spoil(site)
			s := configure(t, newFakeFTP(site.dir).start(t), one+c.lines, "")
			r := s.run()
			wantZones(t, r, "202="+c.want)
			if !strings.Contains(string(r.Encode()), c.text) {
				t.Errorf("no %q in\n%s", c.text, r.Encode())
			}
			if want := map[bool]bool{true: true, false: false}[c.want == "new"]; (s.objects() > 0) != want {
				t.Errorf("%d objects", s.objects())
			}
		})
	}
}

func gnu(s *site) {
	s.write(file202+".md5", fmt.Appendf(nil, "%x  %s\n", md5.Sum(zonelet(202, 5)), file202))
}

// TestKeyringTrouble: without its keyring a source is not even asked.
func TestKeyringTrouble(t *testing.T) {
	_, f, s := served(t, "")
	if err := os.Remove(s.config.Sources[0].Keyring); err != nil {
		t.Fatal(err)
	}
	asked := len(f.commands(""))
	r := s.run()
	wantZones(t, r, "202=kept")
	wantNotice(t, r, "unreached", "reading the keyring")
	if r.Sources[0].Outcome != zone.OutcomeKept || len(f.commands("")) != asked {
		t.Errorf("outcome %s, %d new commands", r.Sources[0].Outcome, len(f.commands(""))-asked)
	}
}
