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
	g, _, err := CurrentNote(c)
	return g, err
}

// CurrentNote returns what is published, with the bytes of its generation.json;
// nil if nothing is.
func CurrentNote(c *zone.Config) (*zone.Generation, []byte, error) {
	g, err := publish.Tree{Root: c.Public, FS: publish.OS}.Current()
	if errors.Is(err, publish.ErrNone) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("finding the current generation: %w", err)
	}
	return readNote(g)
}

// ReadGeneration reads the generation.json of a generation.
func ReadGeneration(g publish.Generation) (*zone.Generation, error) {
	gen, _, err := readNote(g)
	return gen, err
}

func readNote(g publish.Generation) (*zone.Generation, []byte, error) {
	data, err := ReadFile(filepath.Join(g.Dir, "generation.json"), maxGeneration)
	if err != nil {
		return nil, nil, err
	}
	gen, err := zone.ParseGeneration(fmt.Sprintf("generations/%d/generation.json", g.Number), data)
	return gen, data, err
}

// WriteJSON writes v as every command writes JSON: indented, without HTML
// escapes, one final newline.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
