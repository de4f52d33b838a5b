package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"nirzone/fixtures/programs"
	"nirzone/nir"
	"nirzone/nir/sshsig"
	"nirzone/zone"
)

// whyConfig is worldConfig and staff of VNNIC and of the registry.
const whyConfig = worldConfig + `[[nirctl.user]]
account = "linh"
roles = ["nir-staff"]
nir = "VNNIC"
[[nirctl.user]]
account = "anna"
roles = ["registry-staff"]
`

// whyLines make the registry, an hour a line; the names are those of domain
// objects, which VNNIC has under Option 2.
const whyLines = `
nir create VNNIC --name Vietnam --economy VN --mntner MAINT-VNNIC --option 2 -m start
nir create KRNIC --name Korea --economy KR --mntner MAINT-KRNIC -m start
window set VNNIC ipv4 /22 -m start
pool create 202.0.0.0/9 -m start
member create VNNIC/V1 --name Hanoi-Networks --economy VN --admin-c AA1-VN --tech-c TT1-VN
request create --as linh --member V1 --size /24 --ref R-1 --netname ONE --attested
request create --as linh --member V1 --size /21 --ref R-2 --netname TWO --second-opinion --justification plan.txt --assessment plan.txt # 8
request ask VNNIC/R-2 --as anna -m in-use?
request answer VNNIC/R-2 --as linh -m all-of-it
request approve VNNIC/R-2 --as anna -m justified
sign
request create --as linh --member V1 --size /24 --ref R-3 --netname THREE --attested
import stats delegated.txt --economy-of VN=VNNIC --as anna -m before-us # 8
sign
import stats delegated.txt --economy-of VN=VNNIC --as anna
domain set ZONE-R-1 --as linh --ns ns1.example.net,ns2.example.net
domain set ZONE-R-2 --as linh --ns ns1.example.net,ns2.example.net
domain set ZONE-R-3 --as linh --ns ns1.example.net,ns2.example.net
whois put old.rpsl --as linh
transfer create --from VNNIC --to KRNIC --member V1 --uid K1 --range RANGE-R-3 -m moved --as anna
transfer run
export
`

const whyStatistics = `2|apnic|20260301|1|19830613|20260301|+0000
apnic|*|ipv4|*|1|summary
apnic|VN|ipv4|202.64.0.0|256|20100101|allocated|OLD-1
`

const whyDomain = `domain:   0.64.202.in-addr.arpa
descr:    from before
admin-c:  AA1-VN
tech-c:   TT1-VN
zone-c:   TT1-VN
nserver:  ns1.example.net
nserver:  ns2.example.net
mnt-by:   MAINT-VNNIC
source:   VNNIC
`

// A whyWorld is a registry, exported and published by zonebuild.
type whyWorld struct {
	t   *testing.T
	dir string
	key ed25519.PrivateKey // of yuki, who approves
	now time.Time
	bin programs.Bin
}

func newWhyWorld(t *testing.T) *whyWorld {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // the page shows its fingerprint
	w := &whyWorld{t: t, dir: t.TempDir(), key: key, now: worldStart}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nirzone.toml": fmt.Sprintf(whyConfig, thisAccount(t)), "plan.txt": "Two new cities.\n", "delegated.txt": whyStatistics, "old.rpsl": whyDomain,
		"signers": fmt.Sprintf("yuki namespaces=\"approver@nirzone\" %s %s\n", public.Type(), base64.StdEncoding.EncodeToString(public.Marshal())),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.run(0, "init")
	for line := range strings.Lines(strings.TrimSpace(whyLines)) {
		w.now = w.now.Add(time.Hour)
		w.line(strings.TrimSpace(line))
	}
	w.publish()
	return w
}

// run runs nirctl in this process, which knows the folder by --config alone.
func (w *whyWorld) run(code int, args ...string) string {
	w.t.Helper()
	out, errs, got := inProcess(w.dir, args...)
	if got != code {
		w.t.Fatalf("nirctl %q: exit %d, want %d\n%s%s", args, got, code, out, errs)
	}
	return out
}

var placeholder = regexp.MustCompile(`(ZONE|RANGE)-(R-\d)`)

func (w *whyWorld) line(line string) {
	w.t.Helper()
	if line == "sign" {
		w.sign()
		return
	}
	line, code, _ := strings.Cut(line, " # ")
	line = placeholder.ReplaceAllStringFunc(line, func(s string) string {
		kind, ref, _ := strings.Cut(s, "-")
		r := w.rangeOf(ref)
		if kind == "ZONE" {
			n, err := nameOf(strings.Split(r, "/")[0] + "/24")
			if err != nil {
				w.t.Fatal(err)
			}
			return n.File()
		}
		return r
	})
	args := strings.Fields(line)
	for i, a := range args {
		if strings.HasSuffix(a, ".txt") || strings.HasSuffix(a, ".rpsl") {
			args[i] = filepath.Join(w.dir, a)
		}
	}
	args = append(args, "--now", w.now.Format(time.RFC3339))
	if args[0] != "export" {
		args = append(args, "--yes")
	}
	n := 0
	if code != "" {
		n = int(code[0] - '0')
	}
	w.run(n, args...)
}

// rangeOf returns what a request of VNNIC was given.
func (w *whyWorld) rangeOf(ref string) string {
	w.t.Helper()
	var got struct {
		Request struct {
			Ranges []string `json:"ranges"`
		} `json:"request"`
	}
	out := w.run(0, "request", "view", "VNNIC/"+ref, "-o", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Request.Ranges) != 1 {
		w.t.Fatalf("%v\n%s", err, out)
	}
	return got.Request.Ranges[0]
}

// sign has yuki approve what waits.
func (w *whyWorld) sign() {
	w.t.Helper()
	hash := strings.TrimSpace(w.run(0, "approve", "--list", "-o", "name"))
	text := w.run(0, "approve", hash, "--text")
	signature, err := sshsig.Sign(rand.Reader, w.key, sshsig.Namespace(string(nir.Approver)), []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	file := filepath.Join(w.dir, "signature")
	if err := os.WriteFile(file, []byte(signature), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.run(0, "approve", hash, "--signature", file, "--yes", "--now", w.now.Format(time.RFC3339))
}

func (w *whyWorld) publish() {
	w.t.Helper()
	bin, err := programs.Build(filepath.Join(w.t.TempDir(), "bin"), "zonebuild")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "spool"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	nothing := zone.Manifest{Version: zone.ManifestVersion, Run: 1, Time: w.now, Sources: []zone.SourceEntry{}}
	if err := os.WriteFile(filepath.Join(w.dir, "spool", "manifest.json"), nothing.Encode(), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.bin = bin
	w.zonebuild(0, "keys", "init")
	w.zonebuild(0, "init", "--accept", "4")
}

func (w *whyWorld) zonebuild(code int, args ...string) {
	w.t.Helper()
	if r := w.bin.Call(w.dir, w.now, append([]string{"zonebuild"}, args...)...); r.Code != code {
		w.t.Fatalf("zonebuild %v: exit %d, want %d\n%s", args, r.Code, code, r.Out)
	}
}

// answer asks why as JSON.
func (w *whyWorld) answer(args ...string) *answer {
	w.t.Helper()
	a := w.answerOf(args...)
	if a.Status != isDelegated || a.Registry == nil {
		w.t.Fatalf("%s, %+v", a.Status, a.Registry)
	}
	return a
}

// answerOf is answer for what need not be a delegation.
func (w *whyWorld) answerOf(args ...string) *answer {
	w.t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(w.run(0, append([]string{"why", "--json"}, args...)...)), &a); err != nil {
		w.t.Fatal(err)
	}
	return &a
}

// words asks why as a person does, and looks for lines.
func (w *whyWorld) words(name string, want ...string) {
	w.t.Helper()
	out := w.run(0, "why", name)
	for _, re := range want {
		if !regexp.MustCompile("(?m)^" + re + "$").MatchString(out) {
			w.t.Errorf("why %s: no %s in\n%s", name, re, out)
		}
	}
}

// TestWhyRegistry walks from names in a published zone to those who asked,
// evaluated and signed, for every kind of evidence.
func TestWhyRegistry(t *testing.T) {
	w := newWhyWorld(t)
	first := func(ref string) string { return strings.Split(w.rangeOf(ref), "/")[0] + "/24" }
	const stamp = `2026-03-0\dT\d\d:00:00Z`
	t.Run("within the window", func(t *testing.T) {
		w.t = t
		w.words(first("R-1"),
			`in the registry \(event \d+ of `+stamp+`\)`, `  202\.\S+/24: allocation from VNNIC to V1, Hanoi-Networks \(nir-member, VN, 2026-03-02\)`,
			`  202\.\S+/24: allocation from APNIC to VNNIC \(rir-nir, VN, 2026-03-02\)`,
			`    request +VNNIC/R-1 for /24 of ipv4, within the window of /22`, `    submitted +`+stamp+` by linh`, `    state +registered`,
			`  domain object \S+, active`, `    recorded +`+stamp+` by linh \(whois.put, event \d+\)`)
	})
	t.Run("above the window", func(t *testing.T) {
		w.t = t
		w.words(first("R-2"), `    request +VNNIC/R-2 for /21 of ipv4, above the window of /22: a second opinion`, `    step 1 +`+stamp+` by anna: ask-nir: in-use\?`,
			`    step 2 +`+stamp+` by linh: answer: all-of-it`, `    step 3 +`+stamp+` by yuki: approve: justified`,
			`    proposed +`+stamp+` by anna, proposal [0-9a-f]{12}: justified`, `    signed +`+stamp+` by yuki, approver, key SHA256:\S+`)
		a := w.answer(first("R-2"))
		r := a.Registry.Origins[0].Request
		if r == nil || len(r.Steps) != 3 || r.Proposal == nil || len(r.Proposal.Approvals) != 1 || r.Proposal.Approvals[0].Signer != "yuki" || len(r.Proposal.Hash) != 64 {
			t.Errorf("%+v", r)
		}
		if a.Version != 1 || len(a.Published) != 2 || len(a.Registry.Domains) != 1 || len(a.Registry.Differs) != 0 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("page", func(t *testing.T) {
		w.t = t
		whyPage(t, w.run(0, "why", first("R-2")))
	})
	t.Run("transfer", func(t *testing.T) {
		w.t = t
		w.words(first("R-3"), `  202\.\S+/24: allocation from KRNIC to K1, Hanoi-Networks \(nir-member, VN, 2026-03-02\)`,
			`    transfer +of 202\.\S+/24, from VNNIC to KRNIC \(normal\): moved`, `    carried out +`+stamp, `    before that`, `        request +VNNIC/R-3 .*`)
	})
	t.Run("import", func(t *testing.T) {
		w.t = t
		w.words("202.64.0.0/24", `    import +\S*delegated.txt of apnic, serial 20260301`, `    proposed +`+stamp+` by anna, .*: before-us`, `    signed +`+stamp+` by yuki, .*`)
	})
	t.Run("who sees it", func(t *testing.T) {
		w.t = t
		a := w.answer("--as", "minjun", first("R-1"))
		if o := a.Registry.Origins[0]; !o.Withheld || o.Request != nil || a.Registry.Domains[0].Recorded.By != "" {
			t.Errorf("staff of another NIR: %+v", o)
		}
	})
	t.Run("moved since", func(t *testing.T) {
		w.t = t
		w.now = w.now.Add(time.Hour)
		w.line("transfer create --from VNNIC --to KRNIC --member V1 --uid K1 --range RANGE-R-1 -m moved")
		w.line("transfer run")
		w.words(first("R-1"), `  202\.\S+/24 is KRNIC's now, the zone was built by other claims: nirctl export, then zonebuild`)
	})
	t.Run("claims held", func(t *testing.T) {
		w.t = t
		w.now = w.now.Add(time.Hour)
		w.line("export")
		w.zonebuild(3)
		h := w.answer(first("R-1")).Holds
		if len(h) != 1 || h[0].Kind != zone.KindClaims || h[0].Source != "VNNIC" || h[0].Removes != 1 || !h[0].LosesName {
			t.Fatalf("%+v", h)
		}
		show := "zonebuild held show " + h[0].Hash[:12]
		w.words(first("R-1"), `held: a change of VNNIC \(claims-reduced\)`, `  look +`+show,
			`  202\.\S+/24 is KRNIC's now, the zone was built by other claims: newer ones are held, `+show)
		if h := w.answer(first("R-2")).Holds; len(h) != 0 {
			t.Errorf("it has nothing to do with these numbers: %+v", h)
		}
		if h := w.answerOf("202.in-addr.arpa").Holds; len(h) != 1 || h[0].LosesName {
			t.Errorf("of the whole zone: %+v", h)
		}
	})
	t.Run("no registry", func(t *testing.T) {
		w.t = t
		whyWithout(t, w, first("R-2"))
	})
}

var (
	whyBlock = regexp.MustCompile("(?ms)^```text\n\\$ nirctl why [^\n]*\n(.*?)^```$")
	byChance = regexp.MustCompile(`proposal [0-9a-f]{12}`)
)

// whyPage compares the example of docs/nirctl.md. With -update it writes it anew.
func whyPage(t *testing.T, out string) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	at := whyBlock.FindSubmatchIndex(text)
	if at == nil {
		t.Fatalf("%s has no example of why with a registry", page)
	}
	old := string(text[at[2]:at[3]])
	fresh := byChance.ReplaceAllString(out, "proposal 0123456789ab")
	fresh = strings.ReplaceAll(fresh, " by "+thisAccount(t)+" (", " by ben (")
	if old == fresh {
		return
	}
	if !*update {
		t.Errorf("%s is not what nirctl prints (go test ./cmd/nirctl -update):\n%s", page, firstDifference(old, fresh))
	} else if err := os.WriteFile(page, []byte(string(text[:at[2]])+fresh+string(text[at[3]:])), 0o644); err != nil {
		t.Fatal(err)
	}
}

// whyWithout takes the registry away: why answers, and says so in one line.
func whyWithout(t *testing.T, w *whyWorld, name string) {
	with := w.run(0, "why", name)
	file, config := filepath.Join(w.dir, "registry.db"), filepath.Join(w.dir, "nirzone.toml")
	elsewhere := strings.Replace(fmt.Sprintf(whyConfig, thisAccount(t)), "[nirctl]\n", "[nirctl]\ndatabase = \"postgres://nobody@127.0.0.1:1/none\"\n", 1)
	roles := strings.Replace(whyConfig, "%s", "somebody", 1)
	for _, c := range []struct {
		take func() error
		want string
	}{
		{func() error { return os.WriteFile(config, []byte(roles), 0o600) }, "the registry is not there: account " + thisAccount(t) + " has no role in the registry ("},
		{func() error { return os.WriteFile(config, []byte(elsewhere), 0o600) }, "the registry is not there: "},
		{func() error { return os.WriteFile(config, fmt.Appendf(nil, whyConfig, thisAccount(t)), 0o600) }, ""},
		{func() error { return os.Chmod(file, 0o644) }, "the registry is not there: registry.db may be used by others (mode 0644) (chmod 600 registry.db)"},
		{func() error { return os.WriteFile(file, []byte(strings.Repeat("no database\n", 99)), 0o600) }, "the registry is not there: "},
		{func() error { return os.Remove(file) }, "the registry is not there: registry.db is not there (nirctl init)"},
	} {
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(file + suffix) // nobody has it open
		}
		if err := c.take(); err != nil {
			t.Fatal(err)
		}
		if c.want == "" { // it is there again
			if got := w.run(0, "why", name); got != with {
				t.Errorf("with the registry:\n%s", got)
			}
			continue
		}
		head, last, _ := strings.Cut(w.run(0, "why", name), "\nthe registry is not there")
		want, _, _ := strings.Cut(with, "\nin the registry")
		last = "the registry is not there" + last
		if head != want || !strings.HasPrefix(last, c.want) || strings.Count(last, "\n") != 1 {
			t.Errorf("want %q\n%s%s", c.want, head, last)
		}
		if a := w.answer(name); a.Registry.Missing == "" || a.Registry.Origins == nil || a.Registry.Event != 0 {
			t.Errorf("%+v", a.Registry)
		}
	}
}
