package fetch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

const wallsEnv = "NIRZONE_TEST_WALLS"

// tryWalls confines this process as the rsync child and prints what it still can do.
func tryWalls(dir string) {
	if err := confine(childJob{Dir: dir, Largest: 1000, CPU: 10}); err != nil {
		fmt.Println("confine:", err)
		return
	}
	can := func(what string, err error) { fmt.Printf("%s: %v\n", what, err == nil) }
	can("write here", os.WriteFile(filepath.Join(dir, "x"), make([]byte, 1000), 0o600))
	err := os.WriteFile(filepath.Join(dir, "y"), make([]byte, 1001), 0o600)
	can("write much", err)
	fmt.Println("for its size:", errors.Is(err, syscall.EFBIG))
	_, err = os.ReadFile("/etc/passwd")
	can("read elsewhere", err)
	can("write elsewhere", os.WriteFile(filepath.Join(filepath.Dir(dir), "z"), nil, 0o600))
	_, err = net.Dial("tcp", os.Getenv("NIRZONE_TEST_ADDR"))
	can("connect", err)
}

// TestChildIsConfined: what the rsync child cannot do, whatever a server makes of it.
func TestChildIsConfined(t *testing.T) {
	version, err := llsyscall.LandlockGetABIVersion()
	if err != nil || version < 4 {
		t.Skipf("SKIPPED: this kernel has Landlock version %d (%v), 4 is needed to see all walls", version, err)
	}
	dir := filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), wallsEnv+"="+dir, "NIRZONE_TEST_ADDR="+listen(t, func(net.Conn) {}))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = "write here: true\nwrite much: false\nfor its size: true\nread elsewhere: false\nwrite elsewhere: false\nconnect: false\n"
	if got := string(out); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
