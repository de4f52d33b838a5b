package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
)

// Sequences of things that happen to a registry over days: each is unusual,
// none may lose a delegation or stop the signing of a zone that can be signed.

func (tr *tree) cycle() {
	tr.later(cycle)
	tr.seen()
}

// acceptAll accepts everything that is held.
func (tr *tree) acceptAll() {
	tr.t.Helper()
	for _, h := range tr.held() {
		tr.must(0, "accept", h.Hash, "--removes", fmt.Sprint(h.Count()), "-m", "a test")
	}
}

// laxClaims lets claims shrink without a gate of their own.
const laxClaims = treeConfig + "[gates]\nclaims_percent = 100.0\n"

const withoutKRNIC = `[[source]]
name = "KRNIC"
url = "https://127.0.0.1/{zone}-{name}"
zones = "listed"
require = ["md5"]
`

func TestHeldThenSourceDropped(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 5))
	tr.must(3)
	tr.write("nirzone.toml", strings.Replace(treeConfig, withoutKRNIC, "", 1))
	tr.cycle()
	tr.must(3)
	tr.count(zoneA, 65)
	if h := tr.held(); len(h) != 1 || len(h[0].Losses) != 20 {
		t.Errorf("holds: %+v", h)
	}
	tr.write("nirzone.toml", treeConfig) // it comes back, whole
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 20))
	tr.must(0)
	tr.count(zoneA, 65)
}

// TestSourceLeavesZone: a source that is no longer configured for one zone is
// like one that is configured no more.
func TestSourceLeavesZone(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("nirzone.toml", strings.Replace(treeConfig, withoutKRNIC, strings.Replace(withoutKRNIC, `"listed"`, `["42.in-addr.arpa"]`, 1), 1))
	tr.must(3)
	tr.count(zoneA, 65)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 45)
}

// TestStricterConfiguration: what was accepted under laxer rules stays
// readable when they become stricter, and when the source is gone.
func TestStricterConfiguration(t *testing.T) {
	tr := newTree(t)
	lax := strings.Replace(treeConfig, withoutKRNIC, withoutKRNIC+"trailer_optional = true\n", 1)
	tr.write("nirzone.toml", lax)
	full := string(zonelet("KRNIC", zoneA, tr.now, owners(zoneA, 200, 20)))
	tr.accept("KRNIC", zoneA, []byte(full[:strings.Index(full, "KRNIC.27.")]))
	tr.must(0, "init", "--accept", "110")
	for name, config := range map[string]string{
		"trailer": treeConfig,
		"bytes":   strings.Replace(lax, "trailer_optional", "max_bytes = 10\ntrailer_optional", 1),
		"gone":    strings.Replace(treeConfig, withoutKRNIC, "", 1),
	} {
		tr.cycle()
		tr.write("nirzone.toml", config)
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40+int(tr.now.Unix()/60%7)+1))
		if code := tr.run(); code != 0 && code != 3 {
			t.Errorf("%s: exit %d", name, code)
		}
		if g := tr.current(); g.Zone(zoneA).Carried != "" || g.Zone(zoneA).Delegations < 66 {
			t.Errorf("%s: %+v\n%s", name, g.Zone(zoneA), tr.out.String())
		}
	}
}

// TestRegistryRenamed: with another name for the registry its own delegations
// cannot be told from anybody's; nothing may be published that lacks them.
func TestRegistryRenamed(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"APNIC"`, `"RIR"`, 1))
	tr.must(3)
	tr.says("carried", "put back rir")
	tr.count(zoneA, 65)
	tr.write("nirzone.toml", treeConfig)
	tr.must(0)
	tr.count(zoneA, 65)
}

// TestAcceptedLossComesBack: an accept counts once.
func TestAcceptedLossComesBack(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 50)
	if left, _ := os.ReadDir(tr.path("state/accepts")); len(left) != 0 {
		t.Errorf("%d accepts are left", len(left))
	}
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 40))
	tr.must(0)
	tr.count(zoneA, 65)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.count(zoneA, 65)
}

// TestAcceptWaits: an accept whose loss cannot happen yet is not spent.
func TestAcceptWaits(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.acceptAll()
	if err := os.Rename(tr.path("keys/"+zoneA.File()), tr.path("keys-away")); err != nil {
		t.Fatal(err)
	}
	tr.must(3) // carried
	tr.count(zoneA, 65)
	if err := os.Rename(tr.path("keys-away"), tr.path("keys/"+zoneA.File())); err != nil {
		t.Fatal(err)
	}
	tr.must(0)
	tr.count(zoneA, 50)
}

func TestAcceptNamedTwice(t *testing.T) {
	tr := published(t)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	h := tr.held()[0].Hash
	tr.must(1, "accept", h, h[:10], "--removes", "30", "-m", "x")
	tr.must(0, "accept", h, h[:10], "--removes", "15", "-m", "x")
}

// TestAcceptUnreadable: a decision that cannot be read does not count, and
// stops nothing else.
func TestAcceptUnreadable(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41))
	if err := os.MkdirAll(tr.path("state/accepts/folder.json"), 0o700); err != nil { // reading it fails, also for root
		t.Fatal(err)
	}
	tr.write("state/accepts/"+strings.Repeat("a", 64)+".json", "{}")
	tr.must(3)
	tr.says("accept-unreadable")
	tr.count(zoneA, 65)
	tr.count(zoneB, 46)
}

func TestTwoHoldsInOneZone(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.feed("KRNIC", zoneA, nil)
	tr.must(3)
	tr.count(zoneA, 65)
	h := tr.held()
	if len(h) != 2 {
		t.Fatalf("holds: %+v", h)
	}
	tr.must(0, "accept", h[1].Hash, "--removes", "20", "-m", "KRNIC only")
	tr.must(3)
	tr.count(zoneA, 45)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 30)
}

func TestAcceptThenFeedChanges(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	tr.acceptAll()
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 5)) // twenty more
	tr.must(3)
	tr.count(zoneA, 65)
	if h := tr.held(); len(h) != 1 || len(h[0].Losses) != 20 {
		t.Errorf("holds: %+v", h)
	}
}

// TestRegistryHidesDelegations: the registry takes a /16 above what JPNIC has.
// The loss is JPNIC's, the cause is not its file: what would be hidden stands, the
// /16 stays out, and the rest of the zone goes on.
func TestRegistryHidesDelegations(t *testing.T) {
	tr := published(t)
	tr.cycle()
	wide, _ := zone.ParseName("10.27.in-addr.arpa")
	tr.registry(zoneA, append(owners(zoneA, 250, 5), wide))
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 21))
	tr.must(3)
	tr.count(zoneA, 66)
	tr.cycle()
	tr.must(3)
	tr.count(zoneA, 66)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 5+1+21)
}

func TestClaimsAndFeedChange(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", laxClaims)
	tr.cycle()
	tr.write("registry/claims", "JPNIC\t27.0.0.0/16\nJPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 20))
	tr.must(3)
	tr.count(zoneA, 65)
	tr.cycle()
	tr.must(3)
	tr.count(zoneA, 65)
	tr.acceptAll()
	for range 3 {
		tr.cycle()
		if tr.run() == 0 {
			break
		}
		tr.acceptAll()
	}
	tr.count(zoneA, 25)
}

func TestClaimsMovedAndBack(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", laxClaims)
	claims, err := os.ReadFile(tr.path("registry/claims"))
	if err != nil {
		t.Fatal(err)
	}
	tr.cycle()
	tr.write("registry/claims", "JPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	tr.must(3)
	tr.cycle()
	tr.write("registry/claims", string(claims))
	tr.must(0)
	tr.count(zoneA, 65)
	if g := tr.current(); len(g.Zone(zoneA).Kept) != 0 || len(g.Holds) != 0 {
		t.Errorf("%d kept, %d held", len(g.Zone(zoneA).Kept), len(g.Holds))
	}
}

func TestRollbackOfRollback(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	tr.cycle()
	tr.must(3, "rollback")
	tr.count(zoneA, 65)
	tr.cycle()
	tr.must(3, "rollback") // the generation before is the one rolled back from
	tr.count(zoneA, 68)
	tr.cycle()
	tr.must(3, "rollback", "3")
	tr.count(zoneA, 65)
	if z := tr.current().Zone(zoneA); z.Pinned != 3 {
		t.Errorf("pinned to %d", z.Pinned)
	}
	tr.must(3, "rollback", "--release", "--zone", zoneA.File())
	tr.count(zoneA, 68)
	if z := tr.current().Zone(zoneB); z.Pinned != 3 {
		t.Errorf("zone B: pinned to %d", z.Pinned)
	}
}

// TestRollbackFromLostInputs: the present state cannot be computed again, the
// one to go back to can.
func TestRollbackFromLostInputs(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	if err := os.Remove(tr.path("spool/" + zone.ObjectPath(tr.manifest.Source("JPNIC").Zone(zoneA).Accepted.SHA256))); err != nil {
		t.Fatal(err)
	}
	tr.must(3, "rollback")
	tr.count(zoneA, 65)
	tr.cycle()
	tr.must(3)
	tr.must(3, "rollback", "--release") // the object of the manifest is gone still
	tr.count(zoneA, 65)
}

// TestManifestBlind: while the manifest cannot be read, what it said of the
// sources neither closes nor opens.
func TestManifestBlind(t *testing.T) {
	tr := published(t)
	tr.later(4 * 24 * time.Hour)
	tr.tried()
	tr.must(0, "--clock-is-right")
	good, err := os.ReadFile(tr.path("spool/manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	stale := len(tr.current().Notices)
	tr.write("spool/manifest.json", "{")
	tr.must(3)
	if n := len(tr.current().Notices); n != stale+1 {
		t.Errorf("%d notices, not %d", n, stale+1)
	}
	tr.write("spool/manifest.json", string(good))
	tr.must(0)
	if g := tr.current(); len(g.Notices) != stale || g.Notices[0].Since.After(tr.now) {
		t.Errorf("%d notices, not %d", len(g.Notices), stale)
	}
}

func TestRollbackMistakes(t *testing.T) {
	tr := newTree(t)
	tr.must(1, "rollback")
	tr.must(0, "init", "--accept", "110")
	tr.must(1, "rollback")
	tr.says("no kept generation has another content")
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	tr.must(2, "rollback", "1", "--zone", "44.in-addr.arpa")
	tr.says("44.in-addr.arpa is neither published nor")
	tr.count(zoneA, 68)
}

// TestRollbackAcrossClaims: the content of the earlier generation is by its own
// claims; released, what the new claims do not cover stands and is listed.
func TestRollbackAcrossClaims(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", laxClaims)
	tr.cycle()
	tr.write("registry/claims", "JPNIC\t42.0.0.0/9\nKRNIC\t27.128.0.0/9\nKRNIC\t42.128.0.0/9\n")
	tr.must(3)
	tr.acceptAll()
	tr.must(0)
	tr.count(zoneA, 25)
	tr.cycle()
	tr.must(3, "rollback", "1", "--zone", zoneA.File())
	tr.count(zoneA, 65)
	for range 7 { // keep = 5: generation 1 goes, its content stays
		tr.cycle()
		tr.feed("JPNIC", zoneB, owners(zoneB, 10, 41+int(tr.now.Unix()/60%50)))
		tr.must(3)
	}
	if _, err := os.Stat(tr.path("public/generations/1")); err == nil {
		t.Fatal("generation 1 is still there")
	}
	tr.count(zoneA, 65)
	tr.cycle()
	tr.must(3, "rollback", "--release")
	tr.count(zoneA, 65)
	if h := tr.held(); len(h) != 1 || h[0].Kind != zone.KindClaimsMoved || len(h[0].Losses) != 40 {
		t.Errorf("holds: %+v", h)
	}
}

func TestPinWithLeastKeep(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", strings.Replace(treeConfig, "keep = 5", "keep = 2", 1))
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 43))
	tr.must(0)
	tr.must(3, "rollback", "--zone", zoneA.File())
	for i := range 5 {
		tr.cycle()
		tr.feed("JPNIC", zoneA, owners(zoneA, 10, 44+i))
		tr.feed("JPNIC", zoneB, owners(zoneB, 10, 44+i))
		tr.registry(zoneA, owners(zoneA, 250, 6+i))
		tr.must(3)
		tr.count(zoneA, 65)
	}
	if numbers, _ := os.ReadDir(tr.path("public/generations")); len(numbers) != 2 {
		t.Errorf("%d generations", len(numbers))
	}
	tr.later(slotLength) // every signature is made again
	tr.seen()
	tr.must(3)
	tr.count(zoneA, 65)
	tr.must(0, "rollback", "--release")
	tr.count(zoneA, 48+20+10)
}

// TestInitWhileHeld: one zone is published for the first time while another
// waits for a decision.
func TestInitWhileHeld(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, nil)
	tr.write("nirzone.toml", strings.Replace(treeConfig, `"42.in-addr.arpa"`, `"42.in-addr.arpa", "43.in-addr.arpa", "44.in-addr.arpa"`, 1))
	for _, z := range []zone.Name{"43.in-addr.arpa.", "44.in-addr.arpa."} {
		tr.registry(z, owners(z, 1, 7))
	}
	tr.must(1, "init", "--accept", "7", "43.in-addr.arpa") // no keys yet
	tr.says("zone 43.in-addr.arpa cannot be published", "keys")
	tr.must(0, "keys", "init", "43.in-addr.arpa")
	tr.must(3, "init", "--accept", "7", "43.in-addr.arpa")
	tr.count("43.in-addr.arpa.", 7)
	tr.count(zoneA, 65)
	if g := tr.current(); g.Zone("44.in-addr.arpa.") != nil || len(g.Holds) != 1 {
		t.Errorf("zone 44: %v, %d holds", g.Zone("44.in-addr.arpa."), len(g.Holds))
	}
}

func TestInitWithoutKeys(t *testing.T) {
	tr := newTree(t)
	if err := os.RemoveAll(tr.path("keys")); err != nil {
		t.Fatal(err)
	}
	tr.must(1, "init", "--accept", "110")
	if _, err := os.Lstat(tr.path("public/current")); err == nil {
		t.Error("a generation without zones was published")
	}
	tr.must(0, "keys", "init")
	tr.must(0, "init", "--accept", "110")
}

func TestCarriedZoneKeysComeBack(t *testing.T) {
	tr := published(t)
	if err := os.Rename(tr.path("keys/"+zoneA.File()), tr.path("keys-away")); err != nil {
		t.Fatal(err)
	}
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 42))
	tr.must(3)
	g := tr.current()
	tr.cycle()
	tr.must(3)
	if again := tr.current(); again.Number != g.Number || !slices.Equal(again.Notices, g.Notices) {
		t.Errorf("generation %d: %+v\n%+v", again.Number, again.Notices, g.Notices)
	}
	if err := os.Rename(tr.path("keys-away"), tr.path("keys/"+zoneA.File())); err != nil {
		t.Fatal(err)
	}
	tr.must(0)
	tr.says("closed notices")
	tr.count(zoneA, 67)
	if z := tr.current().Zone(zoneA); z.Carried != "" {
		t.Errorf("still carried: %s", z.Carried)
	}
}

// TestCarriedZoneKeepsItsHolds: a zone that cannot be merged for a while does
// not forget what waits in it.
func TestCarriedZoneKeepsItsHolds(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	before := tr.held()
	if err := os.Rename(tr.path("spool/objects"), tr.path("objects-away")); err != nil {
		t.Fatal(err)
	}
	tr.cycle()
	tr.must(3)
	tr.says("carried")
	if after := tr.held(); len(after) != 1 || after[0].Hash != before[0].Hash {
		t.Errorf("holds: %+v", after)
	}
}

// TestMendedAlone: a published file that somebody changed is written again
// although nothing else happened.
func TestMendedAlone(t *testing.T) {
	tr := published(t)
	name := tr.path("public/current/" + zoneA.File())
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data[:len(data)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	tr.cycle()
	tr.must(0, "--no-reload")
	tr.says("mended")
	if g := tr.current(); g.Number != 2 || !slices.Equal(g.Reload, []zone.Name{zoneA}) {
		t.Errorf("generation %d, due: %v", g.Number, g.Reload)
	}
	tr.must(0)
	tr.says("nothing to do")
}

func TestMovedBetweenGroups(t *testing.T) {
	tr := published(t)
	before := tr.current()
	tr.cycle()
	second := strings.Replace(treeConfig[strings.Index(treeConfig, "[[zones]]"):strings.Index(treeConfig, "[publish]")], `"27.in-addr.arpa", `, "", 1)
	second = strings.Replace(second, `ns = ["ns1.registry.example", "ns2.registry.example"]`, "ttl = 3600\n"+`ns = ["ns3.registry.example"]`, 1)
	config := strings.Replace(treeConfig, `, "42.in-addr.arpa"`, "", 1)
	tr.write("nirzone.toml", strings.Replace(config, "[publish]", second+"[publish]", 1))
	tr.must(0, "plan")
	tr.says("apex-changed", "TTL of delegations 3600")
	tr.must(3)
	tr.acceptAll()
	tr.must(0, "plan")
	tr.says("ns3.registry.example.")
	tr.must(0)
	g := tr.current()
	if g.Zone(zoneA).SHA256 != before.Zone(zoneA).SHA256 || g.Zone(zoneB).Serial != before.Zone(zoneB).Serial+2 { // the TTL went in at once
		t.Errorf("%+v\n%+v", g.Zone(zoneA), g.Zone(zoneB))
	}
	text, _ := os.ReadFile(tr.path("public/current/" + zoneB.File()))
	if !strings.Contains(string(text), "ns3.registry.example.") || strings.Contains(string(text), "ns1.registry.example. hostmaster") == false {
		t.Errorf("apex: %.500s", text)
	}
	tr.count(zoneB, 45)
}

// TestAlgorithmChanged: a roll is no matter of one line; the old keys go on.
func TestAlgorithmChanged(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.write("nirzone.toml", treeConfig+"[signing]\nalgorithm = \"ed25519\"\n")
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 41))
	tr.must(0)
	tr.says("algorithm 13, the configuration says 15")
	tr.must(0, "keys", "init")
	tr.must(0)
	tr.count(zoneA, 66)
	if k := tr.current().Zone(zoneA).Keys; len(k) != 2 || k[0].Algorithm != 13 {
		t.Errorf("keys: %+v", k)
	}
}

// TestRegistryZonelet: the registry's own file missing, refused, back again.
func TestRegistryZonelet(t *testing.T) {
	tr := published(t)
	name := "registry/" + zoneA.File() + "-APNIC"
	good, err := os.ReadFile(tr.path(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(tr.path(name)); err != nil {
		t.Fatal(err)
	}
	tr.cycle()
	tr.must(3)
	tr.says("registry-missing", "its last accepted version stands")
	tr.count(zoneA, 65)
	g := tr.current()
	tr.cycle()
	tr.must(3)
	if tr.current().Number != g.Number {
		t.Error("the notice flaps")
	}
	tr.write(name, string(good)+"27.in-addr.arpa. IN SOA . . 1 1 1 1 1\n")
	tr.cycle()
	tr.must(3)
	tr.says("refused")
	tr.count(zoneA, 65)
	tr.registry(zoneA, nil)
	tr.cycle()
	tr.must(3) // the registry's files pass the gates too
	tr.count(zoneA, 65)
	tr.write(name, string(good))
	tr.cycle()
	tr.must(0)
	tr.count(zoneA, 65)
}

// TestOneObjectCorrupted: the new object of one source is damaged in the spool.
func TestOneObjectCorrupted(t *testing.T) {
	tr := published(t)
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 42))
	tr.feed("KRNIC", zoneA, owners(zoneA, 200, 22))
	sum := tr.manifest.Source("JPNIC").Zone(zoneA).Accepted.SHA256
	tr.write("spool/"+zone.ObjectPath(sum), "damaged")
	tr.must(3)
	tr.count(zoneA, 67) // KRNIC's change is in
	for _, n := range tr.current().Notices {
		if n.Source == "JPNIC" && strings.Contains(n.Text, tr.dir) {
			t.Errorf("a source is told our paths: %s", n.Text)
		}
	}
}

// slotLength is the default of signing.slot.
const slotLength = 11 * 24 * 60 * 60 * 1e9
