package main

import (
	"os"
	"strings"
	"testing"

	"nirzone/zone"
)

// TestRegistryManifestAsShown: the manifest that the documentation shows is one.
func TestRegistryManifestAsShown(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), `{"version": 1, "time"`)
	shown, _, end := strings.Cut(rest, "]}")
	if !ok || !end {
		t.Fatal("docs/operations.md shows no registry/manifest.json")
	}
	data := strings.ReplaceAll(`{"version": 1, "time"`+shown+"]}", "…", strings.Repeat("a", 64))
	m, err := zone.ParseRegistryManifest("manifest.json", []byte(data))
	if err != nil || len(m.Files) != 2 || m.Files[0].File != "claims" {
		t.Errorf("%+v, %v\n%s", m, err, data)
	}
}
