package fetch

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/seal"
)

const dumpName = "jpnic.db.gz"

// dumpOf is a whois database of n persons, packed.
func dumpOf(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range n {
		fmt.Fprintf(z, "person: Example %d\nnic-hdl: EX%d-JP\nsource: JPNIC\n\n", i, i)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dumpAt publishes a database with a sum and a signature by GnuPG.
func (s *site) dumpAt(g *peers.GPG, data []byte, at time.Time) {
	s.write(dumpName, data)
	s.write(dumpName+".md5", seal.FormatMD5(dumpName, data))
	s.write(dumpName+".asc", g.DetachSign(s.t, filepath.Join(s.dir, dumpName), peers.SignOptions{At: at}))
}

// TestDump takes a whois database through its life, from real servers and sealed by
// GnuPG: new, unchanged, under a seal that does not fit, new again and the old one
// pruned. The zonelets beside it are not touched by any of it.
func TestDump(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string) (string, string, string){
		"vsftpd": ftpCase(peers.VsftpdConfig{}, ""),
		"rsyncd": rsyncCase(map[string]string{"apnic": "open sesame"}, ""),
	} {
		t.Run(name, func(t *testing.T) { dumpLife(t, start) })
	}
}

func dumpLife(t *testing.T, start func(*testing.T, string) (string, string, string)) {
	site := newSite(t)
	g := peers.NewGPG(t, peers.GPGKey{Made: testNow.AddDate(-1, 0, 0)})
	url, lines, more := start(t, site.dir)
	own, err := testKey().Public()
	if err != nil {
		t.Fatal(err)
	}
	keyring := filepath.Join(t.TempDir(), "keys.asc")
	if err := os.WriteFile(keyring, append(own, g.ExportPublic(t)...), 0o644); err != nil {
		t.Fatal(err)
	}
	whois := strings.Replace(url, "{zone}-{name}", dumpName, 1)
	s := configure(t, url, lines+fmt.Sprintf("\nkeyring = %q\nwhois = %q", keyring, whois), more)
	site.put("202.in-addr.arpa-JPNIC", zonelet(202, 3))
	first := dumpOf(t, 20)
	site.dumpAt(g, first, testNow.Add(-2*time.Hour))

	wantDump(t, s, zone.OutcomeNew, first)
	wantDump(t, s, zone.OutcomeUnchanged, first)
	m := s.manifest()
	if e := m.Source("JPNIC"); len(m.Sources) != 1 || len(e.Zones) != 1 || e.Zones[0].Zone != zone202 || e.Zones[0].Last.Outcome != zone.OutcomeUnchanged {
		t.Errorf("the zonelets: %+v", m.Sources)
	}
	second := dumpOf(t, 21)
	site.write(dumpName, second) // without its seals
	wantDump(t, s, zone.OutcomeRace, first)
	if r := s.run(); !r.Failed() || s.manifest().Dump("JPNIC").Last.Outcome != zone.OutcomeKept {
		t.Errorf("a seal that does not fit: %+v", s.manifest().Dump("JPNIC").Last)
	}
	site.dumpAt(g, second, testNow.Add(-time.Hour))
	site.write(dumpName+".md5", seal.FormatMD5("other.gz", second))
	if r := s.run(); !r.Failed() {
		t.Error("a sum of another name is taken")
	}
	site.dumpAt(g, second, testNow.Add(-time.Hour))
	wantDump(t, s, zone.OutcomeNew, second)
	if _, err := os.Stat(filepath.Join(s.config.Spool, zone.ObjectPath(digest(first)))); !os.IsNotExist(err) {
		t.Errorf("the old database was not pruned: %v", err)
	}
}

// wantDump runs and checks what became of the database, and that its bytes are in
// the spool.
func wantDump(t *testing.T, s *setup, outcome zone.Outcome, data []byte) {
	t.Helper()
	r := s.run()
	d := s.manifest().Dump("JPNIC")
	if d == nil || d.Last.Outcome != outcome || d.Accepted == nil || d.Accepted.SHA256 != digest(data) || d.Accepted.Signer == "" || d.Accepted.MD5Object == "" {
		t.Fatalf("want %s of %s, got %+v\n%s", outcome, digest(data)[:8], d, r.Encode())
	}
	for _, sum := range []string{d.Accepted.SHA256, d.Accepted.MD5Object, d.Accepted.SignatureObject} {
		if object, err := os.ReadFile(filepath.Join(s.config.Spool, zone.ObjectPath(sum))); err != nil || digest(object) != sum {
			t.Errorf("%v", err)
		}
	}
	if len(r.Sources) != 2 || r.Sources[0].Name != "JPNIC/whois" || !strings.HasSuffix(r.Sources[0].URL, "/"+dumpName) {
		t.Errorf("report: %s", r.Encode())
	}
}

// TestDumpLimits: a database longer than whois_max_bytes, an empty one and none at
// all fail alone; a source may have nothing but a database.
func TestDumpLimits(t *testing.T) {
	site := newSite(t)
	f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: site.dir})
	base := "ftp://" + f.Addr() + "/"
	site.put("202.in-addr.arpa-JPNIC", zonelet(202, 3))
	site.put(dumpName, dumpOf(t, 500))
	site.put("empty.db", nil)
	for file, c := range map[string]struct{ lines, says string }{
		dumpName:   {"whois_max_bytes = 100", "more than"},
		"empty.db": {"", "zero bytes"},
	} {
		s := configure(t, base+"{zone}-{name}", fmt.Sprintf("whois = %q\n%s", base+file, c.lines), "")
		r := s.run()
		d := s.manifest().Dump("JPNIC")
		if !r.Failed() || d == nil || d.Accepted != nil || d.Last.Outcome != zone.OutcomeAbsent || !strings.Contains(d.Last.Reason, c.says) {
			t.Errorf("%s: %+v", file, d)
		}
		if e := s.entry(zone202); e.Last.Outcome != zone.OutcomeNew {
			t.Errorf("%s: the zonelet: %+v", file, e)
		}
	}
	s := configure(t, base+"{zone}-{name}", fmt.Sprintf("whois = %q", base+dumpName), "")
	s.config.Sources[0].URL, s.config.Sources[0].Zones, s.config.Sources[0].Listed = "", nil, false
	if r := s.run(); r.Failed() || len(r.Sources) != 1 || len(s.manifest().Sources) != 0 || s.manifest().Dump("JPNIC").Accepted == nil {
		t.Errorf("a database alone: %s", r.Encode())
	}
}

// TestDumpsOfOthersStay: a run of some sources keeps what is known of the databases
// of the others, and forgets those of sources that are gone.
func TestDumpsOfOthersStay(t *testing.T) {
	had := func(name string) zone.DumpEntry {
		return zone.DumpEntry{Source: name, Accepted: &zone.Accepted{SHA256: name}, Last: zone.Attempt{Outcome: zone.OutcomeNew}}
	}
	prev := &zone.Manifest{Dumps: []zone.DumpEntry{had("GONE"), had("JPNIC"), had("KRNIC")}}
	c := &zone.Config{Sources: []zone.Source{{Name: "JPNIC", Whois: "https://h/jpnic"}, {Name: "KRNIC", Whois: "https://h/krnic"}, {Name: "TWNIC"}}}
	ran := sourceResult{entry: zone.SourceEntry{Name: "JPNIC/whois", Zones: []zone.ZoneEntry{{Last: zone.Attempt{Outcome: zone.OutcomeAbsent}}}}}
	got := assembleDumps(c, prev, []sourceResult{ran})
	if len(got) != 2 || got[0].Source != "JPNIC" || got[0].Last.Outcome != zone.OutcomeAbsent || got[1] != prev.Dumps[2] {
		t.Errorf("%+v", got)
	}
}
