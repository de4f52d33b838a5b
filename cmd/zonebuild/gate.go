package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// gateAll holds what passes a limit. A held source is merged again from the
// input it was accepted with; that may uncover another loss, so it goes on until
// nothing new is held. A zone in which a held source still loses is taken whole
// from what is published, and then it loses nothing: the loop ends.
func (b *batch) gateAll(ctx context.Context) error {
	for {
		var changes []zone.SourceChange
		for _, j := range b.jobs {
			if !j.fixed() {
				changes = append(changes, j.changes...)
			}
		}
		again := map[*job]bool{}
		for _, h := range zone.Gate(changes, b.cfg.Gates, b.accepted) {
			j := b.job(h.Zone)
			if j.held[h.Source] {
				j.frozen = true
			} else {
				j.hold(h)
			}
			again[j] = true
		}
		if len(again) == 0 {
			b.holdClaims()
			return nil
		}
		var jobs []*job
		for _, j := range b.jobs {
			if again[j] {
				jobs = append(jobs, j)
			}
		}
		if err := forEach(ctx, jobs, func(_ context.Context, j *job) error { b.merge(j); return nil }); err != nil {
			return err
		}
	}
}

func (j *job) hold(h zone.Hold) {
	if j.held == nil {
		j.held = map[string]bool{}
	}
	j.held[h.Source] = true
	j.holds = append(j.holds, h)
}

// holdClaims lists, as something a person can accept, the published delegations
// that stand only because their source's claims moved.
func (b *batch) holdClaims() {
	for _, j := range b.jobs {
		if j.next == nil || j.pinned != 0 || j.carried != "" {
			continue
		}
		losses := map[string][]zone.Name{}
		for _, e := range j.next.Entries {
			if s := j.next.Source(e); e.Kept == zone.KindClaimsMoved && e.Type == zone.TypeNS && (len(losses[s]) == 0 || losses[s][len(losses[s])-1] != e.Name) {
				losses[s] = append(losses[s], e.Name)
			}
		}
		for _, s := range b.sourcesOf(j) {
			if n := len(losses[s]); n > 0 {
				h := zone.Hold{Source: s, Zone: j.zone, Kind: zone.KindClaimsMoved, Rule: movedRule(s), Before: n, Losses: losses[s]}
				h.Hash = h.ComputeHash()
				j.holds = append(j.holds, h)
			}
		}
	}
}

// movedRule says why delegations stand that their source has no claims for.
func movedRule(source string) string {
	if source == adoptedSource {
		return "they were served before the adoption, and no source asserts them"
	}
	return "the claims of " + source + " no longer cover them"
}

// dropped holds the loss of a zone that is published and no longer configured.
// Accepted, it leaves the next generation.
func (b *batch) dropped(j *job) {
	h := zone.Hold{Source: b.cfg.RIR, Zone: j.zone, Kind: zone.KindZoneDropped, Rule: "the zone is in no [[zones]] group", Before: j.prev.Delegations, Losses: []zone.Name{j.zone}}
	h.Hash = h.ComputeHash()
	if b.accepted(h.Source, h.Zone)[j.zone] {
		j.skip = true
		return
	}
	j.holds = append(j.holds, h)
	j.carried = "it is published, but in no [[zones]] group of the configuration; put it back, or accept its loss"
}

// accepted returns the owners whose loss a person has accepted.
func (b *batch) accepted(source string, z zone.Name) map[zone.Name]bool {
	return zone.AcceptedLosses(b.accepts, b.now)(source, z)
}

// released returns what of the zone need not stand any longer although no new
// manager asserts it.
func (b *batch) released(j *job) map[zone.Name]bool {
	names := map[zone.Name]bool{}
	for _, a := range b.accepts {
		if a.Zone == j.zone && a.Kind == zone.KindClaimsMoved && a.Valid(b.now) {
			for _, n := range a.Losses {
				names[n] = true
			}
		}
	}
	return names
}

// happening returns the accepts whose loss is complete once the zones are
// published as they were merged, with the zone.
func (b *batch) happening() map[*zone.Accept]*job {
	done := map[*zone.Accept]*job{}
	for _, a := range b.accepts {
		if j := b.job(a.Zone); j != nil && j.lacks(a) {
			done[a] = j
		}
	}
	return done
}

// lacks reports whether the zone will hold none of an accept's losses.
func (j *job) lacks(a *zone.Accept) bool {
	if a.Kind == zone.KindZoneDropped {
		return j.group == nil && j.skip
	}
	if j.next == nil || j.fixed() || j.carried != "" {
		return false
	}
	gone := map[zone.Name]bool{}
	for _, n := range a.Losses {
		gone[n] = true
	}
	return !slices.ContainsFunc(j.next.Entries, func(e zone.Entry) bool { return e.Type == zone.TypeNS && gone[e.Name] })
}

// spend notes the accepts whose loss happens in this run. They go when it is
// published: should the delegations come back and be lost again, it is another
// loss. A crash before that leaves them, and the next run spends them.
func (b *batch) spend(happening map[*zone.Accept]*job) {
	for a, j := range happening {
		if j.carried == "" {
			b.spent[a.Hash] = true
		}
	}
}

// maxAccept bounds a decision file: 450 000 names fit many times over.
const maxAccept = 256 << 20

// readAccepts reads people's decisions. One that cannot be read does not count,
// and stops nothing: signing goes on.
func (b *batch) readAccepts() {
	dir := filepath.Join(b.cfg.State, "accepts")
	entries, err := b.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		b.alarm("accept-unreadable", "accepts", "no decision counts: %v; make the folder readable", err)
		return
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		data, err := shell.ReadFile(filepath.Join(dir, e.Name()), maxAccept)
		var a *zone.Accept
		if err == nil {
			a, err = zone.ParseAccept("accepts/"+e.Name(), data)
		}
		if err != nil {
			b.alarm("accept-unreadable", e.Name(), "this decision does not count: %v; accept again", err)
			continue
		}
		b.accepts = append(b.accepts, a)
	}
	slices.SortFunc(b.accepts, func(x, y *zone.Accept) int { return strings.Compare(x.Hash, y.Hash) })
}
