package zone

import (
	"math"
	"slices"
	"time"
)

// defaultClaimsPercent is gates.claims_percent where it is not set.
const defaultClaimsPercent = 5

// moreGates validates what the [gates] table says of claims, and of single kinds
// and windows. A limit that is not set is that of the kind for one run, then that
// of the window for all kinds, then the general one.
func (p *configParser) moreGates(r *rawGates, lim *Limits) {
	start := len(p.errs)
	lim.ClaimsPercent = defaultClaimsPercent
	if r.Claims != nil {
		lim.ClaimsPercent = p.percent("gates.claims_percent", *r.Claims)
	}
	kinds := []struct {
		kind, key string
		raw       *rawKind
	}{
		{KindRemoved, "removed", &r.Removed},
		{KindShadowed, "shadowed", &r.Shadowed},
		{KindNS, "ns_replaced", &r.NSReplaced},
		{KindDSAdded, "ds_added", &r.DSAdded},
		{KindDSChanged, "ds_changed", &r.DSChanged},
		{KindDSRemoved, "ds_removed", &r.DSRemoved},
	}
	for _, w := range []struct {
		window  time.Duration
		key     string
		general *rawWindow
		of      func(*rawKind) *rawLimit
	}{
		{0, "", &rawWindow{}, func(*rawKind) *rawLimit { return &rawLimit{} }},
		{Day, ".day", &r.Day, func(k *rawKind) *rawLimit { return &k.Day }},
		{Week, ".week", &r.Week, func(k *rawKind) *rawLimit { return &k.Week }},
	} {
		if v := w.general.TotalPercent; v != nil && *v != lim.TotalPercent {
			lim.Totals = append(lim.Totals, Limit{Window: w.window, Percent: p.percent("gates"+w.key+".total_percent", *v)})
		}
		for _, k := range kinds {
			l := Limit{k.kind, w.window, lim.Percent, lim.Least, lim.Most}
			set := p.limit(&l, "gates"+w.key, &rawLimit{w.general.Percent, w.general.Least, w.general.Most})
			set = p.limit(&l, "gates."+k.key, &rawLimit{k.raw.Percent, k.raw.Least, k.raw.Most}) || set
			set = p.limit(&l, "gates."+k.key+w.key, w.of(k.raw)) || set
			if set && l != (Limit{k.kind, w.window, lim.Percent, lim.Least, lim.Most}) {
				lim.Special = append(lim.Special, l)
			}
		}
	}
	// A kind's limit was looked at once a window.
	errs := p.errs[start:]
	p.errs = p.errs[:start]
	for _, err := range errs {
		if !slices.ContainsFunc(p.errs[start:], func(e error) bool { return e.Error() == err.Error() }) {
			p.errs = append(p.errs, err)
		}
	}
}

// limit moves what is set into a limit, and reports whether anything was.
func (p *configParser) limit(l *Limit, key string, r *rawLimit) bool {
	if r.Percent != nil {
		l.Percent = p.percent(key+".percent", *r.Percent)
	}
	if r.Least != nil {
		l.Least = p.between(key+".least", *r.Least, 0, math.MaxInt32)
	}
	if r.Most != nil {
		l.Most = p.between(key+".most", *r.Most, 1, math.MaxInt32)
	}
	return r.Percent != nil || r.Least != nil || r.Most != nil
}

// maxApprovals bounds gates.approvals: more people than that are never found.
const maxApprovals = 9

func (p *configParser) approvals(r *rawGates) Approvals {
	a := Approvals{Needed: p.between("gates.approvals", r.Approvals, 0, maxApprovals), Signers: p.path(r.Signers)}
	if a.Needed > 0 && r.Signers == "" {
		p.fail("gates.approvals = %d: needs gates.signers, a file with the keys of those who may sign", a.Needed)
	}
	return a
}

func (p *configParser) percent(key string, v float64) float64 {
	if !isPercent(v) {
		p.fail("%s = %v: must be from 0 to 100", key, v)
	}
	return v
}
