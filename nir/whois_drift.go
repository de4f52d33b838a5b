package nir

import (
	"fmt"
	"time"
)

// mirrorLoses reports whether a loss of so many objects of so many is held.
func (r WhoisRules) mirrorLoses(n, of int) bool {
	return n >= r.MirrorMost || n >= r.MirrorLeast && n*100 > r.MirrorPercent*of
}

// drifts reports whether the missing objects, with what was deleted before, pass
// the limits over 24 hours or 7 days: a mirror ought not to waste away a few
// objects a cycle. What a person released does not count.
func (c *cycle) drifts(m *WhoisMirror, r WhoisRules) (bool, error) {
	released, err := c.x.lastRelease(m.ID)
	if err != nil {
		return false, err
	}
	for _, window := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour} {
		from := c.x.Actor.At.Add(-window)
		if released.After(from) {
			from = released
		}
		lost, err := c.lostSince(from)
		if err != nil {
			return false, err
		}
		if r.mirrorLoses(lost+len(c.missing), lost+c.before) {
			return true, nil
		}
	}
	return false, nil
}

// lastRelease returns when a cycle last made deletions that a person had released;
// the zero time if none did.
func (v *View) lastRelease(mirror string) (at time.Time, err error) {
	list, err := whoisMirrors.versions(v, mirror)
	for i := 1; i < len(list); i++ {
		if was := list[i-1]; was.Released != "" && was.Released == was.Hash && list[i].Released == "" && list[i].Held == 0 {
			at = list[i].Checked
		}
	}
	return at, err
}

// lostSince counts the objects that were deleted after a time, are not back, and
// stand for nothing that the NIR has given up.
func (c *cycle) lostSince(from time.Time) (int, error) {
	lost := map[string]bool{}
	query := "SELECT " + whoisObjects.list + " FROM whois_object WHERE origin = 'mirror' AND nir = $1 " +
		"AND until IN (SELECT seq FROM audit WHERE at > $2)"
	err := whoisObjects.scan(c.x.View, query, []any{c.d.NIR, micros(from)}, func(w *WhoisObject) error {
		if id := w.Type + " " + w.Key; c.seen[id] == nil && !c.outside[id] && inside(w, c.space) {
			lost[id] = true
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("counting what the mirror lost: %w", err)
	}
	for _, w := range c.missing { // changed of late, and missing now
		delete(lost, w.Type+" "+w.Key)
	}
	return len(lost), nil
}
