package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
)

// A badInput is what somebody gives to a command that takes a file into the
// registry, with more than one mistake in it where the form allows that.
type badInput struct {
	takes string // the command, and its flag if the file is a flag's
	name  string // of the file; "bad" without one
	text  string
	args  []string // {} is the file
	setup string   // a command before
	code  int
	wants []string // lines of standard error: {} is the file
	hint  string   // what to type or to do, in a line of standard error
	part  string   // what --partial leaves out, on standard error; "" where it is not to be had
}

var badInputs = []badInput{
	{
		takes: "nirctl import stats", args: []string{"import", "stats", "{}", "--economy-of", "JP=JPNIC", "--yes"},
		text: "2|apnic|20260301|3|19830613|20260301|+0000\napnic|*|ipv4|*|3|summary\napnic|JP|ipv4|202.200.0.0|1024|20101301|allocated\n" +
			"apnic|JP|ipv4|10.0.0.0|1024|20100101|allocated\napnic|JP|ipv4|202.64.0.0|1024|20100101|allocated\n",
		code: 2, wants: []string{`{}:3: .*20101301`, `{}:4: .*RFC 1918`}, hint: `--partial`, part: `left out: .*\n.*{}:4: .*RFC 1918`,
	},
	{
		takes: "nirctl import whois", args: []string{"import", "whois", "JPNIC", "{}", "--yes"},
		text: dump + "\nperson:   No Handle\naddress:  Nowhere\nsource:   JPNIC\n\nthis is no attribute\n\n%% a comment\n\nperson no colon\n",
		code: 2, wants: []string{`{}:14: .*this is no attribute`, `{}:18: .*person no colon`}, hint: `have JPNIC mend the dump`,
	},
	{
		takes: "nirctl notice import", args: []string{"notice", "import", "{}", "--yes"},
		text: "{\n  \"version\": 1,\n  \"source\": \"JPNIC\",\n  \"new\": 7\n}\n",
		code: 2, wants: []string{`{}:4:\d+: `}, hint: `zonebuild writes the files anew`,
	},
	{
		takes: "nirctl request submit", args: []string{"request", "submit", "{}", "--yes"},
		text: "[[request]]\nnir = \"JPNIC\"\nmembr = \"M1\"\nsize = \"/22\"\n[[request]]\ncolour = \"red\"\n",
		code: 2, wants: []string{`{}:3:\d+: .*membr`, `{}:6:\d+: .*colour`}, hint: `nirctl request submit --template`,
	},
	{
		takes: "nirctl request submit", args: []string{"request", "submit", "{}", "--yes"},
		text: "[[request]]\nnir = \"JPNIC\"\nref = \"R-90\"\nmember = \"M1\"\nsize = \"/99\"\nnetname = \"X\"\nattested = true\n" +
			"[[request]]\nnir = \"JPNIC\"\nref = \"R-91\"\nmember = \"M1\"\nsize = \"/24\"\nnetname = \"X\"\n",
		code: 2, wants: []string{`{}:1: .*R-90.*/99`, `{}:8: .*R-91.*attested`}, hint: `nirctl request submit --help`,
	},
	{
		takes: "nirctl whois put", args: []string{"whois", "put", "{}", "--yes"},
		text: "person:   Anna Example\naddress   1 Example Street\nphone:    +81 3 5550 0000\n nonsense no colon\nmnt-by\nsource:   APNIC\n",
		code: 2, wants: []string{`{}:2: `, `{}:5: `}, hint: `nirctl whois put --help`,
	},
	{
		takes: "nirctl restore", args: []string{"restore", "{}"},
		text: "{\"seq\":1}\nnonsense\n", code: 1, wants: []string{`{}: .*line 1`}, hint: `nirctl audit check {}`, // what follows a break is no chain
	},
	{
		takes: "nirctl approve --signature", setup: `request approve JPNIC/R-2 -m "it is justified" --yes`, args: []string{"approve", "{hash}", "--signature", "{}", "--yes"},
		text: "-----BEGIN SSH SIGNATURE-----\n!!!!\n-----END SSH SIGNATURE-----\n",
		code: 4, wants: []string{`{}: .*base64`}, hint: `nirctl approve \w+ prints the commands`,
	},
	{
		takes: "nirctl nir onboard --keyring", args: []string{"nir", "onboard", "XXNIC", "--name", "X", "--economy", "TW", "--mntner", "MAINT-X", "--keyring", "{}", "--yes"},
		text: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
		code: 2, wants: []string{`{}: `}, hint: `gpg --armor --export`,
	},
	{
		takes: "signers", name: "signers", args: []string{"nir", "list"},
		text: "anna ssh-ed25519 AAAA\n# a comment\n*@example namespaces=\"approver@nirzone\" ssh-ed25519 AAAA\n",
		code: 2, wants: []string{`{}:1: `, `{}:3: `}, hint: `approver@nirzone`,
	},
	{
		takes: "holidays", name: "nirzone.toml", args: []string{"nir", "list"},
		text: strings.Replace(worldConfig, "[[nirctl.user]]", "[[nirctl.holidays]]\neconomy = \"JPN\"\ndates = [2026-02-28]\n[[nirctl.local]]\nnir = \"JPNIC\"\nkind = \"ipv5\"\n[[nirctl.user]]", 1),
		code: 2, wants: []string{`{}.*JPN`, `{}.*ipv5`}, hint: `nirzone.example.toml`,
	},
}

// noImports are commands and flags that read a file, and change nothing in the
// registry by what it says: why. What is below one is of it.
var noImports = map[string]string{
	"nirctl audit check": "it reads without a registry",
	"nirctl audit ship":  "it writes the file, if that is of the same chain",

	"nirctl audit receive":       "it reads what ship sends, without a registry",
	"nirctl audit verify --file": "it proves a file, without a registry",

	"nirctl backup":     "it writes the file",
	"nirctl zone":       "it changes no registry; testdata/check.txt, make.txt",
	"nirctl export":     "a key to sign with",
	"nirctl stats diff": "it compares",
	"nirctl whois diff": "it compares",

	"nirctl approve --key":                  "a key to sign with, for ssh-keygen",
	"nirctl request create --justification": "any text",
	"nirctl request create --assessment":    "any text",
}

// testImports gives every command that takes a file a bad one: it names file, line
// and remedy, all mistakes at once, and the registry stays as it was.
func testImports(t *testing.T, w *dbWorld) {
	for _, b := range badInputs {
		t.Run(strings.ReplaceAll(b.takes, " ", "_"), func(t *testing.T) {
			dir := t.TempDir()
			if err := w.copy(dir); err != nil {
				t.Fatal(err)
			}
			b.try(t, w, dir)
		})
	}
	all := takers()
	if len(all) < 12 {
		t.Errorf("%d commands and flags take a file: %q", len(all), all)
	}
	for _, takes := range all {
		known := slices.ContainsFunc(badInputs, func(b badInput) bool { return b.takes == takes })
		excused := slices.ContainsFunc(slices.Collect(maps.Keys(noImports)), func(p string) bool { return strings.HasPrefix(takes+" ", p+" ") })
		if !known && !excused {
			t.Errorf("%s takes a file: give badInputs a row for it, or say in noImports why it needs none", takes)
		}
	}
}

func (b *badInput) try(t *testing.T, w *dbWorld, dir string) {
	name := b.name
	if name == "" {
		name = "bad"
	}
	if b.setup != "" {
		if out, code := w.sh(t, dir, "nirctl "+b.setup); code != "0" {
			t.Fatalf("%s: exit %s\n%s", b.setup, code, out)
		}
	}
	saved := b.saved(t, dir)
	right, _ := os.ReadFile(filepath.Join(dir, name)) // there before if it is of the configuration
	hash, _ := w.sh(t, dir, "nirctl approve --list -o name | head -1")
	text := strings.ReplaceAll(b.text, "%s", thisAccount(t))
	check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	args := slices.Clone(b.args)
	for i := range args {
		args[i] = strings.ReplaceAll(strings.ReplaceAll(args[i], "{}", name), "{hash}", strings.TrimSpace(hash))
	}
	out, code := w.sh(t, dir, "nirctl '"+strings.Join(args, "' '")+"'")
	call := "nirctl " + strings.Join(args, " ")
	if code != strconv.Itoa(b.code) {
		t.Errorf("%s: exit %s, want %d\n%s", call, code, b.code, out)
	}
	rest := out // the mistakes stand in the order of the file
	for _, want := range append(slices.Clone(b.wants), `hint: (?s:.*)`+b.hint) {
		at := regexp.MustCompile(strings.ReplaceAll(want, "{}", name)).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("%s: nothing is like %s\n%s", call, want, out)
		}
		rest = rest[at[1]:]
	}
	if b.name != "" {
		check(t, os.WriteFile(filepath.Join(dir, name), right, 0o600))
	}
	if now := b.saved(t, dir); now != saved {
		t.Errorf("%s changed the registry:\n%s", call, now)
	}
	if b.part == "" {
		return
	}
	out, code = w.sh(t, dir, "nirctl '"+strings.Join(append(args, "--partial"), "' '")+"'")
	if code != "0" && code != "8" || !regexp.MustCompile(strings.ReplaceAll(b.part, "{}", name)).MatchString(out) || b.saved(t, dir) == saved {
		t.Errorf("%s --partial: exit %s, want what is right to be taken\n%s", call, code, out)
	}
}

// saved is what the registry holds: its audit, every event with its hash.
func (b *badInput) saved(t *testing.T, dir string) string {
	t.Helper()
	out, errs, code := inProcess(dir, "audit", "export")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	return out
}

var fileFlag = regexp.MustCompile(`(?m)(--[a-z-]+) FILE\b`)

// takers are the commands that take a FILE, and the flags that do.
func takers() []string {
	root := command(&app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}})
	var list []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if strings.Contains(c.Use, "FILE") {
			list = append(list, c.CommandPath())
		}
		if c != root {
			for _, f := range fileFlag.FindAllStringSubmatch(c.LocalFlags().FlagUsages(), -1) {
				list = append(list, c.CommandPath()+" "+f[1])
			}
		}
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(root)
	return list
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
