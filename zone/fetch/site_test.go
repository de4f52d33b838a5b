package fetch

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
	"nirzone/zone/seal"
)

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	zone202 = zone.Name("202.in-addr.arpa.")
	zone203 = zone.Name("203.in-addr.arpa.")
)

// testKey is one key for all tests: making one costs.
var testKey = sync.OnceValue(func() *seal.Key {
	k, err := seal.GenerateKey("JPNIC <zones@nic.example>", testNow.AddDate(-1, 0, 0), 0, rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// A site is what an NIR publishes: a folder that servers serve.
type site struct {
	t   testing.TB
	dir string
	key *seal.Key
	at  time.Time // modification time of the next file; moves on
}

func newSite(t testing.TB) *site {
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) // servers run as somebody else
	}
	return &site{t: t, dir: dir, key: testKey(), at: testNow.Add(-time.Hour)}
}

func (s *site) write(name string, data []byte) {
	s.t.Helper()
	s.at = s.at.Add(time.Second)
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chtimes(file, s.at, s.at); err != nil {
		s.t.Fatal(err)
	}
}

// put publishes a zonelet with both seals.
func (s *site) put(name string, data []byte) {
	s.t.Helper()
	s.write(name, data)
	s.write(name+".md5", seal.FormatMD5(name, data))
	s.write(name+".asc", s.sign(data, s.at))
}

func (s *site) sign(data []byte, at time.Time) []byte {
	s.t.Helper()
	sig, err := s.key.Sign(data, at)
	if err != nil {
		s.t.Fatal(err)
	}
	return sig
}

func (s *site) remove(name string) {
	for _, suffix := range []string{"", ".md5", ".asc"} {
		if err := os.Remove(filepath.Join(s.dir, name+suffix)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// zonelet is a zonelet of n delegations.
func zonelet(octet, n int) []byte {
	var b bytes.Buffer
	b.WriteString("$TTL 86400\n$ORIGIN .\n")
	for i := range n {
		fmt.Fprintf(&b, "%d.%d.%d.in-addr.arpa. NS ns%d.nic.example.\n", i%256, i/256, octet, i)
	}
	fmt.Fprintf(&b, "JPNIC.%d.in-addr.arpa. TXT \"Generated at 2026-11-21 00:00:00Z with %d NS records.\"\n", octet, n)
	return b.Bytes()
}

// A setup is a configuration in a folder of its own.
type setup struct {
	t      testing.TB
	dir    string
	config *zone.Config
	now    time.Time
	fs     publish.FS
	dry    bool
}

// configure writes and reads a configuration with one source: lines are added to
// its [[source]], fetch to [fetch].
func configure(t testing.TB, url, lines, fetch string) *setup {
	t.Helper()
	dir := t.TempDir()
	public, err := testKey().Public()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "jpnic.asc"), public, 0o644); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(lines, "zones =") {
		lines += "\nzones = \"listed\""
	}
	if !strings.Contains(lines, "keyring =") {
		lines += "\nkeyring = \"jpnic.asc\""
	}
	if !strings.Contains(fetch, "idle =") {
		fetch += "\nidle = \"20s\""
	}
	text := fmt.Sprintf(`version = 1
rir = "APNIC"
[fetch]
backoff = "1ms"
%s
[[source]]
name = "JPNIC"
url = %q
%s
[[zones]]
names = ["202.in-addr.arpa", "203.in-addr.arpa"]
ns = ["ns1.registry.example."]
soa = { mname = "ns1.registry.example.", rname = "hostmaster.registry.example." }
`, fetch, url, lines)
	c, err := zone.ParseConfig(filepath.Join(dir, "nirzone.toml"), []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := os.Mkdir(c.State, 0o700); err != nil {
		t.Fatal(err)
	}
	return &setup{t: t, dir: dir, config: c, now: testNow, fs: crashfs.NoSync(publish.OS)}
}

// secret writes a file that only its owner reads, before configure's folder exists.
func secret(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s *setup) try(ctx context.Context) (*Report, error) {
	start := time.Now()
	return Run(ctx, Options{Config: s.config, Now: s.now, FS: s.fs, DryRun: s.dry, Elapsed: func() time.Duration { return time.Since(start) }})
}

// run runs and moves the time on by a cycle.
func (s *setup) run() *Report {
	s.t.Helper()
	r, err := s.try(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	s.now = s.now.Add(2 * time.Hour)
	return r
}

func (s *setup) manifest() *zone.Manifest {
	s.t.Helper()
	file := filepath.Join(s.config.Spool, manifestName)
	data, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := zone.ParseManifest(file, data)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *setup) entry(z zone.Name) *zone.ZoneEntry {
	s.t.Helper()
	e := s.manifest().Source("JPNIC").Zone(z)
	if e == nil {
		s.t.Fatalf("the manifest has no %s", z)
	}
	return e
}

func (s *setup) objects() int {
	s.t.Helper()
	list, err := os.ReadDir(filepath.Join(s.config.Spool, objectsName))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

// wantZones checks the outcomes of the report's only source: zone=outcome, sorted.
func wantZones(t testing.TB, r *Report, want string) {
	t.Helper()
	if len(r.Sources) != 1 {
		t.Fatalf("%d sources", len(r.Sources))
	}
	var got []string
	for _, z := range r.Sources[0].Zones {
		octet, _, _ := strings.Cut(string(z.Zone), ".")
		got = append(got, octet+"="+string(z.Outcome))
	}
	if g := strings.Join(got, " "); g != want {
		t.Fatalf("outcomes are %q, want %q\n%s", g, want, r.Encode())
	}
}

func wantNotice(t testing.TB, r *Report, code, text string) {
	t.Helper()
	for _, n := range r.Notices {
		if n.Code == code && strings.Contains(n.Text, text) {
			return
		}
	}
	t.Fatalf("no notice %q with %q in\n%s", code, text, r.Encode())
}
