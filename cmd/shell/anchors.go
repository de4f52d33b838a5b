package shell

import (
	"fmt"

	"nirzone/zone"
)

// maxAnchorFile bounds the file of trust anchors.
const maxAnchorFile = 1 << 20

// Anchors reads the trust anchors that the configuration names; none if it names
// no file.
func Anchors(c *zone.Config) ([]zone.Record, error) {
	if c.Observe.Anchors == "" {
		return nil, nil
	}
	data, err := ReadFile(c.Observe.Anchors, maxAnchorFile)
	if err != nil {
		return nil, fmt.Errorf("reading the trust anchors (observe.anchors): %w", err)
	}
	return zone.ParseAnchors(c.Observe.Anchors, data)
}
