package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"nirzone/nir"
)

const page = "../../docs/nirctl.md"

var console = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// testPage plays docs/nirctl.md in an NIR's folder and on the later state of the
// registry.
func testPage(t *testing.T, reg *registry) {
	d := newDesk(t)
	d.write("delegations.txt", 0o644, "202.12.28.0/24          ns1.example.net ns2.example.net\n29.12.202.in-addr.arpa  NS ns1.example.net\n")
	d.write("claims", 0o644, "JPNIC\t202.12.0.0/16\n")
	d.write("old", 0o644, "12.202.in-addr.arpa. NS a.example.\nJPNIC.202.in-addr.arpa. TXT \"Generated at 2026-11-20T00:00:00Z with 1 NS records.\"\n")
	playPage(t, page, 8, func(command string) string { return example(t, reg, d.dir, command) })
}

// playPage runs the examples of a page, at least as many as that, and compares
// what they print. With -update it writes them anew.
func playPage(t *testing.T, page string, least int, run func(command string) string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	fresh := console.ReplaceAllStringFunc(string(text), func(block string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		for line := range strings.Lines(block) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				examples++
				b.WriteString(line + run(command))
			}
		}
		return b.String() + "```"
	})
	if examples < least {
		t.Errorf("%s has %d examples", page, examples)
	}
	if fresh == string(text) {
		return
	}
	if !*update {
		t.Errorf("%s is not what nirctl prints (go test ./cmd/nirctl -update):\n%s", page, firstDifference(string(text), fresh))
	} else if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}

// example runs a command line and returns all that it prints, and its exit code
// if that is not 0.
func example(t *testing.T, reg *registry, dir, command string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "NIRZONE_CONFIG="+filepath.Join(reg.vars["LATER"], "nirzone.toml"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out) + fmt.Sprintf("(exit code %s)\n", exitCode(err))
	}
	return string(out)
}

func firstDifference(old, fresh string) string {
	a, b := strings.Split(old, "\n"), strings.Split(fresh, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}

// TestPageNamesFields finds every field of the JSON in docs/nirctl.md.
func TestPageNamesFields(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, v := range []any{
		answer{},
		statement{},
		apexFacts{},
		claim{},
		hold{},
		waiting{},
		verdict{},
		made{},
		madeFile{},
		registryPart{},
		nir.Trace{},
		nir.Origin{},
		nir.TracedDelegation{},
		nir.TracedEvent{},
		nir.TracedRequest{},
		nir.TracedStep{},
		nir.TracedProposal{},
		nir.TracedSigner{},
		nir.TracedTransfer{},
		nir.TracedImport{},
		nir.TracedPool{},
		nir.TracedDomain{},
	} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name == "" || name == "version" {
				continue
			}
			fields++
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%s does not name %s of %s", page, name, typ.Name())
			}
		}
	}
	if fields < 50 {
		t.Errorf("%d fields", fields)
	}
}
