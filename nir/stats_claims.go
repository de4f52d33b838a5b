package nir

import (
	"maps"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// Claims returns who may speak for which addresses in the zones: NIRs for what is
// delegated to them, the regional registry for its direct members' space and for
// its pools, other registries for what they manage inside the zones. No two
// overlap: what the registry itself says goes before an import of another's
// statistics, and an NIR's existing pool is the NIR's. They are as of the view:
// that live delegations move make-before-break is for whoever builds the zones.
//
// A source's claims are the fewest prefixes. Without zones, all space of other
// registries counts.
func (v *View) Claims(zones []zone.Name) ([]zone.Claim, error) {
	by, err := v.managers()
	if err != nil {
		return nil, err
	}
	return v.claimsOf(by, zones)
}

func (v *View) claimsOf(managers map[string]inr.Set, zones []zone.Name) ([]zone.Claim, error) {
	by := maps.Clone(managers)
	var own inr.Builder
	for _, s := range by {
		own.AddSet(s)
	}
	if err := v.foreign(by, own.Set(), spaceOf(zones), len(zones) > 0); err != nil {
		return nil, err
	}
	var list []zone.Claim
	for _, source := range sortedKeys(by) {
		for _, p := range by[source].Prefixes() {
			list = append(list, zone.Claim{Source: source, Prefix: p})
		}
	}
	return list, nil
}

// managers returns the space that each manages, the regional registry under its
// own code.
func (v *View) managers() (map[string]inr.Set, error) {
	parts := map[string]*inr.Builder{}
	add := func(source string, r inr.Range) {
		if parts[source] == nil {
			parts[source] = &inr.Builder{}
		}
		parts[source].Add(r)
	}
	err := v.eachStep(func(s *step) error {
		add(v.registryName(s.nir), s.rng)
		return nil
	}, firstSteps+" ORDER BY kind, first")
	if err != nil {
		return nil, err
	}
	list, err := v.Pools()
	if err != nil {
		return nil, err
	}
	for i := range list {
		if p := &list[i]; p.Purpose != NIRExisting { // an existing one is delegated to its NIR
			add(v.Rules.RIR, p.Range)
		}
	}
	by := map[string]inr.Set{}
	var nirs inr.Builder
	for source, b := range parts {
		by[source] = b.Set()
		if source != v.Rules.RIR {
			nirs.AddSet(by[source])
		}
	}
	by[v.Rules.RIR] = by[v.Rules.RIR].Subtract(nirs.Set())
	return by, nil
}

// foreign adds the space of other registries that is nobody's here.
func (v *View) foreign(by map[string]inr.Set, own, within inr.Set, limited bool) error {
	list, err := v.ForeignSpace("")
	if err != nil {
		return err
	}
	for i := 0; i < len(list); {
		source := list[i].Source
		var b inr.Builder
		for ; i < len(list) && list[i].Source == source; i++ {
			b.Add(list[i].Range)
		}
		s := b.Set().Subtract(own)
		if limited {
			s = s.Intersect(within)
		}
		by[source] = s
	}
	return nil
}

// spaceOf returns the addresses of zones of the reverse trees.
func spaceOf(zones []zone.Name) inr.Set {
	var b inr.Builder
	for _, z := range zones {
		if p, ok := z.Prefix(); ok {
			if r, err := inr.FromPrefix(p); err == nil {
				b.Add(r.Range())
			}
		}
	}
	return b.Set()
}
