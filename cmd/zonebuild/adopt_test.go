package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// live is a registry whose zones another signer serves: the files in served/ and
// keys in theirs/ are those of an older tree.
func live(t *testing.T) *tree {
	t.Helper()
	old := published(t)
	tr := newTree(t)
	tr.must(0, "keys", "init") // and away with them
	if err := os.RemoveAll(tr.path("keys")); err != nil {
		t.Fatal(err)
	}
	for _, z := range []zone.Name{zoneA, zoneB} {
		data, err := os.ReadFile(old.path("public/current/" + z.File()))
		if err != nil {
			t.Fatal(err)
		}
		tr.write("served/"+z.File()+".signed", string(data))
		for _, name := range []string{"*.key", "*.private"} {
			files, err := filepath.Glob(old.path("keys/" + z.File() + "/" + name))
			if err != nil || len(files) != 2 {
				t.Fatal(files, err)
			}
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				tr.write("theirs/"+filepath.Base(f), string(data))
				if err := os.Chmod(tr.path("theirs/"+filepath.Base(f)), 0o640); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	tr.later(time.Hour)
	tr.seen()
	return tr
}

// edit changes a served file. Its NSEC records go: what is left is not signed as
// a whole any more.
func (tr *tree) edit(z zone.Name, change func(string) string) {
	tr.t.Helper()
	name := "served/" + z.File() + ".signed"
	data, err := os.ReadFile(tr.path(name))
	if err != nil {
		tr.t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); f[3] != "NSEC" && !(f[3] == "RRSIG" && f[4] == "NSEC") {
			kept = append(kept, line)
		}
	}
	tr.write(name, change(strings.Join(kept, "")))
}

func (tr *tree) adoptPlan(args ...string) adoptReport {
	tr.t.Helper()
	tr.must(0, append([]string{"adopt", tr.path("served"), "--keys", tr.path("theirs"), "--json"}, args...)...)
	var r adoptReport
	if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil {
		tr.t.Fatal(err)
	}
	return r
}

func (tr *tree) adopt(code int) {
	tr.t.Helper()
	r := tr.adoptPlan()
	tr.must(code, "adopt", tr.path("served"), "--keys", tr.path("theirs"), "--accept", r.Hash[:12])
}

func TestAdoptUnchanged(t *testing.T) {
	tr := live(t)
	before := tr.snapshot()
	r := tr.adoptPlan()
	for i, z := range r.Zones {
		if len(z.Differences) > 0 || len(z.Blocks) > 0 || len(z.Standing) > 0 || !z.Next.Empty() || len(z.Keys) != 2 {
			t.Errorf("zone %d: %+v", i, z)
		}
	}
	tr.must(0, "adopt", tr.path("served"), "--keys", tr.path("theirs"))
	tr.says("serial and signatures alone", "--accept "+r.Hash[:12])
	if after := tr.snapshot(); !maps.Equal(before, after) {
		t.Error("the plan changed something")
	}
	tr.must(1, "adopt", tr.path("served"), "--keys", tr.path("theirs"), "--accept", "0123456789ab")
	tr.says("it has changed; nothing was published")
	for _, name := range []string{"keys", "public/current"} {
		if _, err := os.Lstat(tr.path(name)); err == nil {
			t.Errorf("a wrong hash made %s", name)
		}
	}
	tr.adopt(0)
	g := tr.current()
	if g.Cause != "adopt" || g.Number != 1 || g.Zone(zoneA).Serial != 2026112101 {
		t.Errorf("generation %+v", g)
	}
	tr.count(zoneA, 65)
	tr.later(cycle)
	tr.seen()
	tr.must(0)
	tr.says("-") // whatever it did, it did not fail
	tr.count(zoneA, 65)
	tr.must(1, "adopt", tr.path("served"), "--keys", tr.path("theirs"))
	tr.says("is published already")
}

// TestAdoptStands: what no source asserts stays, is listed, and goes when a
// person says so or when its manager asserts it.
func TestAdoptStands(t *testing.T) {
	tr := live(t)
	extra := []string{"7.99.27.in-addr.arpa.", "8.99.27.in-addr.arpa.", "9.250.27.in-addr.arpa."}
	tr.edit(zoneA, func(s string) string {
		for _, n := range extra {
			s += n + "\t86400\tIN\tNS\tns1.forgotten.example.\n"
		}
		return s
	})
	r := tr.adoptPlan()
	if len(r.Zones[0].Standing) != 3 || r.Zones[0].Delegations != 68 || !r.Zones[0].Next.Empty() {
		t.Errorf("%+v", r.Zones[0])
	}
	tr.adopt(3)
	tr.count(zoneA, 68)
	h := tr.held()
	if len(h) != 1 || h[0].Source != "ADOPTED" || len(h[0].Losses) != 3 || h[0].Rule != movedRule(adoptedSource) {
		t.Fatalf("%+v", h)
	}
	for range 3 {
		tr.later(cycle)
		tr.seen()
		tr.must(3)
		tr.count(zoneA, 68)
	}
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 40), "7.99.27.in-addr.arpa."))
	tr.later(cycle)
	tr.must(3)
	h = tr.held()
	if len(h) != 1 || len(h[0].Losses) != 2 {
		t.Fatalf("%+v", h)
	}
	tr.must(0, "accept", h[0].Hash, "--removes", "2", "-m", "nobody knows them")
	tr.later(cycle)
	tr.must(0)
	tr.count(zoneA, 66)
	if !slices.Contains(tr.delegated(zoneA), "7.99.27.in-addr.arpa.") {
		t.Error("what its manager took over is gone")
	}
	tr.later(cycle)
	tr.must(0)
	if len(tr.held()) > 0 {
		t.Error("still held")
	}
	for _, n := range tr.current().Notices {
		if n.Source == adoptedSource {
			t.Errorf("nothing of it is left, and it is told: %v", n)
		}
	}
	if in := tr.current().Zone(zoneA).Inputs; slices.ContainsFunc(in, func(i zone.Input) bool { return i.Source == adoptedSource }) {
		t.Errorf("nothing of it is left, and it is an input: %v", in)
	}
}

// TestAdoptRollback: what was taken over can be gone back to.
func TestAdoptRollback(t *testing.T) {
	tr := live(t)
	tr.edit(zoneA, func(s string) string { return s + "7.99.27.in-addr.arpa.\t86400\tIN\tNS\tns1.forgotten.example.\n" })
	tr.adopt(3)
	tr.later(cycle)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 40), owners(zoneA, 99, 9)...))
	tr.must(0)
	tr.count(zoneA, 65+9)
	tr.must(3, "rollback", "1")
	tr.count(zoneA, 66)
	g := tr.current()
	if z := g.Zone(zoneA); z.Pinned != 1 || z.Serial != 2026112103 {
		t.Errorf("%+v", z)
	}
	tr.later(cycle)
	tr.must(0, "rollback", "--release")
	tr.count(zoneA, 65+9)
}

// TestAdoptUnsigned: a zone that nobody signed yet, or whose keys were lost and
// whose DS is gone, is taken over with new keys and a serial that goes forward.
func TestAdoptUnsigned(t *testing.T) {
	tr := live(t)
	for _, z := range []zone.Name{zoneA, zoneB} {
		tr.edit(z, func(s string) string {
			var b strings.Builder
			for line := range strings.Lines(s) {
				if f := strings.Fields(line); !slices.Contains([]string{"RRSIG", "DNSKEY", "ZONEMD"}, f[3]) {
					b.WriteString(line)
				}
			}
			return b.String()
		})
	}
	tr.must(1, "adopt", tr.path("served"))
	tr.says("zonebuild keys init")
	tr.must(0, "keys", "init")
	tr.must(0, "adopt", tr.path("served"), "--json")
	var r adoptReport
	if err := json.Unmarshal(tr.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	tr.must(0, "adopt", tr.path("served"), "--accept", r.Hash)
	if s := tr.current().Zone(zoneA).Serial; s != 2026112101 {
		t.Errorf("serial %d", s)
	}
	tr.count(zoneA, 65)
}

// TestAdoptBaseline: what the feeds lose right after the adoption passes the
// gates against what was served.
func TestAdoptBaseline(t *testing.T) {
	tr := live(t)
	tr.adopt(0)
	tr.later(cycle)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 20))
	tr.must(3)
	tr.count(zoneA, 65)
	if h := tr.held(); len(h) != 1 || len(h[0].Losses) != 20 {
		t.Errorf("%+v", h)
	}
}

// TestAdoptNames: whatever differs is named with its kind.
func TestAdoptNames(t *testing.T) {
	tr := live(t)
	tr.edit(zoneA, func(s string) string {
		s = strings.Replace(s, " 7200 1800 604800 3600", " 3600 1800 604800 3600", 1)
		s = strings.ReplaceAll(s, "\t86400\tIN\tNS\t", "\t172800\tIN\tNS\t")
		s = strings.Replace(s, "27.in-addr.arpa.\t172800\tIN\tNS\tns2.registry.example.", "27.in-addr.arpa.\t172800\tIN\tNS\tns9.registry.example.", 1)
		s = strings.Replace(s, "0.10.27.in-addr.arpa.\t172800\tIN\tNS\tns1.jpnic.example.", "0.10.27.in-addr.arpa.\t172800\tIN\tNS\tns7.jpnic.example.", 1)
		s = strings.Replace(s, "1.10.27.in-addr.arpa.\t172800\tIN\tNS\tns1.jpnic.example.\n1.10.27.in-addr.arpa.\t172800\tIN\tNS\tns2.jpnic.example.\n", "", 1)
		return s + "27.in-addr.arpa. 86400 IN TXT \"hello\"\nx.27.in-addr.arpa. 86400 IN TXT \"below\"\nx.27.in-addr.arpa. 86400 IN NS ns.example.\n"
	})
	r := tr.adoptPlan()
	got := map[string]int{}
	for _, d := range r.Zones[0].Differences {
		got[d.Kind] = d.Count
	}
	want := map[string]int{zone.DiffSOA: 1, zone.DiffApexNS: 1, zone.DiffApex: 1, zone.DiffOther: 1, zone.DiffTTL: 65, zone.DiffMissing: 1, zone.DiffDenial: 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, not %v\n%s", got, want, tr.out.String())
	}
	if n := r.Zones[0].Next; len(n.Changes) != 2 {
		t.Errorf("the next run: %+v", n)
	}
	advice := strings.Join(r.Zones[0].Advice, "\n")
	for _, s := range []string{"refresh = 3600", "ttl = 172800", `ns9.registry.example.`} {
		if !strings.Contains(advice, s) {
			t.Errorf("%q is not advised in\n%s", s, advice)
		}
	}
	tr.adopt(0)
	tr.count(zoneA, 64)
	tr.later(cycle)
	tr.must(0)
	tr.count(zoneA, 65)
}

// TestAdoptAdvice: what is advised is a piece of the configuration. Our own parser
// reads it, and with it nothing of its kind differs any more.
func TestAdoptAdvice(t *testing.T) {
	tr := live(t)
	tr.edit(zoneA, func(s string) string {
		s = strings.Replace(s, " 7200 1800 604800 3600", " 3600 1800 604800 7200", 1)
		s = strings.ReplaceAll(s, "\t86400\tIN\tNS\t", "\t172800\tIN\tNS\t")
		for _, t := range []string{"DNSKEY", "CDS", "CDNSKEY"} {
			s = strings.ReplaceAll(s, "\t3600\tIN\t"+t+"\t", "\t7200\tIN\t"+t+"\t")
		}
		return strings.Replace(s, "27.in-addr.arpa.\t172800\tIN\tNS\tns2.registry.example.", "27.in-addr.arpa.\t172800\tIN\tNS\tns9.registry.example.", 1)
	})
	kinds := []string{zone.DiffSOA, zone.DiffApexNS, zone.DiffTTL}
	differ := func() (n int) {
		for _, d := range tr.adoptPlan().Zones[0].Differences {
			if slices.Contains(kinds, d.Kind) {
				n++
			}
		}
		return n
	}
	if n := differ(); n != len(kinds) {
		t.Fatalf("%d kinds differ\n%s", n, tr.out.String())
	}
	tr.must(0, "adopt", tr.path("served"), "--keys", tr.path("theirs"))
	_, rest, _ := strings.Cut(tr.out.String(), "write in the configuration")
	var advice strings.Builder
	for line := range strings.Lines(rest[strings.Index(rest, "\n")+1:]) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		advice.WriteString(line)
	}
	for _, s := range []string{"[signing]\n", "dnskey_ttl = 7200\n", "[[zones]]\n"} {
		if !strings.Contains(advice.String(), s) {
			t.Errorf("%q is not advised", s)
		}
	}
	config := strings.Replace(treeConfig, `"27.in-addr.arpa", `, "", 1) + advice.String()
	if _, err := zone.ParseConfig("nirzone.toml", []byte(config)); err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	tr.write("nirzone.toml", config)
	if n := differ(); n != 0 {
		t.Errorf("%d kinds differ still\n%s", n, tr.out.String())
	}
}

// TestAdoptAdviceParts: each piece of advice is read by our own parser.
func TestAdoptAdviceParts(t *testing.T) {
	served := &zone.Served{
		Origin: zoneA, Serial: 7, Denial: "NSEC3 1 0 10 abcd",
		SOA: zone.SOA{MName: "ns9.registry.example.", RName: "host\\.master.registry.example.", Refresh: 1, Retry: 2, Expire: 3, Minimum: 4, TTL: 5},
		Records: []zone.Record{
			{Name: zoneA, Type: zone.TypeNS, TTL: 9, Data: zone.NSData("ns9.registry.example.")},
			{Name: zoneA, Type: zone.TypeDNSKEY, TTL: 10, Data: keyData(1)},
		},
	}
	rest := strings.Replace(treeConfig, `"27.in-addr.arpa", `, "", 1)
	for _, ttl := range []zone.TTL{{Fixed: 86400}, {FromSource: true, Fixed: 86400, Min: 60, Max: 3600}} {
		for _, kind := range []string{zone.DiffSOA, diffSerial, zone.DiffApexNS, zone.DiffTTL, zone.DiffDenial} {
			z := adoptZone{Zone: zoneA, Differences: []zone.Difference{{Kind: kind}}}
			z.advise(served, &zone.Group{TTL: ttl})
			text := strings.Join(z.Advice, "\n")
			if _, err := zone.ParseConfig("nirzone.toml", []byte(rest+text)); err != nil || text == "" || kind == zone.DiffDenial != strings.Contains(text, `denial = "nsec3"`) {
				t.Errorf("%s: %v\n%s", kind, err, text)
			}
		}
	}
}

// TestAdoptHash: the hash follows what differs and nothing else.
func TestAdoptHash(t *testing.T) {
	tr := live(t)
	first := tr.adoptPlan()
	tr.later(30 * time.Minute)
	tr.feed("JPNIC", zoneA, append(owners(zoneA, 10, 40), owners(zoneA, 11, 2)...))
	if again := tr.adoptPlan(); again.Hash != first.Hash {
		t.Error("the hash moved with time and an addition")
	}
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 39))
	if again := tr.adoptPlan(); again.Hash == first.Hash || len(again.Zones[0].Standing) != 1 {
		t.Errorf("a delegation that nobody asserts any more does not show: %+v", again.Zones[0])
	}
}

// TestAdoptBlocked: keys with which the next answers would be bogus.
func TestAdoptBlocked(t *testing.T) {
	tr := live(t)
	tr.must(1, "adopt", tr.path("served")) // no keys at all
	tr.says("its private half is not here", "cannot be taken over")
	tr.must(0, "keys", "init")
	tr.must(1, "adopt", tr.path("served"), "--keys", tr.path("theirs"))
	tr.says("would sign and is not in the served DNSKEY set")
	if _, err := os.Lstat(tr.path("public/current")); err == nil {
		t.Fatal("something was published")
	}
}

// TestAdoptRefusesParts: files that are not a whole zone.
func TestAdoptRefusesParts(t *testing.T) {
	tr := live(t)
	whole, err := os.ReadFile(tr.path("served/27.in-addr.arpa.signed"))
	if err != nil {
		t.Fatal(err)
	}
	lost := regexp.MustCompile(`(?m)^3\.10\.27\.in-addr\.arpa\.\t\d+\tIN\tNS\t.*\n`).ReplaceAllString(string(whole), "")
	for text, want := range map[string]string{
		string(whole[:len(whole)/2]): "27.in-addr.arpa.signed",
		lost:                         "does not name the types",
		"; <<>> DiG 9.18 <<>> 27.in-addr.arpa AXFR\n" + string(whole): "cut short",
		string(whole) + "; Transfer failed.\n":                        "cut short",
		"$GENERATE 1-9 $ NS a.\n" + string(whole):                     "$GENERATE",
		"\x00\x00\x00\x02\x00\x00\x00\x01":                            "named-compilezone",
		"":                                                            "no SOA",
		string(whole) + "a.28.in-addr.arpa. 1 IN NS b.\n":             "is not in",
	} {
		tr.write("served/27.in-addr.arpa.signed", text)
		tr.must(1, "adopt", tr.path("served"), "--keys", tr.path("theirs"))
		tr.says(want)
	}
}
