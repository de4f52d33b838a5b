package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
)

// typed is a command of nirctl in a text: words in lower case after the program's
// name.
var typed = regexp.MustCompile(`\bnirctl ((?:[a-z][a-z-]+ ?){1,3})`)

// TestHintsCanBeTyped: every command that a message of nirctl or of the registry
// names is there.
func TestHintsCanBeTyped(t *testing.T) {
	hints := 0
	for _, dir := range []string{".", "../../nir", "../../zone", "../zonebuild", "../zonefetch"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				hints += testHints(t, name)
			}
		}
	}
	if hints < 60 {
		t.Errorf("%d hints", hints)
	}
}

func testHints(t *testing.T, name string) (hints int) {
	t.Helper()
	src, err := os.ReadFile(name)
	check(t, err)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, 0)
	check(t, err)
	root := command(&app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}})
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		check(t, err)
		for _, m := range typed.FindAllStringSubmatch(text, -1) {
			words := strings.Fields(m[1])
			c, rest, err := root.Find(words)
			if words[0] == "is" {
				continue
			}
			hints++
			if err != nil || c == root || c.HasSubCommands() && len(rest) > 0 {
				t.Errorf("%s: %q names no command of nirctl", fset.Position(lit.Pos()), "nirctl "+strings.Join(words, " "))
			}
		}
		return true
	})
	return hints
}
