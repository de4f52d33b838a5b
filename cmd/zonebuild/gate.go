package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// gateAll holds what passes a limit. A held source is merged again from the
// input it was accepted with; that may uncover another loss, so it goes on until
// nothing new is held. What a held source still loses, because of what others
// say or of a decision that expired, stands as published, owner by owner; and
// where even that does not help the zone is taken whole from what is published.
// Then it loses nothing: the loop ends.
func (b *batch) gateAll(ctx context.Context) error {
	for {
		again := b.holdMore(zone.Gate(b.changes(), b.cfg.Gates, b.accepts, b.now))
		if len(again) == 0 {
			b.holdClaims()
			b.holdDecided()
			b.holdApexes()
			b.holdProbation()
			return nil
		}
		if err := forEach(ctx, again, func(_ context.Context, j *job) error { b.merge(j); return nil }); err != nil {
			return err
		}
	}
}

// changes returns what every zone's sources lose. Zones that are not merged, or
// stand, count too: a limit is on a source's total.
func (b *batch) changes() []zone.SourceChange {
	var changes []zone.SourceChange
	for _, j := range b.jobs {
		switch {
		case j.next != nil && !j.fixed() && j.carried == "":
			changes = append(changes, j.changes...)
		case j.prev != nil:
			changes = append(changes, zone.UnchangedSources(j.prev)...)
		}
	}
	return changes
}

// holdMore takes the next step against every loss that passes a limit, and
// returns the zones that are to be merged again.
func (b *batch) holdMore(holds []zone.Hold) []*job {
	again, before := map[*job]bool{}, map[*job]map[string]bool{}
	for _, h := range holds {
		j := b.job(h.Zone)
		if before[j] == nil {
			before[j] = maps.Clone(j.held)
		}
		j.list(h)
		if other := byOthers(h); other || before[j][h.Source] {
			if !j.stand(h) {
				j.frozen = true
			}
		} else {
			j.hold(h.Source)
		}
		again[j] = true
	}
	return slices.DeleteFunc(slices.Clone(b.jobs), func(j *job) bool { return !again[j] })
}

// byOthers reports whether other sources hide what is lost: then it is no use to
// go back to the source's own earlier file.
func byOthers(h zone.Hold) bool {
	own := func(s zone.HeldSet) bool { return strings.HasSuffix(s.By, " of "+h.Source) }
	return h.Kind == zone.KindShadowed && !slices.ContainsFunc(h.Sets, own)
}

func (j *job) hold(source string) {
	if j.held == nil {
		j.held = map[string]bool{}
	}
	j.held[source] = true
}

// stand keeps the losses of a hold as they are published. It reports false if
// that was tried before.
func (j *job) stand(h zone.Hold) bool {
	fresh := false
	if j.stands == nil {
		j.stands = map[zone.Name]zone.Stand{}
	}
	for _, n := range h.Losses {
		s := zone.Stand{Source: h.Source, Over: h.Kind == zone.KindShadowed}
		if j.stands[n] != s {
			j.stands[n], fresh = s, true
		}
	}
	return fresh
}

// list lists a hold for people, unless it is listed already, as it is or with
// more losses.
func (j *job) list(h zone.Hold) {
	for _, o := range j.holds {
		if o.Source == h.Source && o.Kind == h.Kind && subset(h.Losses, o.Losses) {
			return
		}
	}
	j.holds = append(j.holds, h)
}

func subset(some, all []zone.Name) bool {
	in := map[zone.Name]bool{}
	for _, n := range all {
		in[n] = true
	}
	return !slices.ContainsFunc(some, func(n zone.Name) bool { return !in[n] })
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
	if zone.Accepts(b.accepts).Agreed(h, b.now) {
		j.skip = true
		return
	}
	j.holds = append(j.holds, h)
	j.carried = "it is published, but in no [[zones]] group of the configuration; put it back, or accept its loss"
}

// released returns what of the zone need not stand any longer although no new
// manager asserts it.
func (b *batch) released(j *job) map[zone.Name]bool {
	names := map[zone.Name]bool{}
	for _, a := range b.accepts {
		if a.Zone == j.zone && a.Kind == zone.KindClaimsMoved && a.Valid(b.now) && !a.AdditionsOnly {
			for _, n := range a.Losses {
				names[n] = true
			}
		}
	}
	return names
}

// happening returns the accepts whose loss is complete once the zones are
// published as they were merged, with the zone; none for that of claims.
func (b *batch) happening() map[*zone.Accept]*job {
	done := map[*zone.Accept]*job{}
	for _, a := range b.accepts {
		if j := b.job(a.Zone); j != nil && a.Valid(b.now) && b.lacks(j, a) {
			done[a] = j
		}
	}
	for _, a := range b.claimsAgreed {
		done[a] = nil
	}
	return done
}

// lacks reports whether the zone will be as an accept lets it be.
func (b *batch) lacks(j *job, a *zone.Accept) bool {
	switch {
	case a.AdditionsOnly:
		return false
	case a.Kind == zone.KindZoneDropped:
		return j.group == nil && j.skip
	case j.next == nil || j.carried != "":
		return false
	case a.Kind == zone.KindApex:
		return zone.GateApex(b.cfg.RIR, j.zone, j.apex.Published(), j.group.Apex(j.zone)) == nil
	case j.fixed():
		return false
	}
	return a.Happened(j.next)
}

// spend notes the accepts whose loss happens in this run. They go when it is
// published: should the delegations come back and be lost again, it is another
// loss. A crash before that leaves them, and the next run spends them.
func (b *batch) spend(happening map[*zone.Accept]*job) {
	for a, j := range happening {
		if j == nil || j.carried == "" {
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
		if why := b.unsigned(a); why != "" {
			b.notices = append(b.notices, zone.Notice{
				Code: "accept-unsigned", Severity: zone.Warning, Source: b.cfg.RIR, Zone: a.Zone, Pos: zone.Pos{File: e.Name()},
				Text: fmt.Sprintf("the decision of %s about %s does not count yet: %s; see: zonebuild accept %s --text", a.By, a.Hash[:12], why, a.Hash[:12]),
			})
			continue
		}
		b.accepts = append(b.accepts, a)
	}
	slices.SortFunc(b.accepts, func(x, y *zone.Accept) int { return strings.Compare(x.Hash, y.Hash) })
}
