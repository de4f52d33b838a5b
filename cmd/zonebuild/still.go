package main

import (
	"cmp"
	"context"
	"path/filepath"
	"sync/atomic"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// A stillness is what decides whether a zone stands as it is published, without
// being parsed, merged, signed or written.
type stillness struct {
	Now        time.Time
	Since      time.Time            // of the current generation
	Prev       *zone.GenerationZone // as published; nil if it is not
	Configured bool
	Decided    bool      // the command decides something else for it: init, rollback, release
	Accept     bool      // a decision of a person names it
	Held       bool      // something in it waits for one
	Behind     bool      // it was published with a later serial once
	Basis      string    // of today; "" if the keys or the claims cannot be read
	Until      time.Time // when it changes by itself
	Inputs     func() bool
	Intact     func() bool // whether the published file is as it was written
}

// why returns why the zone has to be built, "" if it stands. What costs most is
// asked last.
func (s stillness) why() string {
	switch {
	case !s.Configured:
		return "not configured"
	case s.Prev == nil:
		return "never published"
	case s.Prev.Carried != "":
		return "was carried forward"
	case s.Decided:
		return "decided by the command"
	case s.Held:
		return "something is held"
	case s.Accept:
		return "a decision waits"
	case s.Behind:
		return "its serial is behind"
	case s.Prev.Basis == "":
		return "was not settled"
	case s.Basis != s.Prev.Basis:
		return "inputs, claims, keys or policy are others"
	case s.Now.Before(s.Since):
		return "the time is before the published generation's"
	case !s.Now.Before(s.Until):
		return "due"
	case !s.Inputs():
		return "an input is lost"
	case !s.Intact():
		return "the published file is not as it was written"
	}
	return ""
}

// standStill finds the zones for which there is nothing to do. They take part in
// all that follows as they are: in the gates with the delegations they have, in
// the report with their runway, in generation.json with their entry.
func (b *batch) standStill(ctx context.Context) error {
	if b.prev == nil || b.full {
		return nil
	}
	b.repeats = map[string]bool{}
	for _, c := range zone.Codes() {
		b.repeats[c.Code] = true
	}
	var left atomic.Int64
	err := forEach(ctx, b.jobs, func(_ context.Context, j *job) error {
		if why := b.stillnessOf(j).why(); why != "" {
			b.log.Info("to be built", "zone", j.zone.File(), "why", why)
			return nil
		}
		left.Add(1)
		b.leave(j)
		return nil
	})
	b.log.Info("there is nothing to do for", "zones", left.Load())
	if err == nil {
		b.readAhead()
	}
	return err
}

func (b *batch) stillnessOf(j *job) stillness {
	s := stillness{Now: b.now, Since: b.prev.Time, Prev: j.prev, Configured: j.group != nil}
	if j.prev == nil || j.group == nil {
		return s
	}
	s.Decided = j.skip || j.carried != "" || j.base != j.prev || j.pinned != j.prev.Pinned
	s.Behind = j.later != nil
	for _, a := range b.accepts {
		s.Accept = s.Accept || a.Zone == j.zone || a.Zone == ""
	}
	for _, h := range b.prev.Holds { // what a probation shows follows from the basis
		s.Held = s.Held || h.Kind != zone.KindProbation && (h.Zone == j.zone || h.Zone == "")
	}
	if s.Decided || s.Accept || s.Held || s.Behind || j.prev.Basis == "" {
		return s // enough to know
	}
	if j.life.read && j.life.err == nil {
		keys := sign.MarkCDS(j.life.ring, b.now)
		s.Basis, s.Until = b.basisOf(j, keys, b.claimsFor(j)), until(j.prev, keys, b.prev.Time)
		if s.Basis != j.prev.Basis && b.claimsFor(j) != j.prev.Claims && b.sameClaims(j) {
			j.basis, s.Basis = s.Basis, b.basisOf(j, keys, j.prev.Claims)
		}
	}
	s.Inputs = func() bool { return b.inputsThere(j) }
	s.Intact = func() bool { return b.intact(j) }
	return s
}

// leave lets the zone stand as it is published. What a build of it would say
// again, the current generation says already.
func (b *batch) leave(j *job) {
	j.still, j.same = true, true
	j.result, j.inputs, j.notices = *j.prev, j.prev.Inputs, b.repeated(j)
	j.result.Claims, j.result.Basis = b.claimsFor(j), cmp.Or(j.basis, j.prev.Basis)
	for _, n := range j.notices {
		if n.Code == "refused" && !b.inProbation(n.Source) {
			j.refused++
		}
	}
	j.ledger, j.holds = j.prev.Ledger, b.shownBefore(j)
	for _, c := range j.prev.Counts {
		j.changes = append(j.changes, zone.SourceChange{Source: c.Source, Zone: j.zone, Before: c.Delegations, After: c.Delegations, Past: j.ledger.Of(c.Source)})
	}
}

// repeated returns the notices that a build of the zone would give again: those
// of the merge, of a file that was refused and of the key files. All others are
// of what was observed, or of the time, and every run gives them anew.
func (b *batch) repeated(j *job) []zone.Notice {
	var list []zone.Notice
	for _, n := range b.prev.Notices {
		if n.Zone == j.zone && (b.repeats[n.Code] || n.Code == "refused" || n.Code == "key-owner") {
			list = append(list, n.Notice)
		}
	}
	return list
}

// standsStill reports whether the published generation is what this run would
// publish. Then no draft of another one is begun, unless a crash left something
// to be swept first.
func (b *batch) standsStill() (bool, error) {
	for _, j := range b.jobs {
		if !j.still && !j.skip {
			return false, nil
		}
	}
	if b.prev == nil || !b.nothingNew(b.decide(b.prev.Number)) {
		return false, nil
	}
	littered, err := b.tree.Littered()
	return !littered, err
}

// seeWritten remembers the published files that this run wrote.
func (b *batch) seeWritten(g publish.Generation) {
	for _, j := range b.jobs {
		if j.wrote {
			b.sight.wrote(publishedName(j.zone), filepath.Join(g.Dir, j.zone.File()), j.result.SHA256, j.result.Size)
		}
	}
}

// seeRelinked remembers what the commit of a generation and the pruning of
// others did to the published files: a link more or less moves a file's time of
// change.
func (a *app) seeRelinked(g *zone.Generation) {
	for _, z := range g.Zones {
		a.sight.relinked(publishedName(z.Zone), filepath.Join(a.tree.Root, "current", z.Zone.File()), z.SHA256)
	}
}

// inputsThere reports whether the zone could be made again: every file that it
// was made of has the digest it is named by.
func (b *batch) inputsThere(j *job) bool {
	for _, in := range j.prev.Inputs {
		if !b.there(in.SHA256) {
			return false
		}
	}
	for _, k := range j.prev.Kept {
		if !b.there(k.Input.SHA256) {
			return false
		}
	}
	return b.there(j.prev.Claims) && b.triedThere(j)
}

// there reports whether an input can be read: from the spool, from the copies in
// state/inputs or, for what is not copied yet, from the registry folder.
func (b *batch) there(sum string) bool {
	for _, path := range []string{filepath.Join(b.cfg.Spool, zone.ObjectPath(sum)), filepath.Join(b.cfg.State, "inputs", sum)} {
		if b.sight.holds(path, path, sum) {
			return true
		}
	}
	path := b.files[sum]
	return path != "" && b.sight.holds(path, path, sum)
}

// intact reports whether the published file has the digest it was written with.
func (b *batch) intact(j *job) bool {
	return b.sight.holds(publishedName(j.zone), filepath.Join(b.tree.Root, "current", j.zone.File()), j.prev.SHA256)
}

// publishedName is what the sight knows a zone's published file by.
func publishedName(z zone.Name) string { return "public:" + z.File() }
