//go:build !race

package sign

// raceEnabled says that the race detector is watching.
const raceEnabled = false
