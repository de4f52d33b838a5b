package nir

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDocs: the tables of docs/records.md are those of the code.
func TestDocs(t *testing.T) {
	doc, err := os.ReadFile("../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	var states, roles, fields strings.Builder
	for _, s := range []string{Evaluating, InfoRequested, HeldRequest, Registered, ClosedRequest, Refused, Withdrawn} {
		fmt.Fprintf(&states, "| `%s` | %s |\n", s, code(Verdicts(s)))
	}
	for _, a := range slices.Sorted(maps.Keys(acts)) {
		fmt.Fprintf(&roles, "| `%s` | %s |\n", a, code(acts[a]))
	}
	for _, k := range slices.Sorted(maps.Keys(public)) {
		fmt.Fprintf(&fields, "| `%s` | %s |\n", k, code(PublicFields(k)))
	}
	for _, table := range []string{states.String(), roles.String(), fields.String()} {
		if !strings.Contains(string(doc), "|---|---|\n"+table+"\n") {
			t.Errorf("docs/records.md does not hold this table:\n%s", table)
		}
	}
	for _, a := range hiddenAttributes {
		if !strings.Contains(string(doc), "`"+a+"`") {
			t.Errorf("docs/records.md does not name the attribute %s", a)
		}
	}
}

func code[S ~string](list []S) string {
	if len(list) == 0 {
		return "none"
	}
	var words []string
	for _, l := range list {
		words = append(words, "`"+string(l)+"`")
	}
	return strings.Join(words, " ")
}
