package nirtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tableLine = regexp.MustCompile(`(?m)^//\t(P\d+) +(\S.*?)  +((?:[\w/]*\.?Test\w+ )+) *([a-z ]+)$`)
	testFunc  = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// TestEveryPropertyHasATest reads the table of the package's comment: each property
// is there, each test that it names is one, and what a database could break is shown
// on both.
func TestEveryPropertyHasATest(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range tableLine.FindAllStringSubmatch(string(doc), -1) {
		id, tests, databases := m[1], strings.Fields(m[3]), strings.Fields(m[4])
		seen[id] = true
		for _, name := range tests {
			folder, test := "nir/nirtest", name
			if at := strings.LastIndex(name, "."); at >= 0 {
				folder, test = name[:at], name[at+1:]
			}
			if !slices.Contains(testsIn(t, folder), test) {
				t.Errorf("%s: there is no %s in %s", id, test, folder)
			}
		}
		if id != "P17" && !slices.Equal(databases, []string{"sqlite", "postgres"}) {
			t.Errorf("%s is shown on %v", id, databases)
		}
	}
	for _, id := range strings.Fields("P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P16 P17") {
		if !seen[id] {
			t.Errorf("%s has no test", id)
		}
	}
	for _, f := range []string{"check_test.go", "land_test.go", "property_test.go", "zones_test.go", "public_test.go"} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(P\d+)[:,]`).FindAllStringSubmatch(string(text), -1) {
			delete(seen, m[1])
		}
	}
	for id := range seen { // what the machine is said to look for it speaks of
		if !slices.Contains([]string{"P14", "P17"}, id) {
			t.Errorf("%s: TestProperties has no word of it", id)
		}
	}
}

// testsIn are the names of the tests in a folder of the repository.
func testsIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}
