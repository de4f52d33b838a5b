package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures"
	"nirzone/fixtures/programs"
	"nirzone/zone"
)

// A registry is a made-up world that zonefetch and zonebuild themselves have
// fetched and published, three times, in folders that can be read side by side:
//
//	first    the first publication: every case of the world
//	later    two hours on: a held shrink, claims that moved, an impossible set, a
//	         file that does not parse, a file that waits for the next build
//	pinned   after a rollback
type registry struct {
	world *fixtures.World
	vars  map[string]string // for scripts: $FIRST, $PLAIN, …
	lost  []zone.Name       // that KRNIC no longer says
	added zone.Name         // that CNNIC says and no build has seen
	moved zone.Name         // whose claims moved away from VNNIC
}

// The times of the two cycles.
var (
	firstCycle = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	laterCycle = firstCycle.Add(2 * time.Hour)
)

const stage zone.Name = "202.in-addr.arpa."

// classless is a /24 in which the registry writes names of RFC 2317.
const classless zone.Name = "99.250.202.in-addr.arpa."

// A cycler runs the programs over one folder.
type cycler struct {
	t   *testing.T
	dir string
	bin programs.Bin
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	tmp := t.TempDir()
	bin, err := programs.Build(filepath.Join(tmp, "bin"), "zonefetch", "zonebuild")
	c := &cycler{t, filepath.Join(tmp, "later"), bin}
	c.check(err)
	w, err := fixtures.Generate(fixtures.Options{Seed: 1, Size: fixtures.Small, Dir: c.dir, Now: firstCycle})
	c.check(err)
	servers, err := fixtures.Serve(context.Background(), w)
	c.check(err)
	defer servers.Close()
	c.check(w.WriteConfig(servers.Folders, servers.CAFile))
	c.laxClaims()
	r := &registry{world: w}
	r.first(c)
	c.copy(filepath.Join(tmp, "first"))
	r.later(c)
	c.copy(filepath.Join(tmp, "pinned"))
	(&cycler{t, filepath.Join(tmp, "pinned"), c.bin}).run(laterCycle.Add(time.Hour), "zonebuild", 3, "rollback")
	r.setVars(tmp)
	return r
}

func (c *cycler) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cycler) run(now time.Time, program string, code int, args ...string) {
	c.t.Helper()
	if r := c.bin.Call(c.dir, now, append([]string{program}, args...)...); r.Code != code {
		c.t.Fatalf("%s %v: exit code %d, want %d\n%s", program, args, r.Code, code, r.Out)
	}
}

// laxClaims lets claims shrink without a gate of their own.
func (c *cycler) laxClaims() {
	c.t.Helper()
	f, err := os.OpenFile(filepath.Join(c.dir, "nirzone.toml"), os.O_APPEND|os.O_WRONLY, 0)
	c.check(err)
	_, err = f.WriteString("\n[gates]\nclaims_percent = 100.0\n")
	c.check(err)
	c.check(f.Close())
}

// copy keeps the folder as it is now.
func (c *cycler) copy(to string) {
	c.t.Helper()
	c.check(os.CopyFS(to, os.DirFS(c.dir)))
	keys, err := filepath.Glob(filepath.Join(to, "keys", "*", "*.private"))
	c.check(err)
	for _, k := range keys {
		c.check(os.Chmod(k, 0o600))
	}
}

func (r *registry) first(c *cycler) {
	c.check(r.world.Change(fixtures.RIR, stage, firstCycle.Add(time.Minute), func(rs []zone.Record) []zone.Record {
		sub := "0-127." + classless
		return append(rs,
			zone.Record{Name: sub, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData("ns1.customer.example.")},
			zone.Record{Name: sub, Type: zone.TypeNS, TTL: 86400, Data: zone.NSData("ns2.customer.example.")},
			zone.Record{Name: "1." + classless, Type: zone.TypeCNAME, TTL: 86400, Data: zone.NSData("1." + sub)})
	}))
	c.run(firstCycle.Add(10*time.Minute), "zonefetch", 0)
	c.run(firstCycle.Add(15*time.Minute), "zonebuild", 0, "keys", "init")
	c.run(firstCycle.Add(20*time.Minute), "zonebuild", 0, "init", "--accept", fmt.Sprint(r.world.Delegations+1))
}

func (r *registry) later(c *cycler) {
	w := r.world
	bad := w.Cases.SingleNS
	c.check(w.Change(bad.Source, bad.Zone, laterCycle, func(rs []zone.Record) []zone.Record {
		for i := range rs {
			if rs[i].Name == bad.Name {
				rs[i].Data = zone.NSData("192.0.2.1.")
			}
		}
		return rs
	}))
	var err error
	r.lost, err = w.Shrink("KRNIC", stage, 10, laterCycle.Add(time.Minute))
	c.check(err)
	c.check(w.PublishBytes(w.Find("IRINN", "103.in-addr.arpa."), []byte("this is no zonelet\n")))
	r.moveClaims(c)
	c.run(laterCycle.Add(10*time.Minute), "zonefetch", 0)
	c.run(laterCycle.Add(20*time.Minute), "zonebuild", 3)
	r.added, err = w.Add("CNNIC", stage, laterCycle.Add(30*time.Minute))
	c.check(err)
	c.run(laterCycle.Add(40*time.Minute), "zonefetch", 0)
}

// moveClaims gives what VNNIC has in 103/8 to IDNIC.
func (r *registry) moveClaims(c *cycler) {
	records, err := r.world.Records(r.world.Find("VNNIC", "103.in-addr.arpa."))
	c.check(err)
	r.moved = records[0].Name
	eight := netip.MustParsePrefix("103.0.0.0/8")
	var lines []string
	claims := slices.Clone(r.world.Claims)
	for i := range claims {
		if claims[i].Source == "VNNIC" && claims[i].Prefix.Overlaps(eight) {
			claims[i].Source = "IDNIC"
		}
	}
	for _, cl := range zone.NewClaims(claims).All() {
		lines = append(lines, cl.Source+"\t"+cl.Prefix.String()+"\n")
	}
	c.check(os.WriteFile(filepath.Join(c.dir, "registry", "claims"), []byte(strings.Join(lines, "")), 0o644))
	c.check(os.Remove(filepath.Join(c.dir, "registry", "manifest.json"))) // now written by hand
}

func (r *registry) setVars(tmp string) {
	cs := r.world.Cases
	r.vars = map[string]string{
		"FIRST": filepath.Join(tmp, "first"), "LATER": filepath.Join(tmp, "later"), "PINNED": filepath.Join(tmp, "pinned"),
		"LOST": r.lost[0].File(), "ADDED": r.added.File(), "MOVED": r.moved.File(), "CLASSLESS": classless.File(),
	}
	for name, c := range map[string]fixtures.Case{
		"PLAIN": cs.Plain, "OVERRIDE": cs.Override, "SHADOWED": cs.Shadowed, "OUTSIDE": cs.Outside,
		"DUPLICATE": cs.Duplicate, "SINGLE": cs.SingleNS, "DS": cs.DS, "APEX": cs.Apex, "EMPTY": cs.Empty,
	} {
		r.vars[name], r.vars[name+"_SOURCE"] = c.Name.File(), c.Source
		if p, ok := c.Name.Prefix(); ok {
			r.vars[name+"_PREFIX"], r.vars[name+"_ADDR"] = p.String(), p.Addr().Next().String()
		}
	}
}
