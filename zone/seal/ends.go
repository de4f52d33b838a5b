package seal

import "time"

// Ends returns when the last key that counts now, or follows without a gap, stops
// to count, as [Keyring.Alarms] sees it; p.Now if none counts. never is true if
// there is no such time.
func (k *Keyring) Ends(p Policy) (end time.Time, never bool) {
	last, _, never := covered(p.Now, k.spans(&p))
	return last.end, never
}
