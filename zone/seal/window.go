package seal

import (
	"cmp"
	"slices"
	"time"

	"nirzone/zone"
)

// windows returns the windows of a key, by any of its fingerprints.
func (p *Policy) windows(fprs ...string) (all []zone.KeyWindow) {
	for _, w := range p.Windows {
		if slices.Contains(fprs, w.Fingerprint) {
			all = append(all, w)
		}
	}
	return all
}

// checkWindow refuses a key that has windows and is outside of all of them. The
// error names the start of the next one, else the end of the last.
func (p *Policy) checkWindow(m *made) *Error {
	all := p.windows(m.fingerprints()...)
	var next, last time.Time
	for _, w := range all {
		late := !w.Until.IsZero() && !p.Now.Before(w.Until)
		switch {
		case late && w.Until.After(last):
			last = w.Until
		case late:
		case p.Now.Before(w.From):
			next = earlier(next, w.From)
		default:
			return nil
		}
	}
	switch {
	case len(all) == 0:
		return nil
	case !next.IsZero():
		return m.refuse(OutsideWindow, next, "counts from %s only, by the keys of the source's configuration", day(next))
	}
	return m.refuse(OutsideWindow, last, "counted until %s only, by the keys of the source's configuration", day(last))
}

// A span is a time during which signatures by a key count. A zero end is never.
type span struct {
	start, end time.Time
	key        string
}

// covered follows spans from now on for as long as one goes over into the next.
// It returns the last of them, and the start of the first after a gap; never is
// true if there is no end.
func covered(now time.Time, spans []span) (last span, next time.Time, never bool) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.key, b.key)) })
	last.end = now
	for _, s := range spans {
		switch {
		case s.start.After(last.end):
			return last, s.start, false
		case s.end.IsZero():
			return s, time.Time{}, true
		case s.end.After(last.end):
			last = s
		}
	}
	return last, time.Time{}, false
}

// spans returns when signatures by the keys of the ring count, from p.Now on.
func (k *Keyring) spans(p *Policy) (all []span) {
	for i := range k.keys {
		rk := &k.keys[i]
		for j := range rk.ids {
			all = append(all, p.keySpans(rk, j)...)
		}
	}
	return all
}

// keySpans returns the spans of one key or subkey: its life, by its standing
// and the allowances, within each of its windows.
func (p *Policy) keySpans(rk *ringKey, j int) (all []span) {
	e := rk.entity()
	pk := publicKeys(e)[j]
	life := span{start: p.Now, key: rk.fingerprint}
	for _, t := range []time.Time{e.PrimaryKey.CreationTime, pk.CreationTime} {
		if t.After(life.start) {
			life.start = t
		}
	}
	m := made{e: e, pk: pk}
	st := judge(e, pk, life.start.Add(Skew))
	if st.fault != "" || !st.revoked.IsZero() {
		return nil
	}
	life.end = st.expires
	if until := p.allows("expired", m.fingerprints()...); !life.end.IsZero() && until.After(life.end) {
		life.end = until
	}
	for _, one := range m.both() {
		if _, weakness := algorithm(one); weakness != "" {
			until := p.allows(weakness, m.fingerprints()...)
			if until.IsZero() {
				return nil
			}
			life.end = earlier(life.end, until)
		}
	}
	return life.within(p.windows(m.fingerprints()...))
}

// within returns the parts of a span inside of a key's windows, all of it if
// there is none.
func (s span) within(windows []zone.KeyWindow) (all []span) {
	if len(windows) == 0 {
		windows = []zone.KeyWindow{{}}
	}
	for _, w := range windows {
		part := s
		if w.From.After(part.start) {
			part.start = w.From
		}
		part.end = earlier(part.end, w.Until)
		if part.end.IsZero() || part.end.After(part.start) {
			all = append(all, part)
		}
	}
	return all
}
