package nir

import (
	"encoding/json"
	"slices"
	"strings"
)

// domain adds what a changed domain object does to its parent zone: nothing while
// it is inactive.
func (m *planner) domain(before json.RawMessage, c Change) {
	old, now := recordsOfRow(before), recordsOfRow(c.Row)
	for _, l := range old {
		if !slices.Contains(now, l) {
			m.add(OnZones, "- %s", l)
		}
	}
	for _, l := range now {
		if !slices.Contains(old, l) {
			m.add(OnZones, "+ %s", l)
		}
	}
}

// recordsOfRow are the lines that a whois object puts into a zone.
func recordsOfRow(row json.RawMessage) []string {
	var w WhoisObject
	if noRow(row) || json.Unmarshal(row, &w) != nil {
		return nil
	}
	records, err := w.Records()
	if err != nil {
		return nil // it was judged before it was written
	}
	var lines []string
	for _, r := range records {
		lines = append(lines, strings.Join(strings.Fields(r.String()), " "))
	}
	return lines
}
