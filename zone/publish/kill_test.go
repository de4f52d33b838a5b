package publish_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nirzone/zone/publish"
)

// A child publishes over and over and is killed at its k-th file operation; its
// successor, another child, goes on in the same tree.
func TestKill(t *testing.T) {
	root := filepath.Join(t.TempDir(), "public")
	rng := rand.New(rand.NewPCG(9, 9))
	last := 0
	for i := range 30 {
		k := 1 + rng.IntN(70)
		var out bytes.Buffer
		cmd := child("publish", root, strconv.Itoa(k))
		cmd.Stdout = &out
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("kill %d at operation %d: the child was not killed: %v", i, k, err)
		}
		reported := last
		if f := strings.Fields(out.String()); len(f) > 0 {
			reported, _ = strconv.Atoi(f[len(f)-1])
		}
		got, err := verifyTree(root)
		if err != nil {
			t.Fatalf("kill %d at operation %d: %v", i, k, err)
		}
		if got < reported || got > reported+1 {
			t.Fatalf("kill %d at operation %d: current is version %d, the child reported %d", i, k, got, reported)
		}
		release, err := publish.Lock(root + ".lock")
		if err != nil {
			t.Fatalf("the kernel did not release the lock: %v", err)
		}
		ok(t, release())
		last = got
	}
	if last < 10 {
		t.Fatalf("only %d generations came of it", last)
	}
	ok(t, recovered(root, last+1))
}
