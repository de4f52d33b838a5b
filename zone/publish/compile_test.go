package publish_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is not verified cannot be published: the wrong code does not compile. The
// snippets are type-checked here and now, against the sources beside this file, so
// that the answer does not come from a build cache.
func TestUnverifiedDoesNotCompile(t *testing.T) {
	names, err := filepath.Glob("testdata/compile/*.go.txt")
	ok(t, err)
	if len(names) < 7 {
		t.Fatalf("only %d snippets", len(names))
	}
	fset := token.NewFileSet()
	std := importer.ForCompiler(fset, "source", nil)
	published, err := check(fset, std, "nirzone/zone/publish", sources(t, fset))
	ok(t, err)
	imp := importing{std, published}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			first, _, _ := strings.Cut(read(t, name), "\n")
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			ok(t, err)
			_, err = check(fset, imp, "snippet", []*ast.File{file})
			want, wrong := strings.CutPrefix(first, "// error: ")
			switch {
			case wrong && (err == nil || !regexp.MustCompile(want).MatchString(err.Error())):
				t.Errorf("error %v, want %s", err, want)
			case !wrong && (err != nil || first != "// ok"):
				t.Errorf("error %v of the right code", err)
			default:
				t.Log(err)
			}
		})
	}
}

func check(fset *token.FileSet, imp types.Importer, path string, files []*ast.File) (*types.Package, error) {
	return (&types.Config{Importer: imp}).Check(path, fset, files, nil)
}

// importing imports this package from its sources.
type importing struct {
	types.Importer
	published *types.Package
}

func (i importing) Import(path string) (*types.Package, error) {
	if path == i.published.Path() {
		return i.published, nil
	}
	return i.Importer.Import(path)
}

// sources is this package without its tests.
func sources(t *testing.T, fset *token.FileSet) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	ok(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		ok(t, err)
		files = append(files, file)
	}
	return files
}

// The interface is no lock by itself: any type can be given its methods. That
// none but package sign's has them is checked here.
func TestOnlySignVerifies(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	ok(t, filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		seen++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if declares(file, "WriteVerified") && filepath.Dir(name) != filepath.Join(root, "zone", "sign") {
			t.Errorf("%s declares a method WriteVerified: only package sign may, which verifies", name)
		}
		return nil
	}))
	if seen < 10 {
		t.Errorf("only %d files were read", seen)
	}
}

// declares says whether the file has a method of that name; the one in
// Publishable is none.
func declares(file *ast.File, method string) bool {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == method {
			return true
		}
	}
	return false
}
