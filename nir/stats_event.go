package nir

import "fmt"

// Event returns the number of the last event of the view's state, 0 before the
// first.
func (v *View) Event() (int64, error) {
	n := v.event
	if n == 0 {
		if err := v.queryRow("SELECT seq FROM head").Scan(&n); err != nil {
			return 0, fmt.Errorf("reading the head: %w", err)
		}
	}
	return n, nil
}
