package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
	"nirzone/fixtures/peers"
)

var wantedCode = regexp.MustCompile(`# exit code (\d)`)

// elsewhere are the commands whose examples other tests run, on files and on what
// is published.
var elsewhere = []string{"nirctl zone", "nirctl why", "nirctl notice list", "nirctl completion", "nirctl help"}

// testExamples runs every example line of the help texts on a copy of the world,
// those of one command one after the other. A line ends with 0, or with the code
// that its comment says.
func testExamples(t *testing.T, w *dbWorld) {
	root := command(&app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}})
	root.InitDefaultCompletionCmd()
	lines, commands := 0, 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, e := range elsewhere {
			if c.CommandPath() == e {
				return
			}
		}
		if c.HasSubCommands() {
			for _, s := range c.Commands() {
				walk(s)
			}
			return
		}
		if c.Example == "" || c.Short == "" {
			t.Errorf("%s has no example, or no short help", c.CommandPath())
		}
		if peers.Every(commands) {
			lines += runExamples(t, w, c)
		}
		commands++
	}
	walk(root)
	if lines < peers.Rounds(80) {
		t.Errorf("%d examples", lines)
	}
}

func runExamples(t *testing.T, w *dbWorld, c *cobra.Command) int {
	dir := t.TempDir()
	if err := w.copy(dir); err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(c.Example) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "nirctl ")
		if !ok {
			continue
		}
		if !strings.HasPrefix("nirctl "+command, c.CommandPath()) && c.Name() != "init" {
			t.Errorf("%s: %s is of another command", c.CommandPath(), command)
		}
		want := "0"
		if m := wantedCode.FindStringSubmatch(command); m != nil {
			want = m[1]
		}
		if strings.HasPrefix(command, "doctor") {
			want = "3" // no source fetches JPNIC's zonelets in this world
		}
		yes := ""
		if c.Flags().Lookup("yes") != nil {
			yes = "--yes=true "
		}
		if out, code := w.sh(t, dir, "nirctl "+yes+command); code != want || strings.Contains(out, "panic") {
			t.Errorf("nirctl %s: exit %s, want %s\n%s", command, code, want, out)
		}
		n++
	}
	return n
}
