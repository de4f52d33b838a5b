package publish

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// ErrLocked is returned by [Lock] when another process, or this
// one, holds the lock.
var ErrLocked = errors.New("locked")

// lockPerm lets everybody read who holds the lock.
const lockPerm = 0o644

// maxHolder limits what is shown of the lock file.
const maxHolder = 200

// held keeps the locks from the garbage collector, which would close their files
// and so release them, if a caller drops release.
var held sync.Map

// Lock takes the exclusive lock of that file, without waiting: when it is taken
// the error is ErrLocked and says by whom, where that is known. The file is made
// if missing and stays. The kernel releases the lock when the process ends in
// whatever way; processes started meanwhile do not inherit it, though one that is
// just being forked at the kill holds it for the moment until it becomes another
// program. release may be called more than once.
func Lock(path string) (release func() error, err error) {
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(lockPerm))
	if err := tryLock(l); err != nil {
		return nil, err
	}
	// Who holds the lock is for people: failing to say so is no reason to stop.
	_ = os.WriteFile(path, []byte(holder()), lockPerm)
	return func() error {
		if l.Locked() {
			_ = os.Truncate(path, 0)
		}
		return unlock(l)
	}, nil
}

func tryLock(l *flock.Flock) error {
	ok, err := l.TryLock()
	if err != nil {
		return fmt.Errorf("locking %s: %w", l.Path(), err)
	}
	if !ok {
		return fmt.Errorf("%s is %w by %s", l.Path(), ErrLocked, whoHolds(l.Path()))
	}
	held.Store(l, true)
	return nil
}

func unlock(l *flock.Flock) error {
	held.Delete(l)
	return l.Unlock()
}

func holder() string {
	return fmt.Sprintf("pid %d (%s)\n", os.Getpid(), filepath.Base(os.Args[0]))
}

func whoHolds(path string) string {
	data, err := os.ReadFile(path)
	who := strings.TrimSpace(string(data))
	if err != nil || !strings.HasPrefix(who, "pid ") || len(who) > maxHolder {
		return "another process"
	}
	return strings.Map(printable, who)
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}
