package alloc

import (
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// Release gives blocks back to the pool, unreserved and merged. That they were
// held, and may be given again (quarantine), is known to the caller; a block of
// which anything is free already is an error.
func Release(s Space, blocks ...inr.Block) (Choice, error) {
	d := newDraft(s)
	for _, b := range blocks {
		there, err := d.Overlapping(b)
		if err != nil {
			return Choice{}, fmt.Errorf("releasing %s: %w", b, err)
		}
		if len(there) > 0 {
			return Choice{}, fmt.Errorf("releasing %s: %s is free already; nothing was released", b, there[0].Block)
		}
		if err := d.free(b); err != nil {
			return Choice{}, fmt.Errorf("releasing %s: %w", b, err)
		}
	}
	return d.choice(), nil
}

// Expire ends the reservations that are over, at most limit blocks of them, the
// oldest first, so that they merge with what is free around them. Call it before
// [Allocate], until it changes nothing.
func Expire(s Space, now time.Time, limit int) (Choice, error) {
	all, err := s.Reserved("", now, 0, 128, limit)
	if err != nil {
		return Choice{}, fmt.Errorf("looking for reservations that are over: %w", err)
	}
	var over []Free
	for _, f := range all {
		if f.Expired(now) {
			over = append(over, f)
		}
	}
	return Unreserve(s, over...)
}

// Unreserve ends the reservation of free blocks, which are rows of the Space.
func Unreserve(s Space, reserved ...Free) (Choice, error) {
	d := newDraft(s)
	for _, f := range reserved {
		d.remove(f)
	}
	for _, f := range reserved {
		if err := d.free(f.Block); err != nil {
			return Choice{}, fmt.Errorf("ending the reservation of %s: %w", f.Block, err)
		}
	}
	return d.choice(), nil
}
