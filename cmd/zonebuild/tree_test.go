package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// A tree is a small registry on disk: what zonefetch and the registry would
// have left, and zonebuild's own folders.
type tree struct {
	t        *testing.T
	dir      string
	wrecks   string // where crashes of it are replayed, if they are
	store    string // what their files are kept in
	now      time.Time
	fs       publish.FS
	manifest zone.Manifest
	out, err bytes.Buffer
}

const (
	zoneA = zone.Name("27.in-addr.arpa.")
	zoneB = zone.Name("42.in-addr.arpa.")
)

const treeConfig = `version = 1
rir = "APNIC"
[[source]]
name = "JPNIC"
url = "https://127.0.0.1/{zone}-{name}"
zones = "listed"
require = ["md5"]
[[source]]
name = "KRNIC"
url = "https://127.0.0.1/{zone}-{name}"
zones = "listed"
require = ["md5"]
[[zones]]
names = ["27.in-addr.arpa", "42.in-addr.arpa"]
ns = ["ns1.registry.example", "ns2.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
[publish]
keep = 5
`

// newTree writes a registry in which JPNIC has 40 delegations in each zone,
// KRNIC 20 in zone A, and the registry 5 in each, and makes the keys.
func newTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC), fs: crashfs.NoSync(publish.OS)}
	tr.manifest = zone.Manifest{Version: 1, Run: 1, Time: tr.now}
	tr.write("nirzone.toml", treeConfig)
	tr.write("registry/claims", "JPNIC\t27.0.0.0/9\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	for _, z := range []zone.Name{zoneA, zoneB} {
		tr.registry(z, owners(z, 250, 5))
		tr.feed("JPNIC", z, owners(z, 10, 40))
	}
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 20))
	tr.must(0, "keys", "init")
	return tr
}

// owners returns n /24s of the zone, in the /16 given.
func owners(z zone.Name, second, n int) []zone.Name {
	p, _ := z.Prefix()
	first := p.Addr().As4()[0]
	var names []zone.Name
	for i := range n {
		name, err := zone.ReverseName(netip.PrefixFrom(netip.AddrFrom4([4]byte{first, byte(second), byte(i), 0}), 24))
		if err != nil {
			panic(err)
		}
		names = append(names, name)
	}
	return names
}

func zonelet(source string, z zone.Name, at time.Time, names []zone.Name) []byte {
	var records []zone.Record
	for _, n := range names {
		for _, host := range []zone.Name{"ns1.", "ns2."} {
			records = append(records, zone.Record{Name: n, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData(host + zone.Name(strings.ToLower(source)) + ".example.")})
		}
	}
	return zone.FormatZonelet(source, z, at, 86400, records)
}

func (tr *tree) path(name string) string { return filepath.Join(tr.dir, filepath.FromSlash(name)) }

// write replaces a file as the program does whose file it is: through the tree's
// file system, which may be recording.
func (tr *tree) write(name, text string) {
	tr.t.Helper()
	if err := publish.MkdirAll(tr.fs, filepath.Dir(tr.path(name)), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := publish.WriteFile(tr.fs, tr.path(name), []byte(text), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) registry(z zone.Name, names []zone.Name) {
	tr.write("registry/"+z.File()+"-APNIC", string(zonelet("APNIC", z, tr.now, names)))
}

// feed is a zonelet that zonefetch accepted.
func (tr *tree) feed(source string, z zone.Name, names []zone.Name) {
	tr.accept(source, z, zonelet(source, z, tr.now, names))
}

// accept puts bytes into the spool as zonefetch does.
func (tr *tree) accept(source string, z zone.Name, data []byte) {
	sum := digest(data)
	tr.write(zone.ObjectPath(sum)[0:0]+"spool/"+zone.ObjectPath(sum), string(data))
	s := tr.manifest.Source(source)
	if s == nil {
		tr.manifest.Sources = append(tr.manifest.Sources, zone.SourceEntry{Name: source})
		s = tr.manifest.Source(source)
	}
	e := s.Zone(z)
	if e == nil {
		s.Zones = append(s.Zones, zone.ZoneEntry{Zone: z})
		e = s.Zone(z)
	}
	e.Accepted = &zone.Accepted{SHA256: sum, Size: int64(len(data)), File: z.File() + "-" + source, FirstSeen: tr.now, LastChecked: tr.now, Signer: "TEST"}
	e.Last = zone.Attempt{Time: tr.now, Outcome: zone.OutcomeNew}
	tr.write("spool/manifest.json", string(tr.manifest.Encode()))
}

// seen says that every zonelet was seen again, unchanged, now.
func (tr *tree) seen() {
	for i := range tr.manifest.Sources {
		for j := range tr.manifest.Sources[i].Zones {
			tr.manifest.Sources[i].Zones[j].Accepted.LastChecked = tr.now
		}
	}
	tr.write("spool/manifest.json", string(tr.manifest.Encode()))
}

// tried says that zonefetch ran now and reached nobody.
func (tr *tree) tried() {
	tr.manifest.Time = tr.now
	tr.write("spool/manifest.json", string(tr.manifest.Encode()))
}

// run calls zonebuild in process.
func (tr *tree) run(args ...string) int {
	tr.out.Reset()
	tr.err.Reset()
	sh := shell.Shell{Name: "zonebuild", Stdout: &tr.out, Stderr: &tr.err, Clock: func() time.Time { return tr.now }}
	return run(context.Background(), append(args, "--config", tr.path("nirzone.toml")), &sh, tr.fs)
}

// must calls zonebuild and fails the test unless it exits with code.
func (tr *tree) must(code int, args ...string) {
	tr.t.Helper()
	if got := tr.run(args...); got != code {
		tr.t.Fatalf("zonebuild %v: exit %d, not %d\n%s%s", args, got, code, tr.out.String(), tr.err.String())
	}
}

// says fails the test unless the last run printed all of want.
func (tr *tree) says(want ...string) {
	tr.t.Helper()
	all := tr.out.String() + tr.err.String()
	for _, w := range want {
		if !strings.Contains(all, w) {
			tr.t.Errorf("%q is not in\n%s", w, all)
		}
	}
}

// later moves the clock by one cycle.
func (tr *tree) later(d time.Duration) {
	tr.now = tr.now.Add(d)
}

// current returns the published generation and checks it whole: every file has
// the digest that generation.json says.
func (tr *tree) current() *zone.Generation {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("public/current/generation.json"))
	if err != nil {
		tr.t.Fatal(err)
	}
	g, err := zone.ParseGeneration("generation.json", data)
	if err != nil {
		tr.t.Fatal(err)
	}
	for _, z := range g.Zones {
		file, err := os.ReadFile(tr.path("public/current/" + z.Zone.File()))
		if err != nil || digest(file) != z.SHA256 || int64(len(file)) != z.Size {
			tr.t.Errorf("zone %s is not as generation.json says: %v", z.Zone, err)
		}
	}
	return g
}

// delegated returns the owners with NS records in a published file, sorted.
func (tr *tree) delegated(z zone.Name) []zone.Name {
	tr.t.Helper()
	data, err := os.ReadFile(tr.path("public/current/" + z.File()))
	if err != nil {
		tr.t.Fatal(err)
	}
	seen := map[zone.Name]bool{}
	for line := range strings.SplitSeq(string(data), "\n") {
		f := strings.Fields(line)
		if len(f) > 4 && f[3] == "NS" && f[0] != string(z) {
			seen[zone.Name(f[0])] = true
		}
	}
	var names []zone.Name
	for n := range seen {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (tr *tree) count(z zone.Name, want int) {
	tr.t.Helper()
	if got := len(tr.delegated(z)); got != want {
		tr.t.Errorf("%s holds %d delegations, not %d\n%s%s", z, got, want, tr.out.String(), tr.err.String())
	}
}

func (tr *tree) held() []zone.Hold {
	tr.t.Helper()
	tr.must(0, "held", "--json")
	var list struct{ Holds []zone.Hold }
	if err := json.Unmarshal(tr.out.Bytes(), &list); err != nil {
		tr.t.Fatal(err)
	}
	return list.Holds
}

// published makes the first generation: 65 delegations in zone A, 45 in B.
func published(t *testing.T) *tree {
	t.Helper()
	tr := newTree(t)
	tr.must(0, "init", "--accept", fmt.Sprint(65+45))
	tr.count(zoneA, 65)
	tr.count(zoneB, 45)
	return tr
}
