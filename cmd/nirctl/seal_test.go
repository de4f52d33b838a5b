package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirzone/cmd/shell"
	"nirzone/fixtures/peers"
	"nirzone/zone/seal"
)

// A desk is where a member of an NIR's staff sits: a folder with delegation
// lines, and nirctl with a clock.
type desk struct {
	t         *testing.T
	dir       string
	out, errs bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	d.write("lines", 0o644, "202.12.28.0/24 ns1.example.net ns2.example.net\n")
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(name string, perm os.FileMode, data string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(data), perm); err != nil {
		d.t.Fatal(err)
	}
}

// must runs nirctl and fails the test unless it exits with code and says all of
// want.
func (d *desk) must(code int, args []string, want ...string) {
	d.t.Helper()
	d.out.Reset()
	d.errs.Reset()
	sh := shell.Shell{Name: "nirctl", Stdout: &d.out, Stderr: &d.errs, Clock: func() time.Time { return firstCycle }}
	got := run(context.Background(), args, &sh)
	all := d.out.String() + d.errs.String()
	if got != code {
		d.t.Fatalf("nirctl %q: exit %d, want %d\n%s", args, got, code, all)
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			d.t.Errorf("nirctl %q does not say %q:\n%s", args, w, all)
		}
	}
}

// make is "zone make" for the desk's lines.
func (d *desk) make(more ...string) []string {
	return append([]string{"zone", "make", "--zone", "202.in-addr.arpa", "--source", "JPNIC", "--out", d.dir, d.path("lines")}, more...)
}

func (d *desk) check(more ...string) []string {
	return append([]string{"zone", "check", d.path(zonelet)}, more...)
}

const zonelet = "202.in-addr.arpa-JPNIC"

func (d *desk) key(name string) *seal.Key {
	d.t.Helper()
	k, err := seal.GenerateKey("JPNIC zones <zones@jpnic.example>", firstCycle.Add(-time.Hour), 0, rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	private, err := k.Private()
	if err != nil {
		d.t.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(name, 0o600, string(private))
	d.write(name+".pub", 0o644, string(public))
	return k
}

// What is made with a key passes the check by that key, twice byte for byte the
// same; by another, after a change, or with a wrong sum it does not.
func TestSealsRoundTrip(t *testing.T) {
	d := newDesk(t)
	k := d.key("key")
	d.key("other")
	d.must(0, d.make("--key", d.path("key")), zonelet+".asc\n", zonelet+".md5\n")
	first, err := os.ReadFile(d.path(zonelet + ".asc"))
	if err != nil {
		t.Fatal(err)
	}
	d.must(0, d.check("--keyring", d.path("key.pub")), "would be accepted\n", "sum good; signed at 2026-11-21T06:00:00Z by "+k.Fingerprint())
	d.must(0, d.check(), "not checked: the signature: give the keys with --keyring")
	d.must(0, d.make("--key", d.path("key"), "--json"), `"signer": "`+k.Fingerprint()+`"`)
	if again, err := os.ReadFile(d.path(zonelet + ".asc")); err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second signature differs: %v", err)
	}
	d.must(3, d.check("--keyring", d.path("other.pub")), "would be refused whole", zonelet+".asc: ")
	d.must(1, d.check("--keyring", d.path("key")), "secret key")
	d.must(1, d.check("--keyring", d.path("absent")), "reading the keys of JPNIC")

	// A new version without the key: the old signature is of other bytes, and
	// that is said at once.
	d.write("lines", 0o644, "202.12.29.0/24 ns1.example.net ns2.example.net\n")
	d.must(0, d.make(), "not signed, and "+zonelet+".asc is of an earlier version")
	d.must(3, d.check("--keyring", d.path("key.pub")), zonelet+".asc: ")
	d.write(zonelet+".md5", 0o644, "MD5 ("+zonelet+") = "+strings.Repeat("0", 32)+"\n")
	d.must(3, d.check(), "would be refused whole", zonelet+".md5: ")
	d.write(zonelet+".md5", 0o644, strings.Repeat("0", 32)+"  "+zonelet+"\n")
	d.must(3, d.check(), "GNU")
}

// With --config the registry's own rules count, and only then.
func TestCheckByConfiguration(t *testing.T) {
	d := newDesk(t)
	d.key("key")
	d.must(0, d.make("--key", d.path("key")))
	config := `version = 1
rir = "RIR"
[[source]]
name = "JPNIC"
url = "https://127.0.0.1/{zone}-{name}"
zones = ["202.in-addr.arpa"]
keyring = "key.pub"
[[zones]]
names = ["202.in-addr.arpa", "203.in-addr.arpa"]
ns = ["ns1.registry.example"]
soa = { mname = "ns1.registry.example", rname = "hostmaster.registry.example" }
[gates]
last = false
most = 2
`
	d.write("nirzone.toml", 0o644, config)
	t.Chdir(d.dir)
	d.must(0, d.check(), "give the keys with --keyring") // not looked for
	cfg := []string{"--config", d.path("nirzone.toml")}
	d.must(0, d.check(cfg...), "signed at", "not checked: whether every name")
	if err := os.MkdirAll(d.path("registry"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.write("registry/claims", 0o644, "JPNIC\t202.13.0.0/16\n")
	d.write("registry/202.in-addr.arpa-RIR", 0o644, "RIR.202.in-addr.arpa. TXT \"Generated at 2026-11-21T00:00:00Z with 0 NS records.\"\n")
	d.must(3, d.check(cfg...), "outside-claims")
	d.write("registry/claims", 0o644, "JPNIC\t202.12.0.0/16\n")
	d.must(0, d.check(cfg...), "1 delegation would be published")

	// The gates of the configuration: two losses are held, the last one is not.
	d.write("old", 0o644, strings.Repeat("28.12.202.in-addr.arpa. NS a.example.\n", 2)+"JPNIC.202.in-addr.arpa. TXT \"Generated at 2026-11-20T00:00:00Z with 2 NS records.\"\n")
	d.must(0, d.check(append(cfg, "--previous", d.path("old"))...))
	d.write("lines", 0o644, "")
	d.must(0, d.make("--key", d.path("key"), "--empty"))
	d.must(0, d.check(append(cfg, "--previous", d.path("old"))...))
	d.must(3, d.check("--previous", d.path("old")), "would be held", "last:")

	// What the registry does not fetch, and seals that it asks for.
	if err := os.Remove(d.path(zonelet + ".md5")); err != nil {
		t.Fatal(err)
	}
	d.must(0, d.check(cfg...), "there is no "+zonelet+".md5, and the registry asks for one")
	d.must(3, d.check(append(cfg, "--source", "KRNIC")...), "KRNIC is no [[source]]")
	d.must(3, d.check(append(cfg, "--zone", "203.in-addr.arpa")...), "203.in-addr.arpa is not among the zones of JPNIC")
	d.must(3, d.check(append(cfg, "--zone", "204.in-addr.arpa")...), "204.in-addr.arpa is in no [[zones]] group")
	d.must(0, d.check(append(cfg, "--source", "jpnic")...), "signed at")
}

func TestMakeKeys(t *testing.T) {
	d := newDesk(t)
	d.key("key")
	if err := os.Chmod(d.path("key"), 0o640); err != nil {
		t.Fatal(err)
	}
	d.must(1, d.make("--key", d.path("key")), "key can be read by others", "hint: chmod 600")
	d.must(1, d.make("--key", d.path("absent")), "reading the key: ")
	d.must(1, d.make("--key", d.dir), "is a folder")
	d.must(2, d.make("--key", "-"), "not read from standard input")
	d.write("garbage", 0o600, "\x00\x01 no key")
	d.must(1, d.make("--key", d.path("garbage")), "reading the key: garbage")
	d.must(1, d.make("--key", d.path("key.pub")), "key.pub can be read by others")
	for _, f := range []string{zonelet, zonelet + ".md5", zonelet + ".asc"} {
		if isFile(d.path(f)) {
			t.Errorf("%s was written", f)
		}
	}
}

// gpg and md5sum accept what is made, also with gpg's own key under a
// passphrase.
func TestPeersAcceptSeals(t *testing.T) {
	peers.Need(t, "gpg", "md5sum")
	d := newDesk(t)
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	gpg := func(args ...string) []byte {
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "open sesame"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %q: %v", args, err)
		}
		return out
	}
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() })
	gpg("--faked-system-time", "20261121T000000", "--quick-generate-key", "JPNIC <zones@jpnic.example>", "ed25519", "sign", "0")
	d.write("key", 0o600, string(gpg("--armor", "--export-secret-keys")))
	d.write("pass", 0o600, "open sesame\n")
	d.write("wrong", 0o600, "shut\n")
	d.write("open", 0o644, "open sesame\n")
	d.must(1, d.make("--key", d.path("key")), "passphrase")
	d.must(1, d.make("--key", d.path("key"), "--passphrase-file", d.path("wrong")), "passphrase")
	d.must(1, d.make("--key", d.path("key"), "--passphrase-file", d.path("open")), "can be read by others")
	if strings.Contains(d.errs.String(), "sesame") {
		t.Error("the passphrase is in the message")
	}
	d.must(0, d.make("--key", d.path("key"), "--passphrase-file", d.path("pass")))
	sig, err := os.ReadFile(d.path(zonelet + ".asc"))
	if err != nil {
		t.Fatal(err)
	}
	status := peers.GPGVerify(t, gpg("--armor", "--export"), sig, d.path(zonelet), firstCycle.Add(time.Minute))
	if all := strings.Join(status, "\n"); !strings.Contains(all, "GOODSIG") || !strings.Contains(all, "VALIDSIG") {
		t.Errorf("gpg says:\n%s", all)
	}
	md5sum := exec.Command("md5sum", "--strict", "-c", zonelet+".md5")
	md5sum.Dir = d.dir
	if out, err := md5sum.CombinedOutput(); err != nil {
		t.Errorf("md5sum: %v\n%s", err, out)
	}
}

// Ctrl-C ends a command that waits for a pipe.
func TestCancelled(t *testing.T) {
	d := newDesk(t)
	pipe := d.path(zonelet)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"zone", "check", pipe}, {"zone", "make", "--zone", "202.in-addr.arpa", "--source", "JPNIC", "--out", d.dir, pipe}} {
		cmd := exec.Command("nirctl", args...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns when nirctl has opened it
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if code := exitCode(cmd.Wait()); code != "1" || errs.String() != "nirctl: error: cancelled\n" {
			t.Errorf("%q: exit %s, %q", args, code, errs.String())
		}
		w.Close()
	}
}
