package sign

import (
	"errors"
	"fmt"
	"time"

	"nirzone/zone"
)

// A clock knows the slots of a zone's names at one instant. Times are seconds
// since 1970.
type clock struct {
	now, slot, inception, validity int64
	origin                         []byte // wire
	zsks                           []Key  // published at now
}

func newClock(origin zone.Name, keys []Key, p zone.SigningConfig, now time.Time) (*clock, error) {
	c := &clock{
		now: now.Unix(), slot: seconds(p.Slot), inception: seconds(p.Inception), validity: seconds(p.Validity),
		origin: origin.AppendWire(nil),
	}
	if c.slot < 1 || c.inception < 0 || c.validity < c.slot || c.validity > 1<<31-1 {
		return nil, fmt.Errorf("signing policy: a slot of %v, a validity of %v and an inception offset of %v do not fit together", p.Slot, p.Validity, p.Inception)
	}
	usable := false
	for _, k := range keys {
		if k.Flags == FlagsZSK && k.published(now) {
			c.zsks = append(c.zsks, k)
			usable = usable || reached(k.Timing.Active, now)
		}
	}
	if !usable {
		return nil, errors.New("no ZSK is active; " + noKeys)
	}
	return c, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// start returns the start of the present slot of a name: the last time up to
// now that is the name's phase, modulo the length of a slot.
func (c *clock) start(owner []byte) int64 {
	return c.slotOf(c.hash(owner))
}

// key returns the ZSK that signs a slot with the given start: the one that was
// active then, the latest if there were two. Where none was (the zone is younger
// than its slot, or that key has been removed), it is the one that became active
// first. A key that is retired meanwhile goes on signing its own slots, so that
// their signatures stay what they are until they are due.
func (c *clock) key(start int64) *Key {
	var best, first *Key
	t, now := time.Unix(start, 0), time.Unix(c.now, 0)
	for i := range c.zsks {
		k := &c.zsks[i]
		from := k.Timing.Active
		if !reached(from, now) {
			continue
		}
		if first == nil || from.Before(first.Timing.Active) {
			first = k
		}
		if reached(from, t) && !reached(k.Timing.Retire, t) && (best == nil || best.Timing.Active.Before(from)) {
			best = k
		}
	}
	if best != nil {
		return best
	}
	return first
}
