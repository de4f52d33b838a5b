package nir

import (
	"slices"
	"time"

	"nirzone/nir/inr"
	"nirzone/zone"
)

// onTrial reports whether a domain is of an NIR that was never admitted, or in its
// space: nothing of it is published yet, by whatever way it came, and what the NIR
// does to it moves no zone. Of a /24 that it shares with another NIR that is its own
// part, and the whole if that is its own object (Tx.shareZone): its space alone says
// nothing of whose name servers those are.
func (e *exporter) onTrial(d *Domain) bool {
	if len(e.trials) == 0 {
		return false
	}
	if slices.Contains(e.trials, d.NIR) {
		return true
	}
	r, whole, ok := spaceUnder(d.Name)
	if z, part := parseClassless(d.Name); part {
		r, whole = z.Range, true
	}
	for _, code := range e.trials {
		if s := e.space[code]; ok && (s.Contains(r) || !whole && s.Overlaps(r)) {
			return true
		}
	}
	return false
}

// spaceUnder returns the addresses under a reverse name; of a range below a /24
// (RFC 2317) its parent's, which are not wholly its own.
func spaceUnder(n zone.Name) (r inr.Range, whole, ok bool) {
	p, whole := n.Prefix()
	if !whole {
		if p, ok = n.Parent().Prefix(); !ok {
			return r, false, false
		}
	}
	b, err := inr.FromPrefix(p)
	if err != nil {
		return r, false, false
	}
	return b.Range(), whole, true
}

// trials returns the NIRs that began in probation and were never active since, also
// if they are leaving, and when such a one was admitted last; the zero time if none
// ever was. What comes into the zones then may be older: no zonelet's time is before
// that, for it to grow with the content. An NIR put into probation later keeps what
// is published of it: nothing leaves a zone for that.
func (v *View) trials() (codes []string, ended time.Time, err error) {
	list, err := v.NIRs()
	if err != nil {
		return nil, ended, err
	}
	var last int64
	for _, n := range list {
		all, err := v.NIRVersions(n.ID)
		if err != nil {
			return nil, ended, err
		}
		if all[0].State != Probation {
			continue
		}
		i := slices.IndexFunc(all, func(n NIR) bool { return n.State == Active })
		if i < 0 || v.event != 0 && all[i].Since > v.event {
			codes = append(codes, n.Code)
			continue
		}
		last = max(last, all[i].Since)
	}
	if last != 0 {
		ended, err = v.eventTime(last)
	}
	return codes, ended, err
}
