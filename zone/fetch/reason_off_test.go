//go:build !race

package fetch

// memoryReason is what a child says that passed its limit on memory.
const memoryReason = "the rsync child crashed (fatal error: runtime: "
