package nir

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// delegation adds what a changed delegation does outside of the registry. Lines
// that are the same before and after are no effect.
func (m *planner) delegation(before json.RawMessage, c Change) {
	old, now := m.sides(before), m.sides(c.Row)
	for _, e := range old {
		if !slices.Contains(now, e) {
			m.add(e.Area, "- %s", e.Text)
		}
	}
	for _, e := range now {
		if !slices.Contains(old, e) {
			m.add(e.Area, "+ %s", e.Text)
		}
	}
	m.fee(before, -1)
	m.fee(c.Row, 1)
}

// sides returns what follows from a delegation while it stands.
func (m *planner) sides(row json.RawMessage) []Effect {
	var d Delegation
	if noRow(row) || json.Unmarshal(row, &d) != nil {
		return nil
	}
	var list []Effect
	if d.Level != NIRToMember { // who manages the range
		manager := d.NIR
		if manager == "" {
			manager = m.rules.RIR
		}
		for b := range d.Range.Blocks() {
			if d.Range.Kind != inr.ASN {
				list = append(list, Effect{OnClaims, manager + " " + b.String()}, Effect{OnZones, zonesOf(b, manager)})
			}
		}
		if d.NIR != "" {
			list = append(list, Effect{OnCertificates, fmt.Sprintf("%s is entitled to %s", manager, d.Range)})
		}
	}
	if d.Level != RIRToNIR {
		list = append(list, Effect{OnStatistics, m.statistics(&d)})
	}
	return list
}

// zonesOf names the delegations that a block may have in the parent zones.
func zonesOf(b inr.Block, manager string) string {
	p := b.Prefix()
	step := 8
	if b.Kind == inr.IPv6 {
		step = 4
	}
	if b.Kind == inr.IPv4 && b.Len > 24 {
		return fmt.Sprintf("%s may name servers for %s (RFC 2317)", manager, b)
	}
	cut := max((b.Len+step-1)/step*step, step)
	last := inr.BlockAt(b.Kind, b.Last(), cut).Prefix()
	first, err := zone.ReverseName(b.Start(cut).Prefix())
	if err != nil {
		return fmt.Sprintf("%s may name servers for %s", manager, p)
	}
	if cut == b.Len {
		return fmt.Sprintf("%s may name servers for %s", manager, first.File())
	}
	end, _ := zone.ReverseName(last) // on a boundary as the first is
	return fmt.Sprintf("%s may name servers for %d names, %s to %s", manager, 1<<(cut-b.Len), first.File(), end.File())
}

// statistics returns the line of delegated statistics.
func (m *planner) statistics(d *Delegation) string {
	start, value, ok := d.Range.Statistics()
	if !ok {
		return fmt.Sprintf("%s|%s|%s, several lines", strings.ToLower(m.rules.RIR), d.Economy, d.Range)
	}
	status := "allocated"
	if d.Type == "assignment" {
		status = "assigned"
	}
	return strings.Join([]string{strings.ToLower(m.rules.RIR), d.Economy, d.Range.Kind.String(), start, value, d.Date.UTC().Format("20060102"), status}, "|")
}

// fee counts what an NIR pays for by the number of addresses (APNIC-103, section
// 1.3): what a transfer brought is free until the next renewal.
func (m *planner) fee(row json.RawMessage, sign int64) {
	var d Delegation
	if noRow(row) || json.Unmarshal(row, &d) != nil || d.Level != NIRToMember || d.Evidence == ByTransfer || d.Range.Kind == inr.ASN {
		return
	}
	m.fees.add(d.NIR+", "+d.Range.Kind.String(), d.Range, sign)
}

// importRun says what an import leaves to do.
func (m *planner) importRun(c Change) {
	var im Import
	if noRow(c.Row) || json.Unmarshal(c.Row, &im) != nil || im.State != ImportDone || im.Source != "" {
		return
	}
	for _, n := range im.Counts {
		if n.Created > 0 {
			m.add(OnWhois, describedLater)
			return
		}
	}
}
