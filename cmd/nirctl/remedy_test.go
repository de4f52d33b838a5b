package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirzone/cmd/shell"
)

// TestRemediesCanBeTyped: every command that a refusal of package nir tells people
// to type is one of nirctl's, with its flags.
func TestRemediesCanBeTyped(t *testing.T) {
	files, err := filepath.Glob("../../nir/*.go")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "remedy" && len(call.Args) == 1 {
				for _, line := range commandsIn(wordsOf(call.Args[0])) {
					n++
					if why := cannotType(line); why != "" {
						t.Errorf("%s: nirctl %s: %s", set.Position(call.Pos()), line, why)
					}
				}
			}
			return true
		})
	}
	if n < 25 {
		t.Errorf("only %d commands found", n)
	}
}

// wordsOf is a text as it is written, with VALUE for what is computed.
func wordsOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return wordsOf(e.X) + wordsOf(e.Y)
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			return regexp.MustCompile(`%[.0-9]*[a-z]`).ReplaceAllString(wordsOf(e.Args[0]), "VALUE")
		}
	}
	return "VALUE"
}

var commandText = regexp.MustCompile(`nirctl ([^;:,]+)`)

func commandsIn(text string) (list []string) {
	for _, m := range commandText.FindAllStringSubmatch(text, -1) {
		list = append(list, strings.TrimSpace(m[1]))
	}
	return list
}

// cannotType says why a command line cannot be typed, "" if it can.
func cannotType(line string) string {
	words := strings.Fields(line)
	root := command(&app{Shell: &shell.Shell{Name: "nirctl", Clock: time.Now}})
	c, rest, err := root.Find(words)
	switch {
	case err != nil:
		return err.Error()
	case c == root, c.HasSubCommands() && (c.Example == "" || len(rest) > 0 && !strings.HasPrefix(rest[0], "-")): // a noun runs, to say what its verbs are
		return "there is no such command"
	}
	c.InitDefaultHelpFlag()
	for _, w := range rest {
		if name, ok := strings.CutPrefix(w, "--"); ok && c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
			return "it has no flag " + w
		}
	}
	return ""
}
