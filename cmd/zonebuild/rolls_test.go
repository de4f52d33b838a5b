package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/sign"
)

// approveAny agrees to whatever waits for a person in zone A.
func (tr *tree) approveAny() {
	tr.t.Helper()
	for _, r := range tr.rows() {
		if r.Hash != "" {
			tr.must(0, "keys", "approve", r.Hash, "-m", "test")
			return
		}
	}
	tr.t.Errorf("nothing asks for approval")
}

// TestAlgorithmRollByRuns: the zone is signed by both algorithms in between, and
// another program finds it valid at every stage.
func TestAlgorithmRollByRuns(t *testing.T) {
	var have []zone.Data
	fakeParent(t, &have)
	tr := published(t)
	have = tr.wanted()
	start := tr.now
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	tr.must(2, "keys", "roll", fileA, "--algorithm", "rsamd5")
	tr.must(1, "keys", "roll", fileA, "--algorithm", "13")
	tr.must(0, "keys", "roll", fileA, "--algorithm", "ed25519")
	tr.keysAt(start, 4*hours, "KSK active, KSK generated, ZSK active, ZSK active")
	tr.approveAnyLater(start)
	have = nil
	data, err := os.ReadFile(tr.path("public/current/" + fileA))
	must(t, err)
	if strings.Contains(string(data), " 13 ") {
		t.Error("algorithm 13 is still in the zone")
	}
}

// approveAnyLater goes on with an algorithm roll that began 2 h after the start.
func (tr *tree) approveAnyLater(start time.Time) {
	tr.t.Helper()
	tr.keysAt(start, 36*hours, "KSK active, KSK published, ZSK active, ZSK active")
	tr.keysAt(start, 44*hours, "KSK active, KSK ready, ZSK active, ZSK active")
	tr.approveAny()
	wanted := tr.wanted()
	askBoth := askParent
	askParent = func(a *app, z zone.Name) sign.Parent {
		p := askBoth(a, z)
		for i := range p.Answers {
			p.Answers[i].DS = wanted
		}
		return p
	}
	tr.keysAt(start, 46*hours, "KSK active, KSK active, ZSK active, ZSK active")
	tr.keysAt(start, 6*days, "KSK active, ZSK active")
	askParent = askBoth
}

// TestCSKByRuns: keys init makes one key where the configuration says so, and
// it is told apart from a KSK after it was read again.
func TestCSKByRuns(t *testing.T) {
	var have []zone.Data
	fakeParent(t, &have)
	tr := newTree(t)
	must(t, os.RemoveAll(tr.path("keys")))
	must(t, os.RemoveAll(tr.path("state/keys")))
	tr.write("nirzone.toml", treeConfig+"[signing]\nprofile = \"csk\"\n")
	tr.must(0, "keys", "init")
	tr.must(0, "init", "--accept", "110")
	have = tr.wanted()
	start := tr.now
	tr.keysAt(start, 2*hours, "CSK active")
	tr.must(1, "keys", "roll", fileA, "--ksk")
	tr.says("it has a CSK")
	tr.must(0, "keys", "roll", fileA, "--csk")
	tr.keysAt(start, 12*hours, "CSK ready, CSK retired")
	tr.approveAny()
	have = tr.wanted()
	tr.keysAt(start, 10*days, "CSK active, CSK retired")
	tr.keysAt(start, 14*days, "CSK active")
}

// TestEmergencyByRuns: the present ZSK is known to others.
func TestEmergencyByRuns(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", treeConfig+"[[signing.freeze]]\nfrom = 2026-11-21\nuntil = 2026-12-24\nreason = \"test\"\n")
	start := tr.now
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	tr.must(1, "keys", "roll", fileA, "--zsk")
	tr.says("no key step is taken until 2026-12-24 (test)")
	tr.must(0, "keys", "roll", fileA, "--zsk", "--emergency", "--dry-run")
	tr.says("at stake", "would: ")
	tr.must(0, "keys", "roll", fileA, "--zsk", "--emergency")
	tr.keysAt(start, 8*hours, "KSK active, ZSK published, ZSK retired")
	tr.keysAt(start, 12*hours, "KSK active, ZSK active, ZSK retired")
	tr.keysAt(start, 42*hours, "KSK active, ZSK active")
}
