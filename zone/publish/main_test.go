package publish_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"nirzone/zone/publish"
	"nirzone/zone/publish/crashfs"
)

// childEnv makes this test binary be another process of a test.
const childEnv = "PUBLISH_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "publish":
		os.Exit(childPublish(os.Args[1], os.Args[2]))
	case "lock":
		os.Exit(childLock(os.Args[1]))
	}
	os.Exit(2)
}

func child(mode string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+mode)
	cmd.Stderr = os.Stderr
	return cmd
}

// childPublish publishes generation after generation and kills itself, as kill
// -9 does, at its at-th file operation. Every commit that returned is printed.
func childPublish(root, at string) int {
	k, err := strconv.Atoi(at)
	if err != nil {
		return 2
	}
	fsys := &crashfs.Fail{FS: publish.OS, At: k, Trip: func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }}
	if _, err := publish.Lock(root + ".lock"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	version, err := verifyTree(root)
	for err == nil {
		version++
		if err = publishOnce(publish.Tree{Root: root, Keep: 2, FS: fsys}, version); err == nil {
			fmt.Println(version)
			_, err = publish.Tree{Root: root, Keep: 2, FS: fsys}.Prune(context.Background(), nil)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// childLock holds the lock until its standard input ends.
func childLock(path string) int {
	release, err := publish.Lock(path)
	if err != nil {
		fmt.Println(err)
		return 4
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := release(); err != nil {
		return 1
	}
	return 0
}
