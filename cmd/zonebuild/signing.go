package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// signAll signs, verifies and writes every zone, the largest first so that the
// processors end together. A zone that cannot be signed is carried forward; a
// disk that takes no file ends the run, and nothing is published.
func (b *batch) signAll(ctx context.Context, draft *publish.Draft) error {
	jobs := slices.Clone(b.jobs)
	slices.SortStableFunc(jobs, func(x, y *job) int { return cmp.Compare(y.size(), x.size()) })
	return forEach(ctx, jobs, func(ctx context.Context, j *job) error {
		if j.skip {
			return nil
		}
		verified, err := b.signZone(ctx, j)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && j.carried == "" {
			j.carried = err.Error()
		} else if err != nil {
			j.carried += "; " + err.Error()
		}
		var wait sync.WaitGroup
		defer wait.Wait()
		saving := &wait // while the disk writes the zone
		if j.few {
			saving = &b.saving // and while the rest of the run goes on
		}
		saving.Go(func() { b.saveStore(j, verified) })
		return b.write(draft, j, verified)
	})
}

func (j *job) size() int {
	if j.next == nil {
		return 0
	}
	return len(j.next.Entries)
}

// signZone returns the verified zone, or nil if the published file is to be
// linked: because the job is carried forward, or because the zone would become
// the same file, whose bytes were verified when they were written and have not
// changed since. The merged zone is let go: only what generation.json needs
// stays.
func (b *batch) signZone(ctx context.Context, j *job) (*sign.Verified, error) {
	if j.next == nil { // a still zone, too
		return nil, nil
	}
	defer func() { j.next = nil }()
	keys, policy, err := b.keysToSign(j)
	if err != nil {
		return nil, err
	}
	j.signers = keys
	j.notices = append(j.notices, sign.Notices(keys)...)
	prepared, err := sign.Prepare(j.next, keys, policy, b.now)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	var prior sign.Prior
	if j.adopted != nil {
		prior = sign.Prior{Serial: j.adopted.serial, Known: true}
	}
	if j.prev != nil {
		prior = sign.Prior{Serial: j.prev.Serial, Body: j.prev.Body, Known: true}
		if j.later != nil {
			prior = sign.Prior{Serial: j.later.Serial, Known: true}
		}
		facts := prepared.Facts()
		if j.later == nil && facts.Body == j.prev.Body && b.intact(j) {
			facts.Serial, facts.SHA256, facts.Size = j.prev.Serial, j.prev.SHA256, j.prev.Size
			j.result, j.same = b.entry(j, facts), true
			if j.carried != "" {
				j.result = j.standingEntry(j.result)
			}
			return nil, nil
		}
	}
	signed, err := prepared.Sign(ctx, prior, b.openStore(j, keys))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	verified, err := sign.Verify(ctx, signed, j.next, keys, b.now)
	if err != nil {
		return nil, fmt.Errorf("verifying: %w", err)
	}
	// What Verify says of the runway, decide says of every zone, signed or not.
	j.signed = verified.Facts().Made
	j.result = b.entry(j, verified.Facts())
	if j.carried != "" {
		j.result = j.standingEntry(j.result)
	}
	return verified, nil
}

// entry is what generation.json says of a zone that was built.
func (b *batch) entry(j *job, f sign.Facts) zone.GenerationZone {
	claims := b.claims.digest
	if j.fixed() {
		claims = j.base.Claims
	}
	return zone.GenerationZone{
		Zone: j.zone, Serial: f.Serial, SHA256: f.SHA256, Size: f.Size, Body: f.Body,
		Delegations: f.Delegations, Counts: counts(j.next), Inputs: j.inputs, Kept: j.next.KeptRecords(),
		Keys: f.Keys, KeyRecords: b.keyRecords(j, f.Due), Told: j.told(), TTLs: b.ttls(j), DeleteDS: j.life.deletesDS(),
		Due: f.Due, Expires: f.Expires, Claims: claims, Pinned: j.pinned,
		PinnedSince: b.pinnedSince(j), Ledger: b.ledger(j), Apex: j.next.Apex.Published(),
	}
}

// counts returns how many owners each source delegates in the zone.
func counts(z *zone.Zone) []zone.SourceCount {
	n := map[string]int{}
	for i, e := range z.Entries {
		if e.Type == zone.TypeNS && (i == 0 || z.Entries[i-1].Name != e.Name || z.Entries[i-1].Type != zone.TypeNS) {
			n[z.Source(e)]++
		}
	}
	var list []zone.SourceCount
	for s, c := range n {
		list = append(list, zone.SourceCount{Source: s, Delegations: c})
	}
	slices.SortFunc(list, func(a, b zone.SourceCount) int { return cmp.Compare(a.Source, b.Source) })
	return list
}

// write puts the zone's file into the draft: the verified one if it is new, a
// link to the published one if it would be the same or if the zone is carried
// forward.
func (b *batch) write(draft *publish.Draft, j *job, v *sign.Verified) error {
	name := j.zone.File()
	switch {
	case v != nil:
		j.wrote = true
		j.mended = j.prev != nil && j.prev.SHA256 == v.Facts().SHA256
		return wrapAdd(j, draft.Add(publish.Zone(v)))
	case j.same:
		return wrapAdd(j, draft.Add(publish.Link(name)))
	}
	if j.prev == nil {
		j.skip = true // nothing to carry; decide gives the alarm
		return nil
	}
	if !b.intact(j) {
		j.carried += "; and the published file is not the one that was written"
	}
	j.result = *j.prev
	j.result.Basis, j.result.Carried, j.delta, j.signed = "", j.carried, zone.Delta{}, 0
	return wrapAdd(j, draft.Add(publish.Link(name)))
}

func wrapAdd(j *job, err error) error {
	if err != nil {
		return fmt.Errorf("writing zone %s: %w", j.zone.File(), err)
	}
	return nil
}
