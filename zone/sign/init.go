package sign

import (
	"errors"
	"io"
	"time"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// Init gives every zone the keys that [Plan] finds missing and returns the steps
// taken, also with an error. It never replaces a file, makes files 0600 and
// folders 0700, and keeps tags unique over all keys of the zone, with and
// without the revoke bit (RFC 5011). Keys come from random, except RSA keys,
// which the standard library draws from the system. The caller holds the lock.
func Init(fsys publish.FS, dir string, zones []zone.Name, p zone.SigningConfig, now time.Time, random io.Reader) ([]Step, error) {
	return nil, errors.New("not yet")
}
