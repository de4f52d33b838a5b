package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"nirzone/cmd/shell"
	"nirzone/zone/seal"
)

// worldConfig is the configuration of the world: the account that runs the tests
// is admin and registry staff.
const worldConfig = `version = 1
rir = "APNIC"
[[zones]]
names = ["202.in-addr.arpa"]
ns = ["ns1.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
[nirctl]
signers = "signers"
[nirctl.security]
contact = ["mailto:security@registry.example"]
[[nirctl.user]]
account = "%s"
roles = ["admin", "registry-staff"]
[[nirctl.user]]
account = "hana"
roles = ["nir-staff"]
nir = "JPNIC"
[[nirctl.user]]
account = "minjun"
roles = ["nir-staff"]
nir = "KRNIC"
[[nirctl.user]]
account = "audrey"
roles = ["auditor"]
`

// worldLines make the world, a line a day: what the examples of the help texts
// speak of.
const worldLines = `init
nir create JPNIC --name "Japan Network Information Center" --economy JP --mntner MAINT-JPNIC --email dns@jpnic.example -m start
nir create KRNIC --name "Korea Network Information Center" --economy KR --mntner MNT-KRNIC-AP -m start
nir onboard IDNIC --name "Indonesia Network Information Center" --economy ID --mntner MNT-APJII-ID --window ipv4=/22 -m start
window set JPNIC ipv4 /20 -m start
window set JPNIC ipv6 /32 -m start
window set JPNIC asn 1 -m start
pool create 202.0.0.0/8 -m start
pool create 2400::/31 -m start
pool create AS131072-AS139577 -m start
member create JPNIC/M1 --name "Example Networks" --economy JP --admin-c AA1-JP --tech-c TT1-JP
member create JPNIC/M2 --name "Small Networks" --economy JP
member create APNIC/D1 --name "A direct member" --economy AU
request create --nir JPNIC --member M1 --size /22 --ref R-1 --netname EXAMPLE --attested
request create --nir JPNIC --member M1 --size /16 --ref R-2 --netname EXAMPLE --second-opinion --justification plan.txt --assessment review.txt # 8
request create --nir JPNIC --member M1 --size /17 --ref R-3 --netname EXAMPLE --second-opinion --justification plan.txt --assessment review.txt # 8
request ask JPNIC/R-3 -m "which part of it is in use today?"
request create --nir JPNIC --member M1 --kind asn --size 1 --ref R-8 --netname EXAMPLE --attested
request create --nir JPNIC --member M1 --kind ipv6 --size /32 --ref R-5 --netname EXAMPLE --attested
request create --nir JPNIC --member M1 --kind ipv6 --size /32 --ref R-7 --netname EXAMPLE --attested
request create --nir JPNIC --member M1 --kind ipv6 --size /32 --ref R-4 --netname EXAMPLE --attested # 8
request create --nir JPNIC --member M1 --size /18 --ref R-6 --netname EXAMPLE --second-opinion --justification plan.txt --assessment review.txt # 8
disclosure create --ref LEA-7 --requester "Federal Police" --contact "Inspector, +61 2 5550 0000" --jurisdiction AU --basis court-order --document "order 11 of 2026, safe 3" --scope "who holds 202.0.0.0/22"
transfer create --from JPNIC --to KRNIC --member M1 --uid K1 --range AS131072 --due 2030-01-01 -m "its network moves"
whois external APNIC mntner APNIC-HM -m "the registry's own"
audit export > audit.jsonl
`

// statistics are what was delegated before there was this registry.
const statistics = `2|apnic|20260301|1|19830613|20260301|+0000
apnic|*|ipv4|*|1|summary
apnic|JP|ipv4|202.128.0.0|1024|20100101|allocated
`

const person = `person:   Anna Example
address:  1 Example Street
country:  JP
phone:    +81 3 5550 0000
e-mail:   anna@example.net
nic-hdl:  AE1-AP
mnt-by:   APNIC-HM
source:   APNIC
`

const dump = `person:   Kenji Example
address:  2 Example Street
country:  JP
phone:    +81 3 5550 0001
e-mail:   kenji@example.net
nic-hdl:  KE1-JP
mnt-by:   MAINT-JPNIC
source:   JPNIC
`

// worldStart is when the world begins.
var worldStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A dbWorld is a folder with a registry in it, to be copied for each test.
type dbWorld struct {
	dir  string
	keys map[string]string // private SSH keys by name
}

func newDBWorld(t *testing.T) *dbWorld {
	t.Helper()
	w := &dbWorld{t.TempDir(), map[string]string{}}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "nirzone.toml", fmt.Sprintf(worldConfig, me.Username))
	w.write(t, "plan.txt", "Two thousand routers, and a plan for two years.\n")
	w.write(t, "review.txt", "We looked at the plan and propose what is asked for.\n")
	w.write(t, "signers", w.signer(t, "yuki")+w.signer(t, "lin"))
	w.write(t, "delegated.txt", statistics)
	w.write(t, "person.rpsl", person)
	w.write(t, "dump.rpsl", dump)
	w.write(t, "twnic.asc", openPGPKey(t))
	i := 0
	for line := range strings.Lines(worldLines) {
		line, code, _ := strings.Cut(strings.TrimSpace(line), " # ")
		if code == "" {
			code = "0"
		}
		at := worldStart.AddDate(0, 0, i).Format(time.RFC3339)
		yes := "--yes=true --now " + at + " "
		if line == "init" || strings.HasPrefix(line, "audit") {
			yes = ""
		}
		out, got := w.sh(t, w.dir, "nirctl "+yes+line)
		if got != code {
			t.Fatalf("nirctl %s: exit %s, want %s\n%s", line, got, code, out)
		}
		i++
	}
	return w
}

func (w *dbWorld) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signer makes an SSH key and returns its line in the list of signers.
func (w *dbWorld) signer(t *testing.T, name string) string {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		return "" // the scripts that sign skip loudly
	}
	file := filepath.Join(w.dir, "key-"+name)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return name + ` namespaces="approver@nirzone,registry-staff@nirzone" ` + string(public)
}

func openPGPKey(t *testing.T) string {
	t.Helper()
	k, err := seal.GenerateKey("TWNIC zones <zones@twnic.example>", worldStart, 0, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	return string(public)
}

// sh runs a command line in a folder and returns all it printed and its exit code.
func (w *dbWorld) sh(t *testing.T, dir, line string) (out, code string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "NIRZONE_CONFIG=", "NO_COLOR=1")
	b, err := cmd.CombinedOutput()
	return string(b), exitCode(err)
}

// copy copies the world into a folder, for its owner alone.
func (w *dbWorld) copy(dir string) error {
	files, err := os.ReadDir(w.dir)
	for _, f := range files {
		var data []byte
		if data, err = os.ReadFile(filepath.Join(w.dir, f.Name())); err == nil {
			err = os.WriteFile(filepath.Join(dir, f.Name()), data, 0o600)
		}
		if err != nil {
			break
		}
	}
	return err
}

// TestRegistry runs everything that works on a registry's database, made once.
func TestRegistry(t *testing.T) {
	w := newDBWorld(t)
	t.Run("examples", func(t *testing.T) { testExamples(t, w) })
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Files: scriptsIn(t, "testdata/registry"), UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
			Setup: func(env *testscript.Env) error {
				env.Setenv("NIRZONE_CONFIG", "")
				env.Setenv("HOME", env.WorkDir)
				return w.copy(env.WorkDir)
			},
			Cmds: map[string]func(*testscript.TestScript, bool, []string){"run": runNirctl},
		})
	})
	for name := range registryPages {
		t.Run(name, func(t *testing.T) { testRegistryPage(t, w, name) })
	}
	t.Run("imports", func(t *testing.T) { testImports(t, w) })
	t.Run("deliver", func(t *testing.T) { testDeliver(t, w) })
	t.Run("describe", func(t *testing.T) { testDescribeAll(t, w) })
	t.Run("trouble", func(t *testing.T) { testTrouble(t, w) })
	t.Run("mirror", func(t *testing.T) { testMirror(t, w) })
	t.Run("width", func(t *testing.T) { testWidth(t, w) })
	t.Run("disclosed", func(t *testing.T) { testDisclosed(t, w) })
	t.Run("ship", func(t *testing.T) { testShip(t, w) })
	t.Run("concurrent", func(t *testing.T) { testPlanOvertaken(t, w) })
}

// inProcess runs nirctl in this process, on the world in a folder.
func inProcess(dir string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	sh := shell.Shell{Name: "nirctl", Stdout: &out, Stderr: &errs, Clock: time.Now}
	code = run(context.Background(), append([]string{"--config", filepath.Join(dir, "nirzone.toml")}, args...), &sh)
	return out.String(), errs.String(), code
}
