package sign

import (
	"context"
	"errors"
	"io"
	"time"

	"nirzone/zone"
)

// A Verified is a signed zone that [Verify] found to be right. It is what can be
// published.
type Verified struct {
	facts   Facts
	text    [][]byte
	notices []zone.Notice
}

// Facts returns what is to be recorded of the zone.
func (v *Verified) Facts() Facts { return v.facts }

// Notices returns what is not wrong but should be known: signatures with less
// time left than the policy's alarm.
func (v *Verified) Notices() []zone.Notice { return v.notices }

// PublishName returns the name of the zone's file.
func (v *Verified) PublishName() string { return v.facts.Zone.File() }

// WriteVerified writes the zone file, exactly the bytes that were verified.
func (v *Verified) WriteVerified(w io.Writer) (int64, error) {
	var total int64
	for _, part := range v.text {
		n, err := w.Write(part)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Verify checks a signed zone against the merged zone it was made from and the
// keys that should be in it, from its bytes alone. Its errors name the RFC
// section and the owner.
func Verify(ctx context.Context, s *Signed, z *zone.Zone, keys []Key, now time.Time) (*Verified, error) {
	return nil, errors.New("not yet")
}
