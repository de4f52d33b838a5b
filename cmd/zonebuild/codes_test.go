package main

import (
	"os"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestHeldCodesDocumented: docs/notices.md has a row for every kind of change that
// is held, and none for a kind that there is not.
func TestHeldCodesDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/notices.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"additions-only": true, "probation": true, "probation-unknown": true, "accept-unsigned": true}
	for _, kind := range append([]string{zone.KindClaimsMoved, zone.KindZoneDropped, zone.KindApex, zone.KindClaims}, zone.LossKinds...) {
		want["held-"+kind] = true
	}
	for line := range strings.Lines(string(doc)) {
		code, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |")
		if ok && (strings.HasPrefix(code, "held-") || code == "additions-only" || strings.HasPrefix(code, "probation") || code == "accept-unsigned") {
			if !want[code] {
				t.Errorf("%s is documented, and nothing gives it", code)
			}
			delete(want, code)
		}
	}
	for code := range want {
		t.Errorf("%s is not in docs/notices.md", code)
	}
}
