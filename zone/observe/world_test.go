package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
	"nirzone/zone/publish"
)

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const testZone = "202.in-addr.arpa"

// A world is one published zone, its configuration and its keys.
type world struct {
	t     *testing.T
	dir   string
	extra string // of [observe]
	ksk   *peers.ZoneKey
	zsk   *peers.ZoneKey
	text  string // of the published zone
	now   time.Time
	ids   atomic.Uint32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), ksk: peers.NewZoneKey(t, testZone, 257), zsk: peers.NewZoneKey(t, testZone, 256), now: testNow}
	w.publish(w.zone(2026112101, 20))
	return w
}

// zone is the zone with a serial and some delegations.
func (w *world) zone(serial uint32, count int) peers.SignedZone {
	z := peers.SignedZone{Name: testZone, Keys: []*peers.ZoneKey{w.ksk, w.zsk}, From: w.now.Add(-time.Hour), Until: w.now.AddDate(0, 0, 14)}
	z.Records = []string{
		fmt.Sprintf("%s. 3600 IN SOA ns1.registry.example. hostmaster.registry.example. %d 7200 1800 604800 3600", testZone, serial),
		testZone + ". 86400 IN NS ns1.registry.example.", testZone + ". 86400 IN NS ns2.registry.example.",
	}
	for i := range count {
		z.Records = append(z.Records, fmt.Sprintf("%d.%s. 86400 IN NS ns%d.isp.example.", i, testZone, i), fmt.Sprintf("%d.%s. 86400 IN NS ns.backup.example.", i, testZone))
		if i%3 == 0 {
			z.Records = append(z.Records, fmt.Sprintf("%d.%s. 86400 IN DS %d 13 2 %064x", i, testZone, i+1, i+1))
		}
	}
	return z
}

// plainZone is bytes that may be published.
type plainZone string

func (p plainZone) PublishName() string { return testZone }

func (p plainZone) WriteVerified(out io.Writer) (int64, error) {
	n, err := io.WriteString(out, string(p))
	return int64(n), err
}

// publish commits the zone as a generation.
func (w *world) publish(z peers.SignedZone) {
	w.t.Helper()
	w.text = z.Sign(w.t)
	var serial zone.Serial
	if _, err := fmt.Sscan(strings.Fields(z.Records[0])[6], &serial); err != nil {
		w.t.Fatal(err)
	}
	tree := publish.Tree{Root: filepath.Join(w.dir, "public"), Keep: 3}
	d, err := tree.Begin()
	if err != nil {
		w.t.Fatal(err)
	}
	defer d.Discard()
	zero := strings.Repeat("0", 64)
	sum := sha256.Sum256([]byte(w.text))
	g := zone.Generation{Version: zone.GenerationVersion, Number: d.Number(), Time: w.now, Cause: "build", Config: zero, Claims: zero, Zones: []zone.GenerationZone{{
		Zone: testZone + ".", Serial: serial, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(w.text)), Body: zero, Claims: zero,
	}}}
	if err := d.Add(publish.Zone(plainZone(w.text))); err != nil {
		w.t.Fatal(err)
	}
	if _, err := d.Commit(w.t.Context(), publish.Note("generation.json", g.Encode())); err != nil {
		w.t.Fatal(err)
	}
}

// folder writes a zone file for a server and returns the folder.
func (w *world) folder(text string) string {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, testZone), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// server adds the addresses of a server of the zones.
func (w *world) server(host string, addrs ...string) {
	w.extra += fmt.Sprintf("[[observe.server]]\nhost = %q\naddresses = [\"%s\"]\n", host, strings.Join(addrs, `", "`))
}

func (w *world) parent(host string, addrs ...string) {
	w.extra += fmt.Sprintf("[[observe.parent]]\nzone = \"in-addr.arpa\"\nhost = %q\naddresses = [\"%s\"]\n", host, strings.Join(addrs, `", "`))
}

func (w *world) config() *zone.Config {
	w.t.Helper()
	text := `version = 1
rir = "RIR"
metrics = "metrics"
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["ns1.registry.example", "ns2.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
[observe]
timeout = "300ms"
retries = 1
rate = 1000
lag = "0s"
` + w.extra
	c, err := zone.ParseConfig(filepath.Join(w.dir, "nirzone.toml"), []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) options() Options {
	return Options{Config: w.config(), Now: w.now, ID: func() uint16 { return uint16(w.ids.Add(7919)) }}
}

// observe runs and returns the report and what was recorded.
func (w *world) observe() (*Report, *zone.Observations) {
	w.t.Helper()
	r, err := Run(w.t.Context(), w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return r, w.recorded()
}

func (w *world) recorded() *zone.Observations {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "spool", "observations.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := zone.ParseObservations("observations.json", data)
	if err != nil {
		w.t.Fatal(err)
	}
	if string(o.Encode()) != string(data) {
		w.t.Error("encoding what was read gives other bytes")
	}
	return o
}

// codes are the notices of the report as "code server".
func codes(r *Report) []string {
	var out []string
	for _, n := range r.Notices {
		out = append(out, strings.TrimSpace(n.Code+" "+n.Name.File()))
	}
	slices.Sort(out)
	return out
}

func wantCodes(t *testing.T, r *Report, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := codes(r); !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
		for _, n := range r.Notices {
			t.Log(n)
		}
	}
}

func addr(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
