package sign

import (
	"io"
	"time"
)

// makeKey draws a key that is published, ready and active at once.
func makeKey(s Step, keys []Key, now time.Time, random io.Reader) (Key, error) {
	t := now.UTC().Truncate(time.Second)
	s.Timing = Timing{Created: t, Publish: t, Ready: t, Active: t}
	return Draw(s, keys, random)
}
