package publish_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"nirzone/zone/publish"
)

// start runs a child that holds the lock and returns when it does.
func start(t *testing.T, path string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := child("lock", path)
	in, err := cmd.StdinPipe()
	ok(t, err)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "locked\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return cmd, in
}

func wantLocked(t *testing.T, path, who string) {
	t.Helper()
	release, err := publish.Lock(path)
	if release != nil || !errors.Is(err, publish.ErrLocked) || !strings.Contains(err.Error(), who) {
		t.Errorf("error %v, want ErrLocked by %s", err, who)
	}
}

func wantFree(t *testing.T, path string) {
	t.Helper()
	release, err := publish.Lock(path)
	ok(t, err)
	ok(t, release())
	ok(t, release()) // harmless
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd, in := start(t, path)
	who := fmt.Sprintf("pid %d (%s)", cmd.Process.Pid, filepath.Base(os.Args[0]))
	wantLocked(t, path, who)
	ok(t, in.Close())
	ok(t, cmd.Wait())
	if got := read(t, path); got != "" {
		t.Errorf("a free lock says %q", got)
	}
	wantFree(t, path)
}

// kill -9 releases the lock, and whoever comes next is not taken for the dead.
func TestLockKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd, _ := start(t, path)
	ok(t, cmd.Process.Kill())
	_ = cmd.Wait()
	release, err := publish.Lock(path)
	ok(t, err)
	wantLocked(t, path, fmt.Sprintf("pid %d", os.Getpid()))
	ok(t, release())
	wantFree(t, path)
}

// The lock holds within a process too, and after release is lost from sight.
func TestLockSameProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	_, err := publish.Lock(path)
	ok(t, err)
	for range 3 {
		runtime.GC()
	}
	wantLocked(t, path, fmt.Sprintf("pid %d", os.Getpid()))
}

// What a holder starts, such as a reload command, does not keep the lock.
func TestLockNotInherited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := publish.Lock(path)
	ok(t, err)
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	ok(t, err)
	ok(t, cmd.Start())
	ok(t, release())
	wantFree(t, path)
	ok(t, in.Close())
	ok(t, cmd.Wait())
}

func TestLockErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "lock")
	if _, err := publish.Lock(path); !errors.Is(err, os.ErrNotExist) || errors.Is(err, publish.ErrLocked) {
		t.Errorf("in no folder: %v", err)
	}
	// Whatever stands in the file, a terminal is safe from it.
	path = filepath.Join(t.TempDir(), "lock")
	release, err := publish.Lock(path)
	ok(t, err)
	ok(t, os.WriteFile(path, []byte("pid 1 \x1b[2J\n"), 0o644))
	wantLocked(t, path, "pid 1 ?[2J")
	ok(t, os.WriteFile(path, []byte("pid "+strings.Repeat("x", 1e6)), 0o644))
	wantLocked(t, path, "another process")
	ok(t, release())
}
