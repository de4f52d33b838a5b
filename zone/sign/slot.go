package sign

import (
	"crypto/sha256"
	"encoding/binary"
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
		return nil, errors.New("no ZSK is active; run zonebuild keys init")
	}
	return c, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// batches is how many times in a slot a zone has to be signed again: with slots
// of 11 days, once a day. Were each name due at a time of its own, nearly every
// run would have to read and write every zone for a few signatures.
const batches = 11

// start returns the start of the present slot of a name: the last time up to
// now that is the name's phase, modulo the length of a slot. The phase is the
// zone's, a hash of its name that spreads the zones over the day, and as many
// batches as a hash of zone and owner says.
func (c *clock) start(owner []byte) int64 {
	var buf [512]byte
	sum := sha256.Sum256(append(append(buf[:0], c.origin...), owner...))
	length := max(c.slot/batches, 1)
	batch := int64(binary.BigEndian.Uint64(sum[:8]) % batches)
	phase := (c.offset(length) + batch*length) % c.slot
	behind := (c.now - phase) % c.slot
	if behind < 0 {
		behind += c.slot
	}
	return c.now - behind
}

// offset returns when in a batch's length the zone is due, by the FNV-1a hash of
// its name.
func (c *clock) offset(length int64) int64 {
	h := uint64(14695981039346656037)
	for _, b := range c.origin {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return int64(h % uint64(length))
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
