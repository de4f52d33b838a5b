package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nirzone/zone"
	"nirzone/zone/sign"
)

const (
	fileA = "27.in-addr.arpa"
	fileB = "42.in-addr.arpa"
)

// rows returns what "keys --json" says of zone A.
func (tr *tree) rows() []keyRow {
	tr.t.Helper()
	tr.must(0, "keys", fileA, "--json")
	var answer keysAnswer
	if err := json.Unmarshal(tr.out.Bytes(), &answer); err != nil || answer.Version != 1 {
		tr.t.Fatal(err, answer.Version)
	}
	return answer.Keys
}

// states are role and state of the keys that are not removed, sorted.
func (tr *tree) states() string {
	tr.t.Helper()
	var list []string
	for _, r := range tr.rows() {
		if r.State != "removed" {
			list = append(list, r.Role+" "+r.State)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// keysAt runs zonebuild every two hours until the time since the start, and then
// fails the test unless the keys of zone A have these states and the zone is valid.
func (tr *tree) keysAt(start time.Time, since time.Duration, want string) {
	tr.t.Helper()
	for tr.now.Before(start.Add(since)) {
		tr.later(2 * time.Hour)
		tr.seen()
		if code := tr.run(); code != 0 {
			tr.t.Fatalf("exit %d\n%s%s", code, tr.out.String(), tr.err.String())
		}
	}
	if got := tr.states(); got != want {
		tr.t.Errorf("after %v: keys %s; wanted %s", since, got, want)
	}
	tr.valid()
}

// valid asks another program whether the published zone is valid at this time.
func (tr *tree) valid() {
	tr.t.Helper()
	path, err := exec.LookPath("ldns-verify-zone")
	if err != nil {
		if os.Getenv("NIRZONE_PEERS") == "required" {
			tr.t.Fatal(err)
		}
		tr.t.Log("SKIPPED: no second opinion on the zone: ", err)
		return
	}
	out, err := exec.Command(path, "-ZZ", "-t", tr.now.UTC().Format("20060102150405"), tr.path("public/current/"+fileA)).CombinedOutput()
	if err != nil {
		tr.t.Errorf("ldns-verify-zone: %v\n%s", err, out)
	}
}

const (
	hours = time.Hour
	days  = 24 * time.Hour
)

// TestZSKRollByRuns: nobody does anything, and no run misses a beat.
func TestZSKRollByRuns(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", treeConfig+"[signing]\nzsk_lifetime = \"22d\"\n")
	start := tr.now
	tr.keysAt(start, 20*days, "KSK active, ZSK active")
	tr.keysAt(start, 21*days+18*hours, "KSK active, ZSK active, ZSK published")
	tr.says("published") // the state of the new key
	tr.keysAt(start, 22*days+2*hours, "KSK active, ZSK active, ZSK retired")
	tr.must(0, "keys")
	tr.says("retired", "succeed", "remove")
	for _, line := range strings.Split(tr.out.String(), "\n") {
		if len(line) > 80 {
			t.Errorf("over 80 columns: %s", line)
		}
	}
	tr.keysAt(start, 35*days, "KSK active, ZSK active")
	if n := len(tr.rows()); n != 3 {
		t.Errorf("%d keys instead of 3", n)
	}
}

// TestStepRefused: a step that the proof refuses is not taken and is an alarm; the
// zone is signed with the keys that it has.
func TestStepRefused(t *testing.T) {
	if reflect.ValueOf(proveKeys).Pointer() != reflect.ValueOf(sign.Prove).Pointer() {
		t.Error("key steps are not proved by sign.Prove")
	}
	tr := published(t)
	proveKeys = func([]sign.Key, sign.Step, sign.Policy, sign.Evidence, time.Time) error {
		return errors.New("it is bogus")
	}
	defer func() { proveKeys = sign.Prove }()
	tr.write("nirzone.toml", treeConfig+"[signing]\nzsk_lifetime = \"22d\"\n")
	due := tr.current().Zone(zoneA).Due
	tr.later(22 * days)
	tr.seen()
	tr.must(3)
	tr.says("key-refused", "it is bogus")
	if got := tr.states(); got != "KSK active, ZSK active" {
		t.Errorf("keys %s", got)
	}
	if z := tr.current().Zone(zoneA); z.Carried != "" || !z.Due.After(due) {
		t.Errorf("the zone was not signed: %+v", z)
	}
}

// fakeParent lets the parent have what CDS asks for since the day of the call.
func fakeParent(t *testing.T, have *[]zone.Data) {
	before := askParent
	t.Cleanup(func() { askParent = before })
	askParent = func(a *app, z zone.Name) sign.Parent {
		if z != zoneA || *have == nil {
			return sign.Parent{}
		}
		return sign.Parent{Complete: true, Answers: []sign.ParentAnswer{{Server: "parent", Time: a.now, TTL: days, DS: *have}}}
	}
}

// wanted is the DS set that the zone asks for.
func (tr *tree) wanted() []zone.Data {
	tr.t.Helper()
	keys, err := sign.LoadKeys(tr.path("keys"), zoneA)
	if err != nil {
		tr.t.Fatal(err)
	}
	var list []zone.Data
	for _, k := range sign.MarkCDS(keys, tr.now) {
		if k.CDS {
			list = append(list, k.DS().Data)
		}
	}
	return list
}

// TestKSKRollByRuns: a person begins it, hands in the DS and approves.
func TestKSKRollByRuns(t *testing.T) {
	var have []zone.Data
	fakeParent(t, &have)
	tr := published(t)
	have = tr.wanted()
	start := tr.now
	tr.keysAt(start, 2*hours, "KSK active, ZSK active")
	tr.must(0, "keys", "roll", fileA, "--ksk", "--dry-run")
	tr.says("would: ", "make KSK")
	if got := tr.states(); got != "KSK active, ZSK active" {
		t.Errorf("a dry run left %s", got)
	}
	tr.must(0, "keys", "roll", fileA, "--ksk")
	tr.must(1, "keys", "roll", fileA, "--ksk")
	tr.says("is going on")
	tr.keysAt(start, 8*hours, "KSK active, KSK published, ZSK active")
	tr.keysAt(start, 12*hours, "KSK active, KSK ready, ZSK active")
	tr.must(0, "keys", "ds", fileA)
	if n := strings.Count(tr.out.String(), "DS"); n != 1 {
		t.Errorf("DS set\n%s", tr.out.String())
	}
	tr.must(0, "keys", fileA)
	tr.says("waits for its DS at parent", "approval: zonebuild keys approve")
	have = tr.wanted()
	tr.keysAt(start, 14*hours, "KSK active, KSK active, ZSK active")
	tr.keysAt(start, 5*days, "KSK active, KSK active, ZSK active") // nobody approved
	found := regexp.MustCompile(`keys approve ([0-9a-f]{12})`).FindStringSubmatch(tr.notices())
	if found == nil {
		t.Fatalf("no notice says what to approve: %s", tr.notices())
	}
	tr.must(2, "keys", "approve", found[1])
	tr.must(1, "keys", "approve", "00000000", "-m", "test")
	tr.must(0, "keys", "approve", found[1], "-m", "test", "--dry-run")
	tr.must(0, "keys", "approve", found[1], "-m", "test")
	tr.says("at stake")
	tr.keysAt(start, 5*days+2*hours, "KSK active, ZSK active")
}

// notices are the texts of the open notices.
func (tr *tree) notices() string {
	var b strings.Builder
	for _, n := range tr.current().Notices {
		fmt.Fprintln(&b, n.Notice)
	}
	return b.String()
}

// refusesKeys runs, and fails the test unless zone A is carried forward because of
// its keys.
func (tr *tree) refusesKeys(want string) {
	tr.t.Helper()
	before := tr.current().Zone(zoneA)
	tr.later(2 * time.Hour)
	tr.seen()
	tr.must(3)
	tr.says("the DNSKEY set would change in a way that nobody planned", want, "zonebuild keys trust")
	if after := tr.current().Zone(zoneA); after.SHA256 != before.SHA256 || after.Carried == "" {
		tr.t.Errorf("the zone was published: %+v", after)
	}
}

// TestStandbySigner: incident 5, a standby signer has other ZSKs.
func TestStandbySigner(t *testing.T) {
	tr := published(t)
	other := published(t)
	for _, f := range must2(filepath.Glob(tr.path("keys/" + fileA + "/*"))) {
		must(t, os.Remove(f))
	}
	for _, f := range must2(filepath.Glob(other.path("keys/" + fileA + "/*"))) {
		must(t, os.Rename(f, filepath.Join(tr.path("keys/"+fileA), filepath.Base(f))))
	}
	tr.refusesKeys("is new and no step made it")
	found := regexp.MustCompile(`keys trust 27.in-addr.arpa --keys ([0-9,]+)`).FindStringSubmatch(tr.out.String())
	tr.must(1, "keys", "trust", fileA, "--keys", "1,2", "-m", "test")
	tr.must(2, "keys", "trust", fileA, "--keys", found[1])
	tr.must(0, "keys", "trust", fileA, "--keys", found[1], "-m", "test", "--dry-run")
	tr.later(2 * time.Hour)
	tr.must(3)
	tr.must(0, "keys", "trust", fileA, "--keys", found[1], "-m", "standby")
	tr.later(2 * time.Hour)
	tr.seen()
	tr.must(0)
	if z := tr.current().Zone(zoneA); z.Carried != "" {
		t.Errorf("the set that was named is refused: %s", z.Carried)
	}
}

// TestZSKNotPrePublished: incident 6, a signer is replaced and its ZSK was never
// in the DNSKEY set.
func TestZSKNotPrePublished(t *testing.T) {
	tr := published(t)
	tool(t, "dnssec-keygen", "-q", "-a", "13", "-K", tr.path("keys/"+fileA), fileA)
	tr.now = time.Now().UTC().Add(time.Minute).Truncate(time.Second) // dnssec-keygen knows no other
	tr.refusesKeys("ZSK")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tool runs a program of another house.
func tool(t *testing.T, argv ...string) string {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		if os.Getenv("NIRZONE_PEERS") == "required" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: ", err)
	}
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

// TestImportExport: keys of dnssec-keygen sign a zone, what is exported signs it
// with dnssec-signzone, and a key that comes to a published zone is a spare one.
func TestImportExport(t *testing.T) {
	tr := newTree(t)
	tr.now = time.Now().UTC().Truncate(time.Second)
	tr.seen()
	bind := t.TempDir()
	tool(t, "dnssec-keygen", "-q", "-a", "13", "-K", bind, fileA)
	tool(t, "dnssec-keygen", "-q", "-a", "13", "-f", "KSK", "-K", bind, fileA)
	must(t, os.RemoveAll(tr.path("keys/"+fileA)))
	tr.later(time.Minute)
	tr.must(1, "keys", "import", fileA, t.TempDir())
	tr.must(0, "keys", "import", fileA, bind, "--dry-run")
	if _, err := os.Stat(tr.path("keys/" + fileA)); err == nil {
		t.Error("a dry run wrote keys")
	}
	tr.must(0, "keys", "import", fileA, bind)
	tr.must(0, "init", "--accept", "110")
	tr.valid()

	out := filepath.Join(t.TempDir(), "out")
	tr.must(0, "keys", "export", fileA, out)
	tr.must(1, "keys", "export", fileA, out) // replaces nothing
	plain := filepath.Join(t.TempDir(), "zone")
	text := fmt.Sprintf("%s. 3600 SOA ns.example. mail.example. 1 7200 1800 604800 3600\n%s. 3600 NS ns.example.\n", fileA, fileA)
	must(t, os.WriteFile(plain, []byte(text), 0o600))
	tool(t, "dnssec-signzone", "-S", "-K", out, "-o", fileA, plain)
	tool(t, "dnssec-verify", "-o", fileA, plain+".signed")

	spare := t.TempDir()
	tool(t, "dnssec-keygen", "-q", "-a", "13", "-K", spare, fileA)
	tr.must(0, "keys", "import", fileA, spare)
	tr.says("spare")
	tr.later(2 * time.Hour)
	tr.seen()
	tr.must(0)
	if got := tr.states(); got != "KSK published, ZSK active, ZSK generated" {
		t.Errorf("keys %s", got)
	}
	tr.must(0, "keys", "roll", fileA, "--zsk")
	tr.says("publish ZSK")
	tr.later(2 * time.Hour)
	tr.seen()
	tr.must(0)
	if got := tr.states(); got != "KSK published, ZSK active, ZSK published" {
		t.Errorf("keys %s", got)
	}
}

// TestManualKeys: steps are told, not taken, until a person takes them.
func TestManualKeys(t *testing.T) {
	tr := published(t)
	tr.write("nirzone.toml", treeConfig+"[signing]\nkeys = \"manual\"\nzsk_lifetime = \"22d\"\n")
	for range 12 {
		tr.later(2 * days)
		tr.seen()
		tr.must(0)
	}
	if got := tr.states(); got != "KSK active, ZSK active" {
		t.Errorf("keys %s", got)
	}
	if !strings.Contains(tr.notices(), "zonebuild keys step 27.in-addr.arpa") {
		t.Errorf("notices: %s", tr.notices())
	}
	tr.must(0, "keys", "step", fileA, "--dry-run")
	tr.says("would: ")
	tr.must(0, "keys", "step", fileA)
	if got := tr.states(); got != "KSK active, ZSK active, ZSK published" {
		t.Errorf("keys %s", got)
	}
}

// TestKeysAreTold: while the servers cannot be told, a key does not count as
// published, however long that takes.
func TestKeysAreTold(t *testing.T) {
	tr := published(t)
	start := tr.now
	tr.must(0, "keys", "roll", fileA, "--zsk")
	reload := `reload = [["/bin/sh", "-c", "exit 1"]]` + "\n"
	tr.write("nirzone.toml", treeConfig+reload)
	for range 30 {
		tr.later(2 * hours)
		tr.seen()
		tr.must(5)
	}
	if got := tr.states(); got != "KSK active, ZSK active, ZSK published" {
		t.Errorf("keys %s", got)
	}
	tr.write("nirzone.toml", treeConfig)
	tr.keysAt(start, 62*hours, "KSK active, ZSK active, ZSK published")
	tr.keysAt(start, 68*hours, "KSK active, ZSK active, ZSK published")
	tr.keysAt(start, 70*hours, "KSK active, ZSK active, ZSK retired")
}

// TestPlanShowsKeys: "plan" shows the steps of the next run and takes none.
func TestPlanShowsKeys(t *testing.T) {
	tr := published(t)
	tr.later(90 * days)
	tr.seen()
	tr.must(0, "plan")
	tr.says("key steps of the next run", "make ZSK")
	if got := tr.states(); got != "KSK active, ZSK active" {
		t.Errorf("the plan left %s", got)
	}
	tr.must(0)
	tr.says("keys: done", "make ZSK")
}

// TestCDSDelete: by command only, and back.
func TestCDSDelete(t *testing.T) {
	tr := published(t)
	cds := func() string {
		data, err := os.ReadFile(tr.path("public/current/" + fileA))
		must(t, err)
		var list []string
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > 4 && f[3] == "CDS" {
				list = append(list, strings.Join(f[4:], " "))
			}
		}
		return strings.Join(list, "|")
	}
	named := cds()
	tr.must(2, "keys", "cds", fileA, "--delete")
	tr.must(0, "keys", "cds", fileA, "--delete", "-m", "test")
	tr.later(2 * hours)
	tr.seen()
	tr.must(0)
	if got := cds(); got != "0 0 0 00" {
		t.Errorf("CDS %q, not the delete form (RFC 8078, section 4)", got)
	}
	tr.must(0, "keys", "cds", fileA)
	tr.says("CDS 0 0 0 00", "test")
	tr.must(0, "keys", "cds", fileA, "--restore")
	tr.later(2 * hours)
	tr.seen()
	tr.must(0)
	if got := cds(); got != named || named == "" || strings.Contains(named, "|") {
		t.Errorf("CDS %q after it, %q before", got, named)
	}
}
