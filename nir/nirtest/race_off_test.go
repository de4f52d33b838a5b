//go:build !race

package nirtest

// racing tells whether the race detector is on, under which everything takes ten
// times as long.
const racing = false
