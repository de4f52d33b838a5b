package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/cmd/shell"
	"nirzone/nir"
	"nirzone/zone"
)

// TestLateMirror: a mirror that is late comes to a newer state by zonefetch and mirror
// run where a source has a whois database, and else by somebody's file.
func TestLateMirror(t *testing.T) {
	row := mirrorRow{WhoisMirror: nir.WhoisMirror{NIR: "JPNIC"}, Late: true}
	for _, c := range []struct {
		sources []zone.Source
		want    string
	}{
		{[]zone.Source{{Name: "KRNIC"}, {Name: "JPNIC", Whois: "ftp://ftp.nic.example/jpnic.db.gz"}}, "zonefetch --source JPNIC; nirctl mirror run JPNIC"},
		{[]zone.Source{{Name: "JPNIC"}}, "no [[source]] of x.toml has its whois: nirctl import whois JPNIC FILE"},
	} {
		if hint := shell.HintOf(mirrorExit(row, &zone.Config{File: "x.toml", Sources: c.sources})); hint != c.want {
			t.Errorf("hint %q, want %q", hint, c.want)
		}
	}
}

// TestUnreachable: a server of PostgreSQL that does not answer is told of in words by
// every command and by the doctor, with what to type; not that the doctor be asked.
func TestUnreachable(t *testing.T) {
	dir := t.TempDir()
	config := strings.Replace(fmt.Sprintf(worldConfig, thisAccount(t)), `signers = "signers"`, `database = "postgres://nobody@127.0.0.1:9/registry"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "nirzone.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	const says, hint = "the registry's database server cannot be reached", "psql postgres://nobody@127.0.0.1:9/registry -c ''"
	for _, args := range [][]string{{"nir", "list"}, {"init"}, {"doctor"}} {
		out, errs, _ := inProcess(dir, args...)
		if !strings.Contains(out+errs, says) || !strings.Contains(out+errs, hint) || strings.Contains(out+errs, "dial") || strings.Contains(out+errs, "nirctl doctor") {
			t.Errorf("%v:\n%s%s", args, out, errs)
		}
	}
}

// testDescribeAll: one command describes what an import brought, however many events
// it takes.
func testDescribeAll(t *testing.T, w *dbWorld) {
	defer func(n int) { describeAtOnce = n }(describeAtOnce)
	describeAtOnce = 2
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "nirzone.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"2|apnic|20260301|5|19830613|20260301|+0000", "apnic|*|ipv4|*|5|summary"}
	for i := range 5 {
		lines = append(lines, fmt.Sprintf("apnic|JP|ipv4|202.128.%d.0|1024|20100101|allocated", 8*i))
	}
	for name, data := range map[string]string{
		"nirzone.toml": strings.Replace(string(text), "[nirctl]\n", "[nirctl]\nconfirm_imports = false\n", 1), "five.txt": strings.Join(lines, "\n") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ line, says string }{
		{"import stats " + filepath.Join(dir, "five.txt") + " --economy-of JP=JPNIC --yes", "5 delegations without whois objects: nirctl whois describe"},
		{"whois describe --limit 1 --yes", "4 delegations without whois objects: nirctl whois describe --yes makes them all"},
		{"whois describe --yes", "done: event 28"},
		{"whois describe --yes", "nothing to do"},
	} {
		if out, errs, code := inProcess(dir, strings.Fields(c.line)...); code != 0 || !strings.Contains(errs, c.says) {
			t.Fatalf("nirctl %s: exit %d, want %q\n%s%s", c.line, code, c.says, out, errs)
		}
	}
}
