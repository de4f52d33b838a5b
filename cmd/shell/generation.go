package shell

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// maxGeneration bounds generation.json.
const maxGeneration = 512 << 20

// CurrentGeneration returns what is published, nil if nothing is.
func CurrentGeneration(c *zone.Config) (*zone.Generation, error) {
	g, err := publish.Tree{Root: c.Public, FS: publish.OS}.Current()
	if errors.Is(err, publish.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("finding the current generation: %w", err)
	}
	return ReadGeneration(g)
}

// ReadGeneration reads the generation.json of a generation.
func ReadGeneration(g publish.Generation) (*zone.Generation, error) {
	data, err := ReadFile(filepath.Join(g.Dir, "generation.json"), maxGeneration)
	if err != nil {
		return nil, err
	}
	return zone.ParseGeneration(fmt.Sprintf("generations/%d/generation.json", g.Number), data)
}

// WriteJSON writes v as every command writes JSON: indented, without HTML
// escapes, one final newline.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
