package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
)

// forEach runs do for the jobs, as many at a time as there are processors. It
// stops at the first error and when ctx ends.
func forEach(ctx context.Context, jobs []*job, do func(context.Context, *job) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, j := range jobs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, j)
		})
	}
	return g.Wait()
}

// mergeAll parses and merges every zone.
func (b *batch) mergeAll(ctx context.Context) error {
	return forEach(ctx, b.jobs, func(_ context.Context, j *job) error {
		b.merge(j)
		return nil
	})
}

// merge makes the job's next zone, or says in carried why it cannot.
func (b *batch) merge(j *job) {
	if j.still {
		return
	}
	j.next, j.inputs, j.notices, j.changes, j.delta, j.refused, j.probation = nil, nil, nil, nil, zone.Delta{}, 0, nil
	switch {
	case j.skip:
		return
	case j.carried != "":
		b.stand(j)
		return
	case j.group == nil:
		b.dropped(j)
		return
	case j.prev == nil && !b.fresh:
		j.skip = true
		return
	}
	if err := b.mergeInputs(j); err != nil {
		j.next, j.inputs = nil, nil
		j.carried = err.Error()
		b.stand(j)
	}
}

// mergeInputs parses what the zone is and was made of, and merges both. The old
// state is merged again at the same time as the new one, which seldom asks for it.
func (b *batch) mergeInputs(j *job) error {
	j.files = b.parseAll(j)
	defer func() { j.files = nil }()
	type replayed struct {
		z   *zone.Zone
		err error
	}
	before := sync.OnceValue(func() replayed {
		z, _, err := b.replay(j, j.prev)
		return replayed{z, err}
	})
	var wait sync.WaitGroup
	wait.Go(func() { before() })
	defer wait.Wait()
	var notices []zone.Notice
	var err error
	j.asked = false
	if j.adopted != nil {
		j.inputs = j.adopted.inputs
		j.next, notices, err = b.mergeAdopted(j)
	} else if j.fixed() {
		j.inputs = j.base.Inputs
		j.next, notices, err = b.replay(j, j.base)
	} else {
		ask := func() *zone.Zone { j.asked = true; return before().z }
		if j.next, notices, err = b.mergeNew(j, ask); err == nil {
			err = b.tryProbation(j, ask)
		}
	}
	old := before().z
	if olderr := before().err; olderr != nil && j.fixed() && j.base != j.prev {
		old = nil // a rollback needs to know only where it goes
	} else if olderr != nil {
		return fmt.Errorf("the published state cannot be computed again: %w; restore the spool and state/inputs", olderr)
	}
	if err != nil {
		return err
	}
	j.notices = append(j.notices, notices...)
	j.moved = j.asked && !sameZone(old, j.next)
	if old != nil {
		j.delta = zone.Diff(old, j.next)
		j.delta.Apex = b.apexChange(j)
		j.compare(old)
	}
	return nil
}

// sameZone reports whether two zones hold the same records of the same lines of
// the same files.
func sameZone(x, y *zone.Zone) bool {
	sameInput := func(a, b zone.Input) bool {
		return a.Source == b.Source && a.File == b.File && a.SHA256 == b.SHA256
	}
	return x != nil && y != nil && slices.EqualFunc(x.Inputs, y.Inputs, sameInput) && slices.Equal(x.Entries, y.Entries)
}

// apexChange returns what the configuration changes at the top of a zone,
// against the one that the current generation was built by. The replay uses
// today's for both.
func (b *batch) apexChange(j *job) []string {
	before := j.apex // of the delegations' TTL; the rest may wait for a person
	if b.oldConfig != nil && b.oldConfig.Group(j.zone) != nil {
		before = b.oldConfig.Group(j.zone).Apex(j.zone)
	}
	if j.prev.Apex != nil {
		before = j.prev.Apex.Under(before)
	}
	return zone.Diff(&zone.Zone{Apex: before}, &zone.Zone{Apex: j.apex}).Apex
}

// fixed reports whether the zone is made of what an earlier generation was made
// of, whatever the inputs say now.
func (j *job) fixed() bool { return j.frozen || j.pinned != 0 }

// mergeNew merges what the sources offer. old is called if the merge has to know
// what is published.
func (b *batch) mergeNew(j *job, old func() *zone.Zone) (*zone.Zone, []zone.Notice, error) {
	frags, err := b.fragments(j)
	if err != nil {
		return nil, nil, err
	}
	claims, err := b.claimsOf(b.claims.digest)
	if err != nil {
		return nil, nil, err
	}
	stands := b.wholeStands(j, old)
	maps.Copy(stands, b.standingOwners(j))
	next, notices := zone.Merge(zone.MergeInput{
		Apex: j.group.Apex(j.zone), Registry: b.cfg.RIR, Claims: claims,
		Fragments: frags, Ask: old, Released: b.released(j),
		Stand: stands,
	})
	next.Describe(j.inputs)
	return next, notices, nil
}

// replay computes a zone again as an earlier generation had it, from the inputs
// and the kept records that generation names. It is nil for a zone that was
// never published. A result with other delegations than were published is an
// error: the gates would compare with the wrong zone, and see no loss.
func (b *batch) replay(j *job, g *zone.GenerationZone) (*zone.Zone, []zone.Notice, error) {
	if g == nil {
		return nil, nil, nil
	}
	claims, err := b.claimsOf(g.Claims)
	if err != nil {
		return nil, nil, err
	}
	var frags []*zone.Fragment
	for _, in := range g.Inputs {
		f, err := j.parsed(in, true)
		if err != nil {
			return nil, nil, err
		}
		frags = append(frags, f)
	}
	old, notices := g.Remerge(j.group.Apex(j.zone), b.cfg.RIR, claims, frags)
	if n := counts(old); !slices.Equal(n, g.Counts) {
		return nil, nil, fmt.Errorf("the inputs give %v delegations, not %v as published; put back rir in the configuration, or the program that published them", n, g.Counts)
	}
	return old, notices, nil
}

// fragments chooses and parses one file of every source that speaks for the
// zone: the newest accepted, or the one of the current generation if that is
// held or the only one that parses.
func (b *batch) fragments(j *job) ([]*zone.Fragment, error) {
	var frags []*zone.Fragment
	for _, source := range b.sourcesOf(j) {
		f, in, err := b.fragment(j, source)
		if err != nil {
			return nil, err
		}
		if f != nil {
			frags = append(frags, f)
			j.inputs = append(j.inputs, in)
		}
	}
	return frags, nil
}

// sourcesOf returns the names of all sources of the zone, sorted.
func (b *batch) sourcesOf(j *job) []string {
	names := []string{b.cfg.RIR}
	for _, s := range b.cfg.Sources {
		if slices.Contains(s.Zones, j.zone) {
			names = append(names, s.Name)
		}
	}
	if j.prev != nil {
		for _, in := range j.prev.Inputs {
			names = append(names, in.Source)
		}
	}
	if j.adopted != nil {
		for _, in := range j.adopted.inputs {
			names = append(names, in.Source)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fragment returns one source's fragment and the input it is from; nil if the
// source never had one, or is configured no more for the zone.
func (b *batch) fragment(j *job, source string) (*zone.Fragment, zone.Input, error) {
	if b.without(j, source) {
		return nil, zone.Input{}, nil
	}
	next, old := b.newest(j, source), publishedInput(j.prev, source)
	if j.held[source] && j.tried != source {
		next = old
	}
	if next == nil && (old == nil || !b.configured(source, j.zone) && !j.held[source]) {
		return nil, zone.Input{}, nil
	}
	if next != nil && (old == nil || next.SHA256 != old.SHA256) {
		f, err := j.parsed(*next, false)
		if err == nil {
			return f, *next, nil
		}
		j.refuse(b.cfg.RIR, source, *next, old != nil, err)
	}
	if old == nil {
		return nil, zone.Input{}, nil
	}
	f, err := j.parsed(*old, true)
	if err != nil {
		return nil, zone.Input{}, fmt.Errorf("the accepted zonelet of %s cannot be read any more: %w; restore the spool", source, err)
	}
	if source == adoptedSource {
		if f = stillStanding(f, j.prev); f == nil {
			return nil, zone.Input{}, nil
		}
	}
	return f, *old, nil
}

func (b *batch) configured(source string, z zone.Name) bool {
	s := b.cfg.Source(source)
	return source == b.cfg.RIR || source == adoptedSource || s != nil && slices.Contains(s.Zones, z)
}

// newest returns the newest verified input of a source, nil if there is none.
func (b *batch) newest(j *job, source string) *zone.Input {
	if source == b.cfg.RIR {
		if in, ok := b.current[j.zone]; ok {
			return &in
		}
		return nil
	}
	s := b.cfg.Source(source)
	m := b.manifest.Source(source)
	if s == nil || m == nil || !slices.Contains(s.Zones, j.zone) {
		return nil
	}
	z := m.Zone(j.zone)
	if z == nil || z.Accepted == nil {
		return nil
	}
	return &zone.Input{Source: source, File: z.Accepted.File, SHA256: z.Accepted.SHA256, Size: z.Accepted.Size, Signer: z.Accepted.Signer, Seen: z.Accepted.FirstSeen}
}

// publishedInput returns a source's input in a published zone, nil if there is none.
func publishedInput(z *zone.GenerationZone, source string) *zone.Input {
	if z == nil {
		return nil
	}
	for i := range z.Inputs {
		if z.Inputs[i].Source == source {
			return &z.Inputs[i]
		}
	}
	return nil
}

// refuse notes that a verified file was not used: a notice for each mistake up
// to ten.
func (j *job) refuse(rir, source string, in zone.Input, kept bool, err error) {
	j.refused++
	var list *zone.SyntaxErrors
	if !errors.As(err, &list) {
		// Nothing is wrong with the source's file: it is not told of our disk.
		j.notices = append(j.notices, zone.Notice{
			Code: "unreadable", Severity: zone.Alarm, Source: rir, Zone: j.zone, Pos: zone.Pos{File: in.File},
			Text: fmt.Sprintf("the zonelet of %s cannot be read and is not used: %v", source, err),
		})
		return
	}
	stands := "the last good version stands"
	if !kept {
		stands = "there is no earlier version, so it contributes nothing"
	}
	lines := strings.Split(list.Error(), "\n")
	if len(lines) > 10 {
		lines = append(lines[:10], fmt.Sprintf("and %d more", len(lines)-10+list.More))
	}
	j.notices = append(j.notices, zone.Notice{
		Code: "refused", Severity: zone.Error, Source: source, Zone: j.zone, Pos: list.Errors[0].Pos,
		Text: fmt.Sprintf("the file is refused whole, %s: %s", stands, strings.Join(lines, "; ")),
	})
}
