package main

import (
	"strings"
	"testing"
)

// registryPages are the pages about the registry, and how many examples each has
// at least.
var registryPages = map[string]int{"registry.md": 7, "mail.md": 2, "whois.md": 15}

// testRegistryPage plays a page about the registry on a copy of the world.
func testRegistryPage(t *testing.T, w *dbWorld, name string) {
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	playPage(t, "../../docs/"+name, registryPages[name], func(command string) string {
		out, code := w.sh(t, dir, command)
		if code != "0" {
			out += "(exit code " + code + ")\n"
		}
		return strings.ReplaceAll(out, " by "+thisAccount(t)+" (", " by anna (")
	})
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
