package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// decide writes down everything the run decided.
func (b *batch) decide(number uint64) *zone.Generation {
	g := &zone.Generation{
		Version: zone.GenerationVersion, Number: number, Time: b.now, Cause: b.cause,
		Config: b.cfg.SHA256, Claims: b.claims.digest, Probation: b.probation,
	}
	b.sinceWhen(b.claimsHolds)
	g.Holds = append(g.Holds, b.claimsHolds...)
	var reload []zone.Name
	if b.prev != nil {
		g.Previous = b.prev.Number
		reload = slices.Clone(b.prev.Reload)
	}
	notices := append(slices.Clone(b.notices), b.heldNotices(b.claimsHolds)...)
	for _, j := range b.jobs {
		notices = append(notices, b.zoneNotices(j)...)
		if j.unmerged() {
			j.holds = b.holdsBefore(j)
		}
		b.sinceWhen(j.holds)
		g.Holds = append(g.Holds, j.holds...)
		if j.skip {
			continue
		}
		if !j.still && b.settled(j) {
			j.result.Basis = b.basisOf(j, j.signers, b.claimsFor(j))
		}
		g.Zones = append(g.Zones, j.result)
		if j.prev == nil || j.prev.SHA256 != j.result.SHA256 || j.mended {
			reload = append(reload, j.zone)
		}
	}
	slices.Sort(reload)
	g.Reload = slices.DeleteFunc(slices.Compact(reload), func(z zone.Name) bool { return g.Zone(z) == nil })
	notices = append(notices, b.sourceNotices()...)
	zone.SortNotices(notices)
	var before []zone.OpenNotice
	if b.prev != nil {
		before = b.prev.Notices
	}
	g.Notices, b.opened, b.closed = zone.Reopen(before, notices, b.now)
	b.latest = g
	return g
}

// zoneNotices returns what the merge said of a zone, and what is wrong with the
// zone itself.
func (b *batch) zoneNotices(j *job) []zone.Notice {
	list := j.notices
	alarm := func(code, format string, args ...any) {
		list = append(list, zone.Notice{Code: code, Severity: zone.Alarm, Source: b.cfg.RIR, Zone: j.zone, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case j.skip && j.group == nil:
		return list
	case j.skip && j.carried != "":
		alarm("not-built", "%s could not be built and has no earlier version: %s", j.zone.File(), j.carried)
		return list
	case j.skip:
		alarm("not-published", "%s %s", j.zone.File(), b.unpublished(j.zone))
		return list
	case j.carried != "":
		list = append(list, b.before(j)...)
		alarm("carried", "%s stands as published: %s", j.zone.File(), j.carried)
	}
	if j.result.Expires.Sub(b.now) < b.cfg.Signing.Alarm {
		alarm("runway", "the first signature of %s ends on %s; make the zone build again before that", j.zone.File(), stamp(j.result.Expires))
	}
	if i := slices.IndexFunc(j.result.Keys, func(k zone.GenerationKey) bool { return k.Algorithm != b.cfg.Signing.Algorithm }); i >= 0 {
		list = append(list, zone.Notice{
			Code: "algorithm", Severity: zone.Warning, Source: b.cfg.RIR, Zone: j.zone,
			Text: fmt.Sprintf("the keys of %s are of algorithm %d, the configuration says %d: keys that exist are not rolled by it, and go on signing; to roll them: zonebuild keys roll %s --algorithm %d", j.zone.File(), j.result.Keys[i].Algorithm, b.cfg.Signing.Algorithm, j.zone.File(), b.cfg.Signing.Algorithm),
		})
	}
	list = append(list, b.keyNotices(j)...)
	if j.pinned != 0 {
		list = append(list, zone.Notice{
			Code: "pinned", Severity: zone.Alarm, Source: b.cfg.RIR, Zone: j.zone,
			Text: fmt.Sprintf("%s stands at the content of generation %d; follow the inputs again with: zonebuild rollback --release", j.zone.File(), j.pinned),
		})
	}
	return append(list, b.heldNotices(j.holds)...)
}

// heldNotices tells the sources of what is held. What a person has decided to
// hold while the rest passes is a warning, and says until when.
func (b *batch) heldNotices(holds []zone.Hold) []zone.Notice {
	var list []zone.Notice
	for _, h := range holds {
		n := zone.Notice{
			Code: "held-" + h.Kind, Severity: zone.Alarm, Source: h.Source, Zone: h.Zone,
			Text: fmt.Sprintf("%s, which is held: %s; look at \"zonebuild held show %s\"", h.Text(), h.Rule, h.Hash[:12]),
		}
		if h.Kind == zone.KindProbation {
			n.Code, n.Severity = "probation", zone.Warning
			n.Text = fmt.Sprintf("%s; %s; look at \"zonebuild held show %s\"", h.Text(), h.Rule, h.Hash[:12])
		}
		if !h.Until.IsZero() {
			n.Code, n.Severity = "additions-only", zone.Warning
			n.Text = fmt.Sprintf("%s; they stand as published until %s while the rest of the feed passes; look at \"zonebuild held show %s\"", h.Text(), stamp(h.Until), h.Hash[:12])
		}
		list = append(list, n)
	}
	return mergeNotices(list)
}

// mergeNotices makes one notice of those that are about the same, as two holds of
// one kind are.
func mergeNotices(list []zone.Notice) []zone.Notice {
	var out []zone.Notice
	for _, n := range list {
		if i := slices.IndexFunc(out, func(o zone.Notice) bool { return o.Key() == n.Key() }); i >= 0 {
			out[i].Text += "; " + n.Text
			continue
		}
		out = append(out, n)
	}
	return out
}

// sinceWhen gives holds the time of the run that first held them.
func (b *batch) sinceWhen(holds []zone.Hold) {
	for i := range holds {
		holds[i].Since = b.now.UTC()
		if b.prev == nil {
			continue
		}
		if k := slices.IndexFunc(b.prev.Holds, func(p zone.Hold) bool { return p.Hash == holds[i].Hash && !p.Since.IsZero() }); k >= 0 {
			holds[i].Since = b.prev.Holds[k].Since
		}
	}
}

// unmerged reports whether the zone is carried forward because it could not be
// merged: then nobody knows whether its held changes still wait, and they do.
func (j *job) unmerged() bool {
	return j.carried != "" && j.inputs == nil && j.prev != nil && j.group != nil
}

// holdsBefore returns what waits in a zone according to the current generation.
func (b *batch) holdsBefore(j *job) []zone.Hold {
	var holds []zone.Hold
	for _, h := range b.prev.Holds {
		if h.Zone == j.zone && h.Kind != zone.KindZoneDropped && h.Kind != zone.KindApex {
			holds = append(holds, h)
		}
	}
	if j.apexHold != nil {
		holds = append(holds, *j.apexHold)
	}
	return holds
}

// before returns what the current generation has to say of a zone that is not
// built in this run: it goes on. What this run says itself is left out.
func (b *batch) before(j *job) []zone.Notice {
	own := append([]string{"carried", "runway", "pinned", "algorithm", "registry-missing", "probation"}, sourceCodes...)
	own = append(own, keyCodes...)
	var list []zone.Notice
	for _, n := range b.prev.Notices {
		if n.Zone == j.zone && !slices.Contains(own, n.Code) && !strings.HasPrefix(n.Code, "held-") {
			list = append(list, n.Notice)
		}
	}
	return list
}

// sourceCodes are the codes of sourceNotices.
var sourceCodes = []string{"never-fetched", "not-accepted", "stale", "overdue"}

// sourceNotices returns what zonefetch found wrong with the sources: files that
// were not accepted, and files that nobody has seen for long. Their texts hold
// dates, not ages, so that a notice stays the same until something changes.
func (b *batch) sourceNotices() []zone.Notice {
	var list []zone.Notice
	if b.blind { // what was open is neither mended nor new
		for _, n := range b.prev.Notices {
			if slices.Contains(sourceCodes, n.Code) && b.cfg.Source(n.Source) != nil {
				list = append(list, n.Notice)
			}
		}
		return list
	}
	for i := range b.cfg.Sources {
		if n := b.neverFetched(&b.cfg.Sources[i]); n != nil {
			list = append(list, *n)
		}
	}
	for _, m := range b.manifest.Sources {
		s := b.cfg.Source(m.Name)
		if s == nil {
			continue
		}
		for _, e := range m.Zones {
			if b.cfg.Group(e.Zone) != nil && slices.Contains(s.Zones, e.Zone) {
				list = append(list, entryNotices(s, e, b.now)...)
			}
		}
	}
	return list
}

// neverFetched tells of a source of which nothing was ever accepted: a first
// publication without it looks complete.
func (b *batch) neverFetched(s *zone.Source) *zone.Notice {
	why := "zonefetch never tried it"
	if m := b.manifest.Source(s.Name); m != nil {
		if slices.ContainsFunc(m.Zones, func(e zone.ZoneEntry) bool { return e.Accepted != nil }) {
			return nil
		}
		why = cmp.Or(m.Last.Reason, "none of its files was accepted")
	}
	what := fmt.Sprintf("nothing of %s was ever accepted, so none of its delegations are here", s.Name)
	if slices.ContainsFunc(b.jobs, func(j *job) bool { return publishedInput(j.prev, s.Name) != nil }) {
		what = fmt.Sprintf("the spool has nothing of %s any more; what is published of it stands", s.Name)
	}
	return &zone.Notice{
		Code: "never-fetched", Severity: zone.Alarm, Source: s.Name,
		Text: fmt.Sprintf("%s: %s; look with: zonefetch --source %s", what, why, s.Name),
	}
}

func entryNotices(s *zone.Source, e zone.ZoneEntry, now time.Time) []zone.Notice {
	var list []zone.Notice
	n := zone.Notice{Source: s.Name, Zone: e.Zone, Pos: zone.Pos{File: s.FileName(e.Zone)}}
	if e.Last.Outcome.Failed() {
		n.Code, n.Severity = "not-accepted", zone.Error
		n.Text = "the file was not accepted, the last good version stands: " + e.Last.Reason
		if e.Accepted == nil {
			n.Text = "the file was never accepted: " + e.Last.Reason
		}
		list = append(list, n)
	}
	if e.Accepted == nil {
		return list
	}
	n.Text = fmt.Sprintf("no verified copy was seen since %s; the delegations stand", stamp(e.Accepted.LastChecked))
	switch age := now.Sub(e.Accepted.LastChecked); {
	case age > s.AlarmAfter:
		n.Code, n.Severity = "overdue", zone.Alarm
		list = append(list, n)
	case age > s.StaleAfter:
		n.Code, n.Severity = "stale", zone.Warning
		list = append(list, n)
	}
	return list
}

// nothingNew reports whether the generation would be the published one again.
func (b *batch) nothingNew(g *zone.Generation) bool {
	if b.prev == nil || slices.ContainsFunc(b.jobs, func(j *job) bool { return j.mended }) {
		return false
	}
	sameNotice := func(x, y zone.OpenNotice) bool { return x.Notice == y.Notice && x.Since.Equal(y.Since) }
	return slices.EqualFunc(g.Notices, b.prev.Notices, sameNotice) && bytes.Equal(essence(g), essence(b.prev))
}

// noteBases notes in the current generation what its zones are made of, where a run
// that publishes nothing has found that out: a zone that asked what was published
// knows it only in the run after. A crash before it makes the next run find it out
// again.
func (b *batch) noteBases(rep *report, found *zone.Generation) *zone.Generation {
	g := *b.prev
	g.Zones = slices.Clone(b.prev.Zones)
	changed := false
	for i := range g.Zones {
		if z := found.Zone(g.Zones[i].Zone); z != nil && z.Basis != g.Zones[i].Basis {
			g.Zones[i].Basis, changed = z.Basis, true
		}
	}
	if !changed {
		return b.prev
	}
	if err := b.rewrite(&g); err != nil {
		rep.note("%v; the next run does it again", err)
		return b.prev
	}
	return &g
}

// essence is a generation without what differs from run to run although nothing
// changed: without what zones are made of, and without its notices, which are
// compared one by one, as they are most of it.
func essence(g *zone.Generation) []byte {
	c := *g
	c.Version, c.Number, c.Previous, c.Time, c.Cause, c.Reload, c.Notices = 0, 0, 0, time.Time{}, "", nil, nil
	c.Zones = slices.Clone(g.Zones)
	for i := range c.Zones {
		c.Zones[i].Basis = ""
		if now, ok := c.Zones[i].TTLs.Now(); ok { // what caches forget is no news
			c.Zones[i].TTLs = zone.TTLPeriods{now}
		}
	}
	return c.Encode()
}

// commit publishes the draft. A crash in here leaves the old generation or the
// new one, with its generation.json.
func (b *batch) commit(ctx context.Context, draft *publish.Draft, g *zone.Generation) error {
	data := g.Encode()
	made, err := draft.Commit(ctx, publish.Note("generation.json", data))
	if err == nil || errors.Is(err, publish.ErrMoved) {
		b.note = digest(data)
		b.seeWritten(made)
	}
	if err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return nil
}

// checkFirst refuses a first publication that does not name what it publishes.
func (b *batch) checkFirst() error {
	if b.prev == nil && !b.fresh {
		if err := b.checkNew(nil); err != nil {
			return err
		}
		return &shell.Exit{
			Code: 1, Err: fmt.Errorf("nothing is published yet, so there is nothing to compare with; look at \"zonebuild plan\" first"),
			Hint: "zonebuild init --accept COUNT",
		}
	}
	return b.checkCount()
}
