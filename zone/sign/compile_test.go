package sign

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"testing"
)

// sources type-checks packages from their sources: export data of this module
// need not exist.
var sources = sync.OnceValues(func() (*token.FileSet, types.Importer) {
	fset := token.NewFileSet()
	return fset, importer.ForCompiler(fset, "source", nil)
})

// TestOnlyVerifiedCompiles type-checks two callers of publish.Zone that differ in
// one word. That the wrong one does not compile is what keeps an unverified zone
// from being published.
func TestOnlyVerifiedCompiles(t *testing.T) {
	const caller = `package caller

import (
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

func file(z *sign.TYPE) publish.File { return publish.Zone(z) }
`
	fset, imports := sources()
	check := func(typ string) error {
		f, err := parser.ParseFile(fset, typ+".go", strings.Replace(caller, "TYPE", typ, 1), 0)
		must(t, err)
		conf := types.Config{Importer: imports}
		_, err = conf.Check("caller", fset, []*ast.File{f}, nil)
		return err
	}
	if err := check("Verified"); err != nil {
		t.Errorf("a caller with a verified zone does not compile: %v", err)
	}
	err := check("Signed")
	if err == nil {
		t.Fatal("a caller with a zone that nobody verified compiles")
	}
	if !strings.Contains(err.Error(), "does not implement publish.Publishable") {
		t.Errorf("it does not compile, but because: %v", err)
	}
}

// TestSignedHasNoWayOut: nothing exported of a Signed gives its bytes.
func TestSignedHasNoWayOut(t *testing.T) {
	_, imports := sources()
	pkg, err := imports.Import("nirzone/zone/sign")
	must(t, err)
	signed := pkg.Scope().Lookup("Signed").Type()
	methods := types.NewMethodSet(types.NewPointer(signed))
	for m := range methods.Methods() {
		if name := m.Obj().Name(); m.Obj().Exported() && name != "Facts" {
			t.Errorf("Signed has a method %s", name)
		}
	}
	fields := signed.Underlying().(*types.Struct)
	for f := range fields.Fields() {
		if f.Exported() {
			t.Errorf("Signed has an exported field %s", f.Name())
		}
	}
}
