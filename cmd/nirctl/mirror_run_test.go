package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/fetch"
	"nirzone/zone/seal"
)

// A mirrorSite is an NIR that publishes its whois database by FTP, sealed by GnuPG,
// and a registry that fetches and mirrors it.
type mirrorSite struct {
	t         *testing.T
	dir, root string
	now       time.Time
	gpg       *peers.GPG
}

func newMirrorSite(t *testing.T, w *dbWorld) *mirrorSite {
	s := &mirrorSite{t: t, dir: t.TempDir(), root: t.TempDir(), now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	for d := s.root; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) // the server runs as somebody else
	}
	f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: s.root})
	s.gpg = peers.NewGPG(t, peers.GPGKey{Made: s.now.AddDate(-1, 0, 0)})
	if err := w.copy(s.dir); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(w.dir, "nirzone.toml"))
	if err != nil {
		t.Fatal(err)
	}
	source := fmt.Sprintf("[fetch]\nbackoff = \"1ms\"\n[[source]]\nname = \"JPNIC\"\nkeyring = \"jpnic.asc\"\nwhois = \"ftp://%s/jpnic.db.gz\"\n", f.Addr())
	s.put("nirzone.toml", append(config, source...))
	s.put("jpnic.asc", s.gpg.ExportPublic(t))
	return s
}

func (s *mirrorSite) put(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// publish publishes a database of n persons, packed, and fetches it as zonefetch
// does.
func (s *mirrorSite) publish(n int, more string) {
	s.t.Helper()
	s.now = s.now.Add(2 * time.Hour)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range n {
		fmt.Fprintln(z, strings.ReplaceAll(strings.Replace(dump, "Kenji", fmt.Sprintf("Kenji %d", i), 1), "KE1-JP", fmt.Sprintf("KE%d-JP", i+1)))
	}
	fmt.Fprintln(z, more)
	if err := z.Close(); err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.root, "jpnic.db.gz")
	seals := map[string][]byte{"": b.Bytes(), ".md5": seal.FormatMD5("jpnic.db.gz", b.Bytes())}
	for _, suffix := range []string{"", ".md5", ".asc"} {
		if suffix == ".asc" {
			seals[suffix] = s.gpg.DetachSign(s.t, file, peers.SignOptions{At: s.now})
		}
		if err := os.WriteFile(file+suffix, seals[suffix], 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	s.fetch()
}

func (s *mirrorSite) fetch() {
	s.t.Helper()
	name := filepath.Join(s.dir, "nirzone.toml")
	data, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	config, err := zone.ParseConfig(name, data)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := fetch.Run(context.Background(), fetch.Options{Config: config, Now: s.now.Add(time.Minute)})
	if err != nil || r.Failed() {
		s.t.Fatalf("%v\n%s", err, r.Encode())
	}
}

// out is what nirctl prints an hour after the last state.
func (s *mirrorSite) out(line string) (stdout, stderr string) {
	args := append([]string{"--now", s.now.Add(time.Hour).Format(time.RFC3339)}, strings.Fields(line)...)
	stdout, stderr, _ = inProcess(s.dir, args...)
	return stdout, stderr
}

// run runs nirctl an hour after the last state, and checks what it prints.
func (s *mirrorSite) run(code int, line, want string) {
	s.t.Helper()
	args := append([]string{"--now", s.now.Add(time.Hour).Format(time.RFC3339)}, strings.Fields(line)...)
	out, errs, got := inProcess(s.dir, args...)
	if got != code || !strings.Contains(out+errs, want) {
		s.t.Fatalf("nirctl %s: exit %d, want %d and %q\n%s%s", line, got, code, want, out, errs)
	}
}

// testMirror: what zonefetch brought from a real server, sealed by GnuPG, is
// mirrored by the spool's manifest; a second time there is nothing to do; deletions
// are held and released; a database that cannot be read changes nothing.
func testMirror(t *testing.T, w *dbWorld) {
	s := newMirrorSite(t, w)
	s.run(5, "mirror run --yes", "zonefetch")
	s.publish(40, "")
	s.run(2, "mirror run KRNIC --yes", "no [[source]]")
	s.run(0, "mirror run --dry-run", "")
	s.run(0, "mirror run --yes", "JPNIC: 40 objects; 40 added, 0 changed, 0 deleted, 0 refused; the state of 2026-06-01 14:00, 60 min ago")
	s.run(0, "whois view person KE40-JP", "Kenji 39")
	s.run(0, "mirror run --yes", "nothing new; the state of 2026-06-01 14:00")
	if out, errs := s.out("mirror run --yes --quiet"); out+errs != "" {
		t.Errorf("--quiet, and nothing new: %s%s", out, errs)
	}
	if out, _ := s.out("mirror run --yes --jq .mirrors[].objects"); out != "40\n" {
		t.Errorf("JSON of mirrors where nothing is new: %q", out)
	}
	s.publish(10, "")
	s.run(9, "mirror run --yes", "30 deletions of JPNIC held")
	s.run(9, "mirror run --yes", "nothing new")
	out, _, _ := inProcess(s.dir, "mirror", "list", "-o", "wide", "--no-headers")
	s.run(0, "mirror list -o wide", "jpnic.db.gz")
	s.run(0, "whois release JPNIC "+held64(t, out)+" --removes 30 -m moved --yes", "done")
	s.run(2, "mirror run", "nobody is there to confirm it")
	if out, errs := s.out("mirror run --yes --quiet --json=nir,objects,deleted"); !json.Valid([]byte(out)) || !strings.Contains(out, `"deleted": 30`) || errs != "" {
		t.Errorf("--json: %s\n%s", out, errs)
	}
	s.publish(11, "inetnum: nonsense")
	s.run(2, "mirror run --yes", "what is mirrored stays")
	s.run(0, "whois view person KE10-JP", "Kenji 9")
	s.now = s.now.AddDate(0, 0, 30)
	s.run(2, "mirror run", "what is mirrored stays")
	if out, _ := s.out("notice log --nir JPNIC -o wide"); strings.Contains(out, "mirror-late") {
		t.Errorf("a notice is opened though nobody said yes:\n%s", out)
	}
	s.run(2, "mirror run --yes", "what is mirrored stays")
	s.run(0, "notice log --nir JPNIC -o wide", "mirror-late")
}

// held64 finds the hash of what is held in what mirror list printed: it stands
// behind that of the file.
func held64(t *testing.T, out string) string {
	t.Helper()
	for _, f := range slices.Backward(strings.Fields(out)) {
		if len(f) == 64 {
			return f
		}
	}
	t.Fatalf("no hash in %q", out)
	return ""
}
