package main

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"nirzone/cmd/shell"
)

// A screen is a terminal of some columns.
type screen struct {
	bytes.Buffer
	columns int
}

func (s *screen) Columns() int { return s.columns }

// onScreen runs nirctl in this process with standard output on a terminal of some
// columns, or on none.
func onScreen(columns int, args ...string) (stdout, stderr string) {
	out, errs := &screen{columns: columns}, &screen{columns: columns}
	sh := shell.Shell{Name: "nirctl", Stdout: out, Stderr: errs, Clock: func() time.Time { return worldStart.AddDate(1, 0, 0) }}
	run(context.Background(), args, &sh)
	return out.String(), errs.String()
}

// tooWide returns the lines of a text that are wider than a terminal: but for words
// of which nothing is cut, and what is typed.
func tooWide(s string) (list []string) {
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		if text.StringWidthWithoutEscSequences(line) > maxWidth && strings.ContainsAny(strings.TrimSpace(line), " ") {
			list = append(list, line)
		}
	}
	return list
}

// long is what people really write: long names, wide letters, whole sentences.
var long = [][]string{
	{"member", "create", "JPNIC/M5", "--name", "Chunghwa Telecom Co., Ltd. Data Communication Business Group, Internet Service Department", "--economy", "JP", "--address", "No. 21, Sec. 21, Hsin-Yi Rd., Taipei Taiwan 100, and the second building behind it on the fourth floor"},
	{"member", "create", "JPNIC/M6", "--name", "中国互联网络信息中心国家互联网应急中心北京市海淀区中关村南四街四号互联网络信息中心二号楼", "--economy", "JP"},
	{"request", "ask", "JPNIC/R-6", "-m", "how many of the sites that the plan names are there today, which of them are in use, and by when will the others be: the plan names two dates for each of them"},
	{"window", "set", "JPNIC", "ipv4", "/19", "-m", "review of March: all second opinions of the last twelve months were answered as proposed, and none of the requests was split"},
	{"request", "approve", "JPNIC/R-2", "-m", "the plan justifies it, and so does what the registry itself knows of the member's use of what it has"},
	{"import", "stats", "delegated.txt", "--economy-of", "JP=JPNIC", "-m", "first"},
}

// testWidth runs every example that shows something on a terminal: no line is wider
// than maxWidth, nothing is lost by that, and a pipe gets each line as it is.
func testWidth(t *testing.T, w *dbWorld) {
	dir := t.TempDir()
	check(t, w.copy(dir))
	t.Chdir(dir)
	for _, args := range long {
		if _, errs := onScreen(0, append(args, "--yes")...); strings.Contains(errs, "nirctl: error: -") {
			t.Fatal(errs)
		}
	}
	commands, folded := 0, 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		for line := range strings.Lines(c.Example) {
			if args, ok := shownBy(c, line); ok {
				commands++
				folded += testFolding(t, args)
			}
		}
	}
	walk(command(&app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}}))
	for _, more := range []string{"approve --list", "approve " + w.openHash(t), "import list", "notice log --state all", "request view JPNIC/R-6", "window history JPNIC ipv4", "request history JPNIC/R-2", "member list", "member view JPNIC/M5", "doctor"} {
		commands++
		folded += testFolding(t, strings.Fields(more))
	}
	if commands < 100 || folded < 30 {
		t.Errorf("%d commands, %d with lines that are folded", commands, folded)
	}
}

// testDisclosed: the bytes of the digest go to a file as they are; a terminal gets
// the end of a line for its prompt.
func testDisclosed(t *testing.T, w *dbWorld) {
	dir := t.TempDir()
	check(t, w.copy(dir))
	t.Chdir(dir)
	id, _ := onScreen(0, "member", "view", "JPNIC/M1", "--jq", ".member.id")
	_, errs := onScreen(0, "disclosure", "answer", "LEA-7", "--item", "member:"+strings.TrimSpace(id)+":name", "--yes")
	piped, more := onScreen(0, "disclosure", "view", "LEA-7", "--disclosed")
	if piped == "" || strings.HasSuffix(piped, "\n") {
		t.Errorf("a pipe gets %q\n%s%s", piped, errs, more)
	}
	if shown, _ := onScreen(80, "disclosure", "view", "LEA-7", "--disclosed"); shown != piped+"\n" {
		t.Errorf("a terminal gets %q", shown)
	}
}

// openHash is of a proposal that waits.
func (w *dbWorld) openHash(t *testing.T) string {
	t.Helper()
	out, _ := onScreen(0, "approve", "--list", "-o", "name")
	hash, _, _ := strings.Cut(out, "\n")
	if len(hash) < 12 {
		t.Fatalf("no proposal: %s", out)
	}
	return hash[:12]
}

var shellWord = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// shownBy returns the arguments of an example whose result is for people: of one
// that writes it is the plan.
func shownBy(c *cobra.Command, line string) ([]string, bool) {
	line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
	line, ok := strings.CutPrefix(line, "nirctl ")
	reads, writes := c.Flags().Lookup("as-of") != nil, c.Flags().Lookup("yes") != nil
	if !ok || !reads && !writes || strings.ContainsAny(line, "$|>;") || strings.Contains(line, " -o ") || strings.Contains(line, "--out") {
		return nil, false
	}
	args := shellWord.FindAllString(line, -1)
	for i, a := range args {
		args[i] = strings.Trim(a, `"'`)
	}
	if writes {
		args = append(args, "--dry-run")
	}
	return args, !slices.Contains(args, "wait")
}

// testFolding returns 1 if there was a line to fold.
func testFolding(t *testing.T, args []string) int {
	t.Helper()
	piped, _ := onScreen(0, args...)
	for _, columns := range []int{200, 80} {
		got, errs := onScreen(columns, args...)
		if bad := tooWide(got); len(bad) > 0 {
			t.Errorf("nirctl %s: %d columns:\n%s", strings.Join(args, " "), text.StringWidthWithoutEscSequences(bad[0]), bad[0])
		}
		tried := slices.Contains(args, "--dry-run") // a plan may name what is made anew each time
		if !tried && !slices.Equal(strings.Fields(got), strings.Fields(piped)) {
			t.Errorf("nirctl %s: a terminal shows something else than a pipe:\n%s\n%s\n%s", strings.Join(args, " "), got, piped, errs)
		}
	}
	if len(tooWide(piped)) == 0 {
		return 0
	}
	return 1
}

// testWidthPublished is testWidth for what reads what is published.
func testWidthPublished(t *testing.T, reg *registry) {
	config := filepath.Join(reg.vars["LATER"], "nirzone.toml")
	folded := 0
	for _, args := range [][]string{
		{"notice", "list"},
		{"why", reg.vars["LOST"]},
		{"why", reg.vars["ADDED"]},
		{"why", reg.vars["OVERRIDE"]},
		{"why", "202.in-addr.arpa"},
	} {
		folded += testFolding(t, append(args, "--config", config))
	}
	if folded < 3 {
		t.Errorf("%d with lines that are folded", folded)
	}
}
