package alloc

import (
	"fmt"
	"time"

	"nirzone/nir/inr"
)

// A Step is the step of the algorithm that decided.
type Step int

// The steps, see the package.
const (
	Grow Step = 1 + iota
	Reserve
	Fit
	Cannibalise
	Exhausted
)

var stepNames = [...]string{Grow: "grow", Reserve: "reserve", Fit: "fit", Cannibalise: "cannibalise", Exhausted: "exhausted"}

// String returns the step's name.
func (s Step) String() string {
	if s < Grow || s > Exhausted {
		return "none"
	}
	return stepNames[s]
}

// A Part is one block of a choice.
type Part struct {
	Block inr.Block
	Step  Step
}

// A Choice says what an allocation, a release or the end of reservations changes.
// It is applied as a whole or not at all: Removed rows go, Added rows come, Parts
// become the member's. A row in Removed is as it stood in the Space; if the store
// has another one there, the choice was made of something else and is void.
type Choice struct {
	// Parts are the blocks that the member gets, in the order of the request's
	// lengths; none if the pool is exhausted, or if nothing was asked for.
	Parts []Part
	// Step is the greatest of the parts' steps, or Exhausted.
	Step Step
	// Removed and Added are the free blocks that go and come, by address.
	Removed, Added []Free
	// Notices name whose reservation was taken from, in the order of the parts.
	Notices []Notice
}

// Taken returns the blocks of the parts as a set.
func (c Choice) Taken() inr.Set {
	var b inr.Builder
	for _, p := range c.Parts {
		b.Add(p.Block.Range())
	}
	return b.Set()
}

// A Notice says that space reserved for a member went to another.
type Notice struct {
	Member string    // whose reservation it was
	Block  inr.Block // what was taken of it
	Since  time.Time // when it had been reserved
	For    string    // who got it
}

// String writes the notice in one sentence.
func (n Notice) String() string {
	return fmt.Sprintf("%s, reserved for %s since %s, was allocated to %s: no unreserved block was large enough",
		n.Block, n.Member, n.Since.UTC().Format(time.DateOnly), n.For)
}
