package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// fromHolds takes the losses that wait for a person and have to do with the
// name: it is among them, or its source is held. One of claims is of no zone.
func (e *explainer) fromHolds() {
	for _, h := range e.g.Holds {
		loses := slices.Contains(h.Losses, e.a.Name)
		here := h.Zone == e.gz.Zone && (loses || e.a.Status == isApex || e.involved(h.Source))
		if h.Kind == zone.KindClaims {
			here = e.losesClaim(h)
			loses = here && e.a.Status != isApex
		}
		if here {
			e.a.Holds = append(e.a.Holds, hold{h.Hash, h.Kind, h.Source, h.Rule, h.Count(), loses})
		}
	}
}

// losesClaim reports whether a held change of claims takes numbers of the name.
func (e *explainer) losesClaim(h zone.Hold) bool {
	own, ok := e.prefix()
	return ok && slices.ContainsFunc(h.Sets, func(s zone.HeldSet) bool {
		return slices.ContainsFunc(s.Was, func(text string) bool {
			p, err := netip.ParsePrefix(text)
			return err == nil && p.Overlaps(own)
		})
	})
}

// involved reports whether a source has a word in the answer.
func (e *explainer) involved(source string) bool {
	by := func(s statement) bool { return s.Source == source }
	return slices.ContainsFunc(e.a.Published, by) || slices.ContainsFunc(e.a.Above, by) || slices.ContainsFunc(e.a.Said, by) ||
		slices.ContainsFunc(e.a.Waiting, func(w waiting) bool { return w.Source == source })
}

// fromNewer takes the files that are newer than those the zone was made of, if
// they, or the older ones, say something of the name.
func (e *explainer) fromNewer(ctx context.Context) {
	probation := e.probation()
	for _, in := range e.newer() {
		w := waiting{Source: in.Source, File: in.File, SHA256: in.SHA256, Signer: in.Signer, Seen: in.Seen, Says: []statement{}}
		w.Probation = slices.Contains(probation, in.Source)
		for _, h := range e.g.Holds {
			if h.Zone == e.gz.Zone && h.Source == in.Source && h.Until.IsZero() && slices.Contains(zone.LossKinds, h.Kind) {
				w.Held = h.Hash
			}
		}
		data, err := e.bytes(ctx, in)
		var f *zone.Fragment
		if err == nil {
			f, err = zone.ParseFragment(in.Source, e.gz.Zone, in.File, data, e.cfg.ParseOptions(in.Source))
		}
		if err != nil {
			w.Error = strings.Join(mistakes(err), "; ")
		} else {
			for _, l := range f.Records {
				if l.Name == e.a.Name {
					w.Says = append(w.Says, newStatement(l.Record, int(l.Line), in))
				}
			}
		}
		if len(w.Says) > 0 || e.a.Status == isApex || e.involved(in.Source) {
			e.a.Waiting = append(e.a.Waiting, w)
		}
	}
}

// probation returns the sources of which the next build takes nothing: those that
// the registry's folder names, or else those of the last build.
func (e *explainer) probation() []string {
	data, err := shell.ReadFile(filepath.Join(e.cfg.Registry, "probation"), maxClaims)
	if err != nil {
		return e.g.Probation
	}
	list, err := zone.ParseProbation("probation", e.cfg.RIR, data)
	if err != nil {
		return e.g.Probation
	}
	return list
}

// newer returns the verified inputs that differ from those of the zone.
func (e *explainer) newer() []zone.Input {
	var list []zone.Input
	data, err := shell.ReadFile(filepath.Join(e.cfg.Spool, "manifest.json"), maxFile)
	var m *zone.Manifest
	if err == nil {
		m, err = zone.ParseManifest("spool/manifest.json", data)
	}
	if err != nil {
		e.Errorf("newer files are not looked at: %v", err)
		m = &zone.Manifest{}
	}
	for _, s := range m.Sources {
		if z := s.Zone(e.gz.Zone); z != nil && z.Accepted != nil && e.cfg.Source(s.Name) != nil {
			list = append(list, zone.Input{Source: s.Name, File: z.Accepted.File, SHA256: z.Accepted.SHA256, Signer: z.Accepted.Signer, Seen: z.Accepted.FirstSeen})
		}
	}
	if in, ok := e.ownNow(); ok {
		list = append(list, in)
	}
	return slices.DeleteFunc(list, func(in zone.Input) bool {
		return slices.ContainsFunc(e.gz.Inputs, func(old zone.Input) bool { return old.Source == in.Source && old.SHA256 == in.SHA256 })
	})
}

// ownNow returns the registry's zonelet as it is in its folder.
func (e *explainer) ownNow() (zone.Input, bool) {
	name := e.gz.Zone.File() + "-" + e.cfg.RIR
	data, err := shell.ReadFile(filepath.Join(e.cfg.Registry, name), maxFile)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			e.Errorf("the registry's own file is not looked at: %v", err)
		}
		return zone.Input{}, false
	}
	sum := sha256.Sum256(data)
	return zone.Input{Source: e.cfg.RIR, File: name, SHA256: hex.EncodeToString(sum[:])}, true
}

// bytes reads a newer input: from the spool or, for the registry's, from its
// folder.
func (e *explainer) bytes(ctx context.Context, in zone.Input) ([]byte, error) {
	if in.Source == e.cfg.RIR {
		return e.app.read(ctx, filepath.Join(e.cfg.Registry, in.File), maxFile)
	}
	return e.read(in.SHA256)
}

// fromNotices takes the open notices about the name and those above it, and
// those about the zone or the files of a source that has a word here. A notice
// of the merge that is not open is shown too, without a date.
func (e *explainer) fromNotices(merge []zone.Notice) {
	seen := map[string]bool{}
	add := func(n zone.OpenNotice) {
		if seen[n.Key()] || n.Zone != e.gz.Zone {
			return
		}
		if n.Name == "" && (n.Source == e.then.RIR || e.a.Status == isApex || e.involved(n.Source)) || n.Name != "" && e.about(n.Name) {
			seen[n.Key()] = true
			e.a.Notices = append(e.a.Notices, n)
		}
	}
	for _, n := range e.g.Notices {
		add(n)
	}
	for _, n := range merge {
		add(zone.OpenNotice{Notice: n})
	}
}

// because returns the text of the notice that explains a fate.
func (a *answer) because(s statement) string {
	for _, n := range a.Notices {
		if n.Code == s.Fate && n.Name == s.Name && n.Source == s.Source {
			return fmt.Sprintf("%s: %s", n.Code, n.Text)
		}
	}
	return s.Fate
}
