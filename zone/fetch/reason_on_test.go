//go:build race

package fetch

// memoryReason: under the race detector there is no limit; the server then is too
// slow in sending two gigabytes, or hangs up.
const memoryReason = ""
