package seal

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"nirzone/zone"
)

// A warning is a stage at which the end of a ring is announced. Each has a code
// of its own, so that a stage reached is a new notice.
type warning struct {
	days     int
	severity zone.Severity
}

var warnings = []warning{{7, zone.Alarm}, {30, zone.Warning}, {60, zone.Info}}

// Alarms says what will soon be wrong with the ring. The notices are
// "keyring-ends-60" (info), "keyring-ends-30" (warning) and "keyring-ends-7"
// (alarm) when at most so many days are left until no key counts any more, by
// the keys' own dates and p.Windows and p.Legacy; "keyring-no-usable-key"
// (alarm) when none does now; "keyring-unreadable" (warning) when keys of the
// file were left out; "keyring-key-absent" (warning) when p names a key that the
// ring has not. A key that follows without a gap counts as one that goes
// on. p.File is not looked at: the notices are about the keyring's file.
func (k *Keyring) Alarms(p Policy) []zone.Notice {
	var notices []zone.Notice
	add := func(code string, s zone.Severity, format string, args ...any) {
		notices = append(notices, zone.Notice{
			Code: code, Severity: s, Source: p.Source, Zone: p.Zone, Pos: zone.Pos{File: path.Base(k.file)}, Text: fmt.Sprintf(format, args...),
		})
	}
	if len(k.unreadable) > 0 {
		add("keyring-unreadable", zone.Warning, "left out %s", strings.Join(k.unreadable, "; "))
	}
	if absent := k.absent(&p); len(absent) > 0 {
		add("keyring-key-absent", zone.Warning, "the configuration names key %s, which is not in the keyring; add it there, or correct keys and legacy", strings.Join(absent, ", "))
	}
	last, next, never := covered(p.Now, k.spans(&p))
	gap := ""
	if !next.IsZero() {
		gap = fmt.Sprintf(" (the next counts from %s)", day(next))
	}
	const ask = "ask the source for its next public key and add it to the keyring"
	switch w := stage(last.end.Sub(p.Now)); {
	case never:
	case last.key == "":
		add("keyring-no-usable-key", zone.Alarm, "no key counts now%s and every signature is refused; %s", gap, ask)
	case w.days > 0:
		add(fmt.Sprintf("keyring-ends-%d", w.days), w.severity, "key %s, the last that counts, ends on %s%s; %s", last.key, day(last.end), gap, ask)
	}
	return notices
}

// stage returns the stage that is reached when so much is left, zero if none.
func stage(left time.Duration) (s warning) {
	for _, w := range warnings {
		if left <= time.Duration(w.days)*24*time.Hour {
			return w
		}
	}
	return s
}

// absent returns the fingerprints that the configuration names, for now or for
// later, and no key has.
func (k *Keyring) absent(p *Policy) []string {
	var named []string
	for _, w := range p.Windows {
		if w.Until.IsZero() || p.Now.Before(w.Until) {
			named = append(named, w.Fingerprint)
		}
	}
	for _, l := range p.Legacy {
		if l.Fingerprint != "" && p.Now.Before(l.Until) {
			named = append(named, l.Fingerprint)
		}
	}
	slices.Sort(named)
	return slices.DeleteFunc(slices.Compact(named), func(fpr string) bool {
		return slices.ContainsFunc(k.keys, func(rk ringKey) bool {
			return slices.ContainsFunc(rk.ids, func(pk *packet.PublicKey) bool { return fingerprint(pk) == fpr })
		})
	})
}
