package crashfs

import (
	"fmt"
	"io/fs"
)

// Op is a kind of file operation.
type Op string

// The operations. Those up to OpSyncDir change something and are recorded; all
// of them can fail.
const (
	OpMkdir    Op = "mkdir"
	OpCreate   Op = "create"
	OpWrite    Op = "write"
	OpSync     Op = "fsync"
	OpRename   Op = "rename"
	OpLink     Op = "link"
	OpSymlink  Op = "symlink"
	OpRemove   Op = "remove"
	OpSyncDir  Op = "syncdir"
	OpClose    Op = "close"
	OpReadFile Op = "readfile"
	OpReadDir  Op = "readdir"
	OpReadlink Op = "readlink"
	OpStat     Op = "stat"
)

// NeedsSpace says whether the operation can fail on a full disk.
func NeedsSpace(op Op) bool {
	switch op {
	case OpMkdir, OpCreate, OpWrite, OpSync, OpLink, OpSymlink:
		return true
	}
	return false
}

// Changes says whether the operation is one of those that are recorded.
func Changes(op Op) bool {
	return NeedsSpace(op) || op == OpRename || op == OpRemove || op == OpSyncDir
}

// Step is one operation that succeeded.
type Step struct {
	Op   Op
	Path string      // below the recorded folder, with slashes; "." is the folder
	To   string      // the new name of OpRename and OpLink, the target of OpSymlink
	File int         // which created file OpCreate, OpWrite and OpSync are about
	Data []byte      // of OpWrite
	Perm fs.FileMode // of OpMkdir and OpCreate
}

// String is the step on one line, without the data.
func (s Step) String() string {
	switch s.Op {
	case OpWrite:
		return fmt.Sprintf("write %s (%d bytes)", s.Path, len(s.Data))
	case OpRename, OpLink, OpSymlink:
		return fmt.Sprintf("%s %s -> %s", s.Op, s.Path, s.To)
	}
	return fmt.Sprintf("%s %s", s.Op, s.Path)
}
