package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"nirzone/zone"
)

// A clock knows the slots of a zone's names at one instant. Times are seconds
// since 1970.
type clock struct {
	now, slot, inception, validity int64
	origin                         []byte  // wire
	signers                        [][]Key // active, by algorithm in rising order
}

func newClock(origin zone.Name, signers [][]Key, p zone.SigningConfig, now time.Time) (*clock, error) {
	c := &clock{
		now: now.Unix(), slot: seconds(p.Slot), inception: seconds(p.Inception), validity: seconds(p.Validity),
		origin: origin.AppendWire(nil), signers: signers,
	}
	if c.slot < 1 || c.inception < 0 || c.validity < c.slot || c.validity > 1<<31-1 {
		return nil, fmt.Errorf("signing policy: a slot of %v, a validity of %v and an inception offset of %v do not fit together", p.Slot, p.Validity, p.Inception)
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

// keys appends the keys that sign a slot with the given start: one of each
// algorithm (RFC 4035, section 2.2), in rising order.
func (c *clock) keys(list []*Key, start int64) []*Key {
	for _, keys := range c.signers {
		list = append(list, slotKey(keys, start, c.now))
	}
	return list
}

// slotKey returns the one of an algorithm's active keys that signs a slot with
// the given start: the one that was active then, the latest if there were two.
// Where none was (the zone is younger than its slot, or that key has been
// removed), it is the one that became active first, of those that are not retired
// now if there are any. A key that is retired meanwhile goes on signing its own
// slots, so that their signatures stay what they are until they are due; one that
// was retired before all of them, in an emergency, has none.
func slotKey(keys []Key, start, now int64) *Key {
	var best, first *Key
	t := time.Unix(start, 0)
	for i := range keys {
		k := &keys[i]
		from := k.Timing.Active
		if first == nil || k.standsIn(first, time.Unix(now, 0)) {
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

// standsIn reports whether the key is before the other where no key was active.
func (k *Key) standsIn(other *Key, now time.Time) bool {
	over, otherOver := reached(k.Timing.Retire, now), reached(other.Timing.Retire, now)
	if over != otherOver {
		return otherOver
	}
	return k.Timing.Active.Before(other.Timing.Active)
}
