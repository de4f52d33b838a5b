package main

import (
	"io/fs"
	"syscall"
)

// traceOf returns what the file system says of a file, false if it does not say
// enough.
func traceOf(info fs.FileInfo) (trace, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return trace{}, false
	}
	return trace{
		Size: st.Size, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano(), Inode: st.Ino, Device: uint64(st.Dev),
	}, true
}
