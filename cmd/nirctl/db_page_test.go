package main

import (
	"os"
	"strings"
	"testing"
)

// registryPages are the pages about the registry, and how many examples each has
// at least.
var registryPages = map[string]int{"registry.md": 7, "mail.md": 2, "whois.md": 15}

// testRegistryPage runs the examples of a page on a copy of the world and compares
// what they print. With -update it writes them anew.
func testRegistryPage(t *testing.T, w *dbWorld, name string) {
	registryPage := "../../docs/" + name
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(registryPage)
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
				out, code := w.sh(t, dir, command)
				if code != "0" {
					out += "(exit code " + code + ")\n"
				}
				b.WriteString(line + strings.ReplaceAll(out, " by "+thisAccount(t)+" (", " by anna ("))
			}
		}
		return b.String() + "```"
	})
	if examples < registryPages[name] {
		t.Errorf("%d examples", examples)
	}
	if fresh == string(text) {
		return
	}
	if !*update {
		t.Errorf("%s is not what nirctl prints (go test ./cmd/nirctl -update):\n%s", registryPage, firstDifference(string(text), fresh))
	} else if err := os.WriteFile(registryPage, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}

// thisAccount is the account that runs the tests: it has another name everywhere.
func thisAccount(t *testing.T) string {
	t.Helper()
	name, err := account()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
