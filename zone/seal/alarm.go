package seal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirzone/zone"
)

// warnings are the stages at which the end of a ring is announced. Each has a
// code of its own, so that a stage reached is a new notice.
var warnings = []struct {
	days     int
	severity zone.Severity
}{{7, zone.Alarm}, {30, zone.Warning}, {60, zone.Info}}

// A span is a time during which signatures by a key count. A zero end is never.
type span struct {
	start, end time.Time
	key        string
}

// Alarms says what will soon be wrong with the ring. The notices are
// "keyring-ends-60" (info), "keyring-ends-30" (warning) and "keyring-ends-7"
// (alarm) when at most so many days are left until no key counts any more, by
// the keys' own dates and p.Windows and p.Legacy; "keyring-no-usable-key"
// (alarm) when none does now; "keyring-unreadable" (warning) when keys of the
// file were left out. A key that follows without a gap counts as one that goes
// on. p.File is not looked at: the notices are about the keyring's file.
func (k *Keyring) Alarms(p Policy) []zone.Notice {
	var notices []zone.Notice
	add := func(code string, s zone.Severity, format string, args ...any) {
		notices = append(notices, zone.Notice{
			Code: code, Severity: s, Source: p.Source, Zone: p.Zone, Pos: zone.Pos{File: k.file}, Text: fmt.Sprintf(format, args...),
		})
	}
	if len(k.unreadable) > 0 {
		add("keyring-unreadable", zone.Warning, "left out %s", strings.Join(k.unreadable, "; "))
	}
	last, next, never := covered(p.Now, k.spans(&p))
	const ask = "ask the source for its next public key and add it to the keyring"
	switch left := last.end.Sub(p.Now); {
	case never:
	case last.key == "" && next.IsZero():
		add("keyring-no-usable-key", zone.Alarm, "no key counts now, every signature is refused; %s", ask)
	case last.key == "":
		add("keyring-no-usable-key", zone.Alarm, "no key counts before %s, until then every signature is refused", day(next))
	default:
		for _, w := range warnings {
			if left <= time.Duration(w.days)*24*time.Hour {
				gap := ""
				if !next.IsZero() {
					gap = fmt.Sprintf(" (the next counts from %s only)", day(next))
				}
				add(fmt.Sprintf("keyring-ends-%d", w.days), w.severity, "key %s, the last that counts, ends on %s%s; %s", last.key, day(last.end), gap, ask)
				break
			}
		}
	}
	return notices
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
	st := judge(e, pk, life.start)
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
	windows := p.windows(m.fingerprints()...)
	if len(windows) == 0 {
		windows = []zone.KeyWindow{{}}
	}
	for _, w := range windows {
		s := life
		if w.From.After(s.start) {
			s.start = w.From
		}
		s.end = earlier(s.end, w.Until)
		if s.end.IsZero() || s.end.After(s.start) {
			all = append(all, s)
		}
	}
	return all
}
