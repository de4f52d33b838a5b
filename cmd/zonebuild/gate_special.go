package main

import (
	"slices"

	"nirzone/zone"
)

// A gateBatch is what the gates know of a run.
type gateBatch struct {
	happens      map[*zone.Accept]*job // accepts whose loss this run publishes
	claimsHolds  []zone.Hold           // what new claims would take from sources
	claimsAgreed []*zone.Accept        // … and people agreed to
	probation    []string              // sources of which nothing is published yet, sorted
}

// A gateJob is what the gates know of a zone.
type gateJob struct {
	apex     zone.Apex                // of the configuration, or as published while that waits
	apexHold *zone.Hold               // the change of it that waits
	stands   map[zone.Name]zone.Stand // owners whose loss is held while the feeds pass
	ledger   zone.Ledger              // what was lost unheld before and is lost still

	probation []zone.Hold // what sources in probation would change
	tried     string      // the one that is merged all the same, to find that out
}

// gateClaims holds claims by which a source loses much of its space: the claims
// of the current generation stay in force, for everybody. Claims that lose little
// need no gate: what is published under them stands, see holdClaims.
func (b *batch) gateClaims() {
	if b.prev == nil || b.claims.missing || b.claims.digest == b.prev.Claims {
		return
	}
	old, err := b.claimsOf(b.prev.Claims)
	if err != nil {
		return // makeJobs carries the zones that were made by them
	}
	claims, err := b.claimsOf(b.claims.digest)
	if err != nil {
		return // likewise
	}
	for _, h := range zone.GateClaims(b.cfg.RIR, old, claims, b.cfg.Gates) {
		if i := slices.IndexFunc(b.accepts, func(a *zone.Accept) bool { return a.Hash == h.Hash && a.Valid(b.now) && !a.AdditionsOnly }); i >= 0 {
			b.claimsAgreed = append(b.claimsAgreed, b.accepts[i])
			continue
		}
		b.claimsHolds = append(b.claimsHolds, h)
	}
	if len(b.claimsHolds) > 0 {
		b.claims, b.claimsAgreed = claimSet{digest: b.prev.Claims}, nil
	}
}

func (b *batch) chooseApexes() {
	for _, j := range b.jobs {
		if j.group != nil {
			b.chooseApex(j)
		}
	}
}

// chooseApex takes the apex of the configuration, or, while a change of it waits
// for a person, the published one.
func (b *batch) chooseApex(j *job) {
	j.apex = j.group.Apex(j.zone)
	published := b.publishedApex(j)
	h := zone.GateApex(b.cfg.RIR, j.zone, published, j.apex)
	if h != nil && !zone.Accepts(b.accepts).Agreed(*h, b.now) {
		j.apex, j.apexHold = published.Under(j.apex), h
	}
}

// publishedApex returns the apex that a zone is published with. A generation of
// an earlier release does not say it; then the configuration does by which that
// was built.
func (b *batch) publishedApex(j *job) *zone.PublishedApex {
	switch {
	case j.prev == nil:
		return nil
	case j.prev.Apex != nil:
		return j.prev.Apex
	case b.oldConfig != nil && b.oldConfig.Group(j.zone) != nil:
		return b.oldConfig.Group(j.zone).Apex(j.zone).Published()
	}
	return nil
}

// holdApexes lists the changes of zones' own NS and SOA that wait, and gives the
// zones the apex that they are to have. The merge needs of it only what no one
// holds.
func (b *batch) holdApexes() {
	for _, j := range b.jobs {
		if j.next != nil {
			j.next.Apex = j.apex
		}
		if j.apexHold != nil {
			j.holds = append(j.holds, *j.apexHold)
		}
	}
}

// standingOwners returns the owners of a zone that are to stay as they are published
// while the feeds pass: by decisions of people, which a later accept of the same
// loss replaces, and because of what this run holds.
func (b *batch) standingOwners(j *job) map[zone.Name]zone.Stand {
	stands := map[zone.Name]zone.Stand{}
	for _, a := range b.accepts {
		if a.Zone != j.zone {
			continue
		}
		for n, s := range a.Stands(b.now) {
			stands[n] = s
		}
	}
	for n, s := range j.stands {
		stands[n] = s
	}
	return stands
}

// holdDecided lists the losses that a decision for additions only keeps back, as
// long as the feed would lose any of them: they can still be accepted. While the
// source is held for another loss nobody asks its feed, and they stay listed.
func (b *batch) holdDecided() {
	for _, j := range b.jobs {
		if j.next == nil || j.pinned != 0 || j.carried != "" {
			continue
		}
		for _, a := range b.accepts {
			if a.Zone == j.zone && a.AdditionsOnly && a.Valid(b.now) && (keepsBack(j.next, a) || j.held[a.Source] && b.listed(a)) {
				j.holds = append(j.holds, b.decided(a))
			}
		}
	}
}

func keepsBack(z *zone.Zone, a *zone.Accept) bool {
	names := map[zone.Name]bool{}
	for _, n := range a.Losses {
		names[n] = true
	}
	return slices.ContainsFunc(z.Entries, func(e zone.Entry) bool {
		return e.Kept == zone.KeptHeld && (e.Type == zone.TypeNS || e.Type == zone.TypeCNAME) && names[e.Name] && z.Source(e) == a.Source
	})
}

// listed reports whether the hold of a decision is listed by the current
// generation.
func (b *batch) listed(a *zone.Accept) bool {
	return b.prev != nil && slices.ContainsFunc(b.prev.Holds, func(p zone.Hold) bool { return p.Hash == a.Hash })
}

// decided is the hold that a decision was about.
func (b *batch) decided(a *zone.Accept) zone.Hold {
	h := zone.Hold{Hash: a.Hash, Source: a.Source, Zone: a.Zone, Kind: a.Kind, Losses: a.Losses, Sets: a.Sets}
	if b.prev != nil {
		if i := slices.IndexFunc(b.prev.Holds, func(p zone.Hold) bool { return p.Hash == a.Hash }); i >= 0 {
			h = b.prev.Holds[i]
		}
	}
	h.Until = a.Expires
	return h
}

// compare finds what every source loses against the published zone, for the
// gates, with what it lost before.
func (j *job) compare(old *zone.Zone) {
	j.changes, j.ledger = zone.SourceChanges(old, j.next), j.prev.Ledger.Standing(j.next)
	for i := range j.changes {
		j.changes[i].Past = j.ledger.Of(j.changes[i].Source)
	}
}

// ledger is what generation.json notes of the losses that were not held.
func (b *batch) ledger(j *job) zone.Ledger {
	switch {
	case j.prev == nil || j.adopted != nil || b.cause == causeRollback && j.base != j.prev:
		return nil // a person chose this content: it is the baseline
	case j.fixed() || j.carried != "" || j.changes == nil:
		return j.prev.Ledger
	}
	reset := func(source, kind string) bool {
		for a, of := range b.happens {
			if of == j && a.Source == source && a.Kind == kind {
				return true
			}
		}
		return false
	}
	return j.ledger.Advance(j.changes, b.accepts, reset, b.now)
}
