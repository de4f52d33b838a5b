package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// A lostOwner is one that a held change would take out of a zone, with what it is
// published with.
type lostOwner struct {
	Name    zone.Name `json:"name"`
	Records []string  `json:"records"` // "NS ns1.example.", glue with its host before the address
}

// lost returns, for a hold that names owners without their records, what they are
// published with: all of a zone's, if that is to go. What is held stands, so that
// is what would be lost.
func (a *app) lost(h *zone.Hold) ([]lostOwner, error) {
	p := a.prev.Zone(h.Zone)
	want := map[zone.Name]bool{}
	for i, n := range h.Losses {
		if goes(h.Kind) && (i >= len(h.Sets) || len(h.Sets[i].Was) == 0) {
			want[n] = true
		}
	}
	whole := h.Kind == zone.KindZoneDropped
	if p == nil || !whole && len(want) == 0 {
		return nil, nil
	}
	f, _, err := a.publishedRecords(p)
	if err != nil {
		return nil, err
	}
	return ownersOf(f, func(n zone.Name) bool { return whole || want[n] }), nil
}

// goes reports whether owners of the kind are delegated no more afterwards, as far
// as nobody takes them over.
func goes(kind string) bool {
	return kind == zone.KindRemoved || kind == zone.KindShadowed || kind == zone.KindClaimsMoved
}

// ownersOf lists the delegations and aliases of a published file, in its order,
// with the glue that stands below each.
func ownersOf(f *zone.Fragment, wanted func(zone.Name) bool) []lostOwner {
	var out []lostOwner
	var owner zone.Name
	open := false
	for _, r := range f.Records {
		glue := isAddress(r.Type)
		if r.Name != owner && !(glue && owner != "" && r.Name.Within(owner)) {
			owner, open = r.Name, wanted(r.Name)
			if open {
				out = append(out, lostOwner{Name: owner})
			}
		}
		if !open {
			continue
		}
		text := r.Type.String() + " " + r.Text()
		if glue {
			text = r.Type.String() + " " + string(r.Name) + " " + r.Text()
		}
		last := &out[len(out)-1]
		last.Records = append(last.Records, text)
	}
	return out
}

// publishedRecords reads what the merge made of a zone back from its published
// file, which has to be the one that was written and verified, and the file's
// size.
func (a *app) publishedRecords(p *zone.GenerationZone) (*zone.Fragment, int64, error) {
	data, err := shell.ReadFile(filepath.Join(a.tree.Root, "current", p.Zone.File()), maxZonefile)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the published file: %w", err)
	}
	if digest(data) != p.SHA256 {
		return nil, 0, errors.New("the published file is not the one that was written")
	}
	size := int64(len(data))
	opt := zone.ParseOptions{TrailerOptional: true, Limits: zone.ParseLimits{MaxBytes: size + 1, MaxRecords: len(data)}}
	f, err := zone.ParseFragment(a.cfg.RIR, p.Zone, p.Zone.File(), delegations(p.Zone, data), opt)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the published file: %w", err)
	}
	return f, size, nil
}
