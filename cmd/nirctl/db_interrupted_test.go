package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
)

// A presser presses Ctrl-C when it reads a word.
type presser struct {
	bytes.Buffer
	word  string
	press func()
}

func (p *presser) Write(b []byte) (int, error) {
	if strings.Contains(string(b), p.word) {
		p.press()
	}
	return p.Buffer.Write(b)
}

// TestInterruptedWhenDone: Ctrl-C after the commit takes nothing back, and the
// command says what it did. Before it, nothing is done.
func TestInterruptedWhenDone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nirzone.toml"), fmt.Appendf(nil, strings.Replace(worldConfig, "signers = \"signers\"\n", "", 1), thisAccount(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	inProcess(dir, "init")
	for _, c := range []struct {
		word, source string
		code         int
		says         string
	}{
		{"plan: nir.put", "JPNIC", 1, "cancelled"},
		{"done: event", "KRNIC", 0, `"code": "KRNIC"`},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		var out bytes.Buffer
		errs := presser{word: c.word, press: cancel}
		sh := shell.Shell{Name: "nirctl", Stdout: &out, Stderr: &errs, Clock: time.Now}
		code := run(ctx, []string{"--config", filepath.Join(dir, "nirzone.toml"), "nir", "create", c.source, "--name", "N", "--economy", "JP", "--mntner", "MNT-N", "--yes", "--json"}, &sh)
		list, _, _ := inProcess(dir, "nir", "list", "-o", "name")
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.says) || strings.Contains(list, c.source) != (c.code == 0) {
			t.Errorf("Ctrl-C at %q: exit %d, want %d and %q\n%s%s", c.word, code, c.code, c.says, out.String(), errs.String())
		}
		cancel()
	}
}
