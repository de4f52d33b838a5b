package seal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A gpg is GnuPG with a home of its own.
type gpg struct {
	t    *testing.T
	home string
}

// newGPG returns GnuPG, or skips the test. With NIRZONE_PEERS=required it fails
// instead.
func newGPG(t *testing.T) *gpg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("NIRZONE_PEERS") == "required" {
			t.Fatal("NIRZONE_PEERS=required, but there is no gpg; install gnupg")
		}
		t.Skip("SKIPPED: no gpg in the path; nothing was compared with GnuPG")
	}
	g := &gpg{t, t.TempDir()}
	if err := os.Chmod(g.home, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("gpgconf", "--homedir", g.home, "--kill", "all").CombinedOutput(); err != nil {
			t.Errorf("stopping the agent: %v\n%s", err, out)
		}
	})
	return g
}

// try runs gpg with its clock stopped at an instant.
func (g *gpg) try(at time.Time, stdin []byte, args ...string) (stdout []byte, err error) {
	all := append([]string{
		"--homedir", g.home, "--no-options", "--batch", "--quiet", "--yes", "--no-tty", "--no-auto-key-retrieve",
		"--faked-system-time", at.UTC().Format("20060102T150405") + "!", "--pinentry-mode", "loopback", "--passphrase", "",
	}, args...)
	c := exec.Command("gpg", all...)
	c.Env = append(os.Environ(), "LC_ALL=C", "GNUPGHOME="+g.home)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(stdin), &out, &errs
	if err = c.Run(); err != nil {
		g.t.Logf("gpg %s: %v: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), err
}

func (g *gpg) run(at time.Time, stdin []byte, args ...string) []byte {
	g.t.Helper()
	out, err := g.try(at, stdin, args...)
	if err != nil {
		g.t.Fatalf("gpg %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// key makes a key and returns its fingerprint.
func (g *gpg) key(name, algorithm, usage string, at time.Time, expire string) string {
	g.t.Helper()
	out := g.run(at, nil, "--status-fd", "1", "--quick-gen-key", name+" <"+name+"@nir.example>", algorithm, usage, expire)
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "KEY_CREATED" {
			return f[3]
		}
	}
	g.t.Fatalf("no key made: %s", out)
	return ""
}

func (g *gpg) export(fprs ...string) []byte {
	g.t.Helper()
	return g.run(time.Now(), nil, append([]string{"--armor", "--export"}, fprs...)...)
}

// revoke applies the revocation that gpg made with a key.
func (g *gpg) revoke(at time.Time, fpr string) {
	g.t.Helper()
	rev, err := os.ReadFile(filepath.Join(g.home, "openpgp-revocs.d", fpr+".rev"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.run(at, bytes.ReplaceAll(rev, []byte(":-----BEGIN"), []byte("-----BEGIN")), "--import")
}

// verify returns gpg's verdict by its status lines; its exit code is 0 for
// expired and revoked keys too. A clear-signed text is compared with data.
func (g *gpg) verify(at time.Time, data, sig []byte) string {
	g.t.Helper()
	dir := g.t.TempDir()
	for name, b := range map[string][]byte{"f": data, "f.asc": sig} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	args := []string{"--status-fd", "1", "--verify", filepath.Join(dir, "f.asc")}
	if !bytes.Contains(sig, []byte("BEGIN PGP SIGNED")) {
		args = append(args, filepath.Join(dir, "f"))
	}
	out, _ := g.try(at, nil, args...)
	var verdicts []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[1] {
		case "GOODSIG", "BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "ERRSIG":
			verdicts = append(verdicts, f[1])
		}
	}
	if len(verdicts) == 0 {
		return "NODATA"
	}
	return strings.Join(verdicts, " ")
}
