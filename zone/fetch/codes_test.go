package fetch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nirzone/zone"
)

// codesIn reads from the sources of a package which notice codes it can give: what
// is assigned to a Code, and the first argument of what makes a notice.
func codesIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	codes := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "codes.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, e := range codeExprs(n) {
				addCode(t, codes, e)
			}
			return true
		})
	}
	return codes
}

// codeExprs are the expressions of a node that are codes.
func codeExprs(n ast.Node) []ast.Expr {
	var out []ast.Expr
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Code" {
			out = append(out, n.Value)
		}
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if s, ok := l.(*ast.SelectorExpr); ok && s.Sel.Name == "Code" && len(n.Lhs) == len(n.Rhs) {
				out = append(out, n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if (name == "note" || name == "notice" || name == "add") && len(n.Args) > 2 {
			out = append(out, n.Args[0])
		}
	}
	return out
}

func addCode(t *testing.T, codes map[string]bool, e ast.Expr) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			codes[s] = true
		}
	case *ast.Ident: // handed on: where it comes from was seen
	case *ast.CallExpr:
		format, ok := e.Args[0].(*ast.BasicLit)
		if !ok || format.Value != `"keyring-ends-%d"` {
			t.Errorf("a code is made by a call that this test does not know")
		}
		for _, days := range []int{60, 30, 7} {
			codes[fmt.Sprintf("keyring-ends-%d", days)] = true
		}
	default:
		t.Errorf("a code is made in a way that this test does not know: %T", e)
	}
}

// Every code that a report can hold is documented, no other is, and docs/notices.md
// says the same.
func TestCodesDocumented(t *testing.T) {
	given := codesIn(t, ".")
	maps.Copy(given, codesIn(t, "../seal"))
	var table strings.Builder
	var known []string
	for _, d := range Codes() {
		known = append(known, d.Code)
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", d.Code, d.Severity, d.Meaning, d.Remedy)
		if d.Severity > zone.Alarm || d.Meaning == "" || d.Remedy == "" {
			t.Errorf("%+v", d)
		}
	}
	if want := slices.Sorted(maps.Keys(given)); !slices.Equal(known, want) {
		t.Errorf("documented are\n%q, given are\n%q", known, want)
	}
	doc, err := os.ReadFile("../../docs/notices.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "\n"+table.String()) {
		t.Errorf("docs/notices.md does not hold this table:\n%s", table.String())
	}
}
