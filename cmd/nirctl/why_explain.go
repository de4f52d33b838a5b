package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// An explainer computes a published zone again and looks one name up in it and
// in everything it was made of.
type explainer struct {
	*app
	cfg  *zone.Config // of now: where things are
	then *zone.Config // that the generation was made by
	g    *zone.Generation
	gz   *zone.GenerationZone
	read zone.Archive
	a    *answer
}

// newExplainer finds the zone that holds the name.
func newExplainer(a *app, cfg *zone.Config, g *zone.Generation, name zone.Name) (*explainer, error) {
	e := &explainer{app: a, cfg: cfg, then: cfg, g: g, gz: zoneOf(g, name), read: shell.Archive(cfg)}
	if e.gz == nil {
		return nil, &shell.Exit{Code: notFound, Err: fmt.Errorf("%s is in none of the published zones", name), Hint: "the published zones are " + zoneList(g)}
	}
	if data, err := e.read(g.Config); err == nil {
		if then, err := zone.ParseConfig(cfg.File, data); err == nil {
			e.then = then
		}
	}
	e.a = &answer{
		Version: 1, Name: name, Zone: e.gz.Zone, Generation: g.Number, Serial: e.gz.Serial, Built: g.Time,
		Pinned: e.gz.Pinned, Carried: e.gz.Carried,
		Published: []statement{}, Said: []statement{}, Claims: []claim{}, Notices: []zone.OpenNotice{},
	}
	return e, nil
}

// zoneOf returns the published zone that holds the name.
func zoneOf(g *zone.Generation, name zone.Name) *zone.GenerationZone {
	for n := name; ; n = n.Parent() {
		if z := g.Zone(n); z != nil || n == zone.Root {
			return z
		}
	}
}

func zoneList(g *zone.Generation) string {
	var names []string
	for i, z := range g.Zones {
		if i == 8 {
			names = append(names, fmt.Sprintf("and %d more", len(g.Zones)-i))
			break
		}
		names = append(names, z.Zone.File())
	}
	return strings.Join(names, ", ")
}

func (e *explainer) explain(ctx context.Context) (*answer, error) {
	data, err := e.read(e.gz.Claims)
	if err != nil {
		return nil, fmt.Errorf("reading the claims: %w", err)
	}
	claims, err := zone.ParseClaims("claims", data)
	if err != nil {
		return nil, err
	}
	apex := bare(e.gz.Zone)
	if group := e.then.Group(e.gz.Zone); group != nil {
		apex = group.Apex(e.gz.Zone)
	}
	z, frags, notices, err := e.gz.Replay(apex, e.then.RIR, claims, e.read, e.then.ParseOptions)
	if err != nil {
		return nil, fmt.Errorf("computing %s again: %w", e.gz.Zone.File(), err)
	}
	if ctx.Err() != nil {
		return nil, errCancelled
	}
	e.fromZone(z)
	for i, f := range frags {
		e.fromFragment(f, e.gz.Inputs[i], notices)
	}
	e.fromClaims(claims)
	if e.a.Name == e.gz.Zone {
		e.a.Status = isApex
		e.a.Apex = &apexFacts{apex.NS, e.gz.Delegations, e.gz.Counts, e.gz.Inputs, e.gz.Keys, e.gz.Expires}
	}
	e.fromHolds()
	e.fromNewer(ctx)
	e.fromNotices(notices)
	e.fromRegistry(ctx)
	return e.a, ctx.Err()
}

// shownBelow is how many names below are listed.
const shownBelow = 20

func (e *explainer) fromZone(z *zone.Zone) {
	a := e.a
	a.Status = isAbsent
	var below zone.Name // the last one counted; Below is cut short
	for _, en := range z.Entries {
		if en.Name != a.Name && en.Name.Within(a.Name) && en.Type == zone.TypeNS && en.Name != below {
			below = en.Name
			if a.BelowCount++; a.BelowCount <= shownBelow {
				a.Below = append(a.Below, en.Name)
			}
		}
		if !a.Name.Within(en.Name) {
			continue
		}
		in := z.Inputs[en.Input]
		s := newStatement(en.Record, int(en.Line), in)
		s.Kept = en.Kept
		if en.Name == a.Name {
			a.Published = append(a.Published, s)
			a.Status = statusOf(a.Status, en.Type)
		} else {
			a.Above = append(a.Above, s)
		}
	}
	a.Status = a.around()
}

func statusOf(before string, t zone.Type) string {
	switch {
	case t == zone.TypeNS || before == isDelegated:
		return isDelegated
	case t == zone.TypeCNAME:
		return isAlias
	case t == zone.TypeA || t == zone.TypeAAAA:
		return isGlue
	}
	return before
}

func (a *answer) around() string {
	switch {
	case a.Status != isAbsent:
		return a.Status
	case len(a.Above) > 0:
		return isBelow
	case a.BelowCount > 0:
		return isAbove
	}
	return isAbsent
}

func newStatement(r zone.Record, line int, in zone.Input) statement {
	return statement{
		Name: r.Name, Record: r.String(), Source: in.Source, File: in.File, Line: line,
		SHA256: in.SHA256, Signer: in.Signer, Seen: in.Seen, rec: r,
	}
}

// fromFragment takes what a file says of the name and of those above it.
func (e *explainer) fromFragment(f *zone.Fragment, in zone.Input, notices []zone.Notice) {
	fates := map[string]bool{}
	for _, l := range f.Records {
		if !e.about(l.Name) {
			continue
		}
		s := newStatement(l.Record, int(l.Line), in)
		s.Fate = e.fate(s, notices)
		key := fmt.Sprint(l.Name, l.Type, l.Data)
		if s.Fate == fatePublished && fates[key] {
			s.Fate = fateDuplicate
		}
		fates[key] = true
		e.a.Said = append(e.a.Said, s)
	}
}

// about reports whether a record's owner concerns the name: it is the name, or
// one above it inside the zone.
func (e *explainer) about(owner zone.Name) bool {
	return owner == e.a.Name || e.a.Name.Within(owner) && owner != e.gz.Zone
}

// fate says what became of a record.
func (e *explainer) fate(s statement, notices []zone.Notice) string {
	for _, p := range slices.Concat(e.a.Published, e.a.Above) {
		same := p.Name == s.Name && p.rec.Type == s.rec.Type && p.rec.Data == s.rec.Data
		if same && (p.SHA256 == s.SHA256 || p.Kept != "" && p.Source == s.Source) {
			return fatePublished
		}
	}
	var worst *zone.Notice
	for i, n := range notices {
		if n.Name == s.Name && n.Source == s.Source && (worst == nil || n.Severity > worst.Severity) {
			worst = &notices[i]
		}
	}
	if worst == nil {
		return fateIgnored
	}
	return worst.Code
}

// fromClaims takes the claims that touch the name, or, for one of RFC 2317, the
// range that it is in.
func (e *explainer) fromClaims(c *zone.Claims) {
	for n := e.a.Name; n != zone.Root; n = n.Parent() {
		p, ok := n.Prefix()
		if !ok {
			continue
		}
		if n == e.a.Name {
			e.a.Prefix = p.String()
		}
		for _, claimed := range c.All() {
			if claimed.Prefix.Overlaps(p) {
				e.a.Claims = append(e.a.Claims, claim{claimed.Source, claimed.Prefix.String()})
			}
		}
		return
	}
}
