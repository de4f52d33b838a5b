package seal

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The tool that NIRs use writes what we read, and reads what we write.
func TestAgainstMD5Sum(t *testing.T) {
	if _, err := exec.LookPath("md5sum"); err != nil {
		if os.Getenv("NIRZONE_PEERS") == "required" {
			t.Fatal("NIRZONE_PEERS=required, but there is no md5sum; install coreutils")
		}
		t.Skip("SKIPPED: no md5sum in the path; nothing was compared with it")
	}
	run := func(dir string, args ...string) []byte {
		c := exec.Command("md5sum", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C")
		out, err := c.Output()
		if err != nil {
			t.Errorf("md5sum %q: %v", args, err)
		}
		return out
	}
	for _, name := range []string{"202.in-addr.arpa-JPNIC", "with blank", "(a) = b", `back\slash`, "line\nfeed", "carriage\rreturn"} {
		dir := t.TempDir()
		for n, b := range map[string][]byte{name: zonelet, "sums": FormatMD5(name, zonelet)} {
			if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run(dir, "--check", "--strict", "--status", "sums")
		if got, want := run(dir, "--tag", name), FormatMD5(name, zonelet); string(got) != string(want) {
			t.Errorf("md5sum writes %q, we write %q", got, want)
		}
		if s, err := ParseMD5("f", run(dir, name), true); err != nil || s.Name != name || !s.GNU {
			t.Errorf("%q in GNU form: %+v, %v", name, s, err)
		}
	}
}
