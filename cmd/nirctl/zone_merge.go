package main

import (
	"context"
	"fmt"
	"slices"

	"nirzone/zone"
)

// merge says what would become of the zonelet's delegations.
func (k *checker) merge(ctx context.Context, v *verdict, f *zone.Fragment) error {
	claims := k.claims
	registry := v.Source == k.rir
	if claims == nil && !registry {
		claims = wholeZone(v.Source, v.Zone)
		v.Unchecked = append(v.Unchecked, "whether every name is in the source's ranges: give them with --claims")
	}
	var own *zone.Fragment
	var err error
	if !registry {
		if own, err = k.beside(ctx, k.registry, v, k.rir, "whether the registry's own delegations win: give its zonelet with --registry"); err != nil {
			return err
		}
	}
	before, err := k.beside(ctx, k.previous, v, v.Source, "what would be held as too large a loss, and what stands where a set is impossible: give the last zonelet with --previous")
	if err != nil {
		return err
	}
	old, _ := zone.Merge(k.input(v, claims, own, before, nil))
	next, notices := zone.Merge(k.input(v, claims, own, f, old))
	v.take(notices)
	for _, c := range zone.SourceChanges(old, next) {
		if c.Source == v.Source {
			v.Delegations = c.After
			v.changes = append(v.changes, c)
		}
	}
	v.compared = before != nil
	return nil
}

func (k *checker) input(v *verdict, claims *zone.Claims, own, f *zone.Fragment, published *zone.Zone) zone.MergeInput {
	return zone.MergeInput{
		Apex: bare(v.Zone), Registry: k.rir, Claims: claims, Published: published, Fragments: []*zone.Fragment{own, f},
	}
}

// take adds the notices that are about the source itself.
func (v *verdict) take(notices []zone.Notice) {
	for _, n := range notices {
		if n.Source == v.Source || n.Code == zone.KindClaimsMoved || n.Code == "claims-overlap" {
			v.Notices = append(v.Notices, n)
		}
	}
	zone.SortNotices(v.Notices)
}

func (v *verdict) count(f *zone.Fragment) {
	owners := map[zone.Name]bool{}
	for _, r := range f.Records {
		owners[r.Name] = true
		switch r.Type {
		case zone.TypeNS:
			v.NS++
		case zone.TypeDS:
			v.DS++
		}
	}
	v.Owners = len(owners)
	v.Generated = f.Trailer.Generated
}

func containsName(names []zone.Name, n zone.Name) bool { return slices.Contains(names, n) }

// byCode counts notices by severity and code, the worst first.
func byCode(list []zone.Notice) []string {
	type key struct {
		zone.Severity
		code string
	}
	counts := map[key]int{}
	var keys []key
	for _, n := range list {
		k := key{n.Severity, n.Code}
		if counts[k] == 0 {
			keys = append(keys, k)
		}
		counts[k]++
	}
	slices.SortStableFunc(keys, func(a, b key) int { return int(b.Severity) - int(a.Severity) })
	var out []string
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%d %s", counts[k], k.code))
	}
	return out
}
